// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a contraction is cut into register tiles, and the code of a tile.
#ifndef COMPILER_CONVERSION_KERNELS_CONTRACTIONEMITTER_H
#define COMPILER_CONVERSION_KERNELS_CONTRACTIONEMITTER_H

#include "compiler/conversion/kernels/Kernels.h"
#include "llvm/Support/MathExtras.h"

namespace vae {

/// Positions are worked on image after image, row after row. Small images with
/// a border in another order: as many images at a time as a tile has positions;
/// of these pixel after pixel; of a pixel image after image. So a tile is one
/// pixel of several images as often as there are enough, and the taps that meet
/// the border are the same for all of it.
struct PositionTiles {
  using Value = mlir::Value;
  Value pixels;    // of an image
  Value grouped;   // whether this is the second order; null: never
  Value groups;    // of images, whole ones
  Value rest;      // images of the last, smaller group
  Value inGroups;  // tiles of whole groups
  Value positions; // of all images
  Value count;

  PositionTiles(Emitter &e, const KernelTarget &target,
                const Contraction &shape, int64_t tile,
                mlir::ValueRange sizes) {
    Value images = sizes[kImages];
    pixels = e.mul(sizes[kRows], sizes[kColumns]);
    positions = e.mul(images, pixels);
    count = e.ceilDiv(positions, tile);
    if (!shape.padded)
      return;
    grouped = e.less(pixels, e.index(getMostPixelsOfSmallImage(target) + 1));
    groups = e.div(images, tile);
    rest = e.sub(images, e.mul(groups, tile));
    inGroups = e.mul(groups, pixels);
    Value inRest = e.ceilDiv(e.mul(rest, pixels), tile);
    count = e.select(grouped, e.add(inGroups, inRest), count);
  }
};

/// Positions in blocks of rows and columns (Patch).
struct PatchTiles {
  using Value = mlir::Value;
  int64_t rows;  // of a block
  Value inRow;   // blocks side by side
  Value inImage; // and of an image
  Value count;

  int64_t channels; // tiles of them
  Value perItem;    // so many are of one item, with all of a block's positions
  Value items;

  PatchTiles(Emitter &e, const KernelTarget &target, const Contraction &shape,
             mlir::ValueRange sizes)
      : rows(Patch::of(shape).rows) {
    inRow = e.ceilDiv(sizes[kColumns], kAmxPositions);
    inImage = e.mul(inRow, e.ceilDiv(sizes[kRows], rows));
    count = e.mul(sizes[kImages], inImage);
    int64_t outputs = chooseTile(target, shape).vectors * target.vectorWidth;
    channels = llvm::divideCeil(shape.outputs, outputs);
    Value enough = e.div(e.mul(count, channels), kFewestItems);
    perItem = e.max(e.index(1), e.min(enough, e.index(channels)));
    items = e.mul(count,
                  e.div(e.add(e.sub(perItem, e.index(1)), channels), perItem));
  }
};

/// Emits the body of one contraction kernel.
class ContractionEmitter {
  using Value = mlir::Value;

public:
  ContractionEmitter(Emitter &e, const KernelTarget &target,
                     const Contraction &shape, const Epilogue &epilogue,
                     const KernelArgs &args)
      : e(e), target(target), shape(shape), epilogue(epilogue), args(args) {
    Values buffers(args.buffers.begin(), args.buffers.end());
    if (hasExpandedWeight(target, shape)) {
      expanded = buffers[kExpandedBuffer];
      buffers.erase(buffers.begin() + kExpandedBuffer);
    }
    std::tie(x, weight, bias, residual, y) = epilogue.getBuffers(buffers);
  }

  /// Whether the kernel reads weights from a bitmap, or for more positions than
  /// a tile has, expanded ones from a buffer of their own.
  static constexpr unsigned kExpandedBuffer = 2;
  static bool hasExpandedWeight(const KernelTarget &target,
                                const Contraction &shape);
  /// Scratch for inputs that become bf16.
  static int64_t getRoundedBytes(const KernelTarget &target,
                                 const Contraction &shape);

  void emit();
  void emitDepthwise();

private:
  using Values = Emitter::Values;

  Value startDepthwise(Value at, Value mask);
  void emitDepthwisePixel(Value window, Value result, Value c, int64_t vectors,
                          Value mask);

  void emitItems();
  Value getBandTiles(const PositionTiles &tiles);
  /// The positions of a tile, and the images they are of.
  std::pair<Value, Value> locate(const PositionTiles &tiles, Value index);

