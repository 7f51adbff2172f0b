// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/FitWeights.h"

#include "compiler/compress/LeastSquares.h"
#include "tools/data/Error.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/CalibrationRun.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/GeneratedData.h"
#include "tools/vaec/LossImportance.h"
#include "tools/vaec/Vaec.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <map>
#include <random>

using namespace vae;
using namespace vae::tool;
using vaedata::concat;

/// Of generated data; and fewer than these say little.
static constexpr int64_t kSamples = 1024, kFewestSamples = 64;
/// Of the mean square of an input: see LeastSquares.
static constexpr double kRidge = 1e-3;

namespace {
class WeightFitter {
public:
  explicit WeightFitter(Arguments &arguments) : arguments(arguments) {
    options.data = arguments.calibration.data;
    options.named = arguments.calibration.inputs;
    options.samples = arguments.calibration.samples;
    options.allowNonfinite = arguments.options.allowNonfinite;
    options.dataOption = "--calibration-data";
    options.inputOption = "--calibration-input";
  }

  void run();

private:
  using Rows = std::map<std::string, RealMatrix>;

  std::vector<std::string> listEntries();
  void loadData(const std::vector<std::string> &entries);
  void generateData(const std::vector<std::string> &entries);
  void runModel(const ExposedModel &model, const SeeTensorFn &see);
  void scoreUnits();
  void measureInputs();
  void decide();
  void fitAll();
  void fit(const std::vector<const ExposedLayer *> &group,
           const ExposedModel &pruned, LeastSquaresStep &step);
  std::vector<int64_t> choosePositions(const Patches &patches,
                                       int64_t example) const;
  std::vector<int64_t> getKept(const ExposedLayer &layer) const;
  /// Of the weights that the recipe leaves; null if it leaves all.
  const PruneWeightsStep::Layer *findMask(const std::string &layer) const;

  Arguments &arguments;
  CalibrationOptions options;
  CalibrationData data;
  std::string entry;
  ExposedModel original;
  Recipe recipe;
};
} // namespace

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

std::vector<std::string> WeightFitter::listEntries() {
  Arguments facts = getExactArguments(arguments);
  facts.options.emit = Stage::Simplify;
  facts.output = "/dev/null";
  std::vector<std::string> entries;
  CompileReport report;
  require(compile(
      facts, [](Stage, mlir::PassManager &) {}, report,
      [&](Stage stage, mlir::ModuleOp before) {
        if (stage != Stage::Simplify)
          return;
        for (mlir::Operation &op : *before.getBody())
          if (op.hasAttr(kEntryAttr))
            entries.push_back(mlir::SymbolTable::getSymbolName(&op).str());
      }));
  return entries;
}

void WeightFitter::runModel(const ExposedModel &model, const SeeTensorFn &see) {
  vaedata::Model library(model.getPath().str());
  llvm::StringMap<ResultNames> names;
  vaedata::Progress progress(data.samples);
  CalibrationRun(library, data, options, names)
      .runOnce(library.getEntry(entry), nullptr, progress, see);
}

/// The images that the decoder makes of the prior.
void WeightFitter::generateData(const std::vector<std::string> &entries) {
  if (!llvm::is_contained(entries, "sample"))
    vaedata::fail(arguments.input,
                  ": the model cannot generate data; give data with "
                  "--calibration-data FILE");
  data = generateImages(arguments, entry, options.samples.value_or(kSamples),
                        options);
  llvm::errs() << "vaec: note: no data (--calibration-data): weights are "
                  "fitted to "
               << data.samples
               << " images that the decoder makes of the "
                  "prior\n";
}

void WeightFitter::loadData(const std::vector<std::string> &entries) {
  entry = chooseDataEntry(arguments.options.entries, entries);
  if (entry.empty())
    vaedata::fail(arguments.input, ": the model has no entry point to run");
  Recipe nothing;
  nothing.hash = recipe.hash;
  require(original.compile(arguments, entry, nothing));
  if (options.data.empty()) {
    generateData(entries);
  } else {
    vaedata::Model library(original.getPath().str());
    data = loadCalibrationData(library.getTable(), library.getEntry(entry),
                               options, warn);
  }
  if (data.samples < kFewestSamples)
    warn(concat(data.samples, data.samples == 1 ? " sample is" : " samples are",
                " too few to fit weights to; give ", kFewestSamples,
                " or more"));
}

//===----------------------------------------------------------------------===//
// Importance
//===----------------------------------------------------------------------===//

namespace {
/// Sums over the elements of a tensor, by units.
struct Moments {
  std::vector<double> sums, squares;
  double count = 0; // of a unit

