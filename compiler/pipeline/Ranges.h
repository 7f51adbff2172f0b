// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_RANGES_H
#define COMPILER_PIPELINE_RANGES_H

#include "compiler/pipeline/Options.h"
#include "mlir/IR/MLIRContext.h"

namespace vae {

/// The ranges of the numbers between the layers of a model: those of the
/// options, or of the file that they name. Fails, with a message, if it cannot
/// be read or is not of what `recipe`, with the model's name and hash, makes of
/// the model.
llvm::FailureOr<RangeTable> readRanges(const CompileOptions &options,
                                       const Recipe &recipe,
                                       mlir::MLIRContext *context);

} // namespace vae

#endif // COMPILER_PIPELINE_RANGES_H
