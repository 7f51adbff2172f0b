// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From scf, vector, memref, math and arith to the LLVM dialect, by upstream
// passes.
#include "compiler/conversion/Conversion.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void vae::populateLowerToLLVM(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  // All dialects in one conversion: one each would take three times as long.
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}
