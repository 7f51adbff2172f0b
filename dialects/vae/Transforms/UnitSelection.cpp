// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/UnitSelection.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace vae;

std::vector<double> vae::getUnitNorms(PrunableOpInterface layer) {
  ConstantOp weight = getConstant(layer->getOperand(layer.getWeightIndex()));
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(weight.getValue(), storage);
  ArrayRef<int64_t> shape = weight.getValue().getShapedType().getShape();
  auto result = cast<RankedTensorType>(layer->getResult(0).getType());
  std::vector<double> norms(result.getDimSize(layer.getUnitAxis()));
  auto getStride = [&](int64_t axis) {
    ArrayRef<int64_t> inner = shape.drop_front(axis + 1);
    return std::accumulate(inner.begin(), inner.end(), int64_t(1),
                           std::multiplies<int64_t>());
  };
  int64_t out = layer.getOutputUnitAxis(), in = layer.getInputUnitAxis();
  int64_t outStride = getStride(out), inStride = getStride(in);
  // Either an index is a unit, or one of the group that the input unit is of.
  bool ofGroup = shape[out] != static_cast<int64_t>(norms.size());
  int64_t inputs = ofGroup ? shape[in] / layer.getUnitGroups() : shape[in];
  for (auto [i, value] : llvm::enumerate(values)) {
    int64_t unit = int64_t(i) / outStride % shape[out];
    if (ofGroup)
      unit += int64_t(i) / inStride % shape[in] / inputs * shape[out];
    norms[unit] += double(value) * value;
  }
  for (double &norm : norms)
    norm = std::sqrt(norm);
  return norms;
}

namespace {

/// Units that go together.
struct UnitClass {
  Unit root = UnitFlow::kFixed;
  /// Per layer: the sum of its units' squared importance, and how many they
  /// are.
  llvm::MapVector<size_t, std::pair<double, size_t>> members;
  double score = 0;
};

/// Layers that share units, as those whose results are added.
struct LayerSet {
  SmallVector<size_t> layers;
  SmallVector<UnitClass *> classes;
  std::optional<double> fraction;
  /// The layer that the fraction was given for.
  StringRef chosenBy;
};

class Selection {
public:
  Selection(UnitFlow &flow, const UnitRequest &request, ModuleOp module)
      : flow(flow), request(request), module(module) {}

  LogicalResult run() {
    if (!request.removed.empty())
      return success(succeeded(removeListed()) && succeeded(checkLeft()));
    if (failed(collect()) || failed(assignFractions()))
      return failure();
    SmallVector<UnitClass *> rest;
    for (LayerSet &set : sets) {
      if (set.fraction)
        remove(set.classes, *set.fraction);
      else if (request.global)
        llvm::append_range(rest, set.classes);
      else
        remove(set.classes, request.fraction);
    }
    remove(rest, request.fraction);
    return checkLeft();
  }

private:
  ArrayRef<LayerUnits> layers() const { return flow.getLayers(); }
  LogicalResult collect();
  LogicalResult assignFractions();
  LogicalResult removeListed();
  LogicalResult checkLeft();
  void remove(SmallVector<UnitClass *> classes, double fraction);
  FailureOr<std::vector<double>> getImportance(const LayerUnits &layer);
  LogicalResult failUnknown(StringRef layer);

  UnitFlow &flow;
  const UnitRequest &request;
  ModuleOp module;
  llvm::MapVector<Unit, UnitClass> classes;
  std::vector<LayerSet> sets;
};

} // namespace

LogicalResult Selection::failUnknown(StringRef layer) {
  auto error = emitError(module.getLoc())
               << "no layer '" << layer << "' has weights; those that do are ";
  llvm::interleaveComma(layers(), error,
                        [&](const LayerUnits &known) { error << known.name; });
  return error;
}

FailureOr<std::vector<double>>
Selection::getImportance(const LayerUnits &layer) {
  for (const auto &[name, scores] : request.scores)
    if (name == layer.name && scores.size() == layer.units.size())
      return scores;
  bool fixed =
      llvm::all_of(layer.units, [&](Unit unit) { return flow.isFixed(unit); });
  if (request.absolute && !fixed)
    return emitError(layer.op->getLoc())
           << "the " << layer.units.size() << " units of layer '" << layer.name
           << "' have no scores to be compared with those of other layers";
  return getUnitNorms(cast<PrunableOpInterface>(layer.op));
}

