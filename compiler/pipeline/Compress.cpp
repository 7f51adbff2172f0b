// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compress.h"

#include "compiler/compress/BiasCorrection.h"
#include "compiler/compress/Equalization.h"
#include "compiler/compress/ReplaceWeights.h"
#include "compiler/pipeline/Files.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/Quantization.h"
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
  const auto *step = recipe.find<PruneChannelsStep>();
  if (!step)
    return success();
  llvm::StringMap<int64_t> units;
  imported.walk([&](PrunableOpInterface layer) {
    auto type = cast<RankedTensorType>(layer->getResult(0).getType());
    units[getLayerName(layer->getLoc())] = type.getDimSize(layer.getUnitAxis());
  });
  for (const PruneChannelsStep::Layer &layer : step->layers) {
    auto found = units.find(layer.name);
    if (found == units.end())
      return fail("removes units of a layer '" + layer.name +
                  "', which the model does not have");
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
  if (prunes(options))
    reportPruning(module, /*after=*/true,
                  getAlgorithmRules(options, report.tuning), report);
  Recipe &recipe = report.recipe;
  if (!options.replay)
    recipe.steps = {describePruning(module, options, report.pruning)};
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
