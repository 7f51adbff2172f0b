// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/Equalization.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace vae;

using Part = EqualizeStep::Part;

/// Scales change by less than this part after a few rounds; a cycle of groups
/// needs more.
static constexpr double kConverged = 1e-6;
static constexpr int kMostRounds = 100;

StringRef vae::getEqualizationMethodName(EqualizationMethod method) {
  return method == EqualizationMethod::CrossLayer ? "cross-layer" : "smooth";
}

static bool isHomogeneous(ActivationAttr function) {
  switch (function.getKind()) {
  case ActivationKind::Relu:
  case ActivationKind::LeakyRelu:
    return true;
  case ActivationKind::Affine:
    return function.getBeta() == 0 && function.getAlpha() >= 0;
  default:
    return false;
  }
}

bool vae::isPositivelyHomogeneous(Operation *op) {
  if (auto activation = dyn_cast<ActivationOp>(op))
    return isHomogeneous(activation.getFunction());
  if (auto pad = dyn_cast<PadOp>(op))
    return pad.getValue().isZero();
  return isa<ConstantOp, AddOp, SubOp, PreluOp, ConvertLayoutOp, DropoutOp,
             UpsampleOp, Pool2dOp, GlobalPoolOp, CropOp, PixelShuffleOp,
             PixelUnshuffleOp, RepeatChannelsOp, MeanChannelsOp, ConcatOp,
             SplitOp, SliceOp, TransposeOp, ReshapeOp, FramesToBatchOp>(op);
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

namespace {
/// A norm's factors and offsets for each channel, null if there are none.
struct NormParameters {
  OpOperand *weight = nullptr, *bias = nullptr;
  /// Of the result's channels.
  int64_t axis = 1;
};
} // namespace

static OpOperand *firstOf(MutableOperandRange range) {
  return range.empty() ? nullptr : &*range.begin();
}

/// Nothing if the operation is no norm whose result has constant factors.
static std::optional<NormParameters> getNorm(Operation *op) {
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

/// Whether what the operation finishes its result with may follow a scale.
static bool hasHomogeneousEnd(Operation *op) {
  auto epilogue = dyn_cast<EpilogueOpInterface>(op);
  return !epilogue || !epilogue.getEpilogueActivation() ||
         isHomogeneous(epilogue.getEpilogueActivation());
}

static bool hasResidual(Operation *op) {
  auto epilogue = dyn_cast<EpilogueOpInterface>(op);
  return epilogue && epilogue.getEpilogueResidual();
}

namespace {
/// The weight of a layer as units: which element is of which.
struct WeightAxes {
  ElementsAttr value;
  int64_t outputs, inputs, outputInner, inputInner;

  explicit WeightAxes(PrunableOpInterface layer)
      : value(
            getConstant(layer->getOperand(layer.getWeightIndex())).getValue()) {
    auto getInner = [&](int64_t axis) {
      int64_t inner = 1;
      for (int64_t dim : value.getShapedType().getShape().drop_front(axis + 1))
        inner *= dim;
      return inner;
    };
    ArrayRef<int64_t> shape = value.getShapedType().getShape();
    outputs = shape[layer.getOutputUnitAxis()];
    inputs = shape[layer.getInputUnitAxis()];
    outputInner = getInner(layer.getOutputUnitAxis());
    inputInner = getInner(layer.getInputUnitAxis());
  }
  int64_t getOutput(int64_t i) const { return i / outputInner % outputs; }
  int64_t getInput(int64_t i) const { return i / inputInner % inputs; }
};
} // namespace

/// Layers and norms may have one name.
static std::string getKey(StringRef layer, Part part) {
  return (layer + (part == Part::Norm ? "/norm" : "/weight")).str();
}

static RealMatrix getMagnitudes(PrunableOpInterface layer) {
  WeightAxes axes(layer);
  std::vector<float> storage;
  RealMatrix largest = RealMatrix::Zero(axes.outputs, axes.inputs);
  for (auto [i, weight] : llvm::enumerate(getFloats(axes.value, storage))) {
    double &own =
        largest(axes.getOutput(int64_t(i)), axes.getInput(int64_t(i)));
    // A NaN stays: its units keep their scales.
    own = std::isnan(weight) ? NAN : std::max(own, std::fabs(double(weight)));
  }
  return largest;
}

/// Follows units through a module: like UnitFlow for what is homogeneous, norms
/// make units, and nothing else lets a scale pass.
class Equalization::Finder {
public:
  Finder(ModuleOp module, Magnitudes &weights)
      : weights(weights), names(module),
        flow(module, [this](Operation *op, UnitFlow &units) {
          return carry(op, units);
        }) {
    for (auto &[name, norm] : norms)
      if (norm.ambiguous)
        flow.fix(norm.units);
    for (auto &[name, norm] : norms)
      addAxis(name, Part::Norm, norm.units);
    module.walk([&](PrunableOpInterface layer) { addLayer(layer); });
  }

  std::vector<Group> find();

private:
  struct Norm {
    Attribute weight;
    SmallVector<Unit> units;
    bool ambiguous = false;
  };
  struct Axis {
    std::string layer;
    Part part;
    SmallVector<Unit> units; // roots
  };

  /// True if all is said about the operation.
  bool carry(Operation *op, UnitFlow &units);
  void carryNorm(Operation *op, const NormParameters &norm, UnitFlow &units);
  void addLayer(PrunableOpInterface layer);
  void addAxis(StringRef layer, Part part, ArrayRef<Unit> units);
  std::optional<Group> describe(ArrayRef<const Axis *> members) const;

  Magnitudes &weights;
  UnitFlow names; // as replaceWeights knows layers
  llvm::MapVector<StringRef, Norm> norms;
  std::vector<Axis> axes;
  UnitFlow flow; // the last: it calls carry()
};

bool Equalization::Finder::carry(Operation *op, UnitFlow &units) {
  if (auto norm = getNorm(op);
      norm && hasHomogeneousEnd(op) && !hasResidual(op)) {
    carryNorm(op, *norm, units);
    return true;
  }
  auto layer = dyn_cast<PrunableOpInterface>(op);
  if (layer ? layer.getUnitGroups() == 1 && hasHomogeneousEnd(op)
            : isPositivelyHomogeneous(op))
    return false;
  for (Value operand : op->getOperands())
    units.fix(operand);
  return true;
}

void Equalization::Finder::carryNorm(Operation *op, const NormParameters &norm,
                                     UnitFlow &units) {
  units.fix(op->getOperand(0));
  ConstantOp weight = getConstant(norm.weight->get());
  auto [place, isNew] = norms.try_emplace(getLayerName(op->getLoc()));
  Norm &known = place->second;
  int64_t channels = weight.getValue().getNumElements();
  if (isNew) {
    known.weight = weight.getValue();
    known.units = units.makeUnits(channels);
    RealMatrix &own = weights[getKey(place->first, Part::Norm)];
    own.resize(channels, 1);
    std::vector<float> storage;
    for (auto [i, x] : llvm::enumerate(getFloats(weight.getValue(), storage)))
      own(int64_t(i), 0) = std::fabs(double(x));
  }
  bool same = known.weight == weight.getValue();
  known.ambiguous |= !same;
  if (!same)
    return;
  units.slice(*norm.weight, 0, known.units);
  if (norm.bias)
    units.slice(*norm.bias, 0, known.units);
  units.set(op->getResult(0), norm.axis, known.units);
}

void Equalization::Finder::addAxis(StringRef layer, Part part,
                                   ArrayRef<Unit> units) {
  for (const Axis &axis : axes)
    if (axis.layer == layer && axis.part == part)
      return;
  Axis &axis = axes.emplace_back();
  axis.layer = layer.str();
  axis.part = part;
  for (Unit unit : units)
    axis.units.push_back(flow.getRoot(unit));
}

void Equalization::Finder::addLayer(PrunableOpInterface layer) {
  const LayerUnits *known = flow.findLayer(layer),
                   *named = names.findLayer(layer);
  if (!known || !named)
    return;
  std::string key = getKey(named->name, Part::Output);
  if (!weights.count(key))
    weights[key] = getMagnitudes(layer);
  if (const UnitAxis *data = flow.find(layer.getDataOperand().get()))
    addAxis(named->name, Part::Input, data->units);
  addAxis(named->name, Part::Output, known->units);
}

std::optional<Equalization::Group>
Equalization::Finder::describe(ArrayRef<const Axis *> members) const {
  // Only what is made and read has a scale.
  llvm::MapVector<Unit, std::pair<bool, bool>> roles;
  for (const Axis *axis : members)
    for (Unit unit : axis->units)
      (axis->part == Part::Input ? roles[unit].second : roles[unit].first) =
          true;
  Group group;
  llvm::DenseMap<Unit, int64_t> indices;
  for (auto [unit, role] : roles)
    if (!flow.isFixed(unit) && role.first && role.second)
      indices.try_emplace(unit, group.numScales++);
  if (indices.empty())
    return std::nullopt;
  for (bool reads : {false, true})
    for (const Axis *axis : members) {
      if ((axis->part == Part::Input) != reads)
        continue;
      Group::Axis &own = group.axes.emplace_back();
      own.layer = axis->layer;
      own.part = axis->part;
      for (Unit unit : axis->units) {
        auto index = indices.find(unit);
        own.indices.push_back(index == indices.end() ? -1 : index->second);
      }
    }
  return group;
}

std::vector<Equalization::Group> Equalization::Finder::find() {
  llvm::EquivalenceClasses<size_t> classes;
  llvm::DenseMap<Unit, size_t> first;
  for (size_t i = 0; i < axes.size(); ++i) {
    classes.insert(i);
    for (Unit unit : axes[i].units)
      if (!flow.isFixed(unit))
        classes.unionSets(i, first.try_emplace(unit, i).first->second);
  }
  llvm::MapVector<size_t, std::vector<const Axis *>> members;
  for (size_t i = 0; i < axes.size(); ++i)
    members[classes.getLeaderValue(i)].push_back(&axes[i]);
  std::vector<Group> groups;
  for (auto &[leader, own] : members)
    if (auto group = describe(own))
      groups.push_back(std::move(*group));
  return groups;
}

Equalization::Equalization(ModuleOp module) {
  groups = Finder(module, weights).find();
}

std::string Equalization::Group::describe() const {
  std::string text;
  bool reads = false;
  for (const Axis &axis : axes) {
    bool input = axis.part == Part::Input;
    text += text.empty() ? "" : input != reads ? " -> " : ", ";
    text += axis.layer;
    reads = input;
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

void Equalization::scale(const Group &group, ArrayRef<double> scales,
                         Magnitudes &magnitudes) {
  for (const Group::Axis &axis : group.axes) {
    RealMatrix &own = magnitudes[getKey(axis.layer, axis.part)];
    for (auto [i, index] : llvm::enumerate(axis.indices)) {
      if (index < 0)
        continue;
      if (axis.part == Part::Input)
        own.col(int64_t(i)) *= scales[index];
      else
        own.row(int64_t(i)) /= scales[index];
    }
  }
}

std::pair<std::vector<double>, std::vector<double>>
Equalization::measure(const Group &group, const Magnitudes &magnitudes) const {
  std::vector<double> made(group.numScales), read(group.numScales);
  for (const Group::Axis &axis : group.axes) {
    const RealMatrix &own =
        magnitudes.find(getKey(axis.layer, axis.part))->second;
    for (auto [i, index] : llvm::enumerate(axis.indices)) {
      if (index < 0)
        continue;
      bool input = axis.part == Part::Input;
      double largest =
          input ? own.col(int64_t(i)).maxCoeff<Eigen::PropagateNaN>()
                : own.row(int64_t(i)).maxCoeff<Eigen::PropagateNaN>();
      double &known = (input ? read : made)[index];
      known = std::isnan(largest) ? NAN : std::max(known, largest);
    }
  }
  return {made, read};
}

/// A scale that can be divided by.
static double keepIfUnusable(double scale) {
  return std::isnormal(scale) && scale > 0 ? scale : 1;
}

std::vector<EqualizeStep::Group> Equalization::solve(ArrayRef<Choice> choices,
                                                     double alpha,
                                                     InputsFn inputs) const {
  Magnitudes magnitudes = weights;
  std::vector<std::vector<double>> scales;
  for (const Choice &choice : choices)
    scales.emplace_back(groups[choice.group].numScales, 1);
  auto apply = [&](size_t number, ArrayRef<double> factors) {
    scale(groups[choices[number].group], factors, magnitudes);
    for (auto [own, factor] : llvm::zip(scales[number], factors))
      own *= factor;
  };
  double change = 1;
  for (int round = 0; round < kMostRounds && change > kConverged; ++round) {
    change = 0;
    for (size_t number = 0; number < choices.size(); ++number) {
      if (choices[number].method != EqualizationMethod::CrossLayer)
        continue;
      auto [made, read] = measure(groups[choices[number].group], magnitudes);
      for (auto [own, other] : llvm::zip(made, read)) {
        own = keepIfUnusable(std::sqrt(own / other));
        change = std::max(change, std::fabs(std::log(own)));
      }
      apply(number, made);
    }
  }
  for (size_t number = 0; number < choices.size(); ++number) {
    if (choices[number].method != EqualizationMethod::Smooth)
      continue;
    const Group &group = groups[choices[number].group];
    std::vector<double> data(group.numScales),
        read = measure(group, magnitudes).second;
    for (const Group::Axis &axis : group.axes) {
      ArrayRef<double> largest =
          axis.part == Part::Input ? inputs(axis.layer) : ArrayRef<double>();
      for (size_t i = 0; i < largest.size(); ++i)
        if (int64_t index = axis.indices[i]; index >= 0)
          data[index] = std::max(data[index], largest[i]);
    }
    for (auto [own, weight] : llvm::zip(data, read))
      own = keepIfUnusable(std::pow(own, alpha) / std::pow(weight, 1 - alpha));
    apply(number, data);
  }
  std::vector<EqualizeStep::Group> result;
  for (size_t number = 0; number < choices.size(); ++number) {
    EqualizeStep::Group &own = result.emplace_back();
    own.method = getEqualizationMethodName(choices[number].method).str();
    for (const Group::Axis &axis : groups[choices[number].group].axes) {
      EqualizeStep::Axis &row = own.axes.emplace_back();
      row.layer = axis.layer;
      row.part = axis.part;
      for (int64_t index : axis.indices)
        row.scales.push_back(index < 0 ? 1 : scales[number][index]);
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

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
