// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/BiasCorrection.h"
#include "compiler/pipeline/Quantization.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/PrepareIntegers.h"

#include "llvm/ADT/STLExtras.h"

using namespace vae;
using namespace vae::tool;

namespace {
class BiasCorrector {
public:
  BiasCorrector(const IntegerTrial &trial, Recipe &recipe)
      : arguments(trial.getArguments()), trial(trial), recipe(recipe) {}

  void run();

private:
  /// A library that gives what layers compute, nothing fused.
  struct Library {
    ExposedModel exposed;
    std::unique_ptr<vaedata::Model> model;
  };
  /// Of layers, in the order of execution.
  using Differences = std::vector<ResultDifference>;

  Arguments getIntegerArguments() const;
  void load(Library &library) const;
  const vae_abi_entry &getTable(const Library &library) const {
    return library.model->getEntry(trial.getEntry());
  }
  Differences compare(DataPart part) const;
  Recipe build() const;
  /// Corrects the first layer from `first` on that is better for it; gives its
  /// number.
  size_t correctOne(size_t first);

  const Arguments &arguments;
  const IntegerTrial &trial;
  Recipe &recipe;
  Arguments integers;
  Library exact, rounded;
  CorrectBiasStep step;
};
} // namespace

/// Without fusion, the layers multiply integers that do so in what is
/// compiled, and no others.
Arguments BiasCorrector::getIntegerArguments() const {
  Arguments own = trial.calibrate(trial.getArguments(recipe));
  own.options.emit = Stage::Fuse;
  CompileReport report = compileTo(own, "/dev/null");
  own.options.optLevel = 0;
  own = trial.calibrate(own);
  own.options.quantizeLayers = {"none"};
  for (const LayerReport &layer : report.layers) {
    PrecisionKind kind = getKind(layer);
    if (kind == PrecisionKind::Int8 || kind == PrecisionKind::W8)
      own.options.quantizeLayers.push_back(layer.name + "=" +
                                           getPrecisionKindName(kind).str());
  }
  return own;
}

void BiasCorrector::load(Library &library) const {
  library.model = loadLibrary(library.exposed.getPath().str());
}

Recipe BiasCorrector::build() const {
  Recipe result = recipe;
  result.steps.emplace_back(step);
  return result;
}

/// The number of an output.
static uint32_t findOutput(const vae_abi_entry &entry, llvm::StringRef name) {
  uint32_t i = 0;
  while (i < entry.num_outputs && name != entry.outputs[i].name)
    ++i;
  return i;
}

/// Both models side by side: nobody keeps what all layers give of all samples.
BiasCorrector::Differences BiasCorrector::compare(DataPart part) const {
  const CalibrationData &data = trial.getData(part);
  const vae_abi_entry &first = getTable(exact), &second = getTable(rounded);
  const auto &layers = exact.exposed.getLayers();
  Differences differences;
  for (const ExposedLayer &layer : layers)
    differences.emplace_back(layer.outputUnits.size());
  int64_t batch =
      std::min(chooseBatch(exact.model->getTable(), first, data),
               chooseBatch(rounded.model->getTable(), second, data));
  for (int64_t begin = 0; begin < data.samples; begin += batch) {
    int64_t count = std::min(batch, data.samples - begin);
    CalibrationData some = takeRange(data, begin, count);
    std::vector<std::vector<float>> results[2];
    auto run = [&](const Library &library, size_t number) {
      runEntry(*library.model, getTable(library), some, /*stream=*/0,
               [&](int64_t, int64_t, const auto &outputs) {
                 results[number] = outputs;
               });
    };
    run(exact, 0);
    run(rounded, 1);
    for (auto [layer, difference] : llvm::zip(layers, differences)) {
      const ExposedLayer *other = rounded.exposed.find(layer.name);
      if (!other || layer.outputUnits.empty())
        continue;
      const auto &values = results[0][findOutput(first, layer.output)];
      auto units = static_cast<int64_t>(layer.outputUnits.size());
      int64_t inner =
          layer.patches.isDense() ? 1 : int64_t(values.size()) / count / units;
      difference.add(values, results[1][findOutput(second, other->output)],
                     inner);
    }
  }
  return differences;
}

size_t BiasCorrector::correctOne(size_t first) {
  require(rounded.exposed.compileIntegers(integers, trial.getEntry(), build()));
  load(rounded);
  Differences fit = compare(DataPart::Calibration),
              check = compare(DataPart::Decision);
  size_t number = first;
  for (; number < fit.size(); ++number) {
    CorrectBiasStep::Layer row;
    row.name = exact.exposed.getLayers()[number].name;
    row.shift = fit[number].getShift();
    std::vector<double> none(row.shift.size());
    row.errorBefore = check[number].getError(none);
    row.errorAfter = check[number].getError(row.shift);
    if (llvm::all_of(row.shift, [](double shift) { return shift == 0; }))
      continue;
    bool better = row.errorAfter < row.errorBefore;
    note("--correct-bias: " + row.name + ": " +
         describeErrors(row.errorBefore, row.errorAfter) +
         (better ? "" : ", refused"));
    if (!better)
      continue;
    step.layers.push_back(std::move(row));
    break;
  }
  return number;
}

void BiasCorrector::run() {
  trial.describeData(step);
  integers = getIntegerArguments();
  if (integers.options.quantizeLayers.size() == 1)
    return note("--correct-bias: no layer multiplies integers");
  require(exact.exposed.compile(arguments, trial.getEntry(), recipe));
  load(exact);
  // Each layer reads what those before give with their biases.
  size_t count = exact.exposed.getLayers().size();
  for (size_t layer = 0; layer < count; ++layer)
    layer = correctOne(layer);
  if (step.layers.empty())
    return;
  Recipe corrected = build();
  auto before = trial.measure(recipe, DataPart::Decision),
       after = trial.measure(corrected, DataPart::Decision);
  bool better = isBetter(before, after);
  note("--correct-bias: squared error of the results relative to f32 " +
       describeErrors(getMean(before), getMean(after)) +
       (better ? "" : ": refused"));
  if (better && confirm(trial, recipe, corrected, "--correct-bias"))
    recipe = std::move(corrected);
}

void vae::tool::correctBiases(const IntegerTrial &trial, Recipe &recipe) {
  BiasCorrector(trial, recipe).run();
}
