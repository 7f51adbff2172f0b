// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compress.h"

#include "compiler/compress/BiasCorrection.h"
#include "compiler/compress/Equalization.h"
#include "compiler/compress/ReplaceWeights.h"
#include "compiler/pipeline/Files.h"
#include "dialects/vae/IR/VaeUnits.h"
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

bool vae::prunes(const CompileOptions &options) {
  return options.replay ? options.replay->find<PruneChannelsStep>() != nullptr
                        : !options.prune.empty();
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

LogicalResult vae::finishCompression(ModuleOp module,
                                     const CompileOptions &options,
                                     CompileReport &report) {
  if (prunes(options))
    reportPruning(module, /*after=*/true, report);
  Recipe &recipe = report.recipe;
  if (options.replay)
    recipe = *options.replay;
  else
    recipe.steps = {describePruning(module, options, report.pruning)};
  recipe.compiler = "vaec " VAEC_VERSION;
  recipe.model = report.model;
  recipe.hash = report.hash;
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
