// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_RANGES_H
#define COMPILER_PIPELINE_RANGES_H

#include "compiler/pipeline/Options.h"
#include "mlir/IR/BuiltinOps.h"

namespace vae {

/// The ranges of the numbers between the layers of a model: those of the
/// options, or of the file that they name. Fails, with a message, if it cannot
/// be read or is of another model than the imported one.
llvm::FailureOr<RangeTable> readRanges(const CompileOptions &options,
                                       mlir::ModuleOp imported,
                                       llvm::StringRef model);

} // namespace vae

#endif // COMPILER_PIPELINE_RANGES_H
