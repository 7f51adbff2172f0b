// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions of bytes: quantized inputs times integer weights, with exact
// sums of i32, which become f32 in the epilogue (VaeDialect.td has the
// formula). Summands are multiplied in fours.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Bytes of packed weights from one four of summands to the next.
static constexpr int64_t kFourBytes = kInt8Fours * kChannelBlock;

std::vector<int8_t> vae::packInt8Weight(
    const Contraction &shape,
    function_ref<int8_t(int64_t, int64_t, int64_t, int64_t, int64_t)> weight) {
  int64_t rows = shape.frames * shape.window[0], columns = shape.window[1];
  int64_t run = shape.runLength(), stored = shape.storedRunLength();
  int64_t summands = shape.storedSummands();
  bool dots = shape.dotProducts();
  int64_t block = (shape.storedHead() + summands) * kChannelBlock;
  std::vector<int8_t> packed(dots ? kInt8DotRun + shape.outputs * summands
                                  : shape.groups * paddedOutputs(shape) /
                                        kChannelBlock * block);
  for (int64_t g = 0; g < shape.groups; ++g)
    for (int64_t o = 0; o < shape.outputs; ++o) {
      int64_t lane = o % kChannelBlock;
      int8_t *head = packed.data();
      if (!dots)
        head += (g * paddedOutputs(shape) + o - lane) / kChannelBlock * block;
      int8_t *first =
          dots ? head + kInt8DotRun + o * summands : head + kFourBytes;
      int32_t sum = 0;
      int64_t at = 0; // of the summands as they are in memory
      for (int64_t ky = 0; ky < rows; ++ky)
        for (int64_t kx = 0; kx < columns; ++kx)
          for (int64_t i = 0; i < shape.inputs; ++i, ++at) {
            int64_t summand = at / run * stored + at % run;
            int8_t value = weight(g, o, i, ky, kx);
            int64_t place = dots ? summand
                                 : (summand / kInt8Fours * kChannelBlock +
                                    lane) * kInt8Fours +
                                       summand % kInt8Fours;
            first[place] = value;
            sum += value;
          }
      std::memcpy(head + lane * sizeof(sum), &sum, sizeof(sum));
    }
  return packed;
}

Value ContractionEmitter::getParameter(Int8Parameter which) {
  int64_t outputs =
      shape.groups * (shape.depthwise() ? 1 : paddedOutputs(shape));
  return e.load(bias, e.index(2 * outputs + which));
}

/// A number of the parameters as an integer.
static Value toInteger(Emitter &e, Value number) {
  return arith::FPToSIOp::create(e.b, e.loc, e.b.getI32Type(), number);
}

/// -zero point * the sum of weights, and what the products of bytes lack.
static Value getStart(Emitter &e, const KernelTarget &target, Value zeroPoint,
                      Value sums) {
  int64_t missing = Emitter::getByteOffset(target);
  Value factor = arith::SubIOp::create(
      e.b, e.loc, arith::ConstantIntOp::create(e.b, e.loc, missing, 32),
      toInteger(e, zeroPoint));
  if (isa<VectorType>(sums.getType()))
    factor = e.broadcast(factor);
  return arith::MulIOp::create(e.b, e.loc, factor, sums);
}

Value ContractionEmitter::startInt8(const Weights &weights, int64_t v) {
  if (shape.inputs == 0)
    return e.integers(0);
  Value sums = e.loadFours(weight, placeVector(weights, weights.base, v));
  return getStart(e, target, getParameter(kInputZeroPoint), sums);
}

Emitter::Values
ContractionEmitter::multiplyInt8(const Values &inputs, const Weights &weights,
                                 const Taps &taps, int64_t positions,
                                 int64_t vectors, const Values &accumulators) {
  int64_t fours = shape.storedRunLength() / kInt8Fours;
  // More code than that is no faster.
  constexpr int64_t kMostUnroll = 4;
  int64_t unroll = chooseUnroll(fours, kMostUnroll);
  auto run = [&](Value at, Value step, const Values &sums) {
    Value first = e.add(weights.base,
                        e.mul(e.add(step, shape.storedHead()), kChannelBlock));
    return e.loop(
        e.index(0), e.index(fours), unroll, sums, [&](Value k, ValueRange old) {
          Values sums(old.begin(), old.end());
          for (int64_t u = 0; u < unroll; ++u) {
            Value four = e.add(k, u);
            Value place = e.add(first, e.mul(four, kFourBytes));
            Value offset = e.add(at, e.mul(four, kInt8Fours));
            Values w;
            for (int64_t v = 0; v < vectors; ++v)
              w.push_back(e.loadFours(weight, placeVector(weights, place, v)));
            for (int64_t r = 0; r < positions; ++r) {
              Value value = e.broadcastFour(x, e.add(inputs[r], offset));
              for (int64_t v = 0; v < vectors; ++v)
                sums[r * vectors + v] =
                    e.addByteDots(sums[r * vectors + v], value, w[v], target);
            }
          }
          return sums;
        });
  };
  return overTaps(taps, accumulators, run);
}

