// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes of the CPU target.
#ifndef COMPILER_TARGET_CPU_PASSES_H
#define COMPILER_TARGET_CPU_PASSES_H

#include "compiler/target/cpu/Cpu.h"
#include "mlir/Pass/Pass.h"

namespace vae {
#define GEN_PASS_DECL
#include "compiler/target/cpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/target/cpu/Passes.h.inc"

/// The pass for a machine that is resolved already.
std::unique_ptr<mlir::Pass> createEmitMachineCodePass(const Cpu &cpu,
                                                      unsigned optLevel);
} // namespace vae

#endif // COMPILER_TARGET_CPU_PASSES_H