  /// The part of the window that meets the image, for any of a tile's
  /// positions.
  struct Taps {
    // Null: all of them.
    Value firstFrame, lastFrame, firstRow, lastRow, firstColumn, lastColumn;
  };

  Value size(ContractionSize which) { return args.sizes[which]; }
  int64_t tileOutputs() const { return tile.vectors * e.width; }
  /// A pixel of an image: image `base` + `image`.
  struct Place {
    Value base, image, row, column;
  };
  /// A tile of channels: `vectors` vectors of the `left` channels that tile
  /// `block` of a group has.
  struct Channels {
    Value group, block;
    int64_t vectors, left;
  };
  Channels getWholeTile(Value group, Value block) const {
    return {group, block, tile.vectors, tileOutputs()};
  }
  /// Of the outputs that are left after whole tiles.
  Channels getNarrowTile(Value group) const {
    int64_t left = shape.outputs % tileOutputs();
    return {group, e.index(shape.outputs / tileOutputs()),
            vectorsFor(target, left), left};
  }
  Place locate(Value position);
  /// The next position if the condition holds, or the same one.
  Place advance(const Place &place, Value condition);
  /// The clip that an image is a frame of, and which one.
  std::pair<Value, Value> locateFrame(Value image);
  /// Where the window of a position begins, and where its result goes.
  Value getWindow(const Place &place);
  Value getResult(const Place &place);
  /// Fills the tables of windows and results with an item's positions, the last
  /// of which repeats to their ends.
  Taps findPositions(Value first, Value last, int64_t entries);
  void emitItem(const Taps &taps, Value group, Value block);
  /// Items of the same positions that follow each other, so that these are
  /// found, and rounded, once for them: runs of up to `most` tiles of channels.
  /// Of one tile, a run is an item.
  class Runs {
  public:
    Runs(ContractionEmitter &emitter, const PositionTiles &tiles,
         int64_t channels, int64_t most);
    /// A tile of positions, and the first one of channels; the first item, and
    /// how many there are.
    struct Run {
      Value positions, channels, first, length;
    };
    /// The run that an item is of.
    Value find(Value item);
    Run locate(Value run);

