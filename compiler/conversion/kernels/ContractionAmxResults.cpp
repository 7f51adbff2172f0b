// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes of the sums of a tile of AMX. They wait in a table until the
// next tile's products are added, so that vectors and tiles are busy at the
// same time.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

namespace {
/// What is known of the tile that waits: its positions, 0 if there is none; the
/// first of its channels, in a group's packed ones and in the result; of a
/// dense layer, its first position; and whether it is the narrower one that
/// outputs end with.
enum WaitingField { kCount, kPacked, kChannel, kPosition, kNarrow, kNumFields };
} // namespace

void ContractionEmitter::allocateWaiting() {
  amx.waiting = e.stack(kNumFields);
  if (shape.precision == Precision::INT8)
    amx.starts = e.stack(kAmxSums * kAmxRowWords, e.b.getI32Type());
  if (!shape.flat)
    amx.places = e.stack(kAmxPositions);
}

/// Before the first item.
void ContractionEmitter::beginWaiting() {
  e.store(e.index(0), amx.waiting, e.index(kCount));
  e.store(e.index(0), amx.waiting, e.index(kNarrow));
  amx.requantization = loadRequantization();
}

/// The tiles of channels that there are, of any group and block.
SmallVector<ContractionEmitter::Channels> ContractionEmitter::getForms() {
  SmallVector<Channels> forms;
  if (shape.outputs >= tileOutputs())
    forms.push_back(getWholeTile({}, {}));
  if (shape.outputs % tileOutputs())
    forms.push_back(getNarrowTile({}));
  return forms;
}

/// Sums of the tile whose products were added, for later.
void ContractionEmitter::keepAmxSums(const AmxTile &tile,
                                     const Weights &weights,
                                     const Channels &channels, Value count) {
  int64_t vectors = channels.vectors, rows = tile.positions / kAmxRows;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      int64_t first = r * vectors * kAmxTileWords + v * kAmxRowWords;
      e.storeTile(r * vectors + v, {e.address(amx.sums, e.index(first)),
                                    e.index(vectors * kAmxBytes)});
    }
  // Not where products begin: tiles that are read right after they were written
  // wait for all writes before.
  for (int64_t v = 0; amx.starts && v < vectors; ++v)
    e.storeVec(startInt8(weights, v), amx.starts, e.index(v * kAmxRowWords));
  auto keep = [&](WaitingField field, Value value) {
    e.store(value, amx.waiting, e.index(field));
  };
  Value output = e.mul(channels.block, tileOutputs());
  keep(kCount, count);
  keep(kPacked, e.add(e.mul(channels.group, paddedOutputs(shape)), output));
  keep(kChannel, e.add(e.mul(channels.group, shape.outputs), output));
  keep(kNarrow, e.index(channels.left != tileOutputs()));
  if (shape.flat)
    return keep(kPosition, e.add(firstPosition, tile.at));
  e.loop(e.index(0), e.index(tile.positions), 1, [&](Value r) {
    e.store(e.load(results, e.add(tile.at, r)), amx.places, r);
  });
}

/// A waiting tile of the same form as `channels`.
ContractionEmitter::AmxWaiting
ContractionEmitter::loadWaiting(const Channels &channels) {
  auto get = [&](WaitingField field) {
    return e.load(amx.waiting, e.index(field));
  };
  return {channels.vectors, channels.left,
          get(kCount),      get(kPacked),
          get(kChannel),    shape.flat ? get(kPosition) : Value()};
}

/// The results of one of its positions.
void ContractionEmitter::finishPosition(const AmxWaiting &waiting, Value r) {
  Value place = shape.flat
                    ? e.add(e.mul(e.add(waiting.position, r), size(kOutImage)),
                            size(kOutOffset))
                    : e.load(amx.places, r);
  place = e.add(place, waiting.channel);
  Values sums, places, masks;
  for (int64_t v = 0; v < waiting.vectors; ++v) {
    Value at =
        e.add(e.mul(r, waiting.vectors * kAmxRowWords), v * kAmxRowWords);
    Value words = vector::LoadOp::create(e.b, e.loc, e.ints(), amx.sums, at);
    Value packed = e.add(waiting.packed, v * e.width);
    if (shape.precision == Precision::INT8) {
      Value start = vector::LoadOp::create(e.b, e.loc, e.ints(), amx.starts,
                                           e.index(v * kAmxRowWords));
      words = arith::AddIOp::create(e.b, e.loc, words, start);
      auto [scale, offset] = loadInt8Scales(packed);
      sums.push_back(e.fma(e.fromIntegers(words), scale, offset));
    } else {
      Value sum = e.fromBits(words);
      sums.push_back(bias ? e.addf(sum, e.loadVec(bias, packed)) : sum);
    }
    int64_t left = waiting.left - v * e.width;
    masks.push_back(left < e.width ? e.mask(left) : Value());
    places.push_back(e.add(place, v * e.width));
  }
  finish(sums, places, masks, amx.requantization);
}

/// The results of up to `most` positions from `first`; where it ends.
Value ContractionEmitter::finishPositions(const AmxWaiting &waiting,
                                          Value first, int64_t most) {
  Value end = e.min(e.add(first, most), waiting.count);
  e.loop(first, end, 1, [&](Value r) { finishPosition(waiting, r); });
  return end;
}

/// All of the waiting tile, if it is of that form.
void ContractionEmitter::finishTile(const Channels &form) {
  Value narrow = e.load(amx.waiting, e.index(kNarrow));
  Value same = form.left == tileOutputs() ? e.less(narrow, e.index(1))
                                          : e.less(e.index(0), narrow);
  e.ifThen(same, [&] {
    finishPositions(loadWaiting(form), e.index(0), kAmxPositions);
    e.store(e.index(0), amx.waiting, e.index(kCount));
  });
}

void ContractionEmitter::finishOtherTiles(const Channels &channels) {
  for (const Channels &form : getForms())
    if (form.left != channels.left)
      finishTile(form);
}

/// After the last item.
void ContractionEmitter::finishLastTile() {
  for (const Channels &form : getForms())
    finishTile(form);
}
