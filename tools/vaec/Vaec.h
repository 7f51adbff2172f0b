// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program, without its main(): test/tools/vaec has one with a compiler that
// fails.
#ifndef TOOLS_VAEC_VAEC_H
#define TOOLS_VAEC_VAEC_H

#include "compiler/pipeline/Pipeline.h"

namespace vae::tool {

/// Called for every stage before its passes run.
using ConfigureFn = llvm::function_ref<void(Stage, mlir::PassManager &)>;

/// Runs vaec; gives its exit code.
int runVaec(
    int argc, char **argv,
    ConfigureFn configure = [](Stage, mlir::PassManager &) {});

} // namespace vae::tool

#endif // TOOLS_VAEC_VAEC_H
