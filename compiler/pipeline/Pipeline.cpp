// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Pipeline.h"

#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/QuantizeLayers.h"
#include "dialects/vae/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace vae;

namespace {
struct StageInfo {
  StringRef name, description;
};
constexpr StageInfo kStages[] = {
#define VAE_STAGE(NAME, IDENTIFIER, DESCRIPTION) {NAME, DESCRIPTION},
#include "compiler/pipeline/Stages.def"
};
} // namespace

StringRef vae::getStageName(Stage stage) {
  return kStages[static_cast<int>(stage)].name;
}

StringRef vae::getStageDescription(Stage stage) {
  return kStages[static_cast<int>(stage)].description;
}

std::optional<Stage> vae::getStage(StringRef name) {
  for (auto [index, stage] : llvm::enumerate(kStages))
    if (stage.name == name)
      return static_cast<Stage>(index);
  return std::nullopt;
}

namespace {
/// A row of Levels.def.
struct Level {
  bool foldNormalization, fuseEpilogues;
  int64_t maxUpsampleFactor;
  bool fastConvolution;
};
constexpr Level kLevels[] = {
#define VAE_LEVEL(FOLD_NORMALIZATION, FUSE_EPILOGUES, MAX_UPSAMPLE_FACTOR,     \
                  FAST_CONVOLUTION)                                            \
  {FOLD_NORMALIZATION, FUSE_EPILOGUES, MAX_UPSAMPLE_FACTOR, FAST_CONVOLUTION},
#include "compiler/pipeline/Levels.def"
};
} // namespace

llvm::Expected<std::vector<Cpu>>
vae::resolveTargets(const CompileOptions &options) {
  auto cpus = resolveCpus(options.cpus, options.triple);
  if (!cpus)
    return cpus.takeError();
  for (Cpu &cpu : *cpus) {
    if (options.vectorWidth) {
      const KernelTarget natural = cpu.kernels;
      cpu.kernels = KernelTarget::withWidth(options.vectorWidth);
      bool same = options.vectorWidth == natural.vectorWidth;
      cpu.kernels.bf16Dot = natural.bf16Dot && same;
      cpu.kernels.wordDots =
          natural.wordDots && (same || options.vectorWidth == 8);
      cpu.kernels.vnni = natural.vnni && same;
      cpu.kernels.byteDots = natural.byteDots && same;
      cpu.kernels.amxInt8 = natural.amxInt8 && same;
      cpu.kernels.amxBf16 = natural.amxBf16 && same;
      if (same)
        cpu.kernels.streamBytes = natural.streamBytes;
    }
    if (options.streamBytes && llvm::Triple(cpu.triple).isX86())
      cpu.kernels.streamBytes = *options.streamBytes;
    cpu.kernels.tile = options.tile;
    if (options.storage != Storage::F32)
      if (llvm::Error error = checkConvertsF16(cpu))
        return error;
    if (llvm::Error error = checkTile(cpu.kernels))
      return cpus->size() == 1
                 ? std::move(error)
                 : llvm::createStringError("on " + cpu.name + ", " +
                                           toString(std::move(error)));
  }
  return cpus;
}

llvm::Expected<Cpu> vae::resolveTarget(const CompileOptions &options) {
  auto cpus = resolveTargets(options);
  if (!cpus)
    return cpus.takeError();
  return std::move(cpus->back());
}

static const Level &getLevel(const CompileOptions &options) {
  return kLevels[std::min<size_t>(options.optLevel, std::size(kLevels) - 1)];
}

static ExtractEntriesPassOptions getEntries(const CompileOptions &options) {
  ExtractEntriesPassOptions result;
  result.entries.assign(options.entries.begin(), options.entries.end());
  return result;
}

void vae::buildSimplify(OpPassManager &pm, const CompileOptions &options) {
  // What is decided about weights holds for every level.
  bool fold = getLevel(options).foldNormalization || options.compresses();
  pm.addPass(createExtractEntriesPass(getEntries(options)));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createFoldBatchNormPass({fold, fold, fold}));
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// "LAYER=A:B:C", as passes read lists.
template <typename ValuesTy>
static std::string writeList(const std::string &layer, const ValuesTy &values) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << layer << "=";
  llvm::interleave(values, out, ":");
  return text;
}