  double getVariance(size_t unit) const {
    double mean = sums[unit] / count;
    return std::max(squares[unit] / count - mean * mean, 0.0);
  }
};
} // namespace

/// A unit's part in what the layers that read it compute: the variance of its
/// activation, times the squared norm of the weights that read it, relative to
/// the sum over the layer's inputs. Not the mean square: what is constant, a
/// bias can give.
void WeightFitter::scoreUnits() {
  std::map<std::string, Moments> moments; // of tensors
  runModel(original,
           [&](const vae_abi_entry &, const vae_abi_tensor &tensor,
               const std::vector<float> &values, int64_t, int64_t examples) {
             for (const ExposedLayer &layer : original.getLayers()) {
               if (layer.input != tensor.name || layer.inputUnits.empty())
                 continue;
               size_t units = layer.inputUnits.size();
               size_t inner = layer.patches.isDense()
                                  ? 1
                                  : values.size() / size_t(examples) / units;
               Moments &own = moments[tensor.name];
               own.sums.resize(units);
               own.squares.resize(units);
               for (size_t i = 0; i < values.size(); ++i) {
                 size_t unit = i / inner % units;
                 own.sums[unit] += values[i];
                 own.squares[unit] += double(values[i]) * values[i];
               }
               own.count += double(values.size() / units);
               break;
             }
           });
  std::map<Unit, double> parts;
  for (const ExposedLayer &layer : original.getLayers()) {
    if (layer.inputUnits.empty() || !moments.count(layer.input))
      continue;
    RealMatrix weight = layer.patches.toMatrix(layer.weight);
    int64_t units = layer.inputUnits.size(), taps = weight.rows() / units;
    std::vector<double> own(units);
    double sum = 0;
    for (int64_t unit = 0; unit < units; ++unit) {
      own[unit] = moments[layer.input].getVariance(size_t(unit)) *
                  weight.middleRows(unit * taps, taps).squaredNorm();
      sum += own[unit];
    }
    for (int64_t unit = 0; unit < units && sum > 0; ++unit)
      parts[layer.inputUnits[unit]] += own[unit] / sum;
  }
  for (const ExposedLayer &layer : original.getLayers()) {
    // Without a reader whose data are known, norms of weights count.
    if (llvm::none_of(layer.outputUnits,
                      [&](Unit unit) { return parts.count(unit) != 0; }))
      continue;
    std::vector<double> scores;
    std::map<Unit, int64_t> sizes;
    for (Unit unit : layer.outputUnits)
      ++sizes[unit];
    for (Unit unit : layer.outputUnits) {
      auto part = parts.find(unit);
      scores.push_back(part == parts.end()
                           ? 0
                           : std::sqrt(part->second / double(sizes[unit])));
    }
    arguments.options.unitScores.push_back({layer.name, std::move(scores)});
  }
}

/// The L2 norms of layers' input units over the data: |X_j| of Wanda.
void WeightFitter::measureInputs() {
  std::map<std::string, std::vector<double>> squares; // by layer
  runModel(original,
           [&](const vae_abi_entry &, const vae_abi_tensor &tensor,
               const std::vector<float> &values, int64_t, int64_t examples) {
             for (const ExposedLayer &layer : original.getLayers()) {
               if (layer.input != tensor.name)
                 continue;
               size_t units = layer.patches.getInputUnits();
               size_t inner = layer.patches.isDense()
                                  ? 1
                                  : values.size() / size_t(examples) / units;
               std::vector<double> &own = squares[layer.name];
               own.resize(units);
               for (size_t i = 0; i < values.size(); ++i)
                 own[i / inner % units] += double(values[i]) * values[i];
             }
           });
  for (auto &[layer, sums] : squares) {
    for (double &sum : sums)
      sum = std::sqrt(sum);
    arguments.options.inputNorms.push_back({layer, sums});
  }
}

/// Lets the stage compress choose units and weights.
void WeightFitter::decide() { recipe = decideSteps(arguments); }

//===----------------------------------------------------------------------===//
// Fits
//===----------------------------------------------------------------------===//

