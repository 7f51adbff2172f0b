// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How large layers are before and after pruning.
#include "compiler/pipeline/Formula.h"
#include "compiler/pipeline/LayerCosts.h"
#include "compiler/pipeline/Report.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "dialects/vae/Transforms/Dims.h"
#include "dialects/vae/Transforms/WeightSelection.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace vae;

static int64_t countElements(ConstantOp constant) {
  return constant ? constant.getValue().getNumElements() : 0;
}

static void countZeros(ConstantOp weight, LayerSize &size) {
  if (!weight)
    return;
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(weight.getValue(), storage);
  size.weights = static_cast<int64_t>(values.size());
  size.zeros = llvm::count(values, 0.0f);
}

static LayerSize measure(PrunableOpInterface layer,
                         const llvm::DenseMap<Value, Dims> &dims,
                         const CompileReport &report) {
  LayerSize size;
  auto type = cast<RankedTensorType>(layer->getResult(0).getType());
  size.units = type.getDimSize(layer.getUnitAxis());
  ConstantOp weight = getConstant(layer->getOperand(layer.getWeightIndex()));
  size.parameters =
      countElements(weight) + countElements(getConstant(layer.getBiasValue()));
  countZeros(weight, size);
  size.bytes = size.parameters * int64_t(sizeof(float));
  SmallVector<Dims> operands, results;
  for (Value operand : layer->getOperands())
    operands.push_back(dims.lookup(operand));
  for (Value result : layer->getResults())
    results.push_back(dims.lookup(result));
  AffineExpr flops = cast<SymbolicShapeOpInterface>(layer.getOperation())
                         .getFlops(operands, results);
  size.flops = evaluate(flops, report.dimensions, 1);
  return size;
}

void vae::reportPruning(ModuleOp module, bool after,
                        const AlgorithmRules &rules, CompileReport &report) {
  auto chooser = AlgorithmChooser::create(rules);
  PruneReport &pruning = report.pruning;
  auto model = module->getAttrOfType<DictionaryAttr>(kModelAttr);
  if (auto count =
          model ? model.getAs<IntegerAttr>("parameters") : IntegerAttr())
    (after ? pruning.parametersAfter : pruning.parametersBefore) =
        count.getInt();
  auto find = [&](StringRef attribute, const std::string &layer) {
    auto all = module->getAttrOfType<DictionaryAttr>(attribute);
    auto text = all ? all.getAs<StringAttr>(layer) : StringAttr();
    return text ? text.str() : std::string();
  };
  UnitFlow flow(module);
  llvm::StringMap<size_t> known;
  for (auto [i, layer] : llvm::enumerate(pruning.layers))
    known[layer.name] = i;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr(kEntryAttr) || function.isExternal())
      continue;
    llvm::DenseMap<Value, Dims> dims;
    for (BlockArgument argument : function.getArguments())
      dims[argument] = getArgumentDims(function, argument.getArgNumber());
    for (Operation &op : function.front().without_terminator()) {
      if (failed(inferDims(op, dims)))
        break; // cannot be: the module was verified
      const LayerUnits *units = flow.findLayer(&op);
      if (!units)
        continue;
      auto [place, isNew] =
          known.try_emplace(units->name, pruning.layers.size());
      if (isNew)
        pruning.layers.emplace_back().name = units->name;
      PrunedLayerReport &layer = pruning.layers[place->second];
      LayerSize size = measure(cast<PrunableOpInterface>(op), dims, report);
      if (chooser)
        size.cost = predictCost(&op, rules.target, *chooser);
      (after ? layer.after : layer.before) = size;
      layer.pattern = find(kPrunedWeightsAttr, layer.name);
      layer.unpruned = find(kUnprunedAttr, layer.name);
    }
  }
  llvm::consumeError(chooser.takeError()); // vae-choose-algorithm reports it
}
