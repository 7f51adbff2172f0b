// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions by tiles of AMX: 16 positions times 64 bytes of summands, of
// quantized inputs or of inputs rounded to bf16, times packed weights, which
// are such tiles as they are.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

static constexpr int64_t kWords = kAmxRowWords, kTileWords = kAmxTileWords;

/// Summands of a tile's row.
static int64_t getAmxSummands(const Contraction &shape) {
  return shape.precision == Precision::INT8 ? kAmxBytes : kAmxBytes / 2;
}

/// Tiles of a run that are all of inputs.
static int64_t countWholeTiles(const Contraction &shape) {
  return shape.runLength() / getAmxSummands(shape);
}

/// Of the last tile of a run, if it has others; a whole one, it may be, of
/// which the last are zeros.
static int64_t getRestSummands(const Contraction &shape) {
  return shape.storedRunLength() -
         countWholeTiles(shape) * getAmxSummands(shape);
}

void ContractionEmitter::allocateAmx() {
  if (!usesAmx(target, shape))
    return;
  equalDistances = e.less(e.index(0), e.index(1));
  distance = size(kInImage);
  Type word = e.b.getI32Type();
  amx.sums = e.stack(kAmxSums * kTileWords, word);
  amx.configuration = e.stack(kWords, word);
  allocateWaiting();
  if (readsGathered())
    amx.gathered = e.stack(kAmxPositions * kWords, word);
  // The last rows of weights of a run, and zeros, since other weights follow.
  if (getRestSummands(shape)) {
    amx.rest = e.stack(kAmxSums * kTileWords, word);
    e.loop(e.index(0), e.index(kAmxSums * kTileWords), kWords,
           [&](Value at) { e.storeVec(e.integers(0), amx.rest, at); });
  }
  padRounded();
}

bool ContractionEmitter::readsGathered() const {
  return shape.precision == Precision::INT8 || !args.scratch;
}

/// Rows of rounded inputs end with zeros where a tile reads on.
void ContractionEmitter::padRounded() {
  int64_t length = llvm::alignTo(shape.runLength(), e.width);
  if (!shape.flat || !sharesRounded(target, shape) ||
      length % (2 * e.width) == 0)
    return;
  e.loop(e.index(0), e.index(kAmxPositions), 1, [&](Value r) {
    storeRounded(e.splat(0), rounded, e.add(e.mul(r, roundedRow), length / 2));
  });
}

/// Where the window of a position of the item begins, `at` after the first.
Value ContractionEmitter::getInput(Value at) {
  Values inputs, results;
  getPositions(at, 1, /*whole=*/false, inputs, results);
  return inputs[0];
}

/// Copies a tile's row of each position, `from` elements after the beginning of
/// its window; of f32, rounds `count` of them.
void ContractionEmitter::gatherInputs(Value at, int64_t positions, Value group,
                                      Value from, int64_t count) {
  Value offset = e.add(from, e.mul(group, shape.inputs));
  e.loop(e.index(0), e.index(positions), 1, [&](Value r) {
    Value place = e.add(getInput(e.add(at, r)), offset);
    Value to = e.mul(r, kWords);
    if (shape.precision == Precision::INT8)
      return e.storeVec(e.loadFours(x, place), amx.gathered, to);
    for (int64_t k = 0; k < 2 * e.width; k += e.width) {
      int64_t left = count - k;
      Value value = e.splat(0);
      if (left > 0)
        value = e.loadVec(x, e.add(place, k),
                          left < e.width ? e.mask(left) : Value());
      storeRounded(value, amx.gathered, e.add(to, k / 2));
    }
  });
}