/// Positions of an example, at random, so that there are some rows for each
/// weight of a unit; a transposed convolution's are mostly zeros.
std::vector<int64_t> WeightFitter::choosePositions(const Patches &patches,
                                                   int64_t example) const {
  constexpr int64_t kRowsPerInput = 32, kFewest = 32768, kMost = 65536;
  int64_t positions = patches.getPositions();
  int64_t rows =
      std::clamp(kRowsPerInput * patches.getInputs(), kFewest, kMost);
  int64_t wanted = (rows + data.samples - 1) / data.samples;
  std::vector<int64_t> chosen(std::min(positions, wanted));
  std::mt19937_64 random(options.seed + static_cast<uint64_t>(example));
  for (size_t i = 0; i < chosen.size(); ++i)
    chosen[i] =
        positions <= wanted
            ? static_cast<int64_t>(i)
            : static_cast<int64_t>(random() % static_cast<uint64_t>(positions));
  return chosen;
}

/// Units of a layer that the recipe leaves.
std::vector<int64_t> WeightFitter::getKept(const ExposedLayer &layer) const {
  std::vector<bool> gone(layer.outputUnits.size());
  if (const auto *step = recipe.find<PruneChannelsStep>())
    for (const auto &pruned : step->layers)
      if (pruned.name == layer.name)
        for (int64_t unit : pruned.removed)
          gone[unit] = true;
  std::vector<int64_t> kept;
  for (size_t i = 0; i < gone.size(); ++i)
    if (!gone[i])
      kept.push_back(static_cast<int64_t>(i));
  return kept;
}

const PruneWeightsStep::Layer *
WeightFitter::findMask(const std::string &layer) const {
  if (const auto *step = recipe.find<PruneWeightsStep>())
    for (const PruneWeightsStep::Layer &pruned : step->layers)
      if (pruned.name == layer)
        return &pruned;
  return nullptr;
}

/// Fits layers that read one tensor.
void WeightFitter::fit(const std::vector<const ExposedLayer *> &group,
                       const ExposedModel &pruned, LeastSquaresStep &step) {
  const vaedata::Model library(original.getPath().str());
  const vae_abi_entry &table = library.getEntry(entry);
  struct Job {
    const ExposedLayer *whole, *rest;
    Patches before, after;
    RealMatrix wanted; // all rows of the original's outputs that are left
    std::unique_ptr<LeastSquares> squares;
  };
  std::vector<Job> jobs;
  auto getShapeOf = [&](const std::string &name) {
    auto find = [&](const vae_abi_tensor *tensors, uint32_t count) {
      for (uint32_t i = 0; i < count; ++i)
        if (tensors[i].name == name)
          return &tensors[i];
      return static_cast<const vae_abi_tensor *>(nullptr);
    };
    const vae_abi_tensor *tensor = find(table.outputs, table.num_outputs);
    if (!tensor)
      tensor = find(table.inputs, table.num_inputs);
    return vaedata::getShape(library.getTable(), *tensor, data.sizes, 1);
  };
  for (const ExposedLayer *whole : group) {
    Job &job = jobs.emplace_back();
    job.whole = whole;
    job.rest = pruned.find(whole->name);
    job.before = whole->patches;
    job.after = job.rest->patches;
    vaedata::Shape in = getShapeOf(whole->input),
                   out = getShapeOf(whole->output);
    for (Patches *patches : {&job.before, &job.after})
      patches->setShapes(in, out);
    int64_t perExample = choosePositions(job.after, 0).size();
    job.wanted.resize(data.samples * perExample, job.after.getOutputs());
    job.squares = std::make_unique<LeastSquares>(job.after.getInputs(),
                                                 job.after.getOutputs());
  }
  auto forEachRow = [&](const Job &job, int64_t begin, int64_t count,
                        auto visit) {
    for (int64_t i = 0; i < count; ++i) {
      std::vector<int64_t> positions = choosePositions(job.after, begin + i);
      for (size_t p = 0; p < positions.size(); ++p)
        visit(i, (begin + i) * int64_t(positions.size()) + int64_t(p),
              positions[p]);
    }
  };
  runModel(original, [&](const vae_abi_entry &, const vae_abi_tensor &tensor,
                         const std::vector<float> &values, int64_t begin,
                         int64_t count) {
    for (Job &job : jobs) {
      if (job.whole->output != tensor.name)
        continue;
      std::vector<int64_t> kept = getKept(*job.whole);
      std::vector<double> row(job.before.getOutputs());
      int64_t size = int64_t(values.size()) / count;
      forEachRow(job, begin, count,
                 [&](int64_t example, int64_t index, int64_t position) {
                   job.before.readOutputs(values.data() + example * size,
                                          position, row.data());
                   for (size_t u = 0; u < kept.size(); ++u)
                     job.wanted(index, int64_t(u)) = row[kept[u]];
                 });
    }
  });
  runModel(pruned, [&](const vae_abi_entry &, const vae_abi_tensor &tensor,
                       const std::vector<float> &values, int64_t begin,
                       int64_t count) {
    for (Job &job : jobs) {
      if (job.rest->input != tensor.name)
        continue;
      int64_t size = int64_t(values.size()) / count;
      int64_t perExample = job.wanted.rows() / data.samples;
      RealMatrix rows(count * perExample, job.after.getInputs());
      forEachRow(job, begin, count,
                 [&](int64_t example, int64_t index, int64_t position) {
                   job.after.readInputs(
                       values.data() + example * size, position,
                       rows.row(index - begin * perExample).data());
                 });
      job.squares->add(rows,
                       job.wanted.middleRows(begin * perExample, rows.rows()));
    }
  });
  for (Job &job : jobs) {
    RealMatrix weight = job.after.toMatrix(job.rest->weight);
    bool hasBias = !job.rest->bias.empty();
    Eigen::VectorXd bias = Eigen::VectorXd::Zero(weight.cols());
    for (size_t i = 0; i < job.rest->bias.size(); ++i)
      bias[int64_t(i)] = job.rest->bias[i];
    RealMatrix mask;
    const PruneWeightsStep::Layer *pruned = findMask(job.rest->name);
    if (pruned)
      mask = job.after.toMatrix(
          std::vector<float>(pruned->kept.begin(), pruned->kept.end()));
    LeastSquares::Fit fit = job.squares->solve(weight, bias, hasBias, kRidge,
                                               pruned ? &mask : nullptr);
    LeastSquaresStep::Layer &layer = step.layers.emplace_back();
    layer.name = job.rest->name;
    layer.shape.assign(job.rest->shape.begin(), job.rest->shape.end());
    layer.weight = job.after.toWeight(fit.weight);
    if (hasBias)
      layer.bias.assign(fit.bias.data(), fit.bias.data() + fit.bias.size());
    layer.errorBefore = fit.errorBefore;
    layer.errorAfter = fit.errorAfter;
    if (!std::isfinite(fit.errorAfter) || fit.errorAfter > fit.errorBefore) {
      warn(concat("'", layer.name,
                  "': no better weights were found; the data may have numbers "
                  "that are not finite, or be too few"));
      step.layers.pop_back();
    }
  }
}