/// Texts of the pass's options.
static PruneChannelsPassOptions getPruning(const CompileOptions &options) {
  PruneChannelsPassOptions result;
  if (options.replay) {
    if (const auto *step = options.replay->find<PruneChannelsStep>())
      for (const PruneChannelsStep::Layer &layer : step->layers)
        result.removed.push_back(writeList(layer.name, layer.removed));
    return result;
  }
  for (const PruneTarget &target : options.prune)
    if (target.layer.empty())
      result.channels = target.fraction;
    else
      result.layers.push_back(
          writeList(target.layer, ArrayRef(target.fraction)));
  result.scope = options.pruneGlobally ? "global" : "layer";
  for (const auto &[layer, scores] : options.unitScores)
    result.scores.push_back(writeList(layer, scores));
  result.absolute = options.scoresAreLoss;
  return result;
}

/// Masks of a recipe are applied after the passes: they are not for text.
static PruneWeightsPassOptions getWeightPruning(const CompileOptions &options) {
  PruneWeightsPassOptions result;
  for (const WeightTarget &target : options.pruneWeights)
    if (target.layer.empty())
      result.pattern = target.pattern.str();
    else
      result.layers.push_back(target.layer + "=" + target.pattern.str());
  result.scope = options.pruneGlobally ? "global" : "layer";
  for (const auto &[layer, norms] : options.inputNorms)
    result.norms.push_back(writeList(layer, norms));
  return result;
}

void vae::buildCompress(OpPassManager &pm, const CompileOptions &options) {
  if (!options.compresses())
    return;
  pm.addPass(createPruneChannelsPass(getPruning(options)));
  if (!options.replay && !options.pruneWeights.empty())
    pm.addPass(createPruneWeightsPass(getWeightPruning(options)));
}

AlgorithmRules vae::getAlgorithmRules(const CompileOptions &options,
                                      const TuningTable &tuning) {
  AlgorithmRules rules;
  rules.fast = getLevel(options).fastConvolution && !options.exactConv;
  rules.algorithms = options.algorithms;
  for (const TunedLayer &layer : tuning.getLayers())
    rules.tuned.push_back(layer.shape + "=" + layer.choice.str());
  // Text has no way to report an error: an unknown machine gets the defaults.
  bool allHaveTiles = false;
  if (auto cpus = resolveTargets(options)) {
    rules.target = cpus->back().kernels;
    allHaveTiles =
        llvm::all_of(*cpus, [](const Cpu &cpu) { return cpu.kernels.amxBf16; });
  } else {
    llvm::consumeError(cpus.takeError());
  }
  // Who wants weights in half the bytes wants none that take more.
  rules.stores =
      options.storage == Storage::F32 && options.quantize == Quantize::None;
  rules.blockFloat =
      options.precision == Precision::BFP16 && rules.target.wordDots;
  // Elsewhere, fewer products of f32 are faster than more of bf16.
  bool keepsWeights =
      options.quantize != Quantize::W8 && options.quantize != Quantize::W4;
  rules.bf16 =
      options.precision == Precision::BF16 && keepsWeights && allHaveTiles;
  return rules;
}

/// Options of a pass with AlgorithmOptions (Passes.td).
template <typename OptionsTy>
static OptionsTy getAlgorithms(const AlgorithmRules &rules) {
  OptionsTy result;
  result.fast = rules.fast;
  result.algorithms.assign(rules.algorithms.begin(), rules.algorithms.end());
  result.tuned.assign(rules.tuned.begin(), rules.tuned.end());
  result.vectorWidth = rules.target.vectorWidth;
  result.vectorRegisters = rules.target.vectorRegisters;
  result.blockFloat = rules.blockFloat;
  result.bf16 = rules.bf16;
  result.wordDots = rules.target.wordDots;
  result.vnni = rules.target.vnni;
  result.byteDots = rules.target.byteDots;
  result.amxInt8 = rules.target.amxInt8;
  result.amxBf16 = rules.target.amxBf16;
  result.stores = rules.stores;
  return result;
}

static QuantizePassOptions getQuantization(const CompileOptions &options,
                                           const AlgorithmRules &rules) {
  auto result = getAlgorithms<QuantizePassOptions>(rules);
  if (options.quantize != Quantize::Int8)
    return result;
  result.quantize = "int8";
  result.exactEnds = options.exactEnds;
  result.layers.assign(options.quantizeLayers.begin(),
                       options.quantizeLayers.end());
  if (options.rangeTable)
    for (const TensorRanges &tensor : options.rangeTable->tensors)
      result.ranges.push_back(
          formatRange(tensor.name, tensor.ranges[options.rangeMethod]));
  return result;
}

