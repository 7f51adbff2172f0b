// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/LayerCosts.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/LayerShape.h"
#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;

/// A dense layer is one contraction, at as many positions as its data have
/// vectors. It has no algorithms to choose from.
static double getDenseCost(const KernelTarget &target, DenseOp op,
                           Precision precision) {
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  Work work;
  work.shape.flat = true;
  work.shape.outputs = weight.getDimSize(0);
  work.shape.inputs = weight.getDimSize(1);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  for (int64_t size : type.getShape().drop_back())
    work.images *= ShapedType::isDynamic(size) ? kNominalImages : size;
  return *getCost(target, work, Algorithm(), precision);
}

double vae::getLayerCost(Operation *layer, const AlgorithmRules &rules,
                         const AlgorithmChooser &chooser) {
  if (auto dense = dyn_cast<DenseOp>(layer))
    return getDenseCost(rules.target, dense, Precision::F32);
  return chooser.getChosenCost(layer).value_or(0);
}

void vae::reportCosts(ModuleOp fused, const AlgorithmRules &rules,
                      CompileReport &report) {
  auto chooser = AlgorithmChooser::create(rules);
  if (!chooser)
    return llvm::consumeError(chooser.takeError()); // the pass has failed
  llvm::StringMap<Operation *> known;
  fused.walk([&](PrunableOpInterface layer) {
    known.try_emplace(getLayerName(layer->getLoc()), layer);
  });
  for (LayerReport &layer : report.layers) {
    auto found = known.find(layer.name);
    if (found == known.end() || isIntegerLayer(found->second))
      continue;
    if (auto dense = dyn_cast<DenseOp>(found->second)) {
      layer.cost = getDenseCost(rules.target, dense, Precision::F32);
      layer.integerCost = getDenseCost(rules.target, dense, Precision::INT8);
    } else {
      layer.cost = chooser->getChosenCost(found->second);
      layer.integerCost = chooser->getIntegerCost(found->second);
    }
  }
}
