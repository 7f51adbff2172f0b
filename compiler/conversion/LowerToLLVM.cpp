// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From scf, vector, memref, math and arith to the LLVM dialect, by upstream
// passes.
#include "compiler/conversion/Conversion.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

namespace vae {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;

namespace {
struct ApproximateMathPass
    : vae::impl::ApproximateMathPassBase<ApproximateMathPass> {
  void runOnOperation() override {
    // Most kernels have none; the rewriter would visit all their operations.
    bool hasMath = getOperation()
                       .walk([](Operation *op) {
                         return isa<math::MathDialect>(op->getDialect())
                                    ? WalkResult::interrupt()
                                    : WalkResult::advance();
                       })
                       .wasInterrupted();
    if (!hasMath)
      return;
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void vae::populateLowerToLLVM(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createApproximateMathPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  // All dialects in one conversion: one each would take three times as long.
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}
