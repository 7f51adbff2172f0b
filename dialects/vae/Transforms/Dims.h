// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dimensions of the values of an entry point.
#ifndef DIALECTS_VAE_TRANSFORMS_DIMS_H
#define DIALECTS_VAE_TRANSFORMS_DIMS_H

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/DenseMap.h"

namespace vae {

/// Adds the dimensions of an operation's results, whose operands are known.
inline llvm::LogicalResult inferDims(mlir::Operation &op,
                                     llvm::DenseMap<mlir::Value, Dims> &dims) {
  auto shaped = llvm::dyn_cast<SymbolicShapeOpInterface>(op);
  if (!shaped) {
    unsigned symbol = 1; // constants have static shapes
    for (mlir::Value result : op.getResults())
      if (auto type = llvm::dyn_cast<mlir::RankedTensorType>(result.getType()))
        dims[result] = getDims(type, symbol);
    return llvm::success();
  }
  llvm::SmallVector<Dims> in, out;
  for (mlir::Value operand : op.getOperands())
    in.push_back(dims.lookup(operand));
  if (llvm::failed(shaped.inferSymbolicDims(in, out)))
    return llvm::failure();
  for (auto [result, shape] : llvm::zip(op.getResults(), out))
    dims[result] = shape;
  return llvm::success();
}

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_DIMS_H
