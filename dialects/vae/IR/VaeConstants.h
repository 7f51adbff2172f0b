// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and making weights.
#ifndef DIALECTS_VAE_IR_VAECONSTANTS_H
#define DIALECTS_VAE_IR_VAECONSTANTS_H

#include "dialects/vae/IR/Vae.h"

namespace vae {

/// The values of an f32 constant. `storage` holds them if they do not lie in
/// memory already (splats); otherwise the result aliases the constant. Empty
/// for other element types and for resources without data.
llvm::ArrayRef<float> getFloats(mlir::ElementsAttr value,
                                std::vector<float> &storage);

/// The constant behind a value; null if there is none.
ConstantOp getConstant(mlir::Value value);

/// A weight that owns its values, as a resource named after its content:
/// `<name>__<hash>`.
mlir::ElementsAttr makeWeight(llvm::StringRef name,
                              llvm::ArrayRef<int64_t> shape,
                              std::vector<float> values,
                              mlir::MLIRContext *context);

/// The name of a weight's tensor, without the hash; empty for inline values.
llvm::StringRef getWeightName(mlir::ElementsAttr value);

} // namespace vae

#endif // DIALECTS_VAE_IR_VAECONSTANTS_H
