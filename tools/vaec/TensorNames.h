// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAEC_TENSORNAMES_H
#define TOOLS_VAEC_TENSORNAMES_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace vae::tool {

/// What a table of ranges calls the latent; no layer has this name.
inline constexpr const char *kLatentName = "z";

/// What tables of ranges call the results of an entry point, by their names in
/// its interface. Empty: not in a table.
using ResultNames = llvm::StringMap<std::string>;

/// For each entry point of a fused module with exposed layers. Layers have the
/// same names in all, also where one gives an output. Of what belongs to no
/// layer, only the latent is in a table: the rest moves the dimensions of
/// inputs and outputs.
llvm::StringMap<ResultNames> chooseTensorNames(mlir::ModuleOp fused);

} // namespace vae::tool

#endif // TOOLS_VAEC_TENSORNAMES_H
