// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeUnits.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace vae;

UnitFlow::UnitFlow(ModuleOp module)
    : UnitFlow(module, [](Operation *, UnitFlow &) { return false; }) {}

UnitFlow::UnitFlow(ModuleOp module, CarryFn carry) {
  add(); // kFixed
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (carry(op, *this))
      return;
    if (auto carrier = dyn_cast<UnitCarrierOpInterface>(op))
      return carrier.carryUnits(*this);
    for (Value operand : op->getOperands())
      fix(operand);
  });
}

Unit UnitFlow::add() {
  parents.push_back(parents.size());
  removed.push_back(false);
  return parents.back();
}

SmallVector<Unit> UnitFlow::makeUnits(int64_t count) {
  SmallVector<Unit> units;
  for (int64_t i = 0; i < count; ++i)
    units.push_back(add());
  return units;
}

Unit UnitFlow::getRoot(Unit unit) const {
  while (parents[unit] != unit)
    unit = parents[unit] = parents[parents[unit]];
  return unit;
}

const UnitAxis *UnitFlow::find(Value value) const {
  auto found = tensors.find(value);
  return found == tensors.end() ? nullptr : &found->second;
}

void UnitFlow::set(Value value, int64_t axis, ArrayRef<Unit> units) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getDimSize(axis) != static_cast<int64_t>(units.size()))
    return fix(units); // a type that tells less than is known
  tensors[value] = {axis, SmallVector<Unit>(units)};
}

void UnitFlow::unite(Unit a, Unit b) {
  Unit first = getRoot(a), second = getRoot(b);
  // The first of them stands for all: numbers do not depend on the order.
  parents[std::max(first, second)] = std::min(first, second);
}

void UnitFlow::unite(ArrayRef<Unit> a, ArrayRef<Unit> b) {
  for (auto [first, second] : llvm::zip(a, b))
    unite(first, second);
}

void UnitFlow::unite(ArrayRef<Unit> units) {
  for (Unit unit : units)
    unite(units.front(), unit);
}

void UnitFlow::fix(ArrayRef<Unit> units) {
  for (Unit unit : units)
    unite(kFixed, unit);
}

void UnitFlow::fix(Value value) {
  if (const UnitAxis *units = find(value))
    fix(units->units);
}

void UnitFlow::join(Value value, int64_t axis, ArrayRef<Unit> units) {
  const UnitAxis *other = find(value);
  if (other && other->axis == axis && other->units.size() == units.size())
    return unite(units, other->units);
  fix(value);
  fix(units);
}

std::optional<UnitAxis> UnitFlow::merge(ArrayRef<Value> values) {
  const UnitAxis *first = nullptr;
  for (Value value : values)
    if (!first)
      first = find(value);
  if (!first)
    return std::nullopt;
  UnitAxis result = *first;
  for (Value value : values)
    join(value, result.axis, result.units);
  return result;
}

/// Layers of one function may hold equal numbers; only a resource is one tensor
/// wherever it is used.
UnitFlow::WeightKey UnitFlow::getKey(Operation *op, ElementsAttr weight) {
  if (isa<DenseResourceElementsAttr>(weight))
    return {weight, Attribute()};
  return {weight,
          StringAttr::get(op->getContext(), getLayerName(op->getLoc()))};
}

SmallVector<Unit> UnitFlow::addLayer(PrunableOpInterface layer) {
  ConstantOp weight = getConstant(layer->getOperand(layer.getWeightIndex()));
  auto [known, isNew] = layerOfWeight.try_emplace(
      getKey(layer, weight.getValue()), layers.size());
  if (!isNew)
    return layers[known->second].units;
  std::string base = getLayerName(layer->getLoc()).str();
  if (base.empty())
    base = layer->getName().stripDialect().str();
  std::string name = base;
  for (unsigned i = 2; llvm::any_of(
           layers, [&](const LayerUnits &other) { return other.name == name; });
       ++i)
    name = base + "#" + std::to_string(i);
  LayerUnits &units = layers.emplace_back();
  units.name = std::move(name);
  units.op = layer;
  auto type = cast<RankedTensorType>(layer->getResult(0).getType());
  units.units = makeUnits(type.getDimSize(layer.getUnitAxis()));
  return units.units;
}

const LayerUnits *UnitFlow::findLayer(Operation *op) const {
  auto layer = dyn_cast<PrunableOpInterface>(op);
  ConstantOp weight = layer
                          ? getConstant(op->getOperand(layer.getWeightIndex()))
                          : ConstantOp();
  if (!weight)
    return nullptr;
  auto known = layerOfWeight.find(getKey(op, weight.getValue()));
  return known == layerOfWeight.end() ? nullptr : &layers[known->second];
}

SmallVector<std::pair<PrunableOpInterface, size_t>>
UnitFlow::findLayers(ModuleOp module, ArrayRef<StringRef> names) const {
  llvm::StringMap<size_t> places;
  for (auto [place, name] : llvm::enumerate(names))
    places[name] = place;
  SmallVector<std::pair<PrunableOpInterface, size_t>> found;
  module.walk([&](PrunableOpInterface op) {
    if (const LayerUnits *layer = findLayer(op))
      if (auto place = places.find(layer->name); place != places.end())
        found.push_back({op, place->second});
  });
  return found;
}

void UnitFlow::slice(OpOperand &constant, int64_t axis, ArrayRef<Unit> units) {
  if (!constant.get())
    return;
  ConstantOp op = getConstant(constant.get());
  if (!op)
    return fix(units);
  slices[&constant].push_back({axis, SmallVector<Unit>(units)});
  auto [shared, isNew] = sharedSlices.try_emplace(
      {getKey(constant.getOwner(), op.getValue()), axis}, units);
  if (!isNew)
    unite(shared->second, units);
}

void UnitFlow::slice(OpOperand &constant, int64_t axis, const UnitAxis *units) {
  if (units)
    return slice(constant, axis, units->units);
  auto type = cast<RankedTensorType>(constant.get().getType());
  slice(constant, axis, SmallVector<Unit>(type.getDimSize(axis), kFixed));
}

int64_t UnitFlow::countKept(ArrayRef<Unit> units) const {
  return llvm::count_if(units, [&](Unit unit) { return !isRemoved(unit); });
}

SmallVector<int64_t> UnitFlow::getKept(ArrayRef<Unit> units) const {
  SmallVector<int64_t> kept;
  for (auto [i, unit] : llvm::enumerate(units))
    if (!isRemoved(unit))
      kept.push_back(i);
  return kept;
}

SmallVector<UnitAxis> UnitFlow::getSlices(OpOperand &constant) const {
  SmallVector<UnitAxis> result;
  auto found = slices.find(&constant);
  if (found == slices.end())
    return result;
  for (const UnitAxis &axis : found->second)
    if (countKept(axis.units) != static_cast<int64_t>(axis.units.size()))
      result.push_back(axis);
  return result;
}
