// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compress.h"

#include "compiler/compress/BiasCorrection.h"
#include "compiler/compress/Equalization.h"
#include "compiler/compress/ReplaceWeights.h"
#include "compiler/pipeline/Files.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/Quantization.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "dialects/vae/Transforms/WeightSelection.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace vae;

/// The step that vae-prune-channels did, which the module tells.
static PruneChannelsStep describePruning(ModuleOp module,
                                         const CompileOptions &options,
                                         const PruneReport &report) {
  PruneChannelsStep step;
  for (const PruneTarget &target : options.prune)
    if (target.layer.empty())
      step.fraction = target.fraction;
    else
      step.fractions.push_back({target.layer, target.fraction});
  step.global = options.pruneGlobally;
  if (!options.unitScores.empty())
    step.importance = options.scoresAreLoss ? "taylor" : "activation";
  auto pruned = module->getAttrOfType<DictionaryAttr>(kPrunedAttr);
  for (const PrunedLayerReport &layer : report.layers)
    if (auto units = pruned ? pruned.getAs<DenseI64ArrayAttr>(layer.name)
                            : DenseI64ArrayAttr())
      step.layers.push_back(
          {layer.name, layer.before.units, units.asArrayRef().vec()});
  return step;
}

/// The step that vae-prune-weights did: a weight that is zero now goes.
static PruneWeightsStep describeWeightPruning(ModuleOp module,
                                              const CompileOptions &options) {
  PruneWeightsStep step;
  for (const WeightTarget &target : options.pruneWeights)
    if (target.layer.empty())
      step.pattern = target.pattern.str();
    else
      step.patterns.push_back({target.layer, target.pattern.str()});
  step.global = options.pruneGlobally;
  if (!options.inputNorms.empty())
    step.importance = "activation";
  auto pruned = module->getAttrOfType<DictionaryAttr>(kPrunedWeightsAttr);
  UnitFlow flow(module);
  for (const LayerUnits &known : flow.getLayers()) {
    auto pattern = pruned ? pruned.getAs<StringAttr>(known.name) : StringAttr();
    auto op = cast<PrunableOpInterface>(known.op);
    ConstantOp weight = getConstant(op->getOperand(op.getWeightIndex()));
    if (!pattern || !weight)
      continue;
    PruneWeightsStep::Layer &layer = step.layers.emplace_back();
    layer.name = known.name;
    layer.pattern = pattern.str();
    layer.shape = weight.getValue().getShapedType().getShape().vec();
    std::vector<float> storage;
    for (float value : getFloats(weight.getValue(), storage))
      layer.kept.push_back(value != 0);
  }
  return step;
}

bool vae::prunes(const CompileOptions &options) {
  if (!options.replay)
    return !options.prune.empty() || !options.pruneWeights.empty();
  return options.replay->find<PruneChannelsStep>() ||
         options.replay->find<PruneWeightsStep>();
}

static LogicalResult applyMasks(ModuleOp module, const PruneWeightsStep &step) {
  std::vector<WeightMask> masks;
  NamedAttrList patterns;
  Builder builder(module.getContext());
  for (const PruneWeightsStep::Layer &layer : step.layers)
    masks.push_back(
        {layer.name,
         {},
         SmallVector<int64_t>(layer.shape.begin(), layer.shape.end()),
         layer.kept});
  for (const PruneWeightsStep::Layer &layer : step.layers)
    patterns.set(layer.name, builder.getStringAttr(layer.pattern));
  module->setAttr(kPrunedWeightsAttr,
                  patterns.getDictionary(module.getContext()));
  return maskWeights(module, masks);
}

/// Gives layers what the steps of a recipe say.
static LogicalResult applyWeights(ModuleOp module, const Recipe &recipe) {
  if (const auto *fits = recipe.find<LeastSquaresStep>())
    if (failed(replaceWeights(module, *fits)))
      return failure();
  if (const auto *scales = recipe.find<EqualizeStep>())
    if (failed(equalizeWeights(module, *scales)))
      return failure();
  const auto *shifts = recipe.find<CorrectBiasStep>();
  return success(!shifts || succeeded(shiftBiases(module, *shifts)));
}

void vae::beginRecipe(const CompileOptions &options, CompileReport &report) {
  Recipe &recipe = report.recipe;
  if (options.replay)
    recipe.steps = options.replay->steps;
  recipe.compiler = "vaec " VAEC_VERSION;
  recipe.model = report.model;
  recipe.hash = report.hash;
}

