// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The step `quantize` of recipes: docs/recipes.md. Private to the pipeline, but
// for names and kinds.
#ifndef COMPILER_PIPELINE_QUANTIZATION_H
#define COMPILER_PIPELINE_QUANTIZATION_H

#include "compiler/pipeline/Options.h"
#include "compiler/pipeline/Report.h"

namespace vae {

/// What a layer with weights is after the stage fuse. Weights of integers count
/// before the numbers that the layer multiplies.
PrecisionKind getKind(const LayerReport &layer);

/// What --precision and recipes call it: "mixed" is block floating point.
llvm::StringRef getPrecisionName(Precision precision);

/// Makes what the step says the options' own: precision, ranges, and the kind
/// of each layer.
void applyQuantization(const QuantizeStep &step, CompileOptions &options);

/// What the options and the stage fuse made of the layers with weights.
QuantizeStep describeQuantization(mlir::ModuleOp fused,
                                  const CompileOptions &options,
                                  const CompileReport &report);

/// Fails where a layer of the step is none of the model's. Errors are at the
/// lines of `file`; in a step that was not read, at the file.
llvm::LogicalResult checkLayers(const QuantizeStep &step,
                                const CompileReport &report,
                                llvm::StringRef file,
                                mlir::MLIRContext &context);
/// After the stage fuse: fails where a layer has not the integers that the step
/// says, and warns where it multiplies f32 instead of shorter numbers.
llvm::LogicalResult checkKinds(const QuantizeStep &step,
                               const CompileReport &report,
                               llvm::StringRef file,
                               mlir::MLIRContext &context);

} // namespace vae

#endif // COMPILER_PIPELINE_QUANTIZATION_H
