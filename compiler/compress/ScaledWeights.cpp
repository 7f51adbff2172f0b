// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/ScaledWeights.h"

#include "compiler/compress/Equalization.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace vae;

using Part = EqualizeStep::Part;

static OpOperand *firstOf(MutableOperandRange range) {
  return range.empty() ? nullptr : &*range.begin();
}

std::optional<NormParameters> vae::getNorm(Operation *op) {
  NormParameters norm;
  if (auto group = dyn_cast<GroupNormOp>(op)) {
    norm = {firstOf(group.getWeightMutable()), firstOf(group.getBiasMutable())};
  } else if (auto rms = dyn_cast<RmsNormOp>(op)) {
    norm = {firstOf(rms.getWeightMutable()), firstOf(rms.getBiasMutable())};
  } else if (auto layer = dyn_cast<LayerNormOp>(op);
             layer && layer.getAxes() == 1) {
    norm = {firstOf(layer.getWeightMutable()), firstOf(layer.getBiasMutable()),
            cast<RankedTensorType>(layer.getY().getType()).getRank() - 1};
  }
  if (!norm.weight || !getConstant(norm.weight->get()) ||
      (norm.bias && !getConstant(norm.bias->get())))
    return std::nullopt;
  return norm;
}

namespace {
/// Finds the scales of a step by layers and parts.
class ScaleTable {
public:
  explicit ScaleTable(const EqualizeStep &step) {
    for (const EqualizeStep::Group &group : step.groups)
      for (const EqualizeStep::Axis &axis : group.axes)
        tables[static_cast<size_t>(axis.part)][axis.layer] = axis.scales;
  }
  /// Empty if there are none.
  ArrayRef<double> find(StringRef layer, Part part) const {
    const auto &table = tables[static_cast<size_t>(part)];
    auto found = table.find(layer);
    return found == table.end() ? ArrayRef<double>() : found->second;
  }

private:
  llvm::StringMap<ArrayRef<double>> tables[3];
};
} // namespace

/// Multiplies each element of a constant operand by a factor.
template <typename FunctionTy>
static LogicalResult multiply(OpOperand &operand, FunctionTy getFactor) {
  ConstantOp constant = getConstant(operand.get());
  ElementsAttr old = constant.getValue();
  std::vector<float> storage;
  std::vector<double> values;
  for (auto [i, value] : llvm::enumerate(getFloats(old, storage)))
    values.push_back(double(value) * getFactor(int64_t(i)));
  OpBuilder builder(operand.getOwner());
  ElementsAttr scaled = makeWeightLike(old, getWeightName(old),
                                       old.getShapedType().getShape(), values);
  if (!scaled)
    return emitError(operand.getOwner()->getLoc())
           << "layer '" << getLayerName(operand.getOwner()->getLoc())
           << "': a weight is no finite number with the scales of the recipe; "
              "make the recipe again";
  operand.set(ConstantOp::create(builder, constant.getLoc(), scaled));
  if (constant->use_empty())
    constant->erase();
  return success();
}

static LogicalResult checkCount(Operation *op, ArrayRef<double> scales,
                                int64_t units) {
  if (scales.empty() || static_cast<int64_t>(scales.size()) == units)
    return success();
  return emitError(op->getLoc())
         << "layer '" << getLayerName(op->getLoc()) << "': the recipe has "
         << scales.size() << " scales for " << units
         << " units; make the recipe again";
}

static LogicalResult scaleLayer(PrunableOpInterface layer,
                                ArrayRef<double> outputs,
                                ArrayRef<double> inputs) {
  if (outputs.empty() && inputs.empty())
    return success();
  WeightAxes axes(layer);
  if (failed(checkCount(layer, outputs, axes.outputs)) ||
      failed(checkCount(layer, inputs, axes.inputs)) ||
      failed(
          multiply(layer->getOpOperand(layer.getWeightIndex()), [&](int64_t i) {
            return (inputs.empty() ? 1 : inputs[axes.getInput(i)]) /
                   (outputs.empty() ? 1 : outputs[axes.getOutput(i)]);
          })))
    return failure();
  Value bias = layer.getBiasValue();
  if (!bias || outputs.empty())
    return success();
  OpOperand *operand = llvm::find_if(
      layer->getOpOperands(), [&](OpOperand &o) { return o.get() == bias; });
  return multiply(*operand, [&](int64_t i) { return 1 / outputs[i]; });
}

static LogicalResult scaleNorm(Operation *op, const NormParameters &norm,
                               ArrayRef<double> scales) {
  if (scales.empty())
    return success();
  auto type = cast<RankedTensorType>(norm.weight->get().getType());
  if (failed(checkCount(op, scales, type.getNumElements())))
    return failure();
  for (OpOperand *parameter : {norm.weight, norm.bias})
    if (parameter &&
        failed(multiply(*parameter, [&](int64_t i) { return 1 / scales[i]; })))
      return failure();
  return success();
}

LogicalResult vae::equalizeWeights(ModuleOp module, const EqualizeStep &step) {
  ScaleTable table(step);
  UnitFlow flow(module);
  SmallVector<std::pair<PrunableOpInterface, std::string>> layers;
  SmallVector<std::pair<Operation *, NormParameters>> norms;
  module.walk([&](Operation *op) {
    if (const LayerUnits *layer = flow.findLayer(op))
      layers.push_back({cast<PrunableOpInterface>(op), layer->name});
    else if (auto norm = getNorm(op))
      norms.push_back({op, *norm});
  });
  for (auto &[layer, name] : layers)
    if (failed(scaleLayer(layer, table.find(name, Part::Output),
                          table.find(name, Part::Input))))
      return failure();
  for (auto &[op, norm] : norms)
    if (failed(scaleNorm(op, norm,
                         table.find(getLayerName(op->getLoc()), Part::Norm))))
      return failure();
  return success();
}
