// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions whose weights are stored as integers: these become f32 in
// registers, right before they are multiplied. Of 8 bits, a sum of an output is
// multiplied by its scale at the end. Of 4 bits, the sum of a group of inputs
// is, and added to the total.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Pairs of summands of a step of an innermost loop, at most; of one position,
/// for which a pair is few instructions.
static constexpr int64_t kUnroll = 2, kUnrollOne = 4;

/// Vector registers of a step beside sums: the pairs of each vector of outputs
/// and their numbers, two inputs.
static int64_t getStepRegisters(int64_t vectors) { return 2 * vectors + 2; }

Value ContractionEmitter::loadWeight(Value at) {
  if (shape.weights.bits == 0)
    return e.loadVec(weight, at);
  return loadIntegers(e, weight, e.add(at, WeightLayout(shape).headBytes()));
}

Value ContractionEmitter::loadWeightScales(const Weights &weights, Value at,
                                           int64_t v) {
  WeightLayout layout(shape);
  // A lane is one byte of the integers.
  int64_t more = layout.scaleBytes() - 1;
  Value lane = weights.lanes.empty() ? e.index(v * e.width % kChannelBlock)
                                     : weights.lanes[v];
  return loadScales(e, weight,
                    e.add(placeVector(weights, at, v), e.mul(lane, more)),
                    layout.form.shortScales);
}

void ContractionEmitter::scaleSums(Values &sums, int64_t v, int64_t vectors,
                                   Value scale, Value start) {
  for (size_t i = v; i < sums.size(); i += vectors)
    sums[i] = e.fma(sums[i], scale, start);
}

bool ContractionEmitter::keepsTotals(const Tile &tile) const {
  int64_t sums = tile.positions * tile.vectors;
  return 2 * sums + getStepRegisters(tile.vectors) <= target.vectorRegisters;
}

void ContractionEmitter::allocateTotals() {
  if (shape.weights.bits != 4)
    return;
  int64_t entries = 0;
  for (Tile tile : {chooseTile(target, shape), chooseRowTile(target, shape)})
    if (!keepsTotals(tile))
      entries = std::max(entries, tile.positions * tile.vectors * e.width);
  if (entries)
    totals = e.stack(entries, e.f32());
}

/// Adds the products of a piece of a group's inputs, whose pairs of weights
/// begin at `begin`.
Emitter::Values ContractionEmitter::addNibbles(const Piece &piece,
                                               const Weights &weights,
                                               Value begin, int64_t vectors,
                                               const Values &sums) {
  size_t positions = piece.places.size();
  auto getInput = [&](Value pair, bool second, size_t r) {
    Value place = e.add(e.add(piece.places[r], e.mul(pair, 2)), second);
    return e.broadcast(e.load(piece.data, place));
  };
  auto add = [&](Value pair, bool both, Values sums) {
    Value at = e.add(begin, e.mul(pair, kChannelBlock));
    auto load = [&](int64_t v) {
      return loadNibbles(e, weight, placeVector(weights, at, v));
    };
    if (positions == 1) { // each weight is used once
      for (int64_t v = 0; v < vectors; ++v) {
        Value pairs = load(v);
        for (int half = 0; half < 1 + both; ++half)
          sums[v] = e.fma(getInput(pair, half, 0), getNibbles(e, pairs, half),
                          sums[v]);
      }
      return sums;
    }
    Values pairs;
    for (int64_t v = 0; v < vectors; ++v)
      pairs.push_back(load(v));
    for (int half = 0; half < 1 + both; ++half) {
      Values numbers;
      for (Value packed : pairs)
        numbers.push_back(getNibbles(e, packed, half));
      for (size_t r = 0; r < positions; ++r) {
        Value value = getInput(pair, half, r);
        for (int64_t v = 0; v < vectors; ++v)
          sums[r * vectors + v] =
              e.fma(value, numbers[v], sums[r * vectors + v]);
      }
    }
    return sums;
  };
  int64_t whole = piece.count / 2;
  int64_t unroll = chooseUnroll(whole, positions == 1 ? kUnrollOne : kUnroll);
  Values result = e.loop(e.index(0), e.index(whole), unroll, sums,
                         [&](Value k, ValueRange old) {
                           Values sums(old.begin(), old.end());
                           for (int64_t u = 0; u < unroll; ++u)
                             sums = add(e.add(k, u), true, std::move(sums));
                           return sums;
                         });
  return piece.count % 2 ? add(e.index(whole), false, std::move(result))
                         : result;
}

