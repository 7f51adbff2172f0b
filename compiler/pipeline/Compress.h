// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the stage compress does beside its passes. Private to the pipeline.
#ifndef COMPILER_PIPELINE_COMPRESS_H
#define COMPILER_PIPELINE_COMPRESS_H

#include "compiler/pipeline/Options.h"
#include "compiler/pipeline/Report.h"

namespace vae {

/// Whether units are removed.
bool prunes(const CompileOptions &options);

/// After the passes: gives layers the weights of the recipe that is replayed,
/// and reports sizes and steps. Errors are at layers.
llvm::LogicalResult finishCompression(mlir::ModuleOp module,
                                      const CompileOptions &options,
                                      CompileReport &report);

/// Writes `options.recipe`, and weights beside it. `failed` is the file of an
/// error.
llvm::Error writeRecipe(const Recipe &recipe, const CompileOptions &options,
                        std::string &failed);

} // namespace vae

#endif // COMPILER_PIPELINE_COMPRESS_H
