// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_LAYERCOSTS_H
#define COMPILER_PIPELINE_LAYERCOSTS_H

#include "compiler/pipeline/Report.h"

namespace vae {

/// The predicted time of a layer that multiplies no integers, in vector
/// multiply-adds, as it would be chosen: a dense layer's of one example. 0: no
/// prediction.
double getLayerCost(mlir::Operation *layer, const AlgorithmRules &rules,
                    const AlgorithmChooser &chooser);

/// Fills LayerReport::cost and integerCost of layers that multiply no integers,
/// after the fuse stage. Dense layers have costs here, too, of one example.
void reportCosts(mlir::ModuleOp fused, const AlgorithmRules &rules,
                 CompileReport &report);

} // namespace vae

#endif // COMPILER_PIPELINE_LAYERCOSTS_H
