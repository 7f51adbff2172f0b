// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/AutoPrecision.h"

#include "compiler/pipeline/Quantization.h"
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
  std::vector<PrecisionKind> listKinds() const;
  CompileReport compileKind(PrecisionKind kind);
  void findLayers();
  void addCandidates(PrecisionKind kind, const CompileReport &base);
  double getGain(const AutoCandidate &candidate) const;
  void measureLayers();
  void search();
  ExitCode finish();

  /// Of the layers that have candidates, in the order of the model.
  std::vector<AutoLayer *> getChoosable();
  std::vector<std::string>
  getQuantizeLayers(const PrecisionAssignment &assignment);
  /// Compiles an assignment if anything is not known, for all of `parts`.
  const Known &measure(const PrecisionAssignment &assignment,
                       std::initializer_list<size_t> parts);

  Arguments &arguments;
  /// Of the libraries that are only measured.
  Arguments measured;
  const Budget budget;
  ModelFacts facts;
  CalibrationData data[kNumParts];
  std::vector<double> reference[kNumParts];
  /// Bytes of all weights in f32.
  int64_t allBytes = 0;
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
  texts.insert(texts.begin(), getPrecisionKindName(kBaseKind).str());
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

std::vector<AutoLayer *> AutoSearch::getChoosable() {
  std::vector<AutoLayer *> rows;
  for (AutoLayer &row : report.layers)
    if (!row.candidates.empty())
      rows.push_back(&row);
  return rows;
}

static std::string getText(const std::string &layer, PrecisionKind kind) {
  return layer + "=" + getPrecisionKindName(kind).str();
}

std::vector<std::string>
AutoSearch::getQuantizeLayers(const PrecisionAssignment &assignment) {
  std::vector<std::string> texts;
  for (auto [row, kind] : llvm::zip(getChoosable(), assignment))
    if (kind != kBaseKind)
      texts.push_back(getText(row->name, kind));
  return texts;
}

/// Those that `--quantize-layer` names.
static bool isAskedFor(const Arguments &arguments, llvm::StringRef layer) {
  return llvm::any_of(
      arguments.options.quantizeLayers,
      [&](llvm::StringRef text) { return text.rsplit('=').first == layer; });
}

/// Kinds beside f32. Integers of weights save the reading of these, which the
/// model of the machine does not count.
std::vector<PrecisionKind> AutoSearch::listKinds() const {
  std::vector<PrecisionKind> kinds = {PrecisionKind::Int8};
  const CompileOptions &options = arguments.options;
  if (options.precision == Precision::BFP16)
    kinds.push_back(PrecisionKind::Mixed);
  if (options.precision != Precision::F32 || !arguments.hasPrecision)
    kinds.push_back(PrecisionKind::BF16);
  if (report.objective == Objective::Size)
    llvm::append_values(kinds, PrecisionKind::W8, PrecisionKind::W4);
  return kinds;
}

/// The model by options that choose a kind for all layers for which it is
/// meant. All entry points together say which are heads of the latent.
CompileReport AutoSearch::compileKind(PrecisionKind kind) {
  Arguments own = measured;
  CompileOptions &options = own.options;
  options.emit = Stage::Fuse;
  options.entries.clear();
  options.quantizeLayers.clear();
  if (kind == PrecisionKind::W8 || kind == PrecisionKind::W4) {
    options.quantize = kind == PrecisionKind::W8 ? Quantize::W8 : Quantize::W4;
    options.precision = Precision::F32;
  } else if (kind != PrecisionKind::Int8) {
    options.quantizeLayers = {getPrecisionKindName(PrecisionKind::None).str()};
    options.precision =
        kind == PrecisionKind::BF16 ? Precision::BF16 : Precision::BFP16;
  }
  return compileTo(own, "/dev/null");
}

void AutoSearch::findLayers() {
  CompileReport base = compileLayers({}, "/dev/null", Stage::Fuse);
  for (const LayerReport &layer : base.layers) {
    PrecisionKind kind = getKind(layer);
    if (layer.quantizeNote.empty() && kind != PrecisionKind::Int8)
      continue; // without weights
    AutoLayer &row = report.layers.emplace_back();
    row.name = layer.name;
    row.choice = kind;
    row.note = "nothing would be faster";
    if (report.objective == Objective::Size)
      row.note = "nothing would be smaller";
    if (isAskedFor(arguments, layer.name))
      row.note = "asked for";
    allBytes += layer.weightBytes;
  }
  for (PrecisionKind kind : listKinds())
    addCandidates(kind, base);
}

