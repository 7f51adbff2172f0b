// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd in 16-bit block floating point. Transformed inputs and weights are
// integers of 16 bits times a scale, which belongs to a row of a tile's
// positions and a chunk of inputs, or to a position, an output and a chunk.
// Products of a chunk are added in 32 bits, which cannot overflow, and become
// f32 at its end.
//
// The scale of a tile depends on nothing but the tile, so that neither do its
// results.
#include "compiler/conversion/kernels/WinogradEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// The largest magnitude of a transformed input, as an integer.
static constexpr double kMostInput = (int64_t(1) << kInputBits) - 1;
/// The same of a weight, and of the sum over a chunk: each of its integers may
/// be rounded up by a half.
static constexpr double kMostWeight = 32767;
static constexpr double kMostWeightSum =
    static_cast<double>(int64_t(1) << (31 - kInputBits)) - kChunkChannels;
/// Less is 0, so that it has a scale whose reciprocal is finite.
static constexpr float kLeast = 1e-30F;

static Value getLeast(Emitter &e) {
  return e.integers(llvm::bit_cast<uint32_t>(kLeast));
}

bool vae::hasBlockFloat(const KernelTarget &target, const Winograd &shape) {
  // A vector holds the scales of a column of positions.
  return target.wordDots && shape.axes[0].size() <= target.vectorWidth;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void WinogradWeights::emitChunk(Value item, Value scratch) {
  Value block = e.div(item, shape.chunks());
  Value chunk = e.sub(item, e.mul(block, shape.chunks()));
  Place place = getPlace(block);
  Value start = e.add(place.start, e.mul(chunk, place.chunkStride));
  Value first = e.mul(chunk, kChunkChannels);
  Value left = e.sub(e.index(shape.inputPairs() * 2 * kChannelBlock), first);
  Value inputs = e.min(left, e.index(kChunkChannels));
  e.loop(e.index(0), e.index(kChannelBlock), e.width, [&](Value lane) {
    e.loop(e.index(0), inputs, 1, [&](Value i) {
      Value input = e.add(first, i);
      transformOrClear(isGiven(block, input),
                       e.add(getSource(block, input), lane), scratch,
                       e.mul(i, e.width), e.index(kChunkChannels * e.width));
    });
    e.loop(e.index(0), e.index(shape.positions()), 1, [&](Value position) {
      quantize(position, scratch, inputs,
               e.add(e.add(start, e.mul(position, place.stride)), lane),
               place.width);
    });
  });
}

/// The weights of a chunk at one position, for as many outputs as a vector has.
void WinogradWeights::quantize(Value position, Value scratch, Value inputs,
                               Value to, Value panelWidth) {
  Value from = e.mul(position, kChunkChannels * e.width);
  auto load = [&](Value input) {
    return e.loadVec(scratch, e.add(from, e.mul(input, e.width)));
  };
  Emitter::Values found =
      e.loop(e.index(0), inputs, 1, {e.splat(0), getLeast(e)},
             [&](Value input, ValueRange so) {
               Value u = load(input);
               return Emitter::Values{e.addf(so[0], e.absf(u)),
                                      e.maxMagnitude(so[1], u)};
             });
  Value bySum = e.mulf(found[0], e.splat(1 / kMostWeightSum));
  Value byMost = e.mulf(e.fromBits(found[1]), e.splat(1 / kMostWeight));
  Value scale = e.maxf(bySum, byMost);
  e.storeVec(scale, result, to);
  Value factor = e.divf(e.splat(1), scale);
  e.loop(e.index(0), inputs, 2 * kChannelBlock, [&](Value pair) {
    e.loop(e.index(0), e.index(kChannelBlock), 1, [&](Value k) {
      Value input = e.add(pair, k);
      Value words = e.joinPairs(
          e.roundToInt16(load(input), factor),
          e.roundToInt16(load(e.add(input, kChannelBlock)), factor));
      Value word = e.add(e.div(pair, 2), k);
      e.storeVec(words, result, e.add(to, e.mul(e.add(word, 1), panelWidth)));
    });
  });
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// A chunk of a tile's window, as integers and scales.
void WinogradEmitter::transformChunk(Value t, Value chunk) {
  int64_t perTile = shape.axes[1].size() * kChannelBlock;
  Value scales = e.add(e.mul(e.add(e.mul(chunk, layout.tiles), t), perTile),
                       e.index(layout.scales));
  Value pair = e.mul(chunk, kChunkPairs);
  Value to = e.add(e.mul(e.add(e.mul(pair, layout.tiles), t), kChannelBlock),
                   e.index(layout.inputs));
  Value firstChannel = e.mul(chunk, kChunkChannels);
  Value blocks = e.min(e.sub(e.index(shape.inputBlocks()), e.mul(pair, 2)),
                       e.index(2 * kChunkPairs));
  auto transform = [&](const Window &window) {
    findScales(window, scales);
    quantizeWindow(window, to);
    return Values();
  };
  e.ifElse(
      isInside(t),
      [&] {
        Value base = e.add(get(kWindow, t), firstChannel);
        return transform({x, base, size(kInRow), shape.inputs, firstChannel,
                          blocks, /*whole=*/false});
      },
      [&] {
        Value window = e.index(layout.window);
        e.loop(zero, e.mul(blocks, kChannelBlock), e.width, [&](Value i) {
          Value channel = e.add(firstChannel, i);
          copyWindow(t, channel, getMask(channel, shape.inputs, kChannelBlock),
                     e.add(window, i));
        });
        return transform({scratch, window,
                          e.index(shape.axes[1].size() * layout.windowPixel),
                          layout.windowPixel, firstChannel, blocks,
                          /*whole=*/true});
      });
}

/// The pixels of a column of the window that these rows of the transform need.
Emitter::Values WinogradEmitter::loadColumn(const Window &window, Value channel,
                                            int64_t column,
                                            ArrayRef<int64_t> rows) {
  const LinearMap &down = inputMaps[0];
  Value mask = window.whole ? Value()
                            : getMask(e.add(window.firstChannel, channel),
                                      shape.inputs, kChannelBlock);
  Values pixels(down.getNumColumns());
  Value at = e.add(window.base, e.add(channel, column * window.columnStride));
  for (int64_t i = 0; i < down.getNumColumns(); ++i)
    if (down.uses(rows, i))
      pixels[i] =
          e.loadVec(window.buffer, e.add(at, e.mul(window.rowStride, i)), mask);
  return pixels;
}

/// The transform along columns is computed for its largest magnitudes, that
/// along rows bounded by the norms of its rows: what becomes an integer is less
/// than kMostInput.
void WinogradEmitter::findScales(const Window &window, Value scales) {
  const LinearMap &down = inputMaps[0];
  int64_t columns = shape.axes[1].size();
  SmallVector<int64_t> rows =
      llvm::to_vector(llvm::seq<int64_t>(0, down.getNumRows()));
  Values most(rows.size(), getLeast(e));
  most =
      e.loop(zero, e.mul(window.blocks, kChannelBlock), e.width, most,
             [&](Value channel, ValueRange so) {
               Values most(so.begin(), so.end());
               for (int64_t j = 0; j < columns; ++j) {
                 Values pixels = loadColumn(window, channel, j, rows);
                 for (auto [row, value] : llvm::zip(most, down.emit(e, pixels)))
                   row = e.maxMagnitude(row, value);
               }
               return most;
             });
  Value largest = e.fromBits(e.combineEach(most, [&](Value x, Value y) {
    return e.maxMagnitude(x, e.fromBits(y));
  }));
  // Of infinity, too, NaN: integers say nothing of it.
  largest = e.addf(largest, e.subf(largest, largest));
  Value inverse = e.divf(e.splat(1), largest);
  std::vector<double> norms =
      getRowNorms(getWinogradMatrices(shape.axes[1]).input);
  for (int64_t j = 0; j < columns; ++j) {
    Value place = e.index(layout.factors + j * kChannelBlock);
    e.storeVec(e.mulf(inverse, e.splat(kMostInput / norms[j])), scratch, place);
    e.storeVec(e.mulf(largest, e.splat(norms[j] / kMostInput)), scratch,
               e.add(scales, j * kChannelBlock));
  }
}

void WinogradEmitter::quantizeWindow(const Window &window, Value to) {
  Value pairs = e.div(window.blocks, 2);
  int64_t pairStride = layout.tiles * kChannelBlock;
  auto quantize = [&](Value pair, bool both) {
    Value first = e.mul(pair, 2 * kChannelBlock);
    Value at = e.add(to, e.mul(pair, pairStride));
    e.loop(zero, e.index(kChannelBlock), e.width, [&](Value lane) {
      quantizePair(window, e.add(first, lane), both, e.add(at, lane));
    });
  };
  e.loop(zero, pairs, 1, [&](Value pair) { quantize(pair, true); });
  if (shape.inputBlocks() % 2)
    e.ifThen(e.less(e.mul(pairs, 2), window.blocks),
             [&] { quantize(pairs, false); });
}

/// A vector of channels, and one of the next block.
void WinogradEmitter::quantizePair(const Window &window, Value channel,
                                   bool both, Value to) {
  const LinearMap &down = inputMaps[0], &across = inputMaps[1];
  int64_t columns = shape.axes[1].size();
  auto transform = [&](ArrayRef<int64_t> rows, Value channel) {
    SmallVector<Values> half(rows.size());
    for (int64_t j = 0; j < columns; ++j)
      for (auto [row, value] : llvm::zip(
               half, down.emit(e, rows, loadColumn(window, channel, j, rows))))
        row.push_back(value);
    return half;
  };
  auto round = [&](int64_t row, int64_t j, Value value) {
    Value factor =
        e.load(scratch, e.index(layout.factors + j * kChannelBlock + row));
    return e.roundToInt16(value, e.broadcast(factor));
  };
  for (ArrayRef<int64_t> rows : down.getRowGroups()) {
    SmallVector<Values> first = transform(rows, channel), second;
    if (both)
      second = transform(rows, e.add(channel, kChannelBlock));
    for (auto [index, row] : llvm::enumerate(rows)) {
      Values low = across.emit(e, first[index]), high;
      if (both)
        high = across.emit(e, second[index]);
      for (int64_t j = 0; j < columns; ++j) {
        Value words =
            e.joinPairs(round(row, j, low[j]),
                        both ? round(row, j, high[j]) : e.integers(0));
        e.storeVec(words, scratch,
                   e.add(to, (row * columns + j) * layout.inPosition));
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Where the scales of the first tile at a position are.
Value WinogradEmitter::getScales(Value position) {
  int64_t columns = shape.axes[1].size();
  Value row = e.div(position, columns);
  Value column = e.sub(position, e.mul(row, columns));
  return e.add(e.add(e.mul(column, kChannelBlock), row),
               e.index(layout.scales));
}

Value WinogradEmitter::placeScales(Value scales, Value t) {
  return e.add(scales, e.mul(t, shape.axes[1].size() * kChannelBlock));
}

/// Products of `rows` tiles with one position's weights of a panel of so many
/// vectors.
void WinogradEmitter::multiplyChunks(Value from, Value weights, Value to,
                                     Value scales, int64_t rows,
                                     int64_t vectors) {
  int64_t width = vectors * e.width;
  e.loop(zero, e.index(shape.chunks()), 1, [&](Value chunk) {
    Value firstPair = e.mul(chunk, kChunkPairs);
    Value pairs = e.min(e.sub(e.index(shape.inputPairs()), firstPair),
                        e.index(kChunkPairs));
    Value w =
        e.add(weights, e.mul(chunk, getWinogradChunkStride(shape, width)));
    Values sums = multiplyBlocks(
        e.add(from, e.mul(firstPair, layout.tiles * kChannelBlock)),
        e.add(w, width), pairs, rows, Values(rows * vectors, e.integers(0)));
    Value chunkScales = placeScales(scales, e.mul(chunk, layout.tiles));
    auto add = [&](bool first) {
      addChunk(sums, vectors, w, to, chunkScales, first);
      return Values();
    };
    if (shape.chunks() == 1)
      add(true);
    else
      e.ifElse(
          e.less(zero, chunk), [&] { return add(false); },
          [&] { return add(true); });
  });
}

/// Adds the sums of a chunk to the products in scratch.
void WinogradEmitter::addChunk(const Values &sums, int64_t vectors,
                               Value weights, Value to, Value scales,
                               bool first) {
  int64_t perTile = shape.axes[1].size() * kChannelBlock;
  Values outputScales;
  for (int64_t v = 0; v < vectors; ++v)
    outputScales.push_back(e.loadVec(weight, e.add(weights, v * e.width)));
  for (auto [index, sum] : llvm::enumerate(sums)) {
    int64_t r = static_cast<int64_t>(index) / vectors, v = index % vectors;
    Value scale = e.broadcast(e.load(scratch, e.add(scales, r * perTile)));
    Value value = e.mulf(e.fromIntegers(sum), outputScales[v]);
    Value at = e.add(to, static_cast<int64_t>(index) * e.width);
    e.storeVec(first ? e.mulf(value, scale)
                     : e.fma(value, scale, e.loadVec(scratch, at)),
               scratch, at);
  }
}
