// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/BiasCorrection.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace vae;

ResultDifference::ResultDifference(int64_t units) : units(units) {}

void ResultDifference::add(ArrayRef<float> exact, ArrayRef<float> other,
                           int64_t inner) {
  auto size = static_cast<int64_t>(units.size());
  for (int64_t i = 0; i < static_cast<int64_t>(exact.size()); ++i) {
    Moments &own = units[i / inner % size];
    double x = exact[i], difference = x - double(other[i]);
    own.difference += difference;
    own.squaredDifference += difference * difference;
    own.exact += x;
    own.squaredExact += x * x;
  }
  count += static_cast<int64_t>(exact.size()) / size;
}

std::vector<double> ResultDifference::getShift() const {
  std::vector<double> shift;
  for (const Moments &own : units)
    shift.push_back(count ? own.difference / double(count) : 0);
  return shift;
}

double ResultDifference::getError(ArrayRef<double> shift) const {
  double error = 0, variance = 0;
  for (auto [own, added] : llvm::zip(units, shift)) {
    error += own.squaredDifference +
             added * (double(count) * added - 2 * own.difference);
    variance += own.squaredExact - own.exact * own.exact / double(count);
  }
  return variance > 0 ? error / variance : 0;
}

static LogicalResult shiftBias(PrunableOpInterface layer,
                               const CorrectBiasStep::Layer &row) {
  int64_t units = cast<RankedTensorType>(layer->getResult(0).getType())
                      .getDimSize(layer.getUnitAxis());
  Value bias = layer.getBiasValue();
  ConstantOp constant = bias ? getConstant(bias) : ConstantOp();
  if (units != static_cast<int64_t>(row.shift.size()) || (bias && !constant))
    return emitError(layer->getLoc())
           << "layer '" << row.name << "': the recipe has biases for "
           << row.shift.size() << " units, the layer has " << units
           << "; make the recipe again";
  std::vector<double> values = row.shift;
  std::vector<float> storage;
  if (constant)
    for (auto [value, old] :
         llvm::zip(values, getFloats(constant.getValue(), storage)))
      value += double(old);
  OpBuilder builder(layer);
  ElementsAttr weight =
      getConstant(layer->getOperand(layer.getWeightIndex())).getValue();
  ElementsAttr shifted = makeWeightLike(
      constant ? constant.getValue() : weight,
      constant ? getWeightName(constant.getValue()) : StringRef(row.name),
      {units}, values);
  if (!shifted)
    return emitError(layer->getLoc())
           << "layer '" << row.name
           << "': a bias is no finite number with the shift of the recipe; "
              "make the recipe again";
  layer.setBiasValue(ConstantOp::create(builder, layer->getLoc(), shifted));
  if (constant && constant->use_empty())
    constant->erase();
  return success();
}

LogicalResult vae::shiftBiases(ModuleOp module, const CorrectBiasStep &step) {
  std::vector<StringRef> names;
  for (const CorrectBiasStep::Layer &layer : step.layers)
    names.push_back(layer.name);
  for (auto [op, row] : UnitFlow(module).findLayers(module, names))
    if (failed(shiftBias(op, step.layers[row])))
      return failure();
  return success();
}
