// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_LAYERCOSTS_H
#define COMPILER_PIPELINE_LAYERCOSTS_H

#include "compiler/pipeline/Report.h"

namespace vae {

/// The predicted time of a layer before the fuse stage, with the algorithm that
/// will be chosen for it, in vector multiply-adds: a dense layer's of one
/// example. 0: no prediction.
double predictCost(mlir::Operation *layer, const KernelTarget &target,
                   const AlgorithmChooser &chooser);

/// Fills LayerReport::cost, after the fuse stage. Dense layers have costs here,
/// too, of one example. What is counted is arithmetic, not reading weights.
void reportCosts(mlir::ModuleOp fused, const KernelTarget &target,
                 CompileReport &report);

} // namespace vae

#endif // COMPILER_PIPELINE_LAYERCOSTS_H
