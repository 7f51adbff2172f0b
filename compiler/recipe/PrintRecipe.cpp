// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/recipe/Recipe.h"

#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"
#include "compiler/recipe/RecipeWeights.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <charconv>
#include <deque>

using namespace vae;
using llvm::StringRef;

std::string vae::getRecipeWeightsPath(StringRef recipe) {
  llvm::SmallString<128> path(recipe);
  llvm::sys::path::replace_extension(path, "safetensors");
  return path.str().str();
}

bool vae::hasWeights(const Recipe &recipe) {
  return recipe.find<LeastSquaresStep>() || recipe.find<PruneWeightsStep>();
}

std::string vae::hashWeights(const Recipe &recipe) {
  llvm::SHA256 sha;
  auto add = [&](const std::vector<float> &values) {
    sha.update(StringRef(reinterpret_cast<const char *>(values.data()),
                         values.size() * sizeof(float)));
  };
  // They fit the units that are left, and no others.
  auto addText = [&](StringRef text) {
    sha.update(text);
    sha.update(StringRef("\0", 1));
  };
  if (const auto *step = recipe.find<PruneChannelsStep>())
    for (const PruneChannelsStep::Layer &layer : step->layers) {
      addText(layer.name);
      for (int64_t unit : layer.removed)
        addText(std::to_string(unit));
    }
  if (const auto *step = recipe.find<PruneWeightsStep>())
    for (const PruneWeightsStep::Layer &layer : step->layers) {
      addText(layer.name);
      sha.update(layer.kept);
    }
  if (const auto *step = recipe.find<LeastSquaresStep>())
    for (const LeastSquaresStep::Layer &layer : step->layers) {
      addText(layer.name);
      add(layer.weight);
      add(layer.bias);
    }
  return llvm::toHex(sha.final(), /*LowerCase=*/true);
}

static JsonValue text(StringRef value) {
  return JsonValue::makeString(value, {});
}

template <typename T> static JsonValue list(const std::vector<T> &values) {
  JsonValue array = JsonValue::makeArray({});
  for (const T &value : values)
    if constexpr (std::is_integral_v<T>)
      array.items.push_back(JsonValue::makeInteger(value, {}));
    else if constexpr (std::is_floating_point_v<T>)
      array.items.push_back(JsonValue::makeNumber(value, {}));
    else
      array.items.push_back(text(value));
  return array;
}

/// An array of objects, each filled from a row.
template <typename RowTy, typename FillTy>
static void setRows(JsonValue &json, StringRef key,
                    const std::vector<RowTy> &rows, FillTy fill) {
  JsonValue array = JsonValue::makeArray({});
  for (const RowTy &row : rows) {
    array.items.push_back(JsonValue::makeObject({}));
    fill(array.items.back(), row);
  }
  json.set(key, std::move(array));
}

static JsonValue toJson(const PruneChannelsStep &step) {
  JsonValue json = JsonValue::makeObject({});
  json.set("kind", text(PruneChannelsStep::kKind));
  json.set("fraction", JsonValue::makeNumber(step.fraction, {}));
  JsonValue fractions = JsonValue::makeObject({});
  for (const auto &[layer, fraction] : step.fractions)
    if (!fractions.find(layer))
      fractions.set(layer, JsonValue::makeNumber(fraction, {}));
  json.set("fractions", std::move(fractions));
  json.set("scope", text(step.global ? "global" : "layer"));
  json.set("importance", text(step.importance));
  setRows(json, "layers", step.layers,
          [](JsonValue &row, const PruneChannelsStep::Layer &layer) {
            row.set("layer", text(layer.name));
            row.set("units", JsonValue::makeInteger(layer.units, {}));
            row.set("removed", list(layer.removed));
          });
  return json;
}

