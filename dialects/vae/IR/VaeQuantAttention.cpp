// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeQuantAttention.h"

#include "dialects/vae/IR/VaeQuant.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace vae;

AttentionNumbers::AttentionNumbers(AttentionOp op) {
  Quantization query(getQuantizedType(op.getQuery())),
      key(getQuantizedType(op.getKey())),
      value(getQuantizedType(op.getValue()));
  constexpr double kLn2 = 0.69314718055994531;
  double scale = op.getScale().convertToDouble() *
                 getQuantizedType(op.getQuery()).getScale() *
                 getQuantizedType(op.getKey()).getScale() / kLn2;
  constexpr double kMost = std::numeric_limits<float>::max();
  exponentScale = static_cast<float>(std::min(scale, kMost));
  valueScale = value.scale;
  queryZeroPoint = query.zeroPoint;
  keyZeroPoint = key.zeroPoint;
  valueZeroPoint = value.zeroPoint;
}

// A statement a step: compilers may contract the operations of one.
float AttentionNumbers::getWeight(int32_t distance) const {
  float x = static_cast<float>(distance) * exponentScale;
  x = x < kMostExponent ? x : kMostExponent;
  float whole = std::nearbyintf(x);
  float t = whole - x;
  constexpr int kDegree = std::size(kExp2Minus1);
  float sum = kExp2Minus1[kDegree - 1];
  for (int i = kDegree - 2; i >= 0; --i)
    sum = std::fmaf(sum, t, kExp2Minus1[i]);
  return std::ldexp(std::fmaf(sum, t, 1.0f), -static_cast<int>(whole));
}

int32_t AttentionNumbers::quantize(float weight) {
  // Rounded once, to an integer.
  constexpr float kRound = 0x1.8p23f;
  float shifted = std::fmaf(weight, float(kLargestWeight), kRound);
  return static_cast<int32_t>(shifted - kRound);
}

StringRef vae::getIntegerObstacle(AttentionOp op) {
  auto key = cast<RankedTensorType>(op.getKey().getType());
  int64_t channels = key.getDimSize(key.getRank() == 4 ? 1 : 2);
  if (op.getScale().isNegative() && !op.getScale().isZero())
    return "its scale is negative";
  if (channels / static_cast<int64_t>(op.getHeads()) > kMostScoreChannels)
    return "sums could exceed 32 bits";
  return "";
}