LogicalResult vae::checkRecipeOfModel(ModuleOp imported, const Recipe &recipe,
                                      StringRef file,
                                      const CompileReport &report) {
  MLIRContext &context = *imported.getContext();
  auto fail = [&](const Twine &message) -> LogicalResult {
    return emitError(FileLineColLoc::get(&context, file, 0, 0)) << message;
  };
  if (recipe.hash != report.hash)
    return fail("is a recipe for the model '" + recipe.model +
                "' with the hash " + recipe.hash + ", '" + report.model +
                "' has " + report.hash +
                "; apply it to the model it was made for, or make another one "
                "with --recipe");
  if (const auto *kinds = recipe.find<QuantizeStep>()) {
    CompileReport whole;
    reportModel(imported, {}, whole);
    if (failed(checkLayers(*kinds, whole, file, context)))
      return failure();
  }
  llvm::StringMap<int64_t> units;
  imported.walk([&](PrunableOpInterface layer) {
    auto type = cast<RankedTensorType>(layer->getResult(0).getType());
    units[getLayerName(layer->getLoc())] = type.getDimSize(layer.getUnitAxis());
  });
  auto failUnknown = [&](StringRef what, const std::string &layer) {
    return fail(what + " a layer '" + layer +
                "', which the model does not have");
  };
  llvm::StringSet<> names; // of norms, too
  imported.walk(
      [&](Operation *op) { names.insert(getLayerName(op->getLoc())); });
  // Several layers of a name are numbered: UnitFlow.
  auto isUnknown = [&](StringRef layer) {
    auto [name, number] = layer.rsplit('#');
    bool numbered = !number.empty() && llvm::all_of(number, llvm::isDigit);
    return !names.contains(layer) && !(numbered && names.contains(name));
  };
  if (const auto *step = recipe.find<PruneWeightsStep>())
    for (const PruneWeightsStep::Layer &layer : step->layers)
      if (isUnknown(layer.name))
        return failUnknown("removes weights of", layer.name);
  if (const auto *step = recipe.find<LeastSquaresStep>())
    for (const LeastSquaresStep::Layer &layer : step->layers)
      if (isUnknown(layer.name))
        return failUnknown("has weights of", layer.name);
  if (const auto *step = recipe.find<EqualizeStep>())
    for (const EqualizeStep::Group &group : step->groups)
      for (const EqualizeStep::Axis &axis : group.axes)
        if (isUnknown(axis.layer))
          return failUnknown("scales", axis.layer);
  if (const auto *step = recipe.find<CorrectBiasStep>())
    for (const CorrectBiasStep::Layer &layer : step->layers)
      if (isUnknown(layer.name))
        return failUnknown("shifts biases of", layer.name);
  const auto *step = recipe.find<PruneChannelsStep>();
  if (!step)
    return success();
  for (const PruneChannelsStep::Layer &layer : step->layers) {
    auto found = units.find(layer.name);
    if (found == units.end())
      return failUnknown("removes units of", layer.name);
    if (found->second != layer.units)
      return fail("says that layer '" + layer.name + "' has " +
                  Twine(layer.units) + " units; it has " +
                  Twine(found->second));
  }
  return success();
}

LogicalResult vae::finishCompression(ModuleOp module,
                                     const CompileOptions &options,
                                     CompileReport &report) {
  Recipe &recipe = report.recipe;
  if (const auto *masks = recipe.find<PruneWeightsStep>())
    if (failed(applyMasks(module, *masks)))
      return failure();
  if (prunes(options))
    reportPruning(module, /*after=*/true,
                  getAlgorithmRules(options, report.tuning), report);
  if (!options.replay && !options.prune.empty())
    recipe.steps.push_back(describePruning(module, options, report.pruning));
  if (!options.replay && !options.pruneWeights.empty())
    recipe.steps.push_back(describeWeightPruning(module, options));
  if (const auto *fits = recipe.find<LeastSquaresStep>())
    for (PrunedLayerReport &layer : report.pruning.layers)
      for (const LeastSquaresStep::Layer &fit : fits->layers)
        if (fit.name == layer.name) {
          layer.errorBefore = fit.errorBefore;
          layer.errorAfter = fit.errorAfter;
        }
  return applyWeights(module, recipe);
}

llvm::Error vae::writeRecipe(const Recipe &recipe,
                             const CompileOptions &options,
                             std::string &failed) {
  std::string weights = getRecipeWeightsPath(options.recipe);
  failed = weights;
  if (hasWeights(recipe))
    if (llvm::Error error =
            writeFile(weights, options.removeFilesOnSignal, [&](auto &out) {
              printRecipeWeights(recipe, out);
              return llvm::Error::success();
            }))
      return error;
  failed = options.recipe;
  return writeFile(options.recipe, options.removeFilesOnSignal, [&](auto &out) {
    printRecipe(recipe, llvm::sys::path::filename(weights), out);
    return llvm::Error::success();
  });
}
