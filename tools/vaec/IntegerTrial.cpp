// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/IntegerTrial.h"

#include "tools/data/Error.h"
#include "tools/vaec/AutoData.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/Vaec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace vae;
using namespace vae::tool;

/// Of the error: less is not worth a step, and may be the rounding of f32.
static constexpr double kLeastGain = 0.01;

IntegerTrial::IntegerTrial(const Arguments &arguments) : arguments(arguments) {
  ModelFacts facts;
  require(readFacts(getExactArguments(arguments), facts));
  entry = chooseDataEntry(arguments.options.entries, facts.entries);
  if (entry.empty())
    vaedata::fail(arguments.input,
                  ": --equalize and --correct-bias run encode, reconstruct or "
                  "decode, and the model has none of them; leave them out");
  if (arguments.calibration.data.empty()) {
    if (!facts.has("sample") || entry == "decode")
      vaedata::fail(arguments.input,
                    ": the model cannot generate data; give data with "
                    "--calibration-data FILE");
    fixSize(this->arguments, facts);
  }
  start.hash = facts.hash;
  if (arguments.options.compresses())
    start = decideSteps(arguments);
  loadData();
}

void IntegerTrial::loadData() {
  Arguments exact = getExactArguments(arguments);
  exact.options.entries = {entry};
  if (arguments.calibration.data.empty())
    exact.options.entries.emplace_back("sample");
  exact.options.replay = start;
  TemporaryFile file = createLibraryFile(arguments.output);
  compileTo(exact, file.getPath());
  auto model = loadLibrary(file.getPath().str());
  const vae_abi_entry &table = model->getEntry(entry);
  CalibrationData all = getAutoData(arguments, *model, table);
  for (DataPart part :
       {DataPart::Calibration, DataPart::Decision, DataPart::Check}) {
    auto number = static_cast<size_t>(part);
    data[number] = takePart(all, model->getTable(), part);
    if (part == DataPart::Calibration)
      continue;
    reference[number].resize(table.num_outputs);
    runEntry(*model, table, data[number], /*stream=*/0,
             [&](int64_t, int64_t, const auto &outputs) {
               for (auto [known, own] : llvm::zip(reference[number], outputs))
                 known.insert(known.end(), own.begin(), own.end());
             });
  }
}

Arguments IntegerTrial::getArguments(const Recipe &recipe) const {
  Arguments own = arguments;
  CompileOptions &options = own.options;
  own.quiet = true;
  options.emit = Stage::So;
  options.replay = recipe;
  options.prune.clear();
  options.applyRecipe.clear();
  if (!options.entries.empty() && !llvm::is_contained(options.entries, entry))
    options.entries.push_back(entry);
  return own;
}

Arguments IntegerTrial::calibrate(Arguments own) const {
  require(calibrateFor(own, &getData(DataPart::Calibration)));
  return own;
}

/// Adds, of each sample, the squared error of an output relative to the
/// variance of the reference.
static void addErrors(llvm::ArrayRef<float> reference,
                      llvm::ArrayRef<float> other,
                      std::vector<double> &errors) {
  double sum = 0, squares = 0;
  for (float x : reference) {
    sum += x;
    squares += double(x) * x;
  }
  double variance =
      (squares - sum * sum / double(reference.size())) / double(errors.size());
  if (!(variance > 0))
    return;
  size_t size = reference.size() / errors.size();
  for (size_t i = 0; i < reference.size(); ++i) {
    double difference = double(reference[i]) - double(other[i]);
    errors[i / size] += difference * difference / variance;
  }
}

std::vector<double> IntegerTrial::measure(const Recipe &recipe,
                                          DataPart part) const {
  TemporaryFile file = createLibraryFile(arguments.output);
  compileTo(calibrate(getArguments(recipe)), file.getPath());
  auto model = loadLibrary(file.getPath().str());
  const CalibrationData &own = getData(part);
  const auto &exact = reference[static_cast<size_t>(part)];
  std::vector<std::vector<float>> results(exact.size());
  runEntry(*model, model->getEntry(entry), own, /*stream=*/0,
           [&](int64_t, int64_t, const auto &outputs) {
             for (auto [all, some] : llvm::zip(results, outputs))
               all.insert(all.end(), some.begin(), some.end());
           });
  std::vector<double> errors(static_cast<size_t>(own.samples));
  for (auto [known, found] : llvm::zip(exact, results))
    addErrors(known, found, errors);
  for (double &error : errors)
    error /= double(exact.size());
  return errors;
}

double vae::tool::getMean(const std::vector<double> &errors) {
  return vaedata::summarize(errors).mean;
}

bool vae::tool::isLower(const std::vector<double> &before,
                        const std::vector<double> &after) {
  double old = getMean(before);
  return std::isfinite(old) && getMean(after) < (1 - kLeastGain) * old;
}

bool vae::tool::isBetter(const std::vector<double> &before,
                         const std::vector<double> &after) {
  std::vector<double> falls;
  for (auto [first, second] : llvm::zip(before, after))
    falls.push_back(first - second);
  vaedata::Statistic fall = vaedata::summarize(falls);
  double chance = std::isnan(fall.error) ? 0 : 2 * fall.error;
  return isLower(before, after) && fall.mean > chance;
}

std::string vae::tool::describeErrors(double before, double after) {
  return llvm::formatv("{0:e3} -> {1:e3}", before, after);
}
