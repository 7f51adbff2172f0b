// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions of bf16 numbers, added in f32. Weights come in pairs of
// summands. Where the machine adds products of pairs, a run of each position's
// inputs is rounded to bf16 before it is used; elsewhere weights become f32
// again in registers, and inputs stay exact.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Elements of packed weights from one pair of summands to the next.
static constexpr int64_t kPairElements = 2 * kChannelBlock;

/// Pairs of a step of an innermost loop, at most: as many instructions as those
/// of f32 have. Weights that become f32 take twice as many.
static constexpr int64_t kUnroll = 4, kUnrollFloats = 2;

void ContractionEmitter::allocateRounded() {
  if (!target.bf16Dot || shape.precision != Precision::BF16)
    return;
  roundedRow = getRoundedRow(target, shape);
  rounded = args.scratch;
  if (usesAmx(target, shape))
    return;
  // A span of windows ends with a whole vector.
  rounded =
      e.stack(chooseTile(target, shape).positions * roundedRow + e.width / 2,
              e.b.getI32Type());
}

/// Whole vectors, and of AMX whole rows of tiles.
int64_t ContractionEmitter::getRoundedRow(const KernelTarget &target,
                                          const Contraction &shape) {
  int64_t summands = std::min(shape.storedRunLength(), kBf16Summands);
  int64_t step = usesAmx(target, shape) ? kAmxBytes / 2 : target.vectorWidth;
  return llvm::alignTo(summands, step) / 2;
}

void ContractionEmitter::storeRounded(Value value, Value table, Value at) {
  auto type = VectorType::get(
      {e.width / 2}, cast<MemRefType>(table.getType()).getElementType());
  Value words =
      vector::BitCastOp::create(e.b, e.loc, type, e.roundToBf16(value));
  e.storeVec(words, table, at);
}

/// Rounds the summands of each position that begin at its input, into rows of
/// the table from `row` on.
void ContractionEmitter::roundInputs(const Values &inputs, int64_t length,
                                     Value row) {
  auto round = [&](Value k, Value mask) {
    for (auto [r, input] : llvm::enumerate(inputs)) {
      storeRounded(e.loadVec(x, e.add(input, k), mask), rounded,
                   e.add(e.add(row, e.div(k, 2)), r * roundedRow));
    }
  };
  int64_t whole = length / e.width * e.width;
  if (whole)
    e.loop(e.index(0), e.index(whole), e.width, [&](Value k) { round(k, {}); });
  if (whole < length)
    round(e.index(whole), e.mask(length - whole));
}

/// Rounds the positions of an item, once for all its tiles of channels.
void ContractionEmitter::roundItem() {
  Value count = e.sub(lastPosition, firstPosition);
  e.loop(e.index(0), count, 1, [&](Value r) {
    Values inputs, results;
    getPositions(r, 1, /*whole=*/true, inputs, results);
    roundInputs(inputs, shape.runLength(), e.mul(r, roundedRow));
  });
}

/// An input is in so many windows of a row where rounding it once pays.
static constexpr int64_t kWindowsTogether = 3;

/// Rounds the windows of positions, and gives their rows in the table. Windows
/// side by side overlap: of them, what they cover is rounded once.
Emitter::Values ContractionEmitter::roundWindows(const Values &inputs,
                                                 int64_t length) {
  auto getRows = [&](int64_t distance) {
    Values rows;
    for (size_t r = 0; r < inputs.size(); ++r)
      rows.push_back(e.index(r * distance));
    return rows;
  };
  auto roundEach = [&] {
    roundInputs(inputs, length, e.index(0));
    return getRows(roundedRow);
  };
  int64_t distance = shape.groups * shape.inputs * shape.stride[1];
  int64_t count = inputs.size();
  if (shape.flat || count == 1 || distance % 2 ||
      distance * kWindowsTogether > length || length != shape.runLength())
    return roundEach();
  Value together;
  for (int64_t r = 1; r < count; ++r) {
    Value next =
        arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, inputs[r],
                              e.add(inputs[0], r * distance));
    together = together ? e.both(together, next) : next;
  }
  return e.ifElse(
      together,
      [&] {
        roundInputs(Values{inputs[0]}, (count - 1) * distance + length,
                    e.index(0));
        return getRows(distance / 2);
      },
      roundEach);
}

/// The rows of a tile's positions, as getPositions counts them.
Emitter::Values ContractionEmitter::getRoundedRows(Value at, int64_t count,
                                                   bool whole) {
  Value last = e.sub(lastPosition, e.add(firstPosition, 1));
  Values rows;
  for (int64_t r = 0; r < count; ++r)
    rows.push_back(whole ? e.index(r * roundedRow)
                         : e.mul(e.min(e.add(at, r), last), roundedRow));
  return rows;
}

/// Adds the products of pairs of rounded inputs, which are in the table's rows.
Emitter::Values ContractionEmitter::addRoundedPairs(const Values &rows,
                                                    const Weights &weights,
                                                    const Pairs &pairs,
                                                    int64_t vectors,
                                                    const Values &sums) {
  auto pairType = VectorType::get({2 * e.width}, e.b.getBF16Type());
  return e.loop(
      pairs.begin, pairs.end, pairs.unroll, sums, [&](Value k, ValueRange old) {
        Values sums(old.begin(), old.end());
        for (int64_t u = 0; u < pairs.unroll; ++u) {
          Value pair = e.add(k, u);
          Value at = e.add(weights.base, e.mul(pair, kPairElements));
          Values w;
          for (int64_t v = 0; v < vectors; ++v)
            w.push_back(e.loadPairs(weight, placeVector(weights, at, v)));
          for (auto [r, row] : llvm::enumerate(rows)) {
            Value word = e.load(rounded, e.add(row, pair));
            Value value = vector::BitCastOp::create(e.b, e.loc, pairType,
                                                    e.broadcast(word));
            for (int64_t v = 0; v < vectors; ++v)
              sums[r * vectors + v] =
                  e.addDots(sums[r * vectors + v], value, w[v]);
          }
        }
        return sums;
      });
}

