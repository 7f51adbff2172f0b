// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which images are made with a border of zeros around them in memory, because
// all that reads them is convolutions that want one.
#ifndef COMPILER_CONVERSION_BORDERS_H
#define COMPILER_CONVERSION_BORDERS_H

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <array>

namespace vae {

/// Rows above, columns on the left, rows below, columns on the right.
using Border = std::array<int64_t, 4>;

inline bool isEmpty(const Border &border) { return border == Border{}; }

/// What a transposed convolution reads around its input.
Border getInputBorder(ConvTranspose2dOp op);
/// Whether it has a single pixel as input and needs no border (see
/// lowerConvTransposeOfPixel).
bool isOfPixel(ConvTranspose2dOp op);

/// Whether both layouts are the same bytes.
bool keepsBytes(ConvertLayoutOp op);

/// The border of the result of each convolution or norm, of each conversion to
/// channels last, and to integers after a norm, that is to have one. A residual
/// has the border of the result it is added to.
llvm::DenseMap<mlir::Operation *, Border>
planBorders(mlir::func::FuncOp function);

} // namespace vae

#endif // COMPILER_CONVERSION_BORDERS_H
