// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What part of a layer's weights becomes zero, and in which pieces.
#ifndef DIALECTS_VAE_TRANSFORMS_WEIGHTPATTERN_H
#define DIALECTS_VAE_TRANSFORMS_WEIGHTPATTERN_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vae {

/// Outputs of a piece of WeightPattern::Blocks: a row of packed weights.
inline constexpr int64_t kOutputsOfBlock = 16;

struct WeightPattern {
  enum Kind {
    /// Single weights: the fraction of them, rounded down.
    Weights,
    /// Of every `of` consecutive inputs of an output and a tap, all but `keep`
    /// (A. Mishra et al., Accelerating sparse deep neural networks, 2104.08378,
    /// section 3, with keep = 2 and of = 4).
    NOfM,
    /// Pieces of 16 consecutive outputs of a group and one input of a tap: the
    /// fraction of them, rounded down.
    Blocks
  };
  Kind kind = Weights;
  /// From 0 to less than 1; not of NOfM.
  double fraction = 0;
  /// 1 <= keep < of <= 64; of NOfM only.
  int64_t keep = 0, of = 0;

  /// "weights:0.8", "2:4", "weights:2:4" or "blocks:0.5"; nothing for another
  /// text.
  static std::optional<WeightPattern> parse(llvm::StringRef text);
  /// As parse reads it: "weights:0.8", "2:4" or "blocks:0.5".
  std::string str() const;
};

/// What parse reads, for messages.
inline constexpr llvm::StringLiteral kWeightPatterns =
    "weights:F or blocks:F, with a fraction F from 0 to less than 1, or N:M "
    "with 1 <= N < M <= 64";

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_WEIGHTPATTERN_H
