// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec with a pass that goes wrong: `vaec-broken HOW arguments of vaec`.
#include "tools/vaec/Vaec.h"

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/ErrorHandling.h"

using namespace vae;

namespace {
/// Adds an operation that no later stage expects to every entry point.
struct AddStrangerPass
    : mlir::PassWrapper<AddStrangerPass, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AddStrangerPass)
  llvm::StringRef getArgument() const final { return "test-add-stranger"; }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!function->hasAttr(kEntryAttr))
        continue;
      auto builder = mlir::OpBuilder::atBlockBegin(&function.front());
      mlir::arith::ConstantIndexOp::create(builder, function.getLoc(), 1);
    }
  }
};

/// Ends badly.
struct BreakPass
    : mlir::PassWrapper<BreakPass, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BreakPass)
  explicit BreakPass(llvm::StringRef how) : how(how) {}
  llvm::StringRef getArgument() const final { return "test-break"; }
  void runOnOperation() override {
    if (how == "crash")
      *const_cast<volatile int *>(static_cast<int *>(nullptr)) = 0;
    if (how == "overflow")
      overflow(1);
    if (how == "fatal")
      llvm::report_fatal_error("the test wants it so");
    signalPassFailure(); // without a word
  }

private:
  static int overflow(int depth) {
    static volatile int limit = 0; // never reached, but who knows
    volatile char space[4096];
    space[depth % 4096] = 1;
    return depth == limit ? 0 : overflow(depth + 1) + space[0];
  }
  llvm::StringRef how;
};
} // namespace

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  llvm::StringRef how = argv[1];
  argv[1] = argv[0];
  return tool::runVaec(argc - 1, argv + 1,
                       [&](Stage stage, mlir::PassManager &passes) {
                         if (how == "stranger" && stage == Stage::Fuse)
                           passes.addPass(std::make_unique<AddStrangerPass>());
                         else if (how != "stranger" && stage == Stage::Kernels)
                           passes.addPass(std::make_unique<BreakPass>(how));
                       });
}
