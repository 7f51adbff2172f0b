// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_FUSEEPILOGUEPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// The layers whose result `op` takes as the only one, the latest first.
SmallVector<EpilogueOpInterface> getProducers(Operation *op) {
  SmallVector<EpilogueOpInterface> producers;
  for (Value operand : op->getOperands()) {
    auto producer = operand.getDefiningOp<EpilogueOpInterface>();
    if (producer && operand.hasOneUse() &&
        producer->getBlock() == op->getBlock() &&
        operand.getType() == op->getResult(0).getType())
      producers.push_back(producer);
  }
  llvm::sort(producers,
             [](Operation *a, Operation *b) { return b->isBeforeInBlock(a); });
  return producers;
}

/// Whether an operand is defined after the operation in the same block.
bool usesLaterValue(Operation *op) {
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    Operation *source = operand.getDefiningOp();
    return source && source->getBlock() == op->getBlock() &&
           op->isBeforeInBlock(source);
  });
}

struct FuseEpiloguePass : vae::impl::FuseEpiloguePassBase<FuseEpiloguePass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<FusableIntoOpInterface> ops;
    getOperation().walk([&](FusableIntoOpInterface op) { ops.push_back(op); });
    for (FusableIntoOpInterface op : ops)
      if (isWanted(op.getEpiloguePart()))
        fuse(op);
  }

  bool isWanted(EpiloguePart part) const {
    switch (part) {
    case EpiloguePart::Bias:
      return biases;
    case EpiloguePart::Residual:
      return residuals;
    case EpiloguePart::Activation:
      return activations;
    }
    return false;
  }

  void count(EpiloguePart part, Operation *layer) {
    switch (part) {
    case EpiloguePart::Bias:
      return countEvent(*this, numBiases, "biases", layer);
    case EpiloguePart::Residual:
      return countEvent(*this, numResiduals, "residuals", layer);
    case EpiloguePart::Activation:
      return countEvent(*this, numActivations, "activations", layer);
    }
  }

  void fuse(FusableIntoOpInterface op) {
    for (EpilogueOpInterface producer : getProducers(op)) {
      if (!op.canFuseInto(producer))
        continue;
      op.fuseInto(producer);
      // The layer has no other use than `op`, so that it may move down to it.
      if (usesLaterValue(producer))
        producer->moveBefore(op);
      producer->setLoc(
          FusedLoc::get(&getContext(), {producer->getLoc(), op->getLoc()}));
      count(op.getEpiloguePart(), producer);
      op->getResult(0).replaceAllUsesWith(producer->getResult(0));
      op->erase();
      return;
    }
  }
};

} // namespace
