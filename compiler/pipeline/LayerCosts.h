// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_PIPELINE_LAYERCOSTS_H
#define COMPILER_PIPELINE_LAYERCOSTS_H

#include "compiler/pipeline/Report.h"

namespace vae {

/// Fills LayerReport::cost, after the fuse stage. Dense layers have costs here,
/// too, of one example. What is counted is arithmetic, not reading weights.
void reportCosts(mlir::ModuleOp fused, const KernelTarget &target,
                 CompileReport &report);

} // namespace vae

#endif // COMPILER_PIPELINE_LAYERCOSTS_H
