// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_CALIBRATE_TENSORNAMES_H
#define COMPILER_CALIBRATE_TENSORNAMES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace vae {

/// What a table of ranges calls the latent; no layer has this name.
inline constexpr const char *kLatentName = "z";

/// What tables of ranges call the values of an entry point of a fused module,
/// whether its layers are exposed or not. Layers have the same names in all
/// entry points, also where one gives an output. Values that are in no table
/// are left out: of what belongs to no layer, only the latent is in one; the
/// rest moves the dimensions of inputs and outputs.
llvm::DenseMap<mlir::Value, std::string> nameTensors(mlir::func::FuncOp entry);

/// The same for the results of an entry point, by their names in its
/// interface. Empty: not in a table.
using ResultNames = llvm::StringMap<std::string>;

/// For each entry point of a fused module.
llvm::StringMap<ResultNames> chooseTensorNames(mlir::ModuleOp fused);

} // namespace vae

#endif // COMPILER_CALIBRATE_TENSORNAMES_H
