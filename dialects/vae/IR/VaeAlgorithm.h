// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How convolutions are computed: `vae.algorithm` on vae.conv2d and
// vae.conv_transpose2d.
#ifndef DIALECTS_VAE_IR_VAEALGORITHM_H
#define DIALECTS_VAE_IR_VAEALGORITHM_H

#include "mlir/IR/Operation.h"

#include <optional>

namespace vae {

inline constexpr llvm::StringLiteral kAlgorithmAttr = "vae.algorithm";

struct Algorithm {
  /// Outputs of a tile along each axis (Winograd's m); 0: every sum directly.
  int64_t winograd = 0;
  /// Whether the library has the weights of Winograd's algorithm transformed,
  /// not as direct convolutions read them. The results are the same.
  bool stored = false;

  bool operator==(const Algorithm &other) const {
    return winograd == other.winograd && stored == other.stored;
  }

  /// All of them, the most exact first.
  static llvm::ArrayRef<Algorithm> getAll();
  /// Nothing if the text names none.
  static std::optional<Algorithm> parse(llvm::StringRef text);
  std::string str() const;
};

/// Their names: "direct, winograd2, ... or winograd6-stored".
std::string listAlgorithms(llvm::StringRef quote = "");

/// What the attribute of an operation says.
Algorithm getAlgorithm(mlir::Operation *op);
/// Whether an operation may have that attribute.
llvm::LogicalResult verifyAlgorithm(mlir::Operation *op,
                                    mlir::Attribute attribute);
void setAlgorithm(mlir::Operation *op, Algorithm algorithm);

} // namespace vae

#endif // DIALECTS_VAE_IR_VAEALGORITHM_H