/// Adds the products of inputs and weights in f32, two summands a step; of an
/// odd number of summands, the last by itself.
Emitter::Values ContractionEmitter::addPairs(const Piece &piece,
                                             const Weights &weights,
                                             const Pairs &pairs,
                                             int64_t vectors,
                                             const Values &sums) {
  auto add = [&](Value pair, bool both, Values sums) {
    Value at = e.add(weights.base, e.mul(pair, kPairElements));
    auto load = [&](int64_t v) {
      return e.loadPairs(weight, placeVector(weights, at, v));
    };
    auto getFloats = [&](int64_t half, Value packed) {
      return half ? e.secondOfPairs(packed) : e.firstOfPairs(packed);
    };
    auto getInput = [&](int64_t half, size_t r) {
      Value place = e.add(e.add(piece.places[r], e.mul(pair, 2)), half);
      return e.broadcast(e.load(piece.data, place));
    };
    // Of one position, each weight is used once: it need not wait in a register
    // where there are few.
    size_t positions = piece.places.size();
    if (positions == 1 && 3 * vectors + 2 > target.vectorRegisters) {
      for (int64_t v = 0; v < vectors; ++v) {
        Value packed = load(v);
        for (int64_t half = 0; half < 1 + both; ++half)
          sums[v] = e.fma(getInput(half, 0), getFloats(half, packed), sums[v]);
      }
      return sums;
    }
    Values packed;
    for (int64_t v = 0; v < vectors; ++v)
      packed.push_back(load(v));
    for (int64_t half = 0; half < 1 + both; ++half) {
      Values floats;
      for (Value pairs : packed)
        floats.push_back(getFloats(half, pairs));
      for (size_t r = 0; r < positions; ++r) {
        Value value = getInput(half, r);
        for (int64_t v = 0; v < vectors; ++v)
          sums[r * vectors + v] =
              e.fma(value, floats[v], sums[r * vectors + v]);
      }
    }
    return sums;
  };
  Values result = e.loop(pairs.begin, pairs.end, pairs.unroll, sums,
                         [&](Value k, ValueRange old) {
                           Values sums(old.begin(), old.end());
                           for (int64_t u = 0; u < pairs.unroll; ++u)
                             sums = add(e.add(k, u), true, std::move(sums));
                           return sums;
                         });
  if (piece.count % 2)
    result = add(pairs.end, false, std::move(result));
  return result;
}

ContractionEmitter::Pairs ContractionEmitter::getPairs(const Taps &taps,
                                                       int64_t length,
                                                       int64_t mostUnroll) {
  int64_t unroll = chooseUnroll(length, mostUnroll);
  Pairs pairs = {e.index(0), e.index(length), unroll};
  // Of a row of taps, those whose channels are whole steps.
  if (shape.hasContiguousRows() && taps.firstColumn &&
      length * 2 == shape.runLength() && shape.inputs % (2 * unroll) == 0) {
    pairs.begin = e.mul(taps.firstColumn, shape.inputs / 2);
    pairs.end = e.mul(taps.lastColumn, shape.inputs / 2);
  }
  return pairs;
}

Emitter::Values ContractionEmitter::multiplyBf16(const Values &inputs,
                                                 const Weights &weights,
                                                 const Taps &taps,
                                                 int64_t vectors,
                                                 const Values &accumulators) {
  if (sharesRounded(target, shape))
    return addRoundedPairs(roundedRows, weights,
                           getPairs(taps, shape.storedRunLength() / 2, kUnroll),
                           vectors, accumulators);
  // Summands from there on, of each position and of the weights.
  auto from = [&](Value at, Value step) {
    Values moved;
    for (Value input : inputs)
      moved.push_back(e.add(input, at));
    Weights movedWeights = weights;
    movedWeights.base = e.add(weights.base, e.mul(step, kPairElements / 2));
    return std::pair(moved, movedWeights);
  };
  int64_t length = shape.runLength();
  auto run = [&](Value at, Value step, const Values &sums) {
    if (!target.bf16Dot)
      return overPieces(from(at, step).first, length, sums,
                        [&](const Piece &piece, const Values &sums) {
                          auto moved = from(at, e.add(step, piece.first));
                          return addPairs(
                              piece, moved.second,
                              getPairs(taps, piece.count / 2, kUnrollFloats),
                              vectors, sums);
                        });
    auto part = [&](Value first, int64_t count, const Values &sums) {
      auto [moved, movedWeights] = from(e.add(at, first), e.add(step, first));
      return addRoundedPairs(
          roundWindows(moved, count), movedWeights,
          getPairs(taps, llvm::divideCeil(count, 2), kUnroll), vectors, sums);
    };
    int64_t whole = length / kBf16Summands * kBf16Summands;
    if (length <= kBf16Summands)
      return part(e.index(0), length, sums);
    Values result = e.loop(e.index(0), e.index(whole), kBf16Summands, sums,
                           [&](Value first, ValueRange sums) {
                             return part(first, kBf16Summands,
                                         Values(sums.begin(), sums.end()));
                           });
    if (whole < length)
      result = part(e.index(whole), length - whole, result);
    return result;
  };
  return overTaps(taps, accumulators, run);
}
