// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/recipe/Recipe.h"

#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"
#include "compiler/recipe/RecipeWeights.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

#include <cstring>

using namespace mlir;
using namespace vae;

namespace {
class Reader {
public:
  Reader(StringRef path, MLIRContext &context) : path(path), context(context) {}

  FailureOr<Recipe> read();

private:
  LogicalResult fail(JsonPosition position, const Twine &message) const {
    return emitError(FileLineColLoc::get(&context, path, position.line,
                                         position.column))
           << message;
  }
  LogicalResult failType(const JsonValue &value, const Twine &key,
                         StringRef expected) const {
    return fail(value.position, "'" + key + "': expected " + expected +
                                    ", found " + value.describe());
  }

  const JsonValue *get(const JsonValue &object, StringRef key);
  LogicalResult getText(const JsonValue &object, StringRef key,
                        std::string &text);
  LogicalResult getInteger(const JsonValue &object, StringRef key,
                           int64_t &number);
  LogicalResult getNumber(const JsonValue &object, StringRef key,
                          double &number);
  template <typename FunctionTy>
  LogicalResult forEach(const JsonValue &object, StringRef key,
                        FunctionTy visit);

  LogicalResult readStep(const JsonValue &json, Recipe &recipe);
  LogicalResult readPrune(const JsonValue &json, PruneChannelsStep &step);
  LogicalResult readScope(const JsonValue &json, bool &global);
  LogicalResult readWeightPruning(const JsonValue &json,
                                  PruneWeightsStep &step);
  LogicalResult readFit(const JsonValue &json, LeastSquaresStep &step);
  LogicalResult readUnit(const JsonValue &json,
                         PruneChannelsStep::Layer &layer);
  LogicalResult readWeights(const JsonValue &root, Recipe &recipe);

  StringRef path;
  MLIRContext &context;
};
} // namespace

const JsonValue *Reader::get(const JsonValue &object, StringRef key) {
  const JsonValue *value = object.isObject() ? object.find(key) : nullptr;
  if (!value)
    (void)fail(object.position, "expected an object with '" + key +
                                    "'; vaec --recipe=FILE writes recipes");
  return value;
}

LogicalResult Reader::getText(const JsonValue &object, StringRef key,
                              std::string &text) {
  const JsonValue *value = get(object, key);
  if (!value)
    return failure();
  if (!value->isString())
    return failType(*value, key, "a string");
  text = value->text;
  return success();
}

LogicalResult Reader::getInteger(const JsonValue &object, StringRef key,
                                 int64_t &number) {
  const JsonValue *value = get(object, key);
  if (!value)
    return failure();
  if (!value->isInteger())
    return failType(*value, key, "an integer");
  number = value->integer;
  return success();
}

LogicalResult Reader::getNumber(const JsonValue &object, StringRef key,
                                double &number) {
  const JsonValue *value = get(object, key);
  if (!value)
    return failure();
  if (!value->isNumber())
    return failType(*value, key, "a number");
  number = value->number;
  return success();
}

template <typename FunctionTy>
LogicalResult Reader::forEach(const JsonValue &object, StringRef key,
                              FunctionTy visit) {
  const JsonValue *value = get(object, key);
  if (!value)
    return failure();
  if (!value->isArray())
    return failType(*value, key, "an array");
  for (const JsonValue &item : value->items)
    if (failed(visit(item)))
      return failure();
  return success();
}

LogicalResult Reader::readUnit(const JsonValue &json,
                               PruneChannelsStep::Layer &layer) {
  if (!json.isInteger())
    return failType(json, "removed", "an integer");
  if (json.integer < 0 || json.integer >= layer.units)
    return fail(json.position,
                "layer '" + layer.name + "' has units from 0 to " +
                    Twine(layer.units - 1) + ", found " + Twine(json.integer));
  if (!layer.removed.empty() && layer.removed.back() >= json.integer)
    return fail(json.position, "units of layer '" + layer.name +
                                   "' must ascend, found " +
                                   Twine(json.integer) + " after " +
                                   Twine(layer.removed.back()));
  layer.removed.push_back(json.integer);
  return success();
}

