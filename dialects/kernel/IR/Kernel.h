// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel dialect: launches of parallel loops over planned buffers.
#ifndef DIALECTS_KERNEL_IR_KERNEL_H
#define DIALECTS_KERNEL_IR_KERNEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/kernel/IR/KernelDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/IR/KernelOps.h.inc"

namespace vae::kernel {
/// On a kernel function: it takes buffers, sizes and a range of work items.
inline constexpr llvm::StringLiteral kKernelAttr = "kernel.body";
/// And a buffer of so many bytes beside its operands, its own while it runs:
/// the argument behind the range.
inline constexpr llvm::StringLiteral kScratchAttr = "kernel.scratch";
/// And one i32 that it sets to 1 where a number does not fit into its result:
/// behind all other arguments.
inline constexpr llvm::StringLiteral kGuardAttr = "kernel.guard";
/// On a launch: the time that the cost model predicts, in thousandths of what
/// its operations take at a core's peak.
inline constexpr llvm::StringLiteral kPredictedAttr = "kernel.predicted";
/// Suffix of the function that counts the work items of a kernel.
inline constexpr llvm::StringLiteral kCountSuffix = ".count";
/// On an entry function: the memory plan (PlanMemory.cpp).
inline constexpr llvm::StringLiteral kPlanAttr = "kernel.plan";
} // namespace vae::kernel

#endif // DIALECTS_KERNEL_IR_KERNEL_H