static JsonValue toJson(const PruneWeightsStep &step) {
  JsonValue json = JsonValue::makeObject({});
  json.set("kind", text(PruneWeightsStep::kKind));
  json.set("pattern", text(step.pattern));
  JsonValue patterns = JsonValue::makeObject({});
  for (const auto &[layer, pattern] : step.patterns)
    if (!patterns.find(layer))
      patterns.set(layer, text(pattern));
  json.set("patterns", std::move(patterns));
  json.set("scope", text(step.global ? "global" : "layer"));
  json.set("importance", text(step.importance));
  setRows(json, "layers", step.layers,
          [](JsonValue &row, const PruneWeightsStep::Layer &layer) {
            row.set("layer", text(layer.name));
            row.set("pattern", text(layer.pattern));
            row.set("weights",
                    JsonValue::makeInteger(
                        static_cast<int64_t>(layer.kept.size()), {}));
            row.set("removed",
                    JsonValue::makeInteger(llvm::count(layer.kept, 0), {}));
          });
  return json;
}

/// A step that was made with data.
template <typename StepTy> static JsonValue startJson(const StepTy &step) {
  JsonValue json = JsonValue::makeObject({});
  json.set("kind", text(StepTy::kKind));
  json.set("data", list(step.data));
  json.set("data_hash", text(step.dataHash));
  json.set("samples", JsonValue::makeInteger(step.samples, {}));
  json.set("seed", JsonValue::makeInteger(static_cast<int64_t>(step.seed), {}));
  return json;
}

template <typename RowTy>
static void setErrors(JsonValue &json, const RowTy &row) {
  json.set("error_before", JsonValue::makeNumber(row.errorBefore, {}));
  json.set("error_after", JsonValue::makeNumber(row.errorAfter, {}));
}

static JsonValue toJson(const LeastSquaresStep &step) {
  JsonValue json = startJson(step);
  json.set("ridge", JsonValue::makeNumber(step.ridge, {}));
  setRows(json, "layers", step.layers,
          [](JsonValue &row, const LeastSquaresStep::Layer &layer) {
            row.set("layer", text(layer.name));
            setErrors(row, layer);
          });
  return json;
}

static JsonValue toJson(const EqualizeStep &step) {
  JsonValue json = startJson(step);
  setRows(json, "groups", step.groups,
          [](JsonValue &row, const EqualizeStep::Group &group) {
            row.set("method", text(group.method));
            setErrors(row, group);
            setRows(row, "axes", group.axes,
                    [](JsonValue &own, const EqualizeStep::Axis &axis) {
                      own.set("layer", text(axis.layer));
                      own.set(
                          "part",
                          text(kScaledParts[static_cast<size_t>(axis.part)]));
                      own.set("scales", list(axis.scales));
                    });
          });
  return json;
}

static JsonValue toJson(const CorrectBiasStep &step) {
  JsonValue json = startJson(step);
  setRows(json, "layers", step.layers,
          [](JsonValue &row, const CorrectBiasStep::Layer &layer) {
            row.set("layer", text(layer.name));
            setErrors(row, layer);
            row.set("shift", list(layer.shift));
          });
  return json;
}

/// The shortest decimals that are read as the same f32.
static JsonValue number(float value) {
  char text[32];
  auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
  double decimal = 0;
  (void)StringRef(text, end - text).getAsDouble(decimal);
  return JsonValue::makeNumber(
      static_cast<float>(decimal) == value ? decimal : value, {});
}

static JsonValue toJson(const QuantizeStep::Ranges &ranges) {
  JsonValue json = JsonValue::makeObject({});
  json.set("method", text(ranges.method));
  json.set("data", list(ranges.data));
  auto setText = [&](StringRef key, StringRef value) {
    if (!value.empty())
      json.set(key, text(value));
  };
  setText("data_hash", ranges.dataHash);
  setText("table", ranges.table);
  setText("table_hash", ranges.tableHash);
  json.set("samples",
           JsonValue::makeInteger(static_cast<int64_t>(ranges.samples), {}));
  json.set("seed",
           JsonValue::makeInteger(static_cast<int64_t>(ranges.seed), {}));
  setRows(json, "tensors", ranges.tensors,
          [](JsonValue &row, const QuantizeStep::Tensor &tensor) {
            row.set("tensor", text(tensor.name));
            row.set("low", number(tensor.low));
            row.set("high", number(tensor.high));
          });
  return json;
}