/// Copies the last rows of weights of a run.
void ContractionEmitter::copyRest(const Weights &weights, Value first,
                                  int64_t vectors, int64_t rows) {
  Type element = cast<MemRefType>(weight.getType()).getElementType();
  int64_t elements = kAmxBytes * 8 / element.getIntOrFloatBitWidth();
  for (int64_t v = 0; v < vectors; ++v)
    for (int64_t row = 0; row < rows; ++row) {
      Value at = e.add(placeVector(weights, first, v), row * elements);
      Value words = shape.precision == Precision::INT8
                        ? e.loadFours(weight, at)
                        : e.toBits(e.loadPairs(weight, at));
      e.storeVec(words, amx.rest, e.index(v * kTileWords + row * kWords));
    }
}

/// Adds the products of tiles of inputs and tiles of weights, calling `after`
/// each.
void ContractionEmitter::addAmxDots(ArrayRef<Emitter::TileRows> inputs,
                                    ArrayRef<Emitter::TileRows> weights,
                                    function_ref<void()> after) {
  int64_t rows = inputs.size(), vectors = weights.size();
  bool bytes = shape.precision == Precision::INT8;
  int64_t firstWeight = kAmxSums + rows;
  for (int64_t r = 0; r < rows; ++r)
    e.loadTile(kAmxSums + r, inputs[r]);
  for (int64_t v = 0; v < vectors; ++v) {
    int64_t tile = firstWeight + v % (kAmxTiles - firstWeight);
    e.loadTile(tile, weights[v]);
    for (int64_t r = 0; r < rows; ++r) {
      e.addTileDots(r * vectors + v, kAmxSums + r, tile, bytes);
      after();
    }
  }
}

/// The inputs of the tile's positions, `k` summands into a run.
SmallVector<Emitter::TileRows>
ContractionEmitter::getAmxInputs(const AmxTile &tile, const AmxRun &run,
                                 Value k, int64_t count) {
  SmallVector<Emitter::TileRows> result;
  int64_t rows = tile.positions / kAmxRows;
  auto getRows = [&](Value buffer, Value first, Value step, Value bytes) {
    for (int64_t r = 0; r < rows; ++r)
      result.push_back(
          {e.address(buffer, e.add(first, e.mul(step, r * kAmxRows))), bytes});
  };
  if (sharesRounded(target, shape)) {
    Value step = e.index(shape.flat ? roundedRow : Patch::of(shape).step / 2);
    Value first = shape.flat ? e.mul(tile.at, roundedRow)
                             : getPatchPlace(tile.row, run.step);
    getRows(rounded, e.add(first, e.div(k, 2)), step, e.mul(step, 4));
    return result;
  }
  Value from = e.add(run.at, k);
  Value bytes = e.index(kAmxBytes);
  if (!tile.direct) {
    gatherInputs(tile.at, tile.positions, tile.group, from, count);
    getRows(amx.gathered, e.index(0), e.index(kWords), bytes);
    return result;
  }
  e.ifElse(
      tile.direct, [] { return Values(); },
      [&] {
        gatherInputs(tile.at, tile.positions, tile.group, from, count);
        return Values();
      });
  Value offset = e.add(from, e.mul(tile.group, shape.inputs));
  for (int64_t r = 0; r < rows; ++r) {
    Value direct = e.address(x, e.add(tile.inputs[r], offset));
    Value copied = e.address(amx.gathered, e.index(r * kTileWords));
    result.push_back({e.select(tile.direct, direct, copied),
                      e.select(tile.direct, distance, bytes)});
  }
  return result;
}

