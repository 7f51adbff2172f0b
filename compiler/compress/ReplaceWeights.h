// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_COMPRESS_REPLACEWEIGHTS_H
#define COMPILER_COMPRESS_REPLACEWEIGHTS_H

#include "compiler/recipe/Recipe.h"
#include "mlir/IR/BuiltinOps.h"

namespace vae {

/// Gives layers the weights and biases of a step, in all functions. Layers that
/// the module does not have are left out: entry points may have been. Fails,
/// with an error at the layer, if shapes differ.
llvm::LogicalResult replaceWeights(mlir::ModuleOp module,
                                   const LeastSquaresStep &step);

} // namespace vae

#endif // COMPILER_COMPRESS_REPLACEWEIGHTS_H
