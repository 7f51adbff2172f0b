// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// y = x * scale[c] + offset[c], c being the index on axis 1.
struct Affine {
  Operation *op;
  SmallVector<double> scale, offset;

  RankedTensorType getType() const {
    return cast<RankedTensorType>(op->getResult(0).getType());
  }
};

/// Which unit each element of a layer's weight belongs to.
class Units {
public:
  explicit Units(PrunableOpInterface layer) {
    Value data = layer.getDataOperand().get();
    Value weight = layer->getOperand(layer.getWeightIndex());
    auto shape = cast<RankedTensorType>(weight.getType()).getShape();
    groups = layer.getUnitGroups();
    outputs = {shape, layer.getOutputUnitAxis()};
    inputs = {shape, layer.getInputUnitAxis()};
    // With groups, one of the two axes runs over all units, the other over
    // those of a group.
    int64_t allInputs =
        cast<RankedTensorType>(data.getType()).getDimSize(layer.getUnitAxis());
    inputsAreAll = allInputs == inputs.size;
  }

  int64_t getOutput(int64_t element) const {
    int64_t index = outputs.at(element);
    if (!inputsAreAll || groups == 1)
      return index;
    return getGroup(element) * outputs.size + index;
  }
  int64_t getInput(int64_t element) const {
    int64_t index = inputs.at(element);
    return inputsAreAll ? index : getGroup(element) * inputs.size + index;
  }
  int64_t countOutputs() const {
    return inputsAreAll ? outputs.size * groups : outputs.size;
  }

private:
  struct Axis {
    int64_t size = 1, stride = 1;
    Axis() = default;
    Axis(ArrayRef<int64_t> shape, int64_t axis) : size(shape[axis]) {
      for (int64_t dim : shape.drop_front(axis + 1))
        stride *= dim;
    }
    int64_t at(int64_t element) const { return element / stride % size; }
  };

  int64_t getGroup(int64_t element) const {
    const Axis &all = inputsAreAll ? inputs : outputs;
    return all.at(element) / (all.size / groups);
  }

  Axis outputs, inputs;
  int64_t groups;
  bool inputsAreAll;
};

/// The channel of each unit, where units run over axis 1 of `units` and
/// channels over axis 1 of `channels`, the same elements in another shape.
/// Nothing if a unit has elements in several channels or sizes are not known.
std::optional<SmallVector<int64_t>> getChannels(RankedTensorType units,
                                                RankedTensorType channels,
                                                int64_t unitAxis) {
  if (unitAxis != 1 || units.isDynamicDim(1))
    return std::nullopt;
  int64_t perUnit = 1, perChannel = 1;
  if (units != channels) {
    auto measure = [](RankedTensorType type, int64_t &count) {
      for (int64_t dim : type.getShape().drop_front(2)) {
        if (ShapedType::isDynamic(dim))
          return false;
        count *= dim;
      }
      return true;
    };
    if (!measure(units, perUnit) || !measure(channels, perChannel) ||
        perChannel % perUnit)
      return std::nullopt;
  }
  SmallVector<int64_t> result;
  for (int64_t unit = 0; unit < units.getDimSize(1); ++unit)
    result.push_back(unit * perUnit / perChannel);
  return result;
}

/// The weight and bias of a layer, about to change.
struct Parameters {
  ConstantOp weight, oldBias;
  std::vector<double> values, bias;

  /// Reads them; false if they are not known.
  bool read(PrunableOpInterface layer, int64_t outputs) {
    weight = getConstant(layer->getOperand(layer.getWeightIndex()));
    if (!weight)
      return false;
    std::vector<float> storage;
    ArrayRef<float> floats = getFloats(weight.getValue(), storage);
    values.assign(floats.begin(), floats.end());
    bias.assign(outputs, 0);
    if (Value operand = layer.getBiasValue()) {
      auto known = getConstantVector(operand);
      if (!known || known->size() != bias.size())
        return false;
      oldBias = getConstant(operand);
      bias = *known;
    }
    return !values.empty();
  }

  /// Writes them; false, and nothing changed, if a value is not finite.
  bool write(PrunableOpInterface layer, Location loc) {
    ElementsAttr old = weight.getValue();
    ElementsAttr newWeight = makeWeightLike(
        old, getWeightName(old), old.getShapedType().getShape(), values);
    ElementsAttr form = oldBias ? oldBias.getValue() : old;
    std::string name = oldBias ? getWeightName(form).str()
                               : (getLayerName(layer.getLoc()) + ".bias").str();
    ElementsAttr newBias =
        makeWeightLike(form, name, {static_cast<int64_t>(bias.size())}, bias);
    if (!newWeight || !newBias)
      return false;
    OpBuilder builder(layer);
    Location fused = builder.getFusedLoc({layer.getLoc(), loc});
    layer->setLoc(fused);
    layer->setOperand(layer.getWeightIndex(),
                      ConstantOp::create(builder, weight.getLoc(), newWeight));
    if (oldBias || llvm::any_of(bias, [](double b) { return b != 0; }))
      layer.setBiasValue(ConstantOp::create(builder, fused, newBias));
    for (ConstantOp constant : {weight, oldBias})
      if (constant && constant->use_empty())
        constant->erase();
    return true;
  }
};

/// The value before the reshapes that lead to `value`, all used once.
Value skipReshapesBefore(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>()) {
    if (!value.hasOneUse())
      return value;
    value = reshape.getX();
  }
  return value;
}

