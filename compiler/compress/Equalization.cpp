// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/Equalization.h"

#include "compiler/compress/ScaledWeights.h"
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
