// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DIALECTS_VAE_TRANSFORMS_EXPOSEDLAYERS_H
#define DIALECTS_VAE_TRANSFORMS_EXPOSEDLAYERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {

/// The results of layers of an entry point that vae-expose-layers makes
/// outputs: those that are not returned already, in the order of execution.
/// Fails if the shapes of an operation cannot be inferred, which it reports.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
findHiddenLayers(mlir::func::FuncOp entry);

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_EXPOSEDLAYERS_H
