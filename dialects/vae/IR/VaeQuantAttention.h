// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention whose products are of integers: what its numbers are, for the
// interpreter and the kernels. The description of vae.attention has the
// formula.
#ifndef DIALECTS_VAE_IR_VAEQUANTATTENTION_H
#define DIALECTS_VAE_IR_VAEQUANTATTENTION_H

#include "dialects/vae/IR/Vae.h"

namespace vae {

/// Keys whose weights are integers of one scale. Sums over so many, 255 * 255
/// each at most, are less than 2^24: exact in f32, too.
inline constexpr int64_t kWeightBlock = 64;

/// The integer of the largest weight of a block.
inline constexpr int64_t kLargestWeight = 255;

/// With more channels, a head's scores could differ by more than 2^31 - 1 from
/// what lies below all of them: each channel's products do by 255 * 256 at
/// most.
inline constexpr int64_t kMostScoreChannels = 32896;

/// 2^t - 1 over t for |t| <= 1/2, the constant term first; minimax for the
/// relative error of 2^t, 2^-22 with what is rounded.
inline constexpr float kExp2Minus1[] = {0x1.62e42ap-1f, 0x1.ebf9bcp-3f,
                                        0x1.c6b752p-5f, 0x1.3cea88p-7f,
                                        0x1.5bba14p-10f};

/// Larger exponents count as this, of which 2^-x is a normal number.
inline constexpr float kMostExponent = 126;

struct AttentionNumbers {
  /// By which the difference of two scores becomes an exponent of 2, a finite
  /// number >= 0.
  float exponentScale;
  float valueScale;
  int32_t queryZeroPoint, keyZeroPoint, valueZeroPoint;

  /// Of an attention whose operands are quantized.
  explicit AttentionNumbers(AttentionOp op);

  /// 2^-(distance * exponentScale), for a distance >= 0; 1 for 0.
  float getWeight(int32_t distance) const;
  /// The integer of a weight.
  static int32_t quantize(float weight);
};

/// Why an attention can have no quantized operands whatever their types are;
/// empty if it can.
llvm::StringRef getIntegerObstacle(AttentionOp op);

} // namespace vae

#endif // DIALECTS_VAE_IR_VAEQUANTATTENTION_H
