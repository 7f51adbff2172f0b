// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/recipe/Recipe.h"

#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"
#include "compiler/recipe/RecipeWeights.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <cstring>
#include <set>

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
  /// Leaves `text` as it is if there is no such key.
  LogicalResult getOptionalText(const JsonValue &object, StringRef key,
                                std::string &text);
  /// 0 or more.
  LogicalResult getCount(const JsonValue &object, StringRef key,
                         uint64_t &number);
  LogicalResult getTexts(const JsonValue &object, StringRef key,
                         std::vector<std::string> &texts);
  template <typename FunctionTy>
  LogicalResult forEach(const JsonValue &object, StringRef key,
                        FunctionTy visit);

  LogicalResult readStep(const JsonValue &json, Recipe &recipe);
  template <typename StepTy>
  LogicalResult add(const JsonValue &json, Recipe &recipe,
                    LogicalResult (Reader::*read)(const JsonValue &,
                                                  StepTy &)) {
    auto &steps = recipe.steps;
    steps.emplace_back(StepTy());
    if (steps.size() > 1 &&
        steps[steps.size() - 2].index() > steps.back().index())
      return fail(json.position,
                  "the step '" + StepTy::kKind + "' is done before '" +
                      getKind(steps[steps.size() - 2]) + "': move it there");
    return (this->*read)(json, std::get<StepTy>(steps.back()));
  }
  static StringRef getKind(const RecipeStep &step) {
    return std::visit([](const auto &own) { return StringRef(own.kKind); },
                      step);
  }
  LogicalResult readPrune(const JsonValue &json, PruneChannelsStep &step);
  LogicalResult readScope(const JsonValue &json, bool &global);
  LogicalResult readWeightPruning(const JsonValue &json,
                                  PruneWeightsStep &step);
  /// What steps say that were made with data.
  LogicalResult readData(const JsonValue &json, StepData &step);
  /// A row about a layer, or about something else that has errors.
  template <typename RowTy>
  LogicalResult readErrors(const JsonValue &json, RowTy &row);
  LogicalResult getNumbers(const JsonValue &object, StringRef key,
                           std::vector<double> &numbers);
  LogicalResult readFit(const JsonValue &json, LeastSquaresStep &step);
  LogicalResult readQuantize(const JsonValue &json, QuantizeStep &step);
  LogicalResult readRanges(const JsonValue &json, QuantizeStep::Ranges &ranges);
  LogicalResult readEqualization(const JsonValue &json, EqualizeStep &step);
  LogicalResult readAxis(const JsonValue &json, EqualizeStep::Axis &axis);
  LogicalResult readCorrection(const JsonValue &json, CorrectBiasStep &step);
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

LogicalResult Reader::getOptionalText(const JsonValue &object, StringRef key,
                                      std::string &text) {
  return object.isObject() && object.find(key) ? getText(object, key, text)
                                               : success();
}

LogicalResult Reader::getCount(const JsonValue &object, StringRef key,
                               uint64_t &number) {
  int64_t integer = 0;
  if (failed(getInteger(object, key, integer)))
    return failure();
  if (integer < 0)
    return failType(*object.find(key), key, "an integer of 0 or more");
  number = static_cast<uint64_t>(integer);
  return success();
}

LogicalResult Reader::getTexts(const JsonValue &object, StringRef key,
                               std::vector<std::string> &texts) {
  return forEach(object, key, [&](const JsonValue &item) {
    if (!item.isString())
      return failType(item, key, "a string");
    texts.push_back(item.text);
    return LogicalResult::success();
  });
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
  llvm::StringSet<> names;
  return forEach(json, "layers", [&](const JsonValue &item) -> LogicalResult {
    PruneWeightsStep::Layer &layer = step.layers.emplace_back();
    if (failed(getText(item, "layer", layer.name)) ||
        failed(getText(item, "pattern", layer.pattern)))
      return failure();
    if (!names.insert(layer.name).second)
      return fail(item.position, "layer '" + layer.name +
                                     "' is there twice; leave one of them out");
    return success();
  });
}

LogicalResult Reader::readData(const JsonValue &json, StepData &step) {
  int64_t seed = 0;
  if (failed(getText(json, "data_hash", step.dataHash)) ||
      failed(getInteger(json, "samples", step.samples)) ||
      failed(getInteger(json, "seed", seed)) ||
      failed(getTexts(json, "data", step.data)))
    return failure();
  step.seed = static_cast<uint64_t>(seed);
  return success();
}

