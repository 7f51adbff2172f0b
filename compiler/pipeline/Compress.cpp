// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compress.h"

#include "compiler/compress/ReplaceWeights.h"
#include "compiler/pipeline/Files.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "dialects/vae/Transforms/WeightSelection.h"
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
    step.importance = "activation";
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

/// Steps that are done after the passes, if they are done again.
static LogicalResult replay(ModuleOp module, const Recipe &recipe) {
  const auto *step = recipe.find<PruneWeightsStep>();
  if (!step)
    return success();
  std::vector<WeightMask> masks;
  NamedAttrList patterns;
  Builder builder(module.getContext());
  for (const PruneWeightsStep::Layer &layer : step->layers)
    masks.push_back(
        {layer.name,
         {},
         SmallVector<int64_t>(layer.shape.begin(), layer.shape.end()),
         layer.kept});
  for (const PruneWeightsStep::Layer &layer : step->layers)
    patterns.set(layer.name, builder.getStringAttr(layer.pattern));
  module->setAttr(kPrunedWeightsAttr,
                  patterns.getDictionary(module.getContext()));
  return maskWeights(module, masks);
}

LogicalResult vae::finishCompression(ModuleOp module,
                                     const CompileOptions &options,
                                     CompileReport &report) {
  Recipe &recipe = report.recipe;
  if (options.replay && failed(replay(module, *options.replay)))
    return failure();
  reportPruning(module, /*after=*/true, report);
  if (options.replay) {
    recipe = *options.replay;
  } else {
    if (!options.prune.empty())
      recipe.steps.push_back(describePruning(module, options, report.pruning));
    if (!options.pruneWeights.empty())
      recipe.steps.push_back(describeWeightPruning(module, options));
  }
  recipe.compiler = "vaec " VAEC_VERSION;
  recipe.model = report.model;
  recipe.hash = report.hash;
  const auto *fits = recipe.find<LeastSquaresStep>();
  if (!fits)
    return success();
  for (PrunedLayerReport &layer : report.pruning.layers)
    for (const LeastSquaresStep::Layer &fit : fits->layers)
      if (fit.name == layer.name) {
        layer.errorBefore = fit.errorBefore;
        layer.errorAfter = fit.errorAfter;
      }
  return replaceWeights(module, *fits);
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