/// Adds all products of a tile. Meanwhile, the results of the tile before are
/// finished: some positions after each step of products, or, where these are
/// few, after each product, for the unit that multiplies tiles sleeps after 0.2
/// us of idleness, and takes 0.3 us to wake.
void ContractionEmitter::multiplyAmx(const AmxTile &tile,
                                     const Weights &weights,
                                     const Channels &channels) {
  constexpr int64_t kFewSteps = 2;
  int64_t vectors = channels.vectors;
  int64_t each = getAmxSummands(shape), rest = getRestSummands(shape);
  int64_t whole = countWholeTiles(shape);
  int64_t runs = shape.storedSummands() / shape.storedRunLength();
  int64_t steps = runs * std::max<int64_t>(1, whole);
  int64_t products =
      steps > kFewSteps ? 1 : vectors * (tile.positions / kAmxRows);
  int64_t most = llvm::divideCeil(kAmxPositions, steps * products);
  AmxWaiting waiting = loadWaiting(channels);
  overTaps({}, {e.index(0)}, [&](Value at, Value step, const Values &carried) {
    AmxRun run = {at, step};
    Value finished = carried[0];
    Value first = e.add(weights.base,
                        e.mul(e.add(step, shape.storedHead()), kChannelBlock));
    auto add = [&](Value k, int64_t count, bool finishes, auto locateVector) {
      SmallVector<Emitter::TileRows> tiles;
      for (int64_t v = 0; v < vectors; ++v)
        tiles.push_back({locateVector(v), e.index(kAmxBytes)});
      auto finish = [&] {
        if (finishes)
          finished = finishPositions(waiting, finished, most);
      };
      addAmxDots(getAmxInputs(tile, run, k, count), tiles, [&] {
        if (products > 1)
          finish();
      });
      if (products == 1)
        finish();
    };
    if (whole)
      finished =
          e.loop(e.index(0), e.index(whole), 1, {finished},
                 [&](Value chunk, ValueRange before) -> Values {
                   finished = before[0];
                   Value k = e.mul(chunk, each);
                   Value place = e.add(first, e.mul(k, kChannelBlock));
                   add(k, each, /*finishes=*/true, [&](int64_t v) {
                     return e.address(weight, placeVector(weights, place, v));
                   });
                   return {finished};
                 })[0];
    if (!rest)
      return Values{finished};
    copyRest(weights, e.add(first, whole * each * kChannelBlock), vectors,
             rest * kAmxRows / each);
    add(e.index(whole * each), shape.runLength() - whole * each,
        /*finishes=*/!whole, [&](int64_t v) {
          return e.address(amx.rest, e.index(v * kTileWords));
        });
    return Values{finished};
  });
}

/// One tile of positions, which begin `at` after the item's first; `row`: of a
/// patch.
void ContractionEmitter::emitAmxTile(Value at, Value row, int64_t positions,
                                     const Channels &channels) {
  int64_t vectors = channels.vectors, rows = positions / kAmxRows;
  AmxTile tile = {at, row, channels.group, positions, {}, {}};
  Value left = row ? e.sub(lastPosition, firstPosition)
                   : e.sub(lastPosition, e.add(firstPosition, at));
  Value count = e.min(left, e.index(positions));
  if (shape.precision == Precision::INT8) {
    Value whole = e.less(e.index(positions - 1), count);
    tile.direct = e.both(equalDistances, whole);
    for (int64_t r = 0; r < rows; ++r)
      tile.inputs.push_back(getInput(e.add(at, r * kAmxRows)));
  }
  Value output = e.mul(channels.block, tileOutputs());
  Weights weights = placeWeights(channels.group, output, vectors);
  for (int64_t i = 0; i < rows * vectors; ++i)
    e.zeroTile(i);
  multiplyAmx(tile, weights, channels);
  keepAmxSums(tile, weights, channels, count);
}

/// The positions of an item: one tile, of which more than a half, or half.
void ContractionEmitter::emitAmxPositions(const Channels &channels) {
  finishOtherTiles(channels);
  Value zero = e.index(0);
  if (tile.positions == kAmxRows)
    return emitAmxTile(zero, {}, kAmxRows, channels);
  Value count = e.sub(lastPosition, firstPosition);
  emitAmxTiles(zero, {}, count, channels);
}

void ContractionEmitter::emitAmxTiles(Value at, Value row, Value count,
                                      const Channels &channels) {
  auto emit = [&](int64_t positions) {
    return [&, positions] {
      emitAmxTile(at, row, positions, channels);
      return Values();
    };
  };
  e.ifElse(e.less(e.index(kAmxRows), count), emit(kAmxPositions),
           emit(kAmxRows));
}
