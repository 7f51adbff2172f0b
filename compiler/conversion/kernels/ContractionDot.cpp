// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions with few outputs: vectors run along the inputs, and each output
// is the sum of the lanes at the end.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

Emitter::Values ContractionEmitter::multiplyDots(const Values &inputs,
                                                 const Taps &taps,
                                                 const Values &accumulators) {
  int64_t outputs = shape.outputs;
  int64_t count = static_cast<int64_t>(inputs.size());
  bool merged = shape.hasContiguousRows();
  int64_t length = merged ? shape.window[1] * shape.inputs : shape.inputs;
  int64_t whole = length / e.width * e.width;

  // `at`: within the inputs' rows; `w`: within the weights of an output.
  auto step = [&](Value at, Value w, Value mask, const Values &sums) {
    Values weights, next(sums);
    for (int64_t o = 0; o < outputs; ++o)
      weights.push_back(
          e.loadVec(weight, e.add(w, o * shape.taps() * shape.inputs), mask));
    for (int64_t r = 0; r < count; ++r) {
      Value value = e.loadVec(x, e.add(inputs[r], at), mask);
      for (int64_t o = 0; o < outputs; ++o)
        next[r * outputs + o] = e.fma(value, weights[o], next[r * outputs + o]);
    }
    return next;
  };
  auto run = [&](Value at, Value w, const Values &start) {
    Value begin = e.index(0), end = e.index(whole);
    int64_t steps = length / e.width;
    if (merged && taps.firstColumn && shape.inputs % e.width == 0) {
      begin = e.mul(taps.firstColumn, shape.inputs);
      end = e.mul(taps.lastColumn, shape.inputs);
      steps = shape.inputs / e.width;
    }
    int64_t unroll = chooseUnroll(std::max<int64_t>(steps, 1));
    Values sums = start;
    if (whole)
      sums = e.loop(begin, end, unroll * e.width, sums,
                    [&](Value k, ValueRange loopSums) {
                      Values sums(loopSums.begin(), loopSums.end());
                      for (int64_t u = 0; u < unroll; ++u) {
                        Value offset = e.add(k, u * e.width);
                        sums =
                            step(e.add(at, offset), e.add(w, offset), {}, sums);
                      }
                      return sums;
                    });
    if (whole < length)
      sums =
          step(e.add(at, whole), e.add(w, whole), e.mask(length - whole), sums);
    return sums;
  };
  return overTaps(taps, accumulators, run);
}

/// What later positions are the first to read, from the last row of their
/// windows: there is too little work for each element to wait for memory.
void ContractionEmitter::prefetchWindows(const Values &inputs) {
  constexpr int64_t kPositionsAhead = 16, kLine = 16;
  int64_t step = shape.stride[1] * shape.inputs;
  Value lastRow =
      e.mul(size(kInRow), shape.dilation[0] * (shape.window[0] - 1));
  int64_t lastColumn = shape.dilation[1] * (shape.window[1] - 1) * shape.inputs;
  for (Value input : inputs)
    for (int64_t i = 0; i < step; i += kLine)
      e.prefetch(x, e.add(e.add(input, lastRow),
                          lastColumn + kPositionsAhead * step + i));
}

/// The bias is the first lane's start.
Emitter::Values ContractionEmitter::startDots() {
  Values start;
  for (int64_t o = 0; o < shape.outputs; ++o) {
    Value zeros = e.splat(0);
    start.push_back(bias ? vector::InsertOp::create(e.b, e.loc,
                                                    e.load(bias, e.index(o)),
                                                    zeros, int64_t(0))
                               .getResult()
                         : zeros);
  }
  return start;
}

void ContractionEmitter::emitDotTile(Value at, int64_t positions, bool whole,
                                     const Taps &taps) {
  Values inputs, outputs;
  getPositions(at, positions, whole, inputs, outputs);
  if (!shape.flat)
    prefetchWindows(inputs);
  bool integers = shape.precision == Precision::INT8;
  Values start = integers ? startInt8Dots() : startDots(), sums;
  for (int64_t r = 0; r < positions; ++r)
    sums.append(start.begin(), start.end());
  sums = integers ? multiplyInt8Dots(inputs, taps, sums)
                  : multiplyDots(inputs, taps, sums);

  // Positions may repeat: all reads of a residual come before all writes.
  int64_t count = positions * shape.outputs;
  auto place = [&](int64_t element) {
    return e.add(outputs[element / shape.outputs],
                 e.mul(size(kOutChannel), element % shape.outputs));
  };
  Requantization by = loadRequantization();
  Values totals;
  for (int64_t first = 0; first < count; first += e.width) {
    int64_t lanes = std::min(e.width, count - first);
    Value total = e.combineEach(
        Values(sums.begin() + first, sums.begin() + first + lanes),
        [&](Value x, Value y) -> Value {
          if (integers)
            return arith::AddIOp::create(e.b, e.loc, x, y);
          return e.addf(x, y);
        });
    total = integers ? scaleInt8Dots(total, first) : settleSign(total);
    if (residual) {
      Value addends = e.splat(0);
      for (int64_t lane = 0; lane < lanes; ++lane)
        addends = vector::InsertOp::create(
            e.b, e.loc, e.load(residual, place(first + lane)), addends, lane);
      total = e.addf(total, getResidual(by, addends));
    }
    totals.push_back(total);
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t lane = i % e.width;
    Value &total = totals[i / e.width];
    if (lane == 0 && epilogue.activation)
      total = emitActivation(e, epilogue.activation, total);
    if (lane == 0)
      total = getStored(by, total);
    e.store(vector::ExtractOp::create(e.b, e.loc, total, lane), y, place(i));
  }
}