template <typename RowTy>
LogicalResult Reader::readErrors(const JsonValue &json, RowTy &row) {
  return success(succeeded(getNumber(json, "error_before", row.errorBefore)) &&
                 succeeded(getNumber(json, "error_after", row.errorAfter)));
}

LogicalResult Reader::getNumbers(const JsonValue &object, StringRef key,
                                 std::vector<double> &numbers) {
  return forEach(object, key, [&](const JsonValue &item) {
    if (!item.isNumber())
      return failType(item, key, "a number");
    numbers.push_back(item.number);
    return LogicalResult::success();
  });
}

LogicalResult Reader::readFit(const JsonValue &json, LeastSquaresStep &step) {
  if (failed(readData(json, step)) ||
      failed(getNumber(json, "ridge", step.ridge)))
    return failure();
  return forEach(json, "layers", [&](const JsonValue &item) {
    LeastSquaresStep::Layer &layer = step.layers.emplace_back();
    return LogicalResult(
        success(succeeded(getText(item, "layer", layer.name)) &&
                succeeded(readErrors(item, layer))));
  });
}

LogicalResult Reader::readAxis(const JsonValue &json,
                               EqualizeStep::Axis &axis) {
  std::string part;
  if (failed(getText(json, "layer", axis.layer)) ||
      failed(getText(json, "part", part)) ||
      failed(getNumbers(json, "scales", axis.scales)))
    return failure();
  const auto *known = llvm::find(kScaledParts, part);
  if (known == std::end(kScaledParts))
    return fail(json.find("part")->position,
                "unknown part '" + part + "'; it is output, input or norm");
  axis.part = static_cast<EqualizeStep::Part>(known - std::begin(kScaledParts));
  if (axis.scales.empty())
    return fail(json.find("scales")->position,
                "there are no scales of layer '" + axis.layer + "'");
  for (double scale : axis.scales)
    if (!(scale > 0))
      return fail(json.find("scales")->position,
                  "scales of layer '" + axis.layer + "' must be positive");
  return success();
}

LogicalResult Reader::readEqualization(const JsonValue &json,
                                       EqualizeStep &step) {
  if (failed(readData(json, step)))
    return failure();
  // Of which layer and part there are scales already.
  std::set<std::pair<std::string, EqualizeStep::Part>> known;
  return forEach(json, "groups", [&](const JsonValue &item) -> LogicalResult {
    EqualizeStep::Group &group = step.groups.emplace_back();
    if (failed(getText(item, "method", group.method)) ||
        failed(readErrors(item, group)))
      return failure();
    return forEach(item, "axes", [&](const JsonValue &json) -> LogicalResult {
      EqualizeStep::Axis &axis = group.axes.emplace_back();
      if (failed(readAxis(json, axis)))
        return failure();
      if (!known.insert({axis.layer, axis.part}).second)
        return fail(json.position, "there are two scales of the same part of "
                                   "layer '" +
                                       axis.layer + "'; leave one of them out");
      return success();
    });
  });
}

LogicalResult Reader::readCorrection(const JsonValue &json,
                                     CorrectBiasStep &step) {
  if (failed(readData(json, step)))
    return failure();
  return forEach(json, "layers", [&](const JsonValue &item) {
    CorrectBiasStep::Layer &layer = step.layers.emplace_back();
    return LogicalResult(
        success(succeeded(getText(item, "layer", layer.name)) &&
                succeeded(readErrors(item, layer)) &&
                succeeded(getNumbers(item, "shift", layer.shift))));
  });
}

