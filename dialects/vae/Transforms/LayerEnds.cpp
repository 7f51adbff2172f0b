// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/LayerEnds.h"

#include "dialects/vae/IR/VaeConstants.h"

using namespace mlir;
using namespace vae;

using Layers = DenseSet<Operation *>;

/// Reading its weights is what a dense layer costs: with as many as these, two
/// thirds of the time of a small model, there is no reason to spare the ends.
static constexpr int64_t kManyWeights = 1 << 15;

/// Adds the layers that are next to a value.
template <typename OpsFn, typename ValuesFn>
static void follow(Value value, Layers &layers, OpsFn opsBeside,
                   ValuesFn valuesBeside) {
  Layers seen;
  SmallVector<Value> open = {value};
  while (!open.empty())
    for (Operation *op : opsBeside(open.pop_back_val())) {
      if (isa<PrunableOpInterface>(op))
        layers.insert(op);
      else if (seen.insert(op).second)
        llvm::append_range(open, valuesBeside(op));
    }
}

static void followUses(Value value, Layers &layers) {
  follow(
      value, layers,
      [](Value value) { return llvm::to_vector(value.getUsers()); },
      [](Operation *op) { return llvm::to_vector<2>(op->getResults()); });
}

static void followDefinitions(Value value, Layers &layers) {
  follow(
      value, layers,
      [](Value value) {
        Operation *op = value.getDefiningOp();
        return op ? SmallVector<Operation *>{op} : SmallVector<Operation *>();
      },
      [](Operation *op) { return llvm::to_vector<2>(op->getOperands()); });
}

/// Whether a result is the latent, not what the decoder makes of it.
static bool isLatent(func::FuncOp entry, unsigned result) {
  auto role = entry.getResultAttrOfType<StringAttr>(result, kRoleAttr);
  return role &&
         llvm::is_contained({"mu", "logvar", "latent"}, role.getValue());
}

LayerEnds::LayerEnds(func::FuncOp entry) {
  for (Value argument : entry.getArguments())
    followUses(argument, ends);
  for (OpOperand &operand :
       entry.getBody().front().getTerminator()->getOpOperands())
    followDefinitions(operand.get(), isLatent(entry, operand.getOperandNumber())
                                         ? heads
                                         : ends);
  entry.walk([&](ReparameterizeOp op) {
    followDefinitions(op.getMu(), heads);
    followDefinitions(op.getLogvar(), heads);
    followUses(op.getZ(), ends);
  });
}

Attribute vae::getSharedWeight(Operation *layer) {
  unsigned index = cast<PrunableOpInterface>(layer).getWeightIndex();
  ConstantOp constant = getConstant(layer->getOperand(index));
  return constant ? constant.getValue() : Attribute();
}

bool LayerEnds::isExact(Operation *layer) const {
  bool many = isa<DenseOp>(layer) &&
              getTypeOfWeight(layer).getNumElements() >= kManyWeights;
  return isHead(layer) || (isFirstOrLast(layer) && !many);
}

RankedTensorType vae::getTypeOfWeight(Operation *layer) {
  unsigned index = cast<PrunableOpInterface>(layer).getWeightIndex();
  return cast<RankedTensorType>(layer->getOperand(index).getType());
}

std::pair<int64_t, int64_t> vae::getUnitsOfGroup(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  int64_t axis = layer.getUnitAxis(), groups = layer.getUnitGroups();
  auto getUnits = [&](Value value) {
    return cast<RankedTensorType>(value.getType()).getDimSize(axis) / groups;
  };
  return {getUnits(layer.getDataOperand().get()), getUnits(op->getResult(0))};
}
