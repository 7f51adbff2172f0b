// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions of inputs of f16. Each input is used for every vector of
// outputs, and would be converted for each use: a piece of each position's run
// becomes f32 in a table first.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Summands of a position in the table: those of all positions leave the L1
/// cache room for weights. Whole vectors and pairs.
static constexpr int64_t kWideSummands = 256;
/// What keeps rows in different sets of the cache.
static constexpr int64_t kLine = 16;

void ContractionEmitter::allocateWide() {
  bool rounds = shape.precision == Precision::BF16 && target.bf16Dot;
  if (!holdsF16(x) || shape.dotProducts() || shape.inputs == 0 || rounds)
    return;
  int64_t summands = std::min(shape.runLength(), kWideSummands);
  wideRow = llvm::alignTo(summands, kLine) + kLine;
  int64_t rows = chooseTile(target, shape).positions;
  wide = e.stack(rows * wideRow, e.f32());
}

Emitter::Values ContractionEmitter::overPieces(const Values &inputs,
                                               int64_t length,
                                               const Values &sums,
                                               PieceFn body) {
  if (!wide)
    return body({x, inputs, e.index(0), length}, sums);
  auto part = [&](Value first, int64_t count, const Values &sums) {
    auto widen = [&](Value k, Value mask) {
      for (auto [r, input] : llvm::enumerate(inputs))
        e.storeVec(e.loadVec(x, e.add(e.add(input, first), k), mask), wide,
                   e.add(k, r * wideRow));
    };
    e.strip(e.index(count), widen);
    Values rows;
    for (size_t r = 0; r < inputs.size(); ++r)
      rows.push_back(e.index(r * wideRow));
    return body({wide, rows, first, count}, sums);
  };
  if (length <= kWideSummands)
    return part(e.index(0), length, sums);
  int64_t whole = length / kWideSummands * kWideSummands;
  Values result = e.loop(e.index(0), e.index(whole), kWideSummands, sums,
                         [&](Value first, ValueRange sums) {
                           return part(first, kWideSummands,
                                       Values(sums.begin(), sums.end()));
                         });
  return whole < length ? part(e.index(whole), length - whole, result) : result;
}
