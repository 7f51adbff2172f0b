// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_COMPRESS_EQUALIZATIONMETHOD_H
#define COMPILER_COMPRESS_EQUALIZATIONMETHOD_H

#include "llvm/ADT/StringRef.h"

namespace vae {

/// How scales are chosen.
enum class EqualizationMethod {
  /// s_i = sqrt(r1_i / r2_i), with the largest magnitudes r1 and r2 of the
  /// weights that make and that read unit i, which are equal then; again and
  /// again, for a layer may be in two groups (M. Nagel et al., Data-Free
  /// Quantization Through Weight Equalization and Bias Correction, 1906.04721,
  /// equation 11).
  CrossLayer,
  /// s_i = max|X_i|^alpha / max|W_i|^(1 - alpha), with the data X and the
  /// weights W of the layers that read unit i (G. Xiao et al., SmoothQuant,
  /// 2211.10438, equation 4).
  Smooth
};

/// "cross-layer" or "smooth".
llvm::StringRef getEqualizationMethodName(EqualizationMethod method);

} // namespace vae

#endif // COMPILER_COMPRESS_EQUALIZATIONMETHOD_H
