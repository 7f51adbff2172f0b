// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/kernel/IR/Kernel.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "dialects/kernel/IR/KernelDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/IR/KernelOps.cpp.inc"

void vae::kernel::KernelDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/IR/KernelOps.cpp.inc"
      >();
}
