// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the stage compress does beside its passes. Private to the pipeline.
#ifndef COMPILER_PIPELINE_COMPRESS_H
#define COMPILER_PIPELINE_COMPRESS_H

#include "compiler/pipeline/Options.h"
#include "compiler/pipeline/Report.h"

namespace vae {

/// Before the passes, with the hash of the model: the head of the recipe, and
/// the steps that are replayed.
void beginRecipe(const CompileOptions &options, CompileReport &report);

/// Fails, with a message at a line of `file` or at the file, if the recipe is
/// of another model than that of the report, or names layers or units that it
/// has not. Entry points that are not compiled may have them.
llvm::LogicalResult checkRecipeOfModel(mlir::ModuleOp imported,
                                       const Recipe &recipe,
                                       llvm::StringRef file,
                                       const CompileReport &report);
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