/// Finds what goes together, and how important it is: a layer's part is its
/// importance relative to the layer's mean (root mean square) unless that is
/// absolute, and the class has the mean of its layers.
LogicalResult Selection::collect() {
  std::vector<double> scales;
  for (auto [index, layer] : llvm::enumerate(layers())) {
    FailureOr<std::vector<double>> importance = getImportance(layer);
    if (failed(importance))
      return failure();
    double sum = 0;
    for (auto [unit, value] : llvm::zip(layer.units, *importance)) {
      sum += value * value;
      if (flow.isFixed(unit))
        continue;
      UnitClass &own = classes[flow.getRoot(unit)];
      own.root = flow.getRoot(unit);
      auto &[squares, count] = own.members[index];
      squares += value * value;
      ++count;
    }
    scales.push_back(request.absolute ? 1
                     : sum > 0        ? double(layer.units.size()) / sum
                                      : 0);
  }
  llvm::SmallVector<size_t> parents(layers().size());
  std::iota(parents.begin(), parents.end(), 0);
  auto find = [&](size_t layer) {
    while (parents[layer] != layer)
      layer = parents[layer];
    return layer;
  };
  for (auto &[root, own] : classes) {
    for (auto &[layer, part] : own.members) {
      own.score += std::sqrt(part.first / double(part.second) * scales[layer]);
      size_t a = find(own.members.front().first), b = find(layer);
      parents[std::max(a, b)] = std::min(a, b);
    }
    own.score /= double(own.members.size());
  }
  std::map<size_t, LayerSet> found;
  for (size_t layer = 0; layer < layers().size(); ++layer)
    found[find(layer)].layers.push_back(layer);
  for (auto &[root, own] : classes)
    found[find(own.members.front().first)].classes.push_back(&own);
  for (auto &[first, set] : found)
    sets.push_back(std::move(set));
  return success();
}

LogicalResult Selection::assignFractions() {
  for (const auto &[name, fraction] : request.layers) {
    bool known = false;
    for (LayerSet &set : sets)
      for (size_t layer : set.layers) {
        if (StringRef(layers()[layer].name).split('#').first != name &&
            layers()[layer].name != name)
          continue;
        known = true;
        Location place = layers()[layer].op->getLoc();
        if (set.classes.empty())
          return emitError(place)
                 << "no unit of layer '" << name
                 << "' can be removed: all of them reach an output, the "
                    "latent, or an operation that needs them";
        if (set.fraction && *set.fraction != fraction)
          return emitError(place)
                 << "layers '" << set.chosenBy << "' and '" << name
                 << "' can only lose units together; choose one fraction for "
                    "both";
        set.fraction = fraction;
        set.chosenBy = name;
      }
    if (!known)
      return failUnknown(name);
  }
  if (classes.empty() && request.fraction > 0)
    return emitError(module.getLoc())
           << "no unit of this model can be removed: all of them reach an "
              "output, the latent, or an operation that needs them";
  return success();
}

void Selection::remove(SmallVector<UnitClass *> from, double fraction) {
  llvm::sort(from, [](const UnitClass *a, const UnitClass *b) {
    return std::make_pair(a->score, a->root) <
           std::make_pair(b->score, b->root);
  });
  // What is written as 0.3 of 10 are 3.
  constexpr double kRounding = 1e-9;
  auto count = static_cast<size_t>(fraction * double(from.size()) + kRounding);
  for (UnitClass *own : ArrayRef(from).take_front(count))
    flow.remove(own->root);
}

/// Layers that there are not are left out: their entry points may have been.
LogicalResult Selection::removeListed() {
  llvm::StringMap<const std::vector<int64_t> *> listed;
  for (const auto &[name, units] : request.removed) {
    listed[name] = &units;
    for (const LayerUnits &layer : layers()) {
      if (layer.name != name)
        continue;
      for (int64_t unit : units) {
        bool exists = unit >= 0 && unit < int64_t(layer.units.size());
        if (!exists || flow.isFixed(layer.units[unit]))
          return emitError(layer.op->getLoc())
                 << "unit " << unit << " of layer '" << name << "' "
                 << (exists ? "cannot be removed: it reaches an output, the "
                              "latent, or an operation that needs it"
                            : "does not exist");
        flow.remove(layer.units[unit]);
      }
    }
  }
  for (const LayerUnits &layer : layers())
    for (auto [i, unit] : llvm::enumerate(layer.units)) {
      const std::vector<int64_t> *units = listed.lookup(layer.name);
      if (flow.isRemoved(unit) &&
          !(units && llvm::is_contained(*units, int64_t(i))))
        return emitError(layer.op->getLoc())
               << "unit " << i << " of layer '" << layer.name
               << "' goes with others that are listed, and is not listed";
    }
  return success();
}

LogicalResult Selection::checkLeft() {
  for (const LayerUnits &layer : layers())
    if (flow.countKept(layer.units) == 0)
      return emitError(layer.op->getLoc())
             << "all " << layer.units.size() << " units of layer '"
             << layer.name << "' would be removed; remove a smaller part of it";
  for (const auto &[tensor, units] : flow.getTensors())
    if (flow.countKept(units.units) == 0)
      return emitError(tensor.getLoc())
             << "nothing would be left of the result of '"
             << (tensor.getDefiningOp() ? getLayerNames(tensor.getDefiningOp())
                                        : std::string("an argument"))
             << "'; remove a smaller part of the layers before it";
  return success();
}

LogicalResult vae::selectUnits(UnitFlow &flow, const UnitRequest &request,
                               ModuleOp module) {
  return Selection(flow, request, module).run();
}
