// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/AutoPrecision.h"

#include "tools/data/Error.h"
#include "tools/data/Progress.h"
#include "tools/vaec/AutoData.h"
#include "tools/vaec/Calibrate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <map>
#include <set>

using namespace vae;
using namespace vae::tool;
using vaedata::concat;
using vaedata::fail;
using vaedata::Statistic;

namespace {

/// The numbers of the parts.
constexpr size_t kCalibration = 0, kDecision = 1, kCheck = 2,
                 kNumParts = kNumDataParts;
constexpr DataPart kDataParts[kNumParts] = {
    DataPart::Calibration, DataPart::Decision, DataPart::Check};

class AutoSearch {
public:
  explicit AutoSearch(Arguments &arguments)
      : arguments(arguments), measured(arguments), budget(*arguments.maxDrop) {}

  /// Gives kInputError if the budget is not kept.
  ExitCode run();

private:
  /// What is known of an assignment.
  struct Known {
    std::optional<Statistic> drops[kNumParts];
  };

  void checkEntries();
  CompileReport compileLayers(const std::vector<std::string> &layers,
                              llvm::StringRef path, Stage emit);
  std::vector<double> measurePart(const vaedata::Model &model, size_t part);
  void measureReference();
  void findLayers();
  void measureLayers();
  void search();
  ExitCode finish();

  std::vector<std::string>
  getQuantizeLayers(const PrecisionAssignment &assignment) const;
  /// Compiles an assignment if anything is not known, for all of `parts`.
  const Known &measure(const PrecisionAssignment &assignment,
                       std::initializer_list<size_t> parts,
                       CompileReport *report = nullptr);

  Arguments &arguments;
  /// Of the libraries that are only measured.
  Arguments measured;
  const Budget budget;
  ModelFacts facts;
  CalibrationData data[kNumParts];
  std::vector<double> reference[kNumParts];
  /// Layers that could multiply integers, in the order of the model, and those
  /// that would in what is measured, but not in the whole model.
  std::vector<std::string> candidates, excluded;
  /// Of the library that is written: candidates that are not in it, or would
  /// not multiply integers unasked; and layers that would and are no
  /// candidates.
  std::set<std::string> absent, forced, unmeasured;
  std::map<PrecisionAssignment, Known> known;
  AutoReport report;
  std::optional<vaedata::Progress> progress;
};

} // namespace

//===----------------------------------------------------------------------===//
// Libraries
//===----------------------------------------------------------------------===//

CompileReport AutoSearch::compileLayers(const std::vector<std::string> &layers,
                                        llvm::StringRef path, Stage emit) {
  Arguments own = measured;
  own.options.emit = emit;
  own.options.entries = {budget.getEntry()};
  auto &texts = own.options.quantizeLayers;
  texts.insert(texts.begin(), layers.begin(), layers.end());
  return compileTo(own, path);
}

std::vector<double> AutoSearch::measurePart(const vaedata::Model &model,
                                            size_t part) {
  return runMeasure(model, budget, data[part]);
}

//===----------------------------------------------------------------------===//
// The f32 model and the data
//===----------------------------------------------------------------------===//

void AutoSearch::checkEntries() {
  if (!facts.has(budget.getEntry()))
    fail(arguments.input, ": --max-drop=", budget.getName(),
         " needs the entry point '", budget.getEntry(),
         "', which the model has not: ",
         budget.measure == BudgetMeasure::Elbo && facts.has("reconstruct")
             ? "it has no likelihood; choose --max-drop=mse:N% or psnr:NdB"
             : "it is not an encoder and a decoder; choose layers by hand with "
               "--quantize-layer");
  if (arguments.calibration.data.empty() && !facts.has("sample"))
    fail(arguments.input, ": the model cannot generate data; give data with "
                          "--calibration-data FILE");
}

