// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program, without its main(): test/tools/vaec has one with a compiler that
// fails.
#ifndef TOOLS_VAEC_VAEC_H
#define TOOLS_VAEC_VAEC_H

#include "compiler/pipeline/Pipeline.h"
#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// Called for every stage before its passes run.
using ConfigureFn = llvm::function_ref<void(Stage, mlir::PassManager &)>;

/// Called for every stage with the IR that it reads.
using SeeFn = llvm::function_ref<void(Stage, mlir::ModuleOp)>;

/// Compiles a model for a command; what goes wrong is printed. Gives the exit
/// code.
ExitCode compile(
    const Arguments &arguments, ConfigureFn configure, CompileReport &report,
    SeeFn see = [](Stage, mlir::ModuleOp) {});

/// Runs vaec; gives its exit code.
int runVaec(
    int argc, char **argv,
    ConfigureFn configure = [](Stage, mlir::PassManager &) {});

} // namespace vae::tool

#endif // TOOLS_VAEC_VAEC_H
