// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What decides how long a convolution takes by each algorithm, as text.
#ifndef COMPILER_CONVERSION_LAYERSHAPE_H
#define COMPILER_CONVERSION_LAYERSHAPE_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>

namespace vae {

/// Sizes that are assumed where the model's are dynamic; of images, those of a
/// convolution's result.
inline constexpr int64_t kNominalImages = 1, kNominalSize = 128;

/// Of a convolution, with sizes for those that are dynamic. Without its
/// epilogue.
struct LayerShape {
  using Sizes = llvm::SmallVector<int64_t, 4>;

  std::string operation; // "conv2d"
  Sizes input, weight, output;
  Sizes strides, dilations, padding;
  int64_t groups = 1;

  /// Nothing for other operations.
  static std::optional<LayerShape> of(mlir::Operation *op);

  /// Its columns in a tuning table, joined by ':': "conv2d:1x64x32x32:...".
  std::string str() const;
};

/// Names of the columns, in their order.
llvm::ArrayRef<llvm::StringLiteral> getShapeColumns();

/// "1x64x32x32", and back; nothing if the text is no such list.
std::string formatSizes(llvm::ArrayRef<int64_t> sizes);
std::optional<LayerShape::Sizes> parseSizes(llvm::StringRef text);

} // namespace vae

#endif // COMPILER_CONVERSION_LAYERSHAPE_H