static JsonValue toJson(const QuantizeStep &step) {
  JsonValue json = JsonValue::makeObject({});
  json.set("kind", text(QuantizeStep::kKind));
  json.set("method", text(step.method));
  if (!step.budget.empty())
    json.set("max_drop", text(step.budget));
  if (!step.objective.empty())
    json.set("optimize", text(step.objective));
  json.set("precision", text(step.precision));
  json.set("storage", text(step.storage));
  setRows(json, "layers", step.layers,
          [](JsonValue &row, const QuantizeStep::Layer &layer) {
            row.set("layer", text(layer.name));
            row.set("kind", text(getPrecisionKindName(layer.kind)));
          });
  if (step.ranges)
    json.set("ranges", toJson(*step.ranges));
  return json;
}

/// Of a step, what counts when it is done again and is no weight.
static void addMeaning(llvm::SHA256 &sha, const RecipeStep &step) {
  auto add = [&](StringRef name, const auto &numbers) {
    sha.update(name);
    sha.update(StringRef("", 1));
    sha.update(StringRef(reinterpret_cast<const char *>(numbers.data()),
                         numbers.size() * sizeof(numbers[0])));
  };
  if (const auto *units = std::get_if<PruneChannelsStep>(&step))
    for (const PruneChannelsStep::Layer &layer : units->layers)
      add(layer.name, layer.removed);
  if (const auto *scales = std::get_if<EqualizeStep>(&step))
    for (const EqualizeStep::Group &group : scales->groups)
      for (const EqualizeStep::Axis &axis : group.axes)
        add(axis.layer + kScaledParts[static_cast<size_t>(axis.part)].str(),
            axis.scales);
  if (const auto *shifts = std::get_if<CorrectBiasStep>(&step))
    for (const CorrectBiasStep::Layer &layer : shifts->layers)
      add(layer.name, layer.shift);
}

std::string vae::hashChangedModel(const Recipe &recipe) {
  if (!recipe.changesLayers())
    return recipe.hash;
  llvm::SHA256 sha;
  sha.update(recipe.hash);
  sha.update(hashWeights(recipe));
  for (const RecipeStep &step : recipe.steps)
    addMeaning(sha, step);
  return llvm::toHex(sha.final(), /*LowerCase=*/true);
}

void vae::printRecipe(const Recipe &recipe, StringRef weightsFile,
                      llvm::raw_ostream &out) {
  JsonValue json = JsonValue::makeObject({});
  json.set("format", text(kRecipeFormat));
  json.set("version", JsonValue::makeInteger(Recipe::kVersion, {}));
  json.set("compiler", text(recipe.compiler));
  json.set("model", text(recipe.model));
  json.set("hash", text(recipe.hash));
  if (hasWeights(recipe)) {
    json.set("weights", text(weightsFile));
    json.set("weights_hash", text(hashWeights(recipe)));
  }
  JsonValue steps = JsonValue::makeArray({});
  for (const RecipeStep &step : recipe.steps)
    steps.items.push_back(
        std::visit([](const auto &kind) { return toJson(kind); }, step));
  json.set("steps", std::move(steps));
  printJson(json, out);
}

void vae::printRecipeWeights(const Recipe &recipe, llvm::raw_ostream &out) {
  std::deque<WeightTensor> tensors;
  auto add = [&](std::string name, llvm::ArrayRef<int64_t> shape,
                 const auto &values, const char *type = "F32") {
    WeightTensor &tensor = tensors.emplace_back();
    tensor.name = std::move(name);
    tensor.dtype = type;
    tensor.shape.assign(shape.begin(), shape.end());
    tensor.data = {reinterpret_cast<const char *>(values.data()),
                   values.size() * sizeof(values[0])};
  };
  if (const auto *step = recipe.find<PruneWeightsStep>())
    for (const PruneWeightsStep::Layer &layer : step->layers)
      add(layer.name + kMaskEnding, layer.shape, layer.kept, kMaskType);
  if (const auto *step = recipe.find<LeastSquaresStep>())
    for (const LeastSquaresStep::Layer &layer : step->layers) {
      add(layer.name + kWeightEnding, layer.shape, layer.weight);
      if (!layer.bias.empty())
        add(layer.name + kBiasEnding, {static_cast<int64_t>(layer.bias.size())},
            layer.bias);
    }
  std::vector<const WeightTensor *> pointers;
  for (const WeightTensor &tensor : tensors)
    pointers.push_back(&tensor);
  writeSafetensors(pointers, out);
}