/// Layers that are of a kind unasked, and are so among others that are not.
void AutoSearch::addCandidates(PrecisionKind kind, const CompileReport &base) {
  std::vector<std::string> texts;
  llvm::StringMap<AutoLayer *> rows;
  for (AutoLayer &row : report.layers)
    rows[row.name] = &row;
  for (const LayerReport &layer : compileKind(kind).layers) {
    AutoLayer *row = rows.lookup(layer.name);
    if (!row || isAskedFor(arguments, layer.name))
      continue;
    if (getKind(layer) == kind)
      texts.push_back(getText(layer.name, kind));
    else if (kind == PrecisionKind::Int8 && !layer.quantizeNote.empty())
      row->note = layer.quantizeNote;
  }
  if (texts.empty())
    return;
  CompileReport own = compileLayers(texts, "/dev/null", Stage::Fuse);
  double all = 0;
  for (const LayerReport &layer : base.layers)
    all += layer.cost.value_or(0);
  for (auto [layer, before] : llvm::zip(own.layers, base.layers)) {
    AutoLayer *row = rows.lookup(layer.name);
    if (!row || getKind(layer) != kind ||
        !llvm::is_contained(texts, getText(layer.name, kind)))
      continue;
    AutoCandidate candidate;
    candidate.kind = kind;
    candidate.savedBytes = before.weightBytes - layer.weightBytes;
    if (layer.cost && before.cost && all > 0)
      candidate.saving = (*before.cost - *layer.cost) / all;
    // Without a prediction, the rules that chose it stand for one.
    if (getGain(candidate) > 0 ||
        (report.objective == Objective::Time && !candidate.saving &&
         kind != PrecisionKind::BF16))
      row->candidates.push_back(candidate);
  }
}

/// What is to become less; of equal sizes, the faster one is better.
double AutoSearch::getGain(const AutoCandidate &candidate) const {
  double time = candidate.saving.value_or(0);
  if (report.objective == Objective::Time)
    return time;
  constexpr double kTime = 1e-3;
  double bytes = static_cast<double>(candidate.savedBytes);
  return bytes / static_cast<double>(std::max<int64_t>(allBytes, 1)) +
         kTime * time;
}

const AutoSearch::Known &
AutoSearch::measure(const PrecisionAssignment &assignment,
                    std::initializer_list<size_t> parts) {
  Known &drops = known[assignment];
  if (llvm::all_of(parts,
                   [&](size_t part) { return drops.drops[part].has_value(); }))
    return drops;
  TemporaryFile file = createLibraryFile(arguments.output);
  compileLayers(getQuantizeLayers(assignment), file.getPath(), Stage::So);
  ++report.compilations;
  auto model = loadLibrary(file.getPath().str());
  for (size_t part : parts)
    if (!drops.drops[part])
      drops.drops[part] =
          budget.getDrop(reference[part], measurePart(*model, part));
  progress->advance(1);
  return drops;
}

void AutoSearch::measureLayers() {
  std::vector<AutoLayer *> rows = getChoosable();
  PrecisionAssignment base(rows.size(), kBaseKind);
  // For the report; nothing is decided by the last part.
  const Known &lost = measure(base, {kCalibration, kDecision, kCheck});
  for (size_t part = 0; part < kNumParts; ++part)
    report.parts[part].base = *lost.drops[part];
  for (auto [index, row] : llvm::enumerate(rows))
    for (AutoCandidate &candidate : row->candidates) {
      PrecisionAssignment single = base;
      single[index] = candidate.kind;
      candidate.sensitivity =
          *measure(single, {kCalibration}).drops[kCalibration];
      candidate.sensitivity.mean -= lost.drops[kCalibration]->mean;
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
  for (const AutoLayer *row : getChoosable()) {
    PrecisionChoices &own = choices.emplace_back();
    for (const AutoCandidate &candidate : row->candidates)
      own.push_back(
          {candidate.kind, getGain(candidate), candidate.sensitivity.mean});
  }
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
    fail(arguments.input, ": --max-drop: with nothing chosen the model loses ",
         budget.format(report.parts[kDecision].base.mean), " (standard error ",
         budget.format(report.parts[kDecision].base.error),
         ") already, by --storage or --quantize-layer, and does not keep the "
         "budget of ",
         budget.format(budget.most),
         "; choose a larger budget, or leave them out");
  const Known &drops =
      measure(result->assignment, {kCalibration, kDecision, kCheck});
  for (size_t part = 0; part < kNumParts; ++part)
    report.parts[part].chosen = *drops.drops[part];
  for (auto [row, kind] : llvm::zip(getChoosable(), result->assignment))
    row->choice = kind;
  // What is written may have fewer layers than what was measured.
  Arguments own = arguments;
  own.options.emit = Stage::Import;
  std::set<std::string> written;
  for (const LayerReport &layer : compileTo(own, "/dev/null").layers)
    written.insert(layer.name);
  report.quantizeLayers = {getPrecisionKindName(kBaseKind).str()};
  for (const AutoLayer *row : getChoosable())
    if (row->choice != kBaseKind && written.count(row->name))
      report.quantizeLayers.push_back(getText(row->name, row->choice));
}

ExitCode AutoSearch::finish() {
  bool kept = report.isKept();
  report.precision = getPrecisionName(arguments.options.precision);
  report.storage = stringifyStorage(arguments.options.storage);
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
  else if (std::vector<AutoLayer *> rows = getChoosable();
           !rows.empty() && llvm::all_of(rows, [](const AutoLayer *row) {
             return row->choice == kBaseKind;
           }))
    warn(concat("all layers stay f32 within the budget of ",
                budget.format(budget.most)));
  arguments.autoReport = std::move(report);
  return kept ? kOk : kInputError;
}

ExitCode AutoSearch::run() {
  report.budget = budget;
  report.objective = arguments.objective;
  report.data = arguments.calibration.data.empty()
                    ? kGeneratedData.str()
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
  size_t count = 0;
  for (const AutoLayer &row : report.layers)
    count += row.candidates.size();
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
