// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/AlgorithmChooser.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

namespace vae {
#define GEN_PASS_DEF_CHOOSEALGORITHMPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Winograd's sums of weights must be numbers, and have some room left.
static bool hasFiniteWeights(Operation *op) {
  constexpr float most = 1e30f;
  std::vector<float> storage;
  ConstantOp weight = getConstant(op->getOperand(1));
  return weight &&
         llvm::all_of(getFloats(weight.getValue(), storage),
                      [](float value) { return std::fabs(value) < most; });
}

namespace {

struct ChooseAlgorithmPass
    : vae::impl::ChooseAlgorithmPassBase<ChooseAlgorithmPass> {
  using Base::Base;
  friend struct vae::AlgorithmRules;

  LogicalResult initialize(MLIRContext *context) override {
    AlgorithmRules rules = AlgorithmRules::of(*this);
    auto created = AlgorithmChooser::create(rules);
    if (!created)
      return emitError(UnknownLoc::get(context))
             << llvm::toString(created.takeError());
    chooser = std::move(*created);
    return success();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    for (Operation &op : function.getBody().front())
      choose(&op);
  }

  void choose(Operation *op) {
    auto choice = chooser.choose(op);
    if (!choice)
      return;
    if (choice->refused)
      op->emitWarning() << choice->refused->str()
                        << (choice->source == AlgorithmSource::Tuned
                                ? " of the tuning table"
                                : "")
                        << " cannot compute layer '"
                        << getLayerName(op->getLoc()) << "'; it stays direct";
    if (!choice->algorithm.winograd || !hasFiniteWeights(op))
      return;
    setAlgorithm(op, choice->algorithm);
    ++numWinograd;
  }

  AlgorithmChooser chooser;
};

} // namespace