LogicalResult Reader::readScope(const JsonValue &json, bool &global) {
  std::string scope;
  if (failed(getText(json, "scope", scope)))
    return failure();
  if (scope != "layer" && scope != "global")
    return fail(json.position,
                "unknown scope '" + scope + "'; it is layer or global");
  global = scope == "global";
  return success();
}

LogicalResult Reader::readPrune(const JsonValue &json,
                                PruneChannelsStep &step) {
  const JsonValue *fractions = get(json, "fractions");
  if (failed(getNumber(json, "fraction", step.fraction)) || !fractions ||
      failed(readScope(json, step.global)) ||
      failed(getText(json, "importance", step.importance)))
    return failure();
  if (!fractions->isObject())
    return failType(*fractions, "fractions", "an object");
  for (const JsonValue::Member &member : fractions->members) {
    if (!member.value.isNumber())
      return failType(member.value, member.key, "a number");
    step.fractions.push_back({member.key, member.value.number});
  }
  return forEach(json, "layers", [&](const JsonValue &item) -> LogicalResult {
    PruneChannelsStep::Layer &layer = step.layers.emplace_back();
    if (failed(getText(item, "layer", layer.name)) ||
        failed(getInteger(item, "units", layer.units)))
      return failure();
    return forEach(item, "removed", [&](const JsonValue &unit) {
      return readUnit(unit, layer);
    });
  });
}

LogicalResult Reader::readWeightPruning(const JsonValue &json,
                                        PruneWeightsStep &step) {
  const JsonValue *patterns = get(json, "patterns");
  if (!patterns || failed(getText(json, "pattern", step.pattern)) ||
      failed(readScope(json, step.global)) ||
      failed(getText(json, "importance", step.importance)))
    return failure();
  if (!patterns->isObject())
    return failType(*patterns, "patterns", "an object");
  for (const JsonValue::Member &member : patterns->members) {
    if (!member.value.isString())
      return failType(member.value, member.key, "a string");
    step.patterns.push_back({member.key, member.value.text});
  }
  return forEach(json, "layers", [&](const JsonValue &item) {
    PruneWeightsStep::Layer &layer = step.layers.emplace_back();
    return LogicalResult(
        success(succeeded(getText(item, "layer", layer.name)) &&
                succeeded(getText(item, "pattern", layer.pattern))));
  });
}

LogicalResult Reader::readFit(const JsonValue &json, LeastSquaresStep &step) {
  int64_t seed = 0;
  if (failed(getText(json, "data_hash", step.dataHash)) ||
      failed(getInteger(json, "samples", step.samples)) ||
      failed(getInteger(json, "seed", seed)) ||
      failed(getNumber(json, "ridge", step.ridge)) ||
      failed(forEach(json, "data", [&](const JsonValue &file) {
        if (!file.isString())
          return failType(file, "data", "a string");
        step.data.push_back(file.text);
        return LogicalResult::success();
      })))
    return failure();
  step.seed = static_cast<uint64_t>(seed);
  return forEach(json, "layers", [&](const JsonValue &item) {
    LeastSquaresStep::Layer &layer = step.layers.emplace_back();
    return LogicalResult(
        success(succeeded(getText(item, "layer", layer.name)) &&
                succeeded(getNumber(item, "error_before", layer.errorBefore)) &&
                succeeded(getNumber(item, "error_after", layer.errorAfter))));
  });
}

LogicalResult Reader::readStep(const JsonValue &json, Recipe &recipe) {
  std::string kind;
  if (failed(getText(json, "kind", kind)))
    return failure();
  if ((kind == PruneChannelsStep::kKind && recipe.find<PruneChannelsStep>()) ||
      (kind == PruneWeightsStep::kKind && recipe.find<PruneWeightsStep>()) ||
      (kind == LeastSquaresStep::kKind && recipe.find<LeastSquaresStep>()))
    return fail(json.position, "a recipe has one step of the kind '" + kind +
                                   "'; join this one with the first");
  if (kind == PruneChannelsStep::kKind)
    return readPrune(json, std::get<PruneChannelsStep>(
                               recipe.steps.emplace_back(PruneChannelsStep())));
  if (kind == PruneWeightsStep::kKind)
    return readWeightPruning(
        json, std::get<PruneWeightsStep>(
                  recipe.steps.emplace_back(PruneWeightsStep())));
  if (kind == LeastSquaresStep::kKind)
    return readFit(json, std::get<LeastSquaresStep>(
                             recipe.steps.emplace_back(LeastSquaresStep())));
  return fail(json.find("kind")->position,
              "unknown kind of step '" + kind + "'; this vaec knows " +
                  PruneChannelsStep::kKind + ", " + PruneWeightsStep::kKind +
                  " and " + LeastSquaresStep::kKind +
                  ": was the recipe written by a newer one?");
}