static AssignPrecisionPassOptions getPrecisions(const CompileOptions &options) {
  AssignPrecisionPassOptions result;
  result.precision = stringifyPrecision(options.precision).str();
  result.exactEnds = options.exactEnds;
  result.layers.assign(options.quantizeLayers.begin(),
                       options.quantizeLayers.end());
  if (auto cpus = resolveTargets(options))
    result.wordDots = llvm::any_of(
        *cpus, [](const Cpu &cpu) { return cpu.kernels.wordDots; });
  else
    llvm::consumeError(cpus.takeError());
  return result;
}

static AssignWeightsPassOptions getWeights(const CompileOptions &options) {
  AssignWeightsPassOptions result;
  if (options.quantize == Quantize::W8 ||
      (options.quantize == Quantize::Int8 && options.integerWeights))
    result.weights = "int8";
  else if (options.quantize == Quantize::W4)
    result.weights = "int4";
  result.group = options.weightGroup;
  result.exactEnds = options.exactEnds;
  result.layers.assign(options.quantizeLayers.begin(),
                       options.quantizeLayers.end());
  return result;
}

static AssignSparsityPassOptions getSparsity(const CompileOptions &options,
                                             const AlgorithmRules &rules) {
  auto result = getAlgorithms<AssignSparsityPassOptions>(rules);
  result.sparse = options.sparse;
  return result;
}

void vae::buildFuse(OpPassManager &pm, const CompileOptions &options,
                    const TuningTable &tuning) {
  const Level &level = getLevel(options);
  bool fuse = level.fuseEpilogues;
  pm.addPass(createFuseUpsamplePass({level.maxUpsampleFactor}));
  pm.addNestedPass<func::FuncOp>(createFuseEpiloguePass({fuse, fuse, fuse}));
  pm.addPass(createAbsorbFlattenPass({fuse}));
  pm.addNestedPass<func::FuncOp>(createAssignLayoutPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  const AlgorithmRules rules = getAlgorithmRules(options, tuning);
  pm.addPass(createQuantizePass(getQuantization(options, rules)));
  pm.addNestedPass<func::FuncOp>(createChooseAlgorithmPass(
      getAlgorithms<ChooseAlgorithmPassOptions>(rules)));
  // Before outputs are added and entry points are cut.
  pm.addPass(createAssignWeightsPass(getWeights(options)));
  pm.addPass(createAssignPrecisionPass(getPrecisions(options)));
  pm.addPass(createAssignStoragePass(
      {stringifyStorage(options.storage).str(), !options.exactEnds}));
  pm.addPass(createAssignSparsityPass(getSparsity(options, rules)));
  pm.addNestedPass<func::FuncOp>(
      createExposeLayersPass({options.exposeLayers}));
  pm.addPass(createSplitEntriesPass());
  pm.addNestedPass<func::FuncOp>(createFindHalosPass());
}

void vae::buildFuse(OpPassManager &pm, const CompileOptions &options) {
  buildFuse(pm, options, TuningTable());
}

void vae::buildKernels(OpPassManager &pm, const CompileOptions &options,
                       const KernelTarget &target) {
  pm.addPass(createAddVersionsPass());
  pm.addPass(createConvertVaeToKernelPass(target, options.deterministic,
                                          options.exclusiveContext));
}

void vae::buildBuffers(OpPassManager &pm, const CompileOptions &options) {
  pm.addNestedPass<func::FuncOp>(createPlanMemoryPass());
}

void vae::buildLLVM(OpPassManager &pm, const CompileOptions &options) {
  pm.addPass(createConvertKernelToLLVMPass());
  populateLowerToLLVM(pm);
  if (options.debugInfo)
    pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
}

using BuildFn = void (*)(OpPassManager &, const CompileOptions &);

static void buildKernelsForHost(OpPassManager &pm,
                                const CompileOptions &options) {
  // Text has no way to report an error: an unknown machine gets the defaults.
  auto cpu = resolveTarget(options);
  KernelTarget target;
  if (cpu)
    target = cpu->kernels;
  else
    llvm::consumeError(cpu.takeError());
  buildKernels(pm, options, target);
}

void vae::registerStagePipelines() {
  static constexpr std::pair<Stage, BuildFn> stages[] = {
      {Stage::Simplify, buildSimplify}, {Stage::Compress, buildCompress},
      {Stage::Fuse, buildFuse},         {Stage::Kernels, buildKernelsForHost},
      {Stage::Buffers, buildBuffers},   {Stage::LLVM, buildLLVM}};
  for (auto [stage, build] : stages)
    PassPipelineRegistration<>(
        ("vae-" + getStageName(stage)).str(), getStageDescription(stage),
        [build = build](OpPassManager &pm) { build(pm, CompileOptions()); });
}
