// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the shape inference of several operations shares. Private to the
// dialect.
#ifndef DIALECTS_VAE_IR_VAESHAPE_H
#define DIALECTS_VAE_IR_VAESHAPE_H

#include "dialects/vae/IR/Vae.h"

namespace vae::detail {

/// More elements than any memory holds; sizes below it, times the largest
/// attribute, stay within 64 bits.
inline constexpr int64_t kMaxElements = int64_t(1) << 40;

/// A dimension or a shape in a message, "?" for what is unknown.
std::string formatDim(mlir::AffineExpr dim);
std::string formatShape(const Dims &dims);

bool isStatic(const Dims &dims);
/// Positive when known; unknown dimensions pass.
bool isPositive(mlir::AffineExpr dim);
bool mayBeEqual(mlir::AffineExpr a, mlir::AffineExpr b);
/// The static one of two equal dimensions, if either is.
mlir::AffineExpr merge(mlir::AffineExpr a, mlir::AffineExpr b);

/// Constraint (C1) of elementwise operations: the first `count` operands have
/// the same shape, which is the result's.
llvm::LogicalResult inferSame(llvm::ArrayRef<Dims> in,
                              llvm::SmallVectorImpl<Dims> &out,
                              DiagnosticFn error, unsigned count);
/// Constraint (C1) of operations on images: x is [N, C, H, W].
llvm::LogicalResult requireImage(const Dims &x, DiagnosticFn error);

/// The same of operations on videos: x is [N, C, T, H, W].
llvm::LogicalResult requireVideo(const Dims &x, DiagnosticFn error);

/// Length of a window's output: floor((size + pad - extent) / stride) + 1.
mlir::AffineExpr windowDim(mlir::AffineExpr size, int64_t pad, int64_t extent,
                           int64_t stride);
mlir::AffineExpr zero(llvm::ArrayRef<Dims> dims);
mlir::AffineExpr elements(const Dims &dims);

/// `count` numbers from `minimum` to kMaxNumber.
bool areNumbers(llvm::ArrayRef<int64_t> values, size_t count, int64_t minimum);
bool isPair(llvm::ArrayRef<int64_t> values, int64_t minimum);
bool isBorder(llvm::ArrayRef<int64_t> values);
/// A positive number.
bool isFactor(int64_t value);

} // namespace vae::detail

#endif // DIALECTS_VAE_IR_VAESHAPE_H