std::pair<Value, Value> ContractionEmitter::loadInt8Scales(Value packed) {
  int64_t outputs = shape.groups * paddedOutputs(shape);
  return {e.loadVec(bias, packed), e.loadVec(bias, e.add(packed, outputs))};
}

Emitter::Values ContractionEmitter::scaleInt8(const Values &sums, Value packed,
                                              int64_t vectors) {
  Values scales, biases, result;
  for (int64_t v = 0; v < vectors; ++v)
    std::tie(scales.emplace_back(), biases.emplace_back()) =
        loadInt8Scales(e.add(packed, v * e.width));
  for (auto [i, sum] : llvm::enumerate(sums))
    result.push_back(
        e.fma(e.fromIntegers(sum), scales[i % vectors], biases[i % vectors]));
  return result;
}

ContractionEmitter::Requantization ContractionEmitter::loadRequantization() {
  Requantization result;
  auto get = [&](Int8Parameter which) {
    return e.broadcast(getParameter(which));
  };
  if (residual && holdsBytes(residual)) {
    result.residualZeroPoint = get(kResidualZeroPoint);
    result.residualScale = get(kResidualScale);
  }
  if (holdsBytes(y))
    result.result = {get(kResultInverse), get(kResultLow), get(kResultHigh),
                     e.broadcast(toInteger(e, getParameter(kResultZeroPoint)))};
  return result;
}

Value ContractionEmitter::getResidual(const Requantization &by, Value loaded) {
  if (!by.residualScale)
    return loaded;
  return e.dequantize(loaded, by.residualZeroPoint, by.residualScale);
}

Value ContractionEmitter::getStored(const Requantization &by, Value value) {
  return by.result.inverse ? e.quantize(value, by.result) : value;
}

//===----------------------------------------------------------------------===//
// Few outputs
//===----------------------------------------------------------------------===//

Emitter::Values ContractionEmitter::startInt8Dots() {
  Values start;
  auto sumType = VectorType::get({1}, e.b.getI32Type());
  auto byteType = VectorType::get({4}, e.b.getI8Type());
  for (int64_t o = 0; o < shape.outputs; ++o) {
    Value bytes = vector::LoadOp::create(e.b, e.loc, byteType, weight,
                                         e.index(o * sizeof(int32_t)));
    Value sum = vector::ExtractOp::create(
        e.b, e.loc, vector::BitCastOp::create(e.b, e.loc, sumType, bytes),
        int64_t(0));
    Value first = getStart(e, target, getParameter(kInputZeroPoint), sum);
    start.push_back(
        vector::InsertOp::create(e.b, e.loc, first, e.integers(0), int64_t(0)));
  }
  return start;
}

Emitter::Values
ContractionEmitter::multiplyInt8Dots(const Values &inputs, const Taps &taps,
                                     const Values &accumulators) {
  int64_t outputs = shape.outputs, step = kInt8Fours * e.width;
  int64_t length = shape.storedRunLength();
  int64_t unroll = chooseUnroll(length / step);
  auto run = [&](Value at, Value w, const Values &start) {
    return e.loop(
        e.index(0), e.index(length), unroll * step, start,
        [&](Value k, ValueRange old) {
          Values sums(old.begin(), old.end());
          for (int64_t u = 0; u < unroll; ++u) {
            Value offset = e.add(k, u * step);
            Values weights;
            for (int64_t o = 0; o < outputs; ++o)
              weights.push_back(e.loadFours(
                  weight, e.add(e.add(w, offset),
                                kInt8DotRun + o * shape.storedSummands())));
            for (auto [r, input] : llvm::enumerate(inputs)) {
              Value value = e.loadFours(x, e.add(e.add(input, at), offset));
              for (int64_t o = 0; o < outputs; ++o)
                sums[r * outputs + o] = e.addByteDots(
                    sums[r * outputs + o], value, weights[o], target);
            }
          }
          return sums;
        });
  };
  return overTaps(taps, accumulators, run);
}

Value ContractionEmitter::scaleInt8Dots(Value totals, int64_t first) {
  Value scales = e.splat(0), biases = e.splat(0);
  for (int64_t lane = 0; lane < e.width; ++lane) {
    int64_t output = (first + lane) % shape.outputs;
    auto insert = [&](Value into, int64_t at) -> Value {
      return vector::InsertOp::create(e.b, e.loc, e.load(bias, e.index(at)),
                                      into, lane);
    };
    scales = insert(scales, output);
    biases = insert(biases, paddedOutputs(shape) + output);
  }
  return e.fma(e.fromIntegers(totals), scales, biases);
}