void AutoSearch::measureReference() {
  Arguments own = measured;
  CompileOptions &options = own.options;
  options.emit = Stage::So;
  options.entries = {budget.getEntry()};
  if (arguments.calibration.data.empty())
    options.entries.emplace_back("sample");
  options.precision = Precision::F32;
  options.storage = Storage::F32;
  options.quantize = Quantize::None;
  options.quantizeLayers.clear();
  TemporaryFile file = createLibraryFile(arguments.output);
  compileTo(own, file.getPath());
  auto model = loadLibrary(file.getPath().str());
  CalibrationData all =
      getAutoData(arguments, *model, model->getEntry(budget.getEntry()));
  for (size_t part = 0; part < kNumParts; ++part) {
    data[part] = takePart(all, model->getTable(), kDataParts[part]);
    reference[part] = measurePart(*model, part);
    report.parts[part].samples = data[part].samples;
    double mean = vaedata::summarize(reference[part]).mean;
    report.parts[part].reference = mean;
    if (!std::isfinite(mean))
      fail(arguments.input, ": the ", budget.getName(),
           " of the f32 model is no finite number on these data; check the "
           "data and the weights");
    if (mean == 0 && (budget.percent || budget.measure == BudgetMeasure::Psnr))
      fail(arguments.input, ": the ", budget.getName(),
           " of the f32 model is 0 on these data, of which there is no part; "
           "choose --max-drop=mse:N");
  }
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

static std::string getBase(const std::string &layer) {
  return layer + "=" + getPrecisionKindName(PrecisionKind::Base).str();
}

std::vector<std::string>
AutoSearch::getQuantizeLayers(const PrecisionAssignment &assignment) const {
  std::vector<std::string> texts;
  for (auto [name, kind] : llvm::zip(candidates, assignment))
    if (kind != PrecisionKind::Int8)
      texts.push_back(name + "=" + getPrecisionKindName(kind).str());
  for (const std::string &name : excluded)
    texts.push_back(getBase(name));
  return texts;
}

/// Those that `--quantize-layer` names.
static bool isAskedFor(const Arguments &arguments, llvm::StringRef layer) {
  return llvm::any_of(
      arguments.options.quantizeLayers,
      [&](llvm::StringRef text) { return text.rsplit('=').first == layer; });
}

using LayerMap = llvm::StringMap<LayerReport>;

static LayerMap mapLayers(const CompileReport &report) {
  LayerMap layers;
  for (const LayerReport &layer : report.layers)
    layers[layer.name] = layer;
  return layers;
}

static bool isInteger(const LayerMap &layers, llvm::StringRef name) {
  auto layer = layers.find(name);
  return layer != layers.end() && layer->second.precision == Precision::INT8;
}

void AutoSearch::findLayers() {
  CompileReport integers = compileLayers({}, "/dev/null", Stage::Fuse);
  // All entry points together say which layers are heads of the latent. Those
  // that are written may be others than those that are measured.
  Arguments own = arguments;
  own.options.emit = Stage::Fuse;
  LayerMap written = mapLayers(compileTo(own, "/dev/null")), all = written;
  if (!own.options.entries.empty()) {
    own.options.entries.clear();
    all = mapLayers(compileTo(own, "/dev/null"));
  }
  for (const LayerReport &layer : integers.layers) {
    bool chosen = layer.precision == Precision::INT8;
    if (!chosen && layer.quantizeNote.empty())
      continue; // without weights
    bool asked = isAskedFor(arguments, layer.name);
    AutoLayer &row = report.layers.emplace_back();
    row.name = layer.name;
    row.candidate = chosen && !asked && isInteger(all, layer.name);
    row.savedBytes = -layer.weightBytes;
    if (row.candidate) {
      candidates.push_back(layer.name);
      continue;
    }
    row.note = !chosen ? layer.quantizeNote
               : asked ? "asked for: int8"
                       : all[layer.name].quantizeNote;
    if (chosen && !asked)
      excluded.push_back(layer.name);
  }
  for (const std::string &name : candidates)
    if (written.count(name) && !isInteger(written, name))
      forced.insert(name);
  for (const auto &layer : written)
    if (isInteger(written, layer.first()) &&
        !llvm::is_contained(candidates, layer.first()) &&
        !isAskedFor(arguments, layer.first()))
      unmeasured.insert(layer.first().str());
  for (const std::string &name : candidates)
    if (!written.count(name))
      absent.insert(name);
}

const AutoSearch::Known &
AutoSearch::measure(const PrecisionAssignment &assignment,
                    std::initializer_list<size_t> parts,
                    CompileReport *compiled) {
  Known &drops = known[assignment];
  if (!compiled && llvm::all_of(parts, [&](size_t part) {
        return drops.drops[part].has_value();
      }))
    return drops;
  TemporaryFile file = createLibraryFile(arguments.output);
  CompileReport own =
      compileLayers(getQuantizeLayers(assignment), file.getPath(), Stage::So);
  ++report.compilations;
  auto model = loadLibrary(file.getPath().str());
  for (size_t part : parts)
    if (!drops.drops[part])
      drops.drops[part] =
          budget.getDrop(reference[part], measurePart(*model, part));
  if (compiled)
    *compiled = std::move(own);
  progress->advance(1);
  return drops;
}

void AutoSearch::measureLayers() {
  PrecisionAssignment base(candidates.size(), PrecisionKind::Base);
  CompileReport compiled;
  // For the report; nothing is decided by the last part.
  const Known &lost =
      measure(base, {kCalibration, kDecision, kCheck}, &compiled);
  for (size_t part = 0; part < kNumParts; ++part)
    report.parts[part].base = *lost.drops[part];
  double all = 0;
  llvm::StringMap<const LayerReport *> layers;
  for (const LayerReport &layer : compiled.layers) {
    all += layer.cost.value_or(0);
    layers[layer.name] = &layer;
  }
  size_t index = 0;
  for (AutoLayer &row : report.layers) {
    if (!row.candidate)
      continue;
    PrecisionAssignment single = base;
    single[index++] = PrecisionKind::Int8;
    row.sensitivity = *measure(single, {kCalibration}).drops[kCalibration];
    row.sensitivity.mean -= lost.drops[kCalibration]->mean;
    const LayerReport *layer = layers.lookup(row.name);
    if (!layer)
      continue;
    row.savedBytes += layer->weightBytes;
    if (layer->cost && layer->integerCost && all > 0)
      row.saving = (*layer->cost - *layer->integerCost) / all;
  }
}

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

/// What the search keeps the budget with: noise is not taken for room.
static double getUpper(const Statistic &drop) {
  return drop.mean + (std::isnan(drop.error) ? 0 : drop.error);
}

void AutoSearch::search() {
  std::vector<PrecisionChoices> choices;
  for (const AutoLayer &row : report.layers)
    if (row.candidate)
      choices.push_back({{PrecisionKind::Int8, row.saving.value_or(0),
                          row.sensitivity.mean}});
  std::exception_ptr error;
  auto result = searchPrecisions(
      choices, budget.most,
      [&](const PrecisionAssignment &assignment) -> std::optional<double> {
        // None passes through the compiler's libraries.
        try {
          return getUpper(*measure(assignment, {kDecision}).drops[kDecision]);
        } catch (...) {
          error = std::current_exception();
          return std::nullopt;
        }
      });
  if (!result)
    std::rethrow_exception(error);
  report.steps = std::move(result->steps);
  if (!result->fits)
    fail(arguments.input, ": --max-drop: without any integers the model loses ",
         budget.format(report.parts[kDecision].base.mean), " (standard error ",
         budget.format(report.parts[kDecision].base.error),
         ") beside f32 already, and does not keep the budget of ",
         budget.format(budget.most),
         "; choose a larger budget, or --precision=f32 and --storage=f32");
  const Known &drops =
      measure(result->assignment, {kCalibration, kDecision, kCheck});
  for (size_t part = 0; part < kNumParts; ++part)
    report.parts[part].chosen = *drops.drops[part];
  size_t index = 0;
  for (AutoLayer &row : report.layers)
    if (row.candidate)
      row.choice = result->assignment[index++];
  for (auto [name, kind] : llvm::zip(candidates, result->assignment))
    if (!absent.count(name) &&
        (kind == PrecisionKind::Base) != (forced.count(name) > 0))
      report.quantizeLayers.push_back(name + "=" +
                                      getPrecisionKindName(kind).str());
  for (const std::string &name : unmeasured)
    report.quantizeLayers.push_back(getBase(name));
}

ExitCode AutoSearch::finish() {
  bool kept = report.isKept();
  auto &texts = arguments.options.quantizeLayers;
  llvm::append_range(report.quantizeLayers, texts);
  texts = report.quantizeLayers;
  if (!kept || !arguments.report || !arguments.reportFile.empty())
    printAutoReport(report, llvm::errs());
  const Statistic &lost = report.parts[kCheck].chosen;
  if (!kept)
    llvm::errs() << arguments.input
                 << ": error: --max-drop: on samples that the search has not "
                    "seen the model loses "
                 << budget.format(lost.mean) << " (standard error "
                 << budget.format(lost.error) << "), "
                 << budget.format(lost.mean - budget.most)
                 << " more than the budget of " << budget.format(budget.most)
                 << "; choose a larger budget, give more data, or choose "
                    "layers by hand with --quantize-layer\n";
  else if (!candidates.empty() &&
           llvm::none_of(report.layers, [](const AutoLayer &row) {
             return row.choice != PrecisionKind::Base;
           }))
    warn(concat("no layer multiplies integers within the budget of ",
                budget.format(budget.most)));
  arguments.autoReport = std::move(report);
  return kept ? kOk : kInputError;
}

ExitCode AutoSearch::run() {
  report.budget = budget;
  report.data = arguments.calibration.data.empty()
                    ? "generated"
                    : llvm::join(arguments.calibration.data, ", ");
  if (llvm::Error error = checkOutput(arguments.output))
    return failFile(arguments.output, std::move(error));
  if (ExitCode code = readFacts(measured, facts))
    return code;
  checkEntries();
  if (arguments.calibration.data.empty())
    fixSize(measured, facts);
  measureReference();
  if (ExitCode code = calibrateFor(measured, &data[kCalibration]))
    return code;
  arguments.options.rangeTable = measured.options.rangeTable;
  findLayers();
  size_t count = candidates.size();
  progress.emplace(
      static_cast<int64_t>(3 + count + llvm::Log2_64_Ceil(count + 1)));
  measureLayers();
  search();
  progress.reset();
  return finish();
}

ExitCode vae::tool::choosePrecisions(Arguments &arguments) {
  return guard([&] { return AutoSearch(arguments).run(); });
}
