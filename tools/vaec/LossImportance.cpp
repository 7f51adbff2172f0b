// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/LossImportance.h"

#include "compiler/compress/TaylorImportance.h"
#include "tools/data/Error.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/CalibrationRun.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/GeneratedData.h"
#include "tools/vaec/Vaec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace vae;
using namespace vae::tool;

static constexpr const char *kScore = "score";
static constexpr const char *kRemedy = "; use --importance=activation";

namespace {
class LossScorer {
public:
  LossScorer(const Arguments &arguments, const std::string &hash,
             CalibrationOptions options)
      : arguments(arguments), options(std::move(options)) {
    nothing.hash = hash;
    this->options.samples =
        std::min(this->options.samples.value_or(kLossSamples), kLossSamples);
  }

  void load(bool generates);
  std::vector<std::pair<std::string, std::vector<double>>> score();

private:
  /// The inputs of `score`, by name, of some examples.
  using Batch = llvm::StringMap<reference::Tensor>;

  void collect(const vaedata::Model &library);
  llvm::Error addBatches(TaylorImportance &importance) const;

  const Arguments &arguments;
  CalibrationOptions options;
  Recipe nothing;
  CalibrationData data;
  std::vector<Batch> batches;
};
} // namespace

/// The noise is that of the runtime for the seed: one draw for each example.
void LossScorer::collect(const vaedata::Model &library) {
  vaedata::Progress progress(data.samples);
  llvm::StringMap<ResultNames> names;
  int64_t current = -1;
  CalibrationRun(library, data, options, names)
      .runOnce(
          library.getEntry(kScore), nullptr, progress,
          [&](const vae_abi_entry &entry, const vae_abi_tensor &tensor,
              const std::vector<float> &values, int64_t begin, int64_t count) {
            if (&tensor < entry.inputs ||
                &tensor >= entry.inputs + entry.num_inputs)
              return;
            if (current != begin)
              batches.emplace_back();
            current = begin;
            vaedata::Shape shape = vaedata::getShape(library.getTable(), tensor,
                                                     data.sizes, count);
            reference::Tensor &input = batches.back()[tensor.name];
            input.shape.assign(shape.begin(), shape.end());
            input.data = values;
          });
}

void LossScorer::load(bool generates) {
  ExposedModel model; // whose outputs are all that is kept: it tells the batch
  require(model.compile(arguments, kScore, nothing));
  vaedata::Model library(model.getPath().str());
  if (generates) {
    // With the seed of the scores each image would be scored with the z that it
    // was made of.
    CalibrationOptions drawn = options;
    ++drawn.seed;
    data = generateImages(arguments, kScore, *options.samples, drawn);
    llvm::errs() << "vaec: note: no data (--calibration-data): importance is "
                    "that for "
                 << data.samples
                 << " images that the decoder makes of the prior\n";
  } else {
    data = loadCalibrationData(library.getTable(), library.getEntry(kScore),
                               options, warn);
  }
  collect(library);
}

llvm::Error LossScorer::addBatches(TaylorImportance &importance) const {
  mlir::func::FuncOp score = importance.getScore();
  vaedata::Progress progress(data.samples);
  for (const Batch &batch : batches) {
    std::vector<reference::Tensor> inputs;
    for (unsigned i = 0; i < score.getNumArguments(); ++i) {
      auto name = score.getArgAttrOfType<mlir::StringAttr>(i, kNameAttr);
      inputs.push_back(batch.lookup(name.getValue()));
    }
    if (llvm::Error error = importance.add(inputs))
      return error;
    progress.advance(inputs.front().shape.front());
  }
  return llvm::Error::success();
}

std::vector<std::pair<std::string, std::vector<double>>> LossScorer::score() {
  Arguments own = getExactArguments(arguments);
  own.options.entries = arguments.options.entries;
  if (!own.options.entries.empty() &&
      !llvm::is_contained(own.options.entries, kScore))
    own.options.entries.emplace_back(kScore);
  own.options.replay = nothing;
  own.options.emit = Stage::Compress;
  own.output = "/dev/null";
  own.quiet = true;
  std::vector<std::pair<std::string, std::vector<double>>> scores;
  std::string failure;
  CompileReport report;
  require(compile(
      own, [](Stage, mlir::PassManager &) {}, report,
      [&](Stage stage, mlir::ModuleOp before) {
        if (stage != Stage::Compress)
          return;
        auto importance = TaylorImportance::create(before);
        if (!importance) {
          failure = toString(importance.takeError());
          return;
        }
        if (llvm::Error error = addBatches(*importance))
          failure = toString(std::move(error));
        scores = importance->getScores();
      }));
  if (!failure.empty())
    vaedata::fail("--importance=taylor: ", failure, kRemedy);
  return scores;
}

std::vector<std::pair<std::string, std::vector<double>>>
vae::tool::scoreByLoss(const Arguments &arguments, const std::string &hash,
                       const std::vector<std::string> &entries,
                       const CalibrationOptions &options) {
  bool generates = options.data.empty();
  if (!llvm::is_contained(entries, kScore))
    vaedata::fail(arguments.input,
                  ": --importance=taylor needs a loss, and the model has no "
                  "entry point 'score'",
                  kRemedy);
  if (generates && !llvm::is_contained(entries, "sample"))
    vaedata::fail(arguments.input,
                  ": the model cannot generate data; give data with "
                  "--calibration-data FILE");
  LossScorer scorer(arguments, hash, options);
  scorer.load(generates);
  return scorer.score();
}