LogicalResult Reader::readWeights(const JsonValue &root, Recipe &recipe) {
  if (!hasWeights(recipe))
    return success();
  std::string file, hash;
  if (failed(getText(root, "weights", file)) ||
      failed(getText(root, "weights_hash", hash)))
    return failure();
  JsonPosition place = root.find("weights")->position;
  SmallString<128> full(llvm::sys::path::parent_path(path));
  llvm::sys::path::append(full, file);
  auto tensors = readSafetensors(full);
  if (!tensors)
    return fail(place, "'" + full + "': " + toString(tensors.takeError()) +
                           "; it is written beside the recipe, keep both "
                           "together");
  auto take = [&](const std::string &name, auto &values,
                  StringRef type = "F32") {
    const WeightTensor *found = nullptr;
    for (const WeightTensor &tensor : *tensors)
      if (tensor.name == name && tensor.dtype == type)
        found = &tensor;
    if (!found)
      return found;
    values.resize(found->data.size() / sizeof(values[0]));
    std::memcpy(values.data(), found->data.data(),
                values.size() * sizeof(values[0]));
    return found;
  };
  for (RecipeStep &step : recipe.steps) {
    if (auto *pruning = std::get_if<PruneWeightsStep>(&step))
      for (PruneWeightsStep::Layer &layer : pruning->layers) {
        const WeightTensor *mask =
            take(layer.name + kMaskEnding, layer.kept, kMaskType);
        if (!mask)
          return fail(place, "'" + full + "' has no mask of layer '" +
                                 layer.name + "'");
        layer.shape.assign(mask->shape.begin(), mask->shape.end());
      }
    auto *fit = std::get_if<LeastSquaresStep>(&step);
    if (!fit)
      continue;
    for (LeastSquaresStep::Layer &layer : fit->layers) {
      const WeightTensor *weight =
          take(layer.name + kWeightEnding, layer.weight);
      if (!weight)
        return fail(place, "'" + full + "' has no weights of layer '" +
                               layer.name + "'");
      layer.shape.assign(weight->shape.begin(), weight->shape.end());
      (void)take(layer.name + kBiasEnding, layer.bias);
    }
  }
  if (hashWeights(recipe) != hash)
    return fail(place, "'" + full +
                           "' has other weights than those that were written "
                           "with the recipe; keep both together");
  return success();
}

FailureOr<Recipe> Reader::read() {
  auto file = readText(path);
  if (!file)
    return fail({0, 0}, "cannot be read: " + toString(file.takeError()) +
                            "; vaec --recipe=FILE writes a recipe");
  JsonValue root;
  if (auto error = parseJson((*file)->getBuffer(), root))
    return fail(error->position, error->message);
  Recipe recipe;
  std::string format;
  int64_t version = 0;
  if (failed(getText(root, "format", format)) ||
      failed(getInteger(root, "version", version)))
    return failure();
  if (format != kRecipeFormat)
    return fail(root.find("format")->position,
                "expected a recipe of vaec, with the format 'vaec-recipe', "
                "found '" +
                    format + "'");
  if (version != Recipe::kVersion)
    return fail(root.find("version")->position,
                "this vaec reads recipes of version " +
                    Twine(Recipe::kVersion) + ", found " + Twine(version) +
                    "; make the recipe again");
  if (failed(getText(root, "compiler", recipe.compiler)) ||
      failed(getText(root, "model", recipe.model)) ||
      failed(getText(root, "hash", recipe.hash)) ||
      failed(forEach(
          root, "steps",
          [&](const JsonValue &step) { return readStep(step, recipe); })) ||
      failed(readWeights(root, recipe)))
    return failure();
  return recipe;
}

FailureOr<Recipe> vae::readRecipe(StringRef path, MLIRContext &context) {
  return Reader(path, context).read();
}
