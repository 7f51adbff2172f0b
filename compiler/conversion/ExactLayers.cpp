// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/ExactLayers.h"

#include "dialects/vae/IR/VaeConstants.h"

using namespace mlir;
using namespace vae;

/// Reading its weights is what a dense layer costs: with as many as these, two
/// thirds of the time of a small model, there is no reason to spare the ends.
static constexpr int64_t kManyWeights = 1 << 15;

/// The layers next to a value: `opsBeside` gives the operations on one side of
/// it, `valuesBeside` the values on their far side.
template <typename OpsFn, typename ValuesFn>
static void follow(Value value, OpsFn opsBeside, ValuesFn valuesBeside,
                   DenseSet<Operation *> &layers) {
  DenseSet<Operation *> seen;
  SmallVector<Value> open = {value};
  while (!open.empty())
    for (Operation *op : opsBeside(open.pop_back_val())) {
      if (isa<PrunableOpInterface>(op))
        layers.insert(op);
      else if (seen.insert(op).second)
        llvm::append_range(open, valuesBeside(op));
    }
}

static void followUses(Value value, DenseSet<Operation *> &layers) {
  follow(
      value, [](Value value) { return llvm::to_vector(value.getUsers()); },
      [](Operation *op) { return llvm::to_vector<2>(op->getResults()); },
      layers);
}

static void followDefinitions(Value value, DenseSet<Operation *> &layers) {
  follow(
      value,
      [](Value value) {
        Operation *op = value.getDefiningOp();
        return op ? SmallVector<Operation *>{op} : SmallVector<Operation *>();
      },
      [](Operation *op) { return llvm::to_vector<2>(op->getOperands()); },
      layers);
}

/// Whether a result is the latent, not what the decoder makes of it.
static bool isLatent(func::FuncOp entry, unsigned result) {
  auto role = entry.getResultAttrOfType<StringAttr>(result, kRoleAttr);
  return role &&
         llvm::is_contained({"mu", "logvar", "latent"}, role.getValue());
}

ExactLayers::ExactLayers(func::FuncOp entry) {
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

bool ExactLayers::contains(Operation *layer) const {
  if (heads.contains(layer))
    return true;
  bool many = isa<DenseOp>(layer) &&
              getTypeOfWeight(layer).getNumElements() >= kManyWeights;
  return ends.contains(layer) && !many;
}

RankedTensorType vae::getTypeOfWeight(Operation *layer) {
  unsigned index = cast<PrunableOpInterface>(layer).getWeightIndex();
  return cast<RankedTensorType>(layer->getOperand(index).getType());
}

Attribute vae::getWeight(Operation *layer) {
  unsigned index = cast<PrunableOpInterface>(layer).getWeightIndex();
  ConstantOp constant = getConstant(layer->getOperand(index));
  return constant ? constant.getValue() : Attribute();
}

std::pair<int64_t, int64_t> vae::getUnitsOfGroup(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  int64_t axis = layer.getUnitAxis(), groups = layer.getUnitGroups();
  auto getUnits = [&](Value value) {
    return cast<RankedTensorType>(value.getType()).getDimSize(axis) / groups;
  };
  return {getUnits(layer.getDataOperand().get()), getUnits(op->getResult(0))};
}