/// The only use of a value, after reshapes; null if there are several.
OpOperand *skipReshapesAfter(Value value) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.getUses().begin();
    auto reshape = dyn_cast<ReshapeOp>(use.getOwner());
    if (!reshape)
      return &use;
    value = reshape.getY();
  }
  return nullptr;
}

/// The layer that took it in; null if nothing happened.
Operation *foldIntoPrevious(const Affine &affine) {
  Value x = affine.op->getOperand(0);
  if (x.getType() != affine.getType())
    return nullptr;
  Value data = skipReshapesBefore(x);
  auto layer = data.getDefiningOp<PrunableOpInterface>();
  if (!layer || !data.hasOneUse())
    return nullptr;
  if (auto epilogue = dyn_cast<EpilogueOpInterface>(layer.getOperation()))
    if (epilogue.getEpilogueActivation() || epilogue.getEpilogueResidual())
      return nullptr;
  auto channels = getChannels(cast<RankedTensorType>(data.getType()),
                              affine.getType(), layer.getUnitAxis());
  Parameters parameters;
  if (!channels || !parameters.read(layer, channels->size()))
    return nullptr;
  Units units(layer);
  for (auto [element, value] : llvm::enumerate(parameters.values))
    value *= affine.scale[(*channels)[units.getOutput(element)]];
  for (auto [unit, value] : llvm::enumerate(parameters.bias))
    value = value * affine.scale[(*channels)[unit]] +
            affine.offset[(*channels)[unit]];
  if (!parameters.write(layer, affine.op->getLoc()))
    return nullptr;
  affine.op->getResult(0).replaceAllUsesWith(x);
  affine.op->erase();
  return layer;
}

/// The layer that took it in; null if nothing happened.
Operation *foldIntoNext(const Affine &affine) {
  Value x = affine.op->getOperand(0);
  if (x.getType() != affine.getType())
    return nullptr;
  OpOperand *use = skipReshapesAfter(affine.op->getResult(0));
  auto layer = use ? dyn_cast<PrunableOpInterface>(use->getOwner())
                   : PrunableOpInterface();
  if (!layer || use != &layer.getDataOperand())
    return nullptr;
  bool shifts = llvm::any_of(affine.offset, [](double o) { return o != 0; });
  if (shifts && !layer.hasUniformWindows())
    return nullptr;
  Units units(layer);
  auto channels = getChannels(cast<RankedTensorType>(use->get().getType()),
                              affine.getType(), layer.getUnitAxis());
  Parameters parameters;
  if (!channels || !parameters.read(layer, units.countOutputs()))
    return nullptr;
  for (auto [element, value] : llvm::enumerate(parameters.values)) {
    int64_t channel = (*channels)[units.getInput(element)];
    parameters.bias[units.getOutput(element)] += value * affine.offset[channel];
    value *= affine.scale[channel];
  }
  if (!parameters.write(layer, affine.op->getLoc()))
    return nullptr;
  affine.op->getResult(0).replaceAllUsesWith(x);
  affine.op->erase();
  return layer;
}

/// The operation in its place; null if nothing happened.
Operation *turnIntoAffine(const Affine &affine) {
  auto norm = dyn_cast<BatchNormOp>(affine.op);
  if (!norm)
    return nullptr;
  int64_t channels = affine.scale.size();
  ElementsAttr form = getConstant(norm.getMean()).getValue();
  std::string name = getLayerName(norm.getLoc()).str();
  ElementsAttr scale =
      makeWeightLike(form, name + ".scale", {channels}, affine.scale);
  ElementsAttr offset =
      makeWeightLike(form, name + ".offset", {channels}, affine.offset);
  if (!scale || !offset)
    return nullptr;
  OpBuilder builder(norm);
  auto constant = [&](ElementsAttr value) {
    return ConstantOp::create(builder, norm.getLoc(), value);
  };
  auto result =
      ChannelAffineOp::create(builder, norm.getLoc(), norm.getType(),
                              norm.getX(), constant(scale), constant(offset));
  norm.replaceAllUsesWith(result.getY());
  norm.erase();
  return result;
}

/// Erases the constants that only `op` uses, once it is gone.
struct EraseUnusedConstants {
  explicit EraseUnusedConstants(Operation *op) {
    for (Value operand : op->getOperands())
      if (ConstantOp constant = getConstant(operand))
        constants.insert(constant);
  }
  ~EraseUnusedConstants() {
    for (Operation *constant : constants)
      if (constant->use_empty())
        constant->erase();
  }
  llvm::SmallPtrSet<Operation *, 4> constants;
};

struct FoldBatchNormPass : vae::impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<ConstantAffineOpInterface> ops;
    getOperation().walk(
        [&](ConstantAffineOpInterface op) { ops.push_back(op); });
    for (ConstantAffineOpInterface op : ops) {
      Affine affine = {op, {}, {}};
      if (!op.getConstantAffine(affine.scale, affine.offset))
        continue;
      EraseUnusedConstants cleanup(op);
      fold(affine);
    }
  }

  void fold(const Affine &affine) {
    if (intoPrevious)
      if (Operation *layer = foldIntoPrevious(affine))
        return countEvent(*this, numPrevious, "folded-into-previous", layer);
    if (intoNext)
      if (Operation *layer = foldIntoNext(affine))
        return countEvent(*this, numNext, "folded-into-next", layer);
    if (toAffine)
      if (Operation *result = turnIntoAffine(affine))
        countEvent(*this, numAffine, "turned-into-affine", result);
  }
};

} // namespace