  private:
    Value getBandSize(Value first);
    Value getLength(Value part);
    Emitter &e;
    Value positions, band;
    int64_t channels, most;
  };
  Taps findTaps(const Place &start, Value base, Value row, Value column);
  /// The windows and results of a tile's positions, `at` after the item's
  /// first.
  void getPositions(Value at, int64_t count, bool whole, Values &inputs,
                    Values &outputs);
  /// Of positions first .. last of an axis.
  struct Axis {
    Value padding, extent; // of the input: before it, without the border
    int64_t window, stride, dilation;
  };
  std::pair<Value, Value> getTaps(const Axis &axis, Value first, Value last);
  Axis getAxis(int axis);
  void findFrameTaps(Value first, Value last, Taps &taps);
  void emitTile(Value at, int64_t positions, bool whole, const Taps &taps,
                const Channels &channels);
  /// Where the weights of a tile's vectors begin: at `base`, and from there
  /// each at its own offset.
  struct Weights {
    Value base;
    Values offsets; // empty: they follow from the vectors' numbers
    Values lanes;   // of the same vectors, within their blocks
  };
  Weights placeWeights(Value group, Value output, int64_t vectors);
  /// Those of vector v, `at` being where the first vector's are if the vectors
  /// lie at equal distances.
  Value placeVector(const Weights &weights, Value at, int64_t v);
  Values multiply(const Values &inputs, const Weights &weights,
                  const Taps &taps, int64_t positions, int64_t vectors,
                  const Values &accumulators);
  void emitPositions(const Taps &taps, const Channels &channels);
  /// Positions of the tiles that an item with less than a whole tile has.
  int64_t getRestPositions(int64_t vectors) const;
  /// Positions of a tile, rounded up to whole ones of those.
  int64_t roundToRest(int64_t vectors) const;
  /// What adds a piece of a window to the sums: `at` elements from where the
  /// input's window begins, `step` summands from where the weights begin.
  using RunFn =
      llvm::function_ref<Values(Value at, Value step, const Values &sums)>;
  /// Calls run for each tap, or for each row of taps where these are
  /// contiguous.
  Values overTaps(const Taps &taps, const Values &accumulators, RunFn run);
  /// Those of one frame of the window, which begins at `at` and `step`.
  Values overFrameTaps(const Taps &taps, Value at, Value step,
                       const Values &accumulators, RunFn run);
  Value settleSign(Value sum);
  // ContractionF16.cpp
  /// A piece of a run of summands: `count` of them, from `first` on, those of
  /// position r at places[r] of `data`.
  struct Piece {
    Value data;
    Values places;
    Value first;
    int64_t count;
  };
  using PieceFn =
      llvm::function_ref<Values(const Piece &piece, const Values &sums)>;
  /// Calls body for all of a run of each position's inputs, or for one piece
  /// after the other, whose inputs have become f32 in a table.
  Values overPieces(const Values &inputs, int64_t length, const Values &sums,
                    PieceFn body);
  void allocateWide();
  // ContractionBf16.cpp
  Values multiplyBf16(const Values &inputs, const Weights &weights,
                      const Taps &taps, int64_t vectors,
                      const Values &accumulators);
  /// Begins and ends at whole taps, in pairs of summands.
  struct Pairs {
    Value begin, end;
    int64_t unroll;
  };
  Pairs getPairs(const Taps &taps, int64_t length, int64_t mostUnroll);
  Values addPairs(const Piece &piece, const Weights &weights,
                  const Pairs &pairs, int64_t vectors, const Values &sums);
  Values addRoundedPairs(const Values &rows, const Weights &weights,
                         const Pairs &pairs, int64_t vectors,
                         const Values &sums);
  static int64_t getRoundedRow(const KernelTarget &target,
                               const Contraction &shape);
  /// Stores a vector as bf16.
  void storeRounded(Value value, Value table, Value at);
  void roundInputs(const Values &inputs, int64_t length, Value row);
  Values roundWindows(const Values &inputs, int64_t length);
  void roundItem();
  Values getRoundedRows(Value at, int64_t count, bool whole);
  void allocateRounded();
  // ContractionAmx.cpp
  /// Positions `at` after the item's first, or those of a row of a patch.
  struct AmxTile {
    Value at, row, group;
    int64_t positions;
    /// Of bytes: whether each row of tiles is read from where its first input
    /// begins, and these inputs. Otherwise copies are.
    Value direct;
    Values inputs;
  };
  /// A run of summands: `at` elements from where a window begins, `step`
  /// summands from where the weights begin.
  struct AmxRun {
    Value at, step;
  };
  /// Of the items being emitted.
  bool multipliesTiles() const {
    return usesAmx(target, shape) && tile.positions >= kAmxRows;
  }
  void allocateAmx();
  bool readsGathered() const;
  void padRounded();
  Value getInput(Value at);
  void gatherInputs(Value at, int64_t positions, Value group, Value from,
                    int64_t count);
  void copyRest(const Weights &weights, Value first, int64_t vectors,
                int64_t rows);
  void addAmxDots(llvm::ArrayRef<Emitter::TileRows> inputs,
                  llvm::ArrayRef<Emitter::TileRows> weights,
                  llvm::function_ref<void()> after);
  llvm::SmallVector<Emitter::TileRows>
  getAmxInputs(const AmxTile &tile, const AmxRun &run, Value k, int64_t count);
  void multiplyAmx(const AmxTile &tile, const Weights &weights,
                   const Channels &channels);
  void emitAmxTile(Value at, Value row, int64_t positions,
                   const Channels &channels);
  void emitAmxTiles(Value at, Value row, Value count, const Channels &channels);
  void emitAmxPositions(const Channels &channels);
  // ContractionAmxResults.cpp
  /// A tile whose sums wait: `count` positions; its first channel, in packed
  /// ones and in the result; of a dense layer, its first position.
  struct AmxWaiting {
    int64_t vectors, left;
    Value count, packed, channel, position;
  };
  void allocateWaiting();
  void beginWaiting();
  llvm::SmallVector<Channels> getForms();
  void keepAmxSums(const AmxTile &tile, const Weights &weights,
                   const Channels &channels, Value count);
  AmxWaiting loadWaiting(const Channels &channels);
  void finishPosition(const AmxWaiting &waiting, Value r);
  Value finishPositions(const AmxWaiting &waiting, Value first, int64_t most);
  void finishTile(const Channels &form);
  void finishOtherTiles(const Channels &channels);
  void finishLastTile();
  // ContractionPatch.cpp
  /// Where a run of a row of the output begins in the patch.
  Value getPatchPlace(Value row, Value step);
  void roundPatch(Value window, Value rows);
  Value findPatch(const PatchTiles &tiles, Value index);
  void emitPatches();
  // ContractionInt8.cpp
  /// Sums of integers that begin with minus the zero point of the input times
  /// the weights' sums, as if it had been subtracted from each input.
  Value startInt8(const Weights &weights, int64_t v);
  Values multiplyInt8(const Values &inputs, const Weights &weights,
                      const Taps &taps, int64_t positions, int64_t vectors,
                      const Values &accumulators);
  /// Sums of integers as f32, with the bias; `packed`: of the first vector in
  /// the scales.
  Values scaleInt8(const Values &sums, Value packed, int64_t vectors);
  /// A vector of scales, and one of biases.
  std::pair<Value, Value> loadInt8Scales(Value packed);
  Value getParameter(Int8Parameter which);
  /// What makes f32 of a quantized residual and integers of results, in all
  /// lanes; null where neither is quantized.
  struct Requantization {
    Value residualZeroPoint, residualScale;
    Emitter::QuantizationValues result;
  };
  /// Loads them, before results are stored: nothing says that these leave the
  /// parameters as they are, and each would load them again.
  Requantization loadRequantization();
  void finish(Values sums, const Values &places, const Values &masks,
              const Requantization &by);
  /// What was loaded of a residual as f32, and what a number is stored as.
  Value getResidual(const Requantization &by, Value loaded);
  Value getStored(const Requantization &by, Value value);
  Values multiplyInt8Dots(const Values &inputs, const Taps &taps,
                          const Values &accumulators);
  /// Of each output, the first lane's start.
  Values startInt8Dots();
  /// The sums of an element of each lane as f32, `first` being the number of
  /// the first one: outputs of one position follow each other.
  Value scaleInt8Dots(Value totals, int64_t first);
  // ContractionWeights.cpp
  /// A vector of f32 or f16, or of integers of 8 bits.
  Value loadWeight(Value at);
  /// The scales of vector v, of the block or of the group that begins at `at`.
  Value loadWeightScales(const Weights &weights, Value at, int64_t v);
  /// Those of vector v of all positions become sum * scale + start.
  void scaleSums(Values &sums, int64_t v, int64_t vectors, Value scale,
                 Value start);
  Values multiplyGroups(const Values &inputs, const Weights &weights,
                        const Taps &taps, int64_t vectors,
                        const Values &accumulators);
  Values addNibbles(const Piece &piece, const Weights &weights, Value begin,
                    int64_t vectors, const Values &sums);
  bool keepsTotals(const Tile &tile) const;
  void allocateTotals();
  // ContractionSparse.cpp
  /// Whether weights without zeros are read; weights.base is then the number of
  /// the first block.
  bool isSparse() const {
    return shape.weights.sparsity != Sparsity::None && !readsExpanded;
  }
  Values multiplyRows(const Values &inputs, const Weights &weights,
                      const Taps &taps, int64_t vectors,
                      const Values &accumulators);
  Values multiplyBitmap(const Values &inputs, const Weights &weights,
                        int64_t vectors, const Values &accumulators);
  // ContractionDot.cpp
  void emitDotTile(Value at, int64_t positions, bool whole, const Taps &taps);
  void prefetchWindows(const Values &inputs);
  Values startDots();
  Values multiplyDots(const Values &inputs, const Taps &taps,
                      const Values &accumulators);