/// Layer by layer, in the order of execution: each reads what the pruned model
/// gives it with the weights that were fitted before.
void WeightFitter::fitAll() {
  LeastSquaresStep step;
  step.data = options.data;
  step.dataHash = hashData(data);
  step.samples = data.samples;
  step.seed = options.seed;
  step.ridge = kRidge;
  recipe.steps.push_back(step);
  ExposedModel pruned;
  require(pruned.compile(arguments, entry, recipe));
  std::vector<std::vector<const ExposedLayer *>> groups;
  for (const ExposedLayer &layer : original.getLayers()) {
    const ExposedLayer *rest = pruned.find(layer.name);
    if (!rest || (rest->patches.getInputs() == layer.patches.getInputs() &&
                  !findMask(layer.name)))
      continue;
    if (!groups.empty() && groups.back().front()->input == layer.input)
      groups.back().push_back(&layer);
    else
      groups.push_back({&layer});
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i > 0)
      require(pruned.compile(arguments, entry, recipe));
    fit(groups[i], pruned, step);
    recipe.steps.back() = step;
  }
}

void WeightFitter::run() {
  if (arguments.options.prune.empty() && arguments.options.pruneWeights.empty())
    return;
  bool usesData =
      arguments.recovers || arguments.importance != Importance::Magnitude;
  // Ranges are of what is left, which must not depend on the entry points that
  // are run to measure them.
  if (!usesData && !arguments.options.needsRanges())
    return;
  decide(); // fails early, and knows the model's hash
  std::vector<std::string> entries;
  if (usesData)
    entries = listEntries();
  if (arguments.importance == Importance::Taylor) {
    arguments.options.unitScores =
        scoreByLoss(arguments, recipe.hash, entries, options);
    arguments.options.scoresAreLoss = true;
    decide();
  }
  if (arguments.recovers || arguments.importance == Importance::Activation)
    loadData(entries);
  if (arguments.importance == Importance::Activation) {
    if (arguments.options.pruneWeights.empty())
      scoreUnits();
    else
      measureInputs();
    decide();
  }
  if (arguments.recovers)
    fitAll();
  arguments.options.replay = std::move(recipe);
}

ExitCode vae::tool::decideCompression(Arguments &arguments) {
  return guard([&] {
    WeightFitter(arguments).run();
    return kOk;
  });
}
