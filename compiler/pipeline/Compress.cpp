// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compress.h"

#include "compiler/pipeline/Pipeline.h"

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

LogicalResult vae::finishCompression(ModuleOp module,
                                     const CompileOptions &options,
                                     CompileReport &report) {
  reportPruning(module, /*after=*/true,
                getAlgorithmRules(options, report.tuning), report);
  Recipe &recipe = report.recipe;
  if (options.replay)
    recipe = *options.replay;
  else
    recipe.steps = {describePruning(module, options, report.pruning)};
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