  Emitter &e;
  const KernelTarget &target;
  const Contraction &shape;
  const Epilogue &epilogue;
  const KernelArgs &args;
  Tile tile = {1, 1}; // of the items being emitted
  Value pixels;       // of an image
  /// Positions count pixels of `images` images together, from `firstImage`.
  Value firstImage, images;
  /// The positions of the item being emitted.
  Value firstPosition, lastPosition;
  /// Tables, on the stack, of where their windows begin and results go.
  Value windows, results;
  /// Likewise, a run of summands of each position as pairs of bf16: one in each
  /// i32, `roundedRow` for a position.
  Value rounded;
  int64_t roundedRow = 0;
  /// Of the tile being emitted, if items share what is rounded.
  Values roundedRows;
  /// Tables for tiles of AMX, as i32; and of index values, what is known of the
  /// tile that waits, and where its results go.
  struct {
    Value configuration, starts, sums, gathered, rest, waiting, places;
    Requantization requantization;
  } amx;
  /// Whether the item's windows begin at equal distances, and which.
  Value equalDistances, distance;
  /// Likewise, a piece of each position's inputs of f16 as f32.
  Value wide;
  int64_t wideRow = 0;
  /// Likewise, what groups of inputs have come to, where registers hold the
  /// sums of a group only.
  Value totals;
  Value x, weight, bias, residual, y;
  /// Weights that a bitmap was expanded to, and whether these are read by the
  /// items being emitted.
  Value expanded;
  bool readsExpanded = false;
};

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_CONTRACTIONEMITTER_H
