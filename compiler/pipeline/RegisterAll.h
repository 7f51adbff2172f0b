// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One place that knows every dialect and pass; all tools use it.
#ifndef COMPILER_PIPELINE_REGISTERALL_H
#define COMPILER_PIPELINE_REGISTERALL_H

#include "mlir/IR/DialectRegistry.h"

namespace vae {

/// Every dialect that a stage produces, with the extensions passes need.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Every pass of ours and the upstream ones that are of use beside them, and
/// one pipeline per stage of Stages.def, named `vae-<stage>`.
void registerAllPasses();

} // namespace vae

#endif // COMPILER_PIPELINE_REGISTERALL_H
