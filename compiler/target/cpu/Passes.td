// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TARGET_CPU_PASSES_TD
#define TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitMachineCodePass : Pass<"vae-emit-machine-code", "::mlir::ModuleOp"> {
  let summary = "Compiles a module of the LLVM dialect to an object and drops it";
  let description = [{
    What vaec does after its last pass: translation to LLVM IR, LLVM's
    optimizations, machine code. The module stays as it is; a failure of LLVM is
    an error. Reproducers of vaec (docs/cli.md) name this pass.
  }];
  let options = [
    Option<"triple", "triple", "std::string", "", "Target triple; empty: this machine">,
    Option<"cpu", "cpu", "std::string", "\"native\"", "CPU, as of vaec --mcpu">,
    Option<"features", "features", "std::string", "", "Features that the CPU does not imply">,
    Option<"optLevel", "opt-level", "unsigned", "2", "Optimization level, 0 to 3">];
}

#endif
