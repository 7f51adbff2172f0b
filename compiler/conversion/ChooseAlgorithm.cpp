// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/CostModel.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

namespace vae {
#define GEN_PASS_DEF_CHOOSEALGORITHMPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// A larger tile is less exact and must be worth it.
static constexpr double kWorthLargerTile = 0.9;
/// The largest tile that is exact enough in block floating point.
static constexpr int64_t kMostBlockFloatOutputs = 4;

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

  LogicalResult initialize(MLIRContext *context) override {
    for (const std::string &text : algorithms) {
      auto [layer, name] = StringRef(text).rsplit('=');
      if (name.empty())
        std::swap(layer, name);
      auto algorithm = Algorithm::parse(name);
      if (!algorithm)
        return emitError(UnknownLoc::get(context))
               << "unknown algorithm '" << name << "'";
      wanted[layer] = *algorithm;
    }
    return success();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    target.vectorWidth = vectorWidth;
    target.vectorRegisters = vectorRegisters;
    target.wordDots = blockFloat;
    target.vnni = vnni;
    for (Operation &op : function.getBody().front())
      choose(&op);
  }

  void choose(Operation *op) {
    Algorithm best;
    auto direct = getCost(target, op, best);
    if (!direct)
      return;
    double least = *direct;
    auto forced = wanted.find(getLayerName(op->getLoc()));
    if (forced == wanted.end())
      forced = wanted.find("");
    if (forced != wanted.end()) {
      if (getCost(target, op, forced->second))
        best = forced->second;
      else if (!forced->first().empty())
        op->emitWarning() << forced->second.str() << " cannot compute layer '"
                          << forced->first() << "'; it stays direct";
    } else if (fast) {
      for (const Algorithm &algorithm : Algorithm::getAll()) {
        if (blockFloat && algorithm.winograd > kMostBlockFloatOutputs)
          continue;
        auto cost = getCost(target, op, algorithm,
                            blockFloat ? Precision::BFP16 : Precision::F32);
        if (!cost || *cost >= kWorthLargerTile * least)
          continue;
        best = algorithm;
        least = *cost;
      }
    }
    if (best.winograd && !hasFiniteWeights(op))
      best = Algorithm();
    if (best.winograd) {
      setAlgorithm(op, best);
      ++numWinograd;
    }
  }

  llvm::StringMap<Algorithm> wanted;
  KernelTarget target;
};

} // namespace
