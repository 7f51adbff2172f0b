// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of a Winograd kernel. An item is a block of tiles and a part of the
// outputs. It transforms the inputs of its tiles, then, for one panel of
// outputs after the other, multiplies them with the weights of each position
// and transforms the products back.
#ifndef COMPILER_CONVERSION_KERNELS_WINOGRADEMITTER_H
#define COMPILER_CONVERSION_KERNELS_WINOGRADEMITTER_H

#include "compiler/conversion/kernels/Winograd.h"

namespace vae {

/// How the tiles of all images are cut into items.
struct WinogradItems {
  using Value = mlir::Value;
  Value rows, columns; // of tiles, in an image
  Value tiles;         // of all images
  Value blocks;        // of tiles
  Value splits;        // of the outputs
  Value count;

  WinogradItems(Emitter &e, const KernelTarget &target, const Winograd &shape,
                mlir::ValueRange sizes);
};

/// Where the buffers of a task lie in its scratch, in elements of f32.
struct WinogradScratch {
  int64_t tiles;       // of a block
  int64_t inPosition;  // from one position's inputs to the next one's
  int64_t outPosition; // and products
  int64_t inputs, products, window, results, size;
  int64_t windowPixel; // of the window, from one pixel to the next
  /// Of blockFloat: what a tile's inputs are multiplied by to become integers,
  /// and for each chunk and tile, what products are multiplied by to become
  /// f32: [column][16, of which the first are rows].
  int64_t factors, scales;

  WinogradScratch(const KernelTarget &target, const Winograd &shape);
};

/// The body of a kernel that transforms weights.
class WinogradWeights {
  using Value = mlir::Value;

public:
  WinogradWeights(Emitter &e, const KernelTarget &target, const Winograd &shape,
                  const WeightForm &form, const KernelArgs &args);
  /// A block of outputs and a block of inputs.
  void emitItem(Value item);
  /// Of blockFloat: a block of outputs and a chunk of inputs.
  void emitChunk(Value item, Value scratch);

private:
  /// Where the transformed weights of a block of outputs begin, the width of
  /// their panel, and how far its positions and chunks are apart.
  struct Place {
    Value start, width, stride, chunkStride;
  };
  Place getPlace(Value block);
  Value getSource(Value block, Value input);
  /// Whether the layer has these channels; others are there to fill a block.
  Value isGiven(Value block, Value input);
  /// The weights of one input and as many outputs as a vector has. Positions
  /// are `stride` elements apart.
  void transform(Value from, Value buffer, Value to, Value stride);
  void transformOrClear(Value given, Value from, Value buffer, Value to,
                        Value stride);
  void quantize(Value position, Value scratch, Value inputs, Value to,
                Value panelWidth);

  Emitter &e;
  const Winograd &shape;
  WeightLayout stored; // if they are integers
  Value weight, result;
  const WinogradPanels panels;
  LinearMap columns, rows;
};

class WinogradEmitter {
  using Value = mlir::Value;
  using Values = Emitter::Values;

public:
  WinogradEmitter(Emitter &e, const KernelTarget &target, const Winograd &shape,
                  const Epilogue &epilogue, const KernelArgs &args);

  void emit();

private:
  /// Of a tile: where its window and its result begin, the window's first row
  /// and column in the image, and how many results lie in the image.
  enum Field : unsigned {
    kWindow,
    kResult,
    kFirstRow,
    kFirstColumn,
    kResultRows,
    kResultColumns,
    kNumFields
  };

  Value size(ContractionSize which) { return args.sizes[which]; }
  void emitItem(Value item);
  void findTiles(Value first);
  /// The tile's image, row and column of tiles.
  struct Place {
    Value image, row, column;
  };
  Place locate(Value tile);
  std::pair<Value, Value> getBlock(Value item);
  /// A panel of so many outputs: the first of them, and its weights.
  struct Panel {
    int64_t width;
    Value firstChannel, weights;
  };
  Value get(Field field, Value tile) { return e.load(tables[field], tile); }

  // WinogradTransform.cpp
  void transformInputs();
  void transformInput(Value tile, Value block);
  void copyWindow(Value tile, Value channel, Value mask, Value to);
  Value isInside(Value tile);
  void transformWindow(Value buffer, Value base, Value rowStride,
                       int64_t columnStride, Value to, Value mask);
  void transformProducts(const Panel &panel);
  Values transformProducts(Value from, llvm::ArrayRef<int64_t> rows);
  void storeInside(Value tile, Value channel, Value from, Value mask,
                   bool stream);
  void storePartly(Value tile, Value channel, Value from, Value mask);
  void storeResult(Value sum, Value at, Value biases, Value mask,
                   bool stream = false);
  /// Whether results are written past the caches; null: never.
  Value getStreams();
  /// Groups of a tile's rows of results that have registers.
  llvm::SmallVector<llvm::SmallVector<int64_t>> getResultRows() const;
  /// A mask of the channels from one on; null if that many are always there.
  Value getMask(Value channel, int64_t channels, int64_t whole);

  // WinogradBlockFloat.cpp
  void transformChunk(Value tile, Value chunk);
  /// A window of a chunk's channels, of which there are as many blocks.
  struct Window {
    Value buffer, base, rowStride;
    int64_t columnStride;
    Value firstChannel, blocks;
    bool whole; // has all channels of its blocks
  };
  Emitter::Values loadColumn(const Window &window, Value channel,
                             int64_t column, llvm::ArrayRef<int64_t> rows);
  void findScales(const Window &window, Value scales);
  void quantizeWindow(const Window &window, Value to);
  void quantizePair(const Window &window, Value channel, bool both, Value to);
  Value getScales(Value position);
  Value placeScales(Value scales, Value tile);
  void multiplyChunks(Value from, Value weights, Value to, Value scales,
                      int64_t rows, int64_t vectors);
  void addChunk(const Values &sums, int64_t vectors, Value weights, Value to,
                Value scales, bool first);

  /// What the item after this one reads, so many times in equal parts.
  void prefetchNext(Value index, Value parts);
  /// A part of the residual of an item's tiles.
  void prefetchResidual(const Panel &panel, Value index, Value parts);
  void multiply(const Panel &panel, Value part, Value parts);
  Values multiplyBlocks(Value from, Value weights, Value blocks, int64_t rows,
                        const Values &start);
  void multiplyRows(Value from, Value weights, Value to, int64_t rows,
                    int64_t vectors);

  Emitter &e;
  const KernelTarget &target;
  const Winograd &shape;
  const Epilogue &epilogue;
  const KernelArgs &args;
  const WinogradPanels panels;
  const int64_t positions; // tiles of a register tile
  const WinogradScratch layout;
  const WinogradItems items;
  const LinearMap inputMaps[2], outputMaps[2];
  Value x, weight, bias, residual, y, scratch;
  Value tables[kNumFields];   // on the stack, one entry a tile of the block
  Value count;                // tiles of the item
  Value runs, rows, extra;    // of tiles that are multiplied together
  Value nextFirst, nextCount; // tiles of the next item
  Value streams; // whether results are written past the caches; null: never
  Value zero;
};

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_WINOGRADEMITTER_H