LogicalResult Reader::readRanges(const JsonValue &json,
                                 QuantizeStep::Ranges &ranges) {
  if (failed(getText(json, "method", ranges.method)) ||
      failed(getTexts(json, "data", ranges.data)) ||
      failed(getOptionalText(json, "data_hash", ranges.dataHash)) ||
      failed(getOptionalText(json, "table", ranges.table)) ||
      failed(getOptionalText(json, "table_hash", ranges.tableHash)) ||
      failed(getCount(json, "samples", ranges.samples)) ||
      failed(getCount(json, "seed", ranges.seed)))
    return failure();
  llvm::StringSet<> names;
  return forEach(json, "tensors", [&](const JsonValue &item) -> LogicalResult {
    QuantizeStep::Tensor &tensor = ranges.tensors.emplace_back();
    double low = 0, high = 0;
    if (failed(getText(item, "tensor", tensor.name)) ||
        failed(getNumber(item, "low", low)) ||
        failed(getNumber(item, "high", high)))
      return failure();
    tensor.low = static_cast<float>(low);
    tensor.high = static_cast<float>(high);
    if (!names.insert(tensor.name).second)
      return fail(item.position, "two ranges of tensor '" + tensor.name +
                                     "'; leave one of them out");
    if (!std::isfinite(tensor.low) || !std::isfinite(tensor.high))
      return fail(item.position, "the range of tensor '" + tensor.name +
                                     "' has an end that is no f32");
    if (tensor.low > tensor.high)
      return fail(item.find("low")->position,
                  "the range of tensor '" + tensor.name + "' begins at " +
                      item.find("low")->text + ", above its end " +
                      item.find("high")->text + "; exchange them");
    return success();
  });
}

LogicalResult Reader::readQuantize(const JsonValue &json, QuantizeStep &step) {
  if (failed(getText(json, "method", step.method)) ||
      failed(getOptionalText(json, "max_drop", step.budget)) ||
      failed(getOptionalText(json, "optimize", step.objective)) ||
      failed(getText(json, "precision", step.precision)) ||
      failed(getText(json, "storage", step.storage)))
    return failure();
  if (!llvm::is_contained({"f32", "f16-weights", "f16"},
                          StringRef(step.storage)))
    return fail(json.find("storage")->position,
                "unknown storage '" + step.storage +
                    "'; choose one of f32, f16-weights, f16");
  if (!llvm::is_contained({"f32", "bf16", "mixed"}, StringRef(step.precision)))
    return fail(json.find("precision")->position,
                "unknown precision '" + step.precision +
                    "'; choose one of f32, bf16, mixed");
  llvm::StringSet<> names;
  if (failed(forEach(json, "layers", [&](const JsonValue &item) {
        QuantizeStep::Layer &layer = step.layers.emplace_back();
        std::string kind;
        if (failed(getText(item, "layer", layer.name)) ||
            failed(getText(item, "kind", kind)))
          return LogicalResult::failure();
        layer.line = item.position.line;
        layer.column = item.position.column;
        auto known = parsePrecisionKind(kind);
        if (!known)
          return fail(item.find("kind")->position,
                      "unknown kind '" + kind + "' of layer '" + layer.name +
                          "'; choose one of " + listPrecisionKinds());
        layer.kind = *known;
        if (!names.insert(layer.name).second)
          return fail(item.position, "layer '" + layer.name +
                                         "' is there twice; leave one of them "
                                         "out");
        return LogicalResult::success();
      })))
    return failure();
  const JsonValue *ranges = json.find("ranges");
  return ranges ? readRanges(*ranges, step.ranges.emplace()) : success();
}

LogicalResult Reader::readStep(const JsonValue &json, Recipe &recipe) {
  std::string kind;
  if (failed(getText(json, "kind", kind)))
    return failure();
  if (llvm::any_of(recipe.steps, [&](const RecipeStep &step) {
        return kind == getKind(step);
      }))
    return fail(json.position, "a recipe has one step of the kind '" + kind +
                                   "'; join this one with the first");
  if (kind == PruneChannelsStep::kKind)
    return add(json, recipe, &Reader::readPrune);
  if (kind == PruneWeightsStep::kKind)
    return add(json, recipe, &Reader::readWeightPruning);
  if (kind == LeastSquaresStep::kKind)
    return add(json, recipe, &Reader::readFit);
  if (kind == EqualizeStep::kKind)
    return add(json, recipe, &Reader::readEqualization);
  if (kind == CorrectBiasStep::kKind)
    return add(json, recipe, &Reader::readCorrection);
  if (kind == QuantizeStep::kKind)
    return add(json, recipe, &Reader::readQuantize);
  return fail(json.find("kind")->position,
              "unknown kind of step '" + kind + "'; this vaec knows " +
                  PruneChannelsStep::kKind + ", " + PruneWeightsStep::kKind +
                  ", " + LeastSquaresStep::kKind + ", " + EqualizeStep::kKind +
                  ", " + CorrectBiasStep::kKind + " and " +
                  QuantizeStep::kKind +
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
        if (llvm::any_of(layer.kept, [](uint8_t kept) { return kept > 1; }))
          return fail(place, "'" + full + "' has a mask of layer '" +
                                 layer.name + "' that is not of 0 and 1");
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
