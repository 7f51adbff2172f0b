// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/Equalization.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/PrepareIntegers.h"
#include "tools/vaec/Vaec.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace vae;
using namespace vae::tool;

namespace {
class UnitEqualizer {
public:
  UnitEqualizer(const IntegerTrial &trial, Recipe &recipe)
      : arguments(trial.getArguments()), trial(trial), recipe(recipe) {}

  void run();

private:
  void findGroups();
  /// The largest magnitudes of what layers read, for SmoothQuant.
  void measureInputs();
  Recipe build(llvm::ArrayRef<Equalization::Choice> choices,
               llvm::ArrayRef<std::pair<double, double>> errors) const;
  /// Tries the methods on a group; keeps the best one that is better than none.
  void decide(size_t group);

  const Arguments &arguments;
  const IntegerTrial &trial;
  Recipe &recipe;
  std::optional<Equalization> equalization;
  llvm::StringMap<std::vector<double>> inputs; // by layer
  std::vector<Equalization::Choice> kept;
  std::vector<std::pair<double, double>> errors; // of those that are kept
  std::vector<double> current;                   // of all samples, with these
};
} // namespace

/// In all entry points: what one of them gives keeps its scale in the others.
void UnitEqualizer::findGroups() {
  Arguments own = getExactArguments(arguments);
  own.options.entries.clear();
  own.options.replay = recipe;
  own.options.emit = Stage::Fuse;
  own.output = "/dev/null";
  own.quiet = true;
  CompileReport report;
  require(compile(
      own, [](Stage, mlir::PassManager &) {}, report,
      [&](Stage stage, mlir::ModuleOp before) {
        if (stage == Stage::Fuse)
          equalization.emplace(before);
      }));
}

void UnitEqualizer::measureInputs() {
  ExposedModel exposed;
  require(exposed.compile(arguments, trial.getEntry(), recipe));
  auto model = loadLibrary(exposed.getPath().str());
  const vae_abi_entry &entry = model->getEntry(trial.getEntry());
  const CalibrationData &data = trial.getData(DataPart::Calibration);
  auto see = [&](llvm::StringRef tensor, llvm::ArrayRef<float> values,
                 int64_t count) {
    for (const ExposedLayer &layer : exposed.getLayers()) {
      if (layer.input != tensor)
        continue;
      auto units = static_cast<size_t>(layer.patches.getInputUnits());
      size_t inner = layer.patches.isDense()
                         ? 1
                         : values.size() / static_cast<size_t>(count) / units;
      std::vector<double> &largest = inputs[layer.name];
      largest.resize(units);
      for (auto [i, value] : llvm::enumerate(values)) {
        double &own = largest[i / inner % units];
        // NaN stays: such a unit keeps its scale.
        if (double magnitude = std::fabs(double(value)); !(magnitude <= own))
          own = magnitude;
      }
    }
  };
  // What layers read that is no input of the entry point, whose scale stays.
  runEntry(*model, entry, data, /*stream=*/0,
           [&](int64_t, int64_t count, const auto &outputs) {
             for (uint32_t i = 0; i < entry.num_outputs; ++i)
               see(entry.outputs[i].name, outputs[i], count);
           });
}

Recipe UnitEqualizer::build(
    llvm::ArrayRef<Equalization::Choice> choices,
    llvm::ArrayRef<std::pair<double, double>> ownErrors) const {
  EqualizeStep step;
  trial.describeData(step);
  step.groups = equalization->solve(
      choices, arguments.smoothAlpha, [&](llvm::StringRef layer) {
        auto found = inputs.find(layer);
        return found == inputs.end() ? llvm::ArrayRef<double>()
                                     : llvm::ArrayRef<double>(found->second);
      });
  for (auto [group, own] : llvm::zip(step.groups, ownErrors))
    std::tie(group.errorBefore, group.errorAfter) = own;
  Recipe result = recipe;
  result.steps.emplace_back(std::move(step));
  return result;
}

void UnitEqualizer::decide(size_t group) {
  std::optional<EqualizationMethod> best;
  std::vector<double> bestErrors = current;
  std::string text = equalization->getGroups()[group].describe() + ":";
  for (EqualizationMethod method : arguments.equalize) {
    std::vector<Equalization::Choice> choices = kept;
    choices.push_back({group, method});
    auto found = trial.measure(build(choices, {}), DataPart::Decision);
    bool better = isLower(bestErrors, found);
    text += (" " + getEqualizationMethodName(method) + " " +
             describeErrors(getMean(current), getMean(found)) + ",")
                .str();
    if (!better)
      continue;
    best = method;
    bestErrors = std::move(found);
  }
  note("--equalize: " + text + " " +
       (best ? getEqualizationMethodName(*best) + " is kept"
             : llvm::Twine("refused")));
  if (!best)
    return;
  kept.push_back({group, *best});
  errors.emplace_back(getMean(current), getMean(bestErrors));
  current = std::move(bestErrors);
}

void UnitEqualizer::run() {
  findGroups();
  size_t count = equalization->getGroups().size();
  if (count == 0)
    return note("--equalize: no units of the model can have other scales: "
                "between layers with weights there is always a function that "
                "is not positively homogeneous, as ReLU and leaky ReLU are");
  if (llvm::is_contained(arguments.equalize, EqualizationMethod::Smooth))
    measureInputs();
  const std::vector<double> before = current =
      trial.measure(recipe, DataPart::Decision);
  for (size_t group = 0; group < count; ++group)
    decide(group);
  if (kept.empty())
    return;
  bool better = isBetter(before, current);
  note("--equalize: squared error relative to f32 " +
       describeErrors(getMean(before), getMean(current)) +
       (better ? "" : ", which may be chance: refused"));
  if (!better)
    return;
  Recipe equalized = build(kept, errors);
  if (confirm(trial, recipe, equalized, "--equalize"))
    recipe = std::move(equalized);
}

void vae::tool::equalizeUnits(const IntegerTrial &trial, Recipe &recipe) {
  UnitEqualizer(trial, recipe).run();
}
