// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_CALIBRATE_MODELHASH_H
#define COMPILER_CALIBRATE_MODELHASH_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace vae {

/// SHA-256 in hexadecimal digits of an imported model: its operations with
/// their layers' names, attributes and weights, and what they are applied to.
/// Positions in files do not count, nor do sizes of images that are free in
/// the model.
std::string hashModel(mlir::ModuleOp imported);

} // namespace vae

#endif // COMPILER_CALIBRATE_MODELHASH_H