Emitter::Values ContractionEmitter::multiplyGroups(const Values &inputs,
                                                   const Weights &weights,
                                                   const Taps &taps,
                                                   int64_t vectors,
                                                   const Values &accumulators) {
  WeightLayout layout(shape);
  int64_t group = layout.form.group;
  int64_t whole = shape.inputs / group, rest = shape.inputs % group;
  Tile tile = {vectors, static_cast<int64_t>(inputs.size())};
  bool inRegisters = keepsTotals(tile);
  auto place = [&](size_t i) { return e.index(i * e.width); };

  auto addGroup = [&](Value at, Value begin, int64_t count, Values sums) {
    Values places;
    for (Value input : inputs)
      places.push_back(e.add(input, at));
    Values products =
        overPieces(places, count, Values(accumulators.size(), e.splat(0)),
                   [&](const Piece &piece, const Values &sums) {
                     Value first = e.add(begin, layout.headBytes());
                     Value skipped =
                         e.mul(e.div(piece.first, 2), kChannelBlock);
                     return addNibbles(piece, weights, e.add(first, skipped),
                                       vectors, sums);
                   });
    for (int64_t v = 0; v < vectors; ++v) {
      Value scale = loadWeightScales(weights, begin, v);
      for (size_t i = v; i < products.size(); i += vectors) {
        Value old = inRegisters ? sums[i] : e.loadVec(totals, place(i));
        Value total = e.fma(products[i], scale, old);
        if (inRegisters)
          sums[i] = total;
        else
          e.storeVec(total, totals, place(i));
      }
    }
    return sums;
  };
  auto addTap = [&](Value at, Value begin, Values sums) {
    if (whole == 1)
      sums = addGroup(at, begin, group, std::move(sums));
    else if (whole)
      sums = e.loop(
          e.index(0), e.index(whole), 1, sums, [&](Value i, ValueRange old) {
            return addGroup(e.add(at, e.mul(i, group)),
                            e.add(begin, e.mul(i, layout.groupBytes(group))),
                            group, Values(old.begin(), old.end()));
          });
    if (rest)
      sums = addGroup(e.add(at, whole * group),
                      e.add(begin, whole * layout.groupBytes(group)), rest,
                      std::move(sums));
    return sums;
  };
  auto run = [&](Value at, Value step, const Values &sums) {
    Value begin = e.add(weights.base, e.mul(step, kChannelBlock));
    if (!shape.hasContiguousRows() || shape.window[1] == 1)
      return addTap(at, begin, sums);
    Value first = taps.firstColumn ? taps.firstColumn : e.index(0);
    Value last = taps.lastColumn ? taps.lastColumn : e.index(shape.window[1]);
    return e.loop(first, last, 1, sums, [&](Value kx, ValueRange sums) {
      return addTap(e.add(at, e.mul(kx, shape.inputs)),
                    e.add(begin, e.mul(kx, layout.tapBytes())),
                    Values(sums.begin(), sums.end()));
    });
  };
  if (inRegisters)
    return overTaps(taps, accumulators, run);
  for (auto [i, start] : llvm::enumerate(accumulators))
    e.storeVec(start, totals, place(i));
  overTaps(taps, {}, run);
  Values result;
  for (size_t i = 0; i < accumulators.size(); ++i)
    result.push_back(e.loadVec(totals, place(i)));
  return result;
}
