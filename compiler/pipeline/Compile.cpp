// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the stages and writes the result.
#include "compiler/calibrate/ModelHash.h"
#include "compiler/conversion/LayerShape.h"
#include "compiler/conversion/Versions.h"
#include "compiler/import/Importer.h"
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/Compress.h"
#include "compiler/pipeline/Files.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/Quantization.h"
#include "compiler/pipeline/Ranges.h"
#include "compiler/pipeline/Resources.h"
#include "compiler/pipeline/Tune.h"
#include "compiler/pipeline/WriteLibrary.h"
#include "compiler/pipeline/WriteMasks.h"
#include "compiler/target/cpu/Codegen.h"
#include "compiler/target/cpu/Passes.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;
using namespace vae;

namespace {

/// Adds the time from its construction to a list.
class Timer {
public:
  Timer(std::vector<StageTime> &list, StringRef name)
      : list(list), name(name.str()), start(Clock::now()) {}
  ~Timer() {
    std::chrono::duration<double> elapsed = Clock::now() - start;
    list.push_back({name, elapsed.count()});
  }

private:
  using Clock = std::chrono::steady_clock;
  std::vector<StageTime> &list;
  std::string name;
  Clock::time_point start;
};

class Compilation {
public:
  Compilation(StringRef input, StringRef output, const CompileOptions &options,
              MLIRContext &context, CompileReport &report,
              CompileObserver &observer)
      : input(input), output(output), options(options), context(context),
        report(report), observer(observer) {}

  LogicalResult run();

private:
  LogicalResult fail(CompileFailure failure, StringRef file,
                     const Twine &message);
  /// An Error with a system's code is about a file; others are bugs.
  LogicalResult fail(llvm::Error error, StringRef file);
  /// Where the weights of the recipe go that is written; empty: nowhere.
  std::string getRecipeWeights() const {
    return options.recipe.empty() ? std::string()
                                  : getRecipeWeightsPath(options.recipe);
  }
  /// Where the weights of --emit=json go.
  std::string getWeightsPath() const;

  /// What --tune needs, and the table of --tuned.
  LogicalResult checkTuning();
  /// Reads the recipe to apply, before there is a model.
  LogicalResult checkRecipe();
  LogicalResult importModel();
  /// A recipe is of one model.
  LogicalResult checkModelOfRecipe();
  /// What messages about the recipe that is replayed call it.
  StringRef getRecipeFile() const {
    return options.applyRecipe.empty() ? input : options.applyRecipe;
  }
  /// Outputs must not replace weights that are mapped.
  LogicalResult checkWeightFiles();
  LogicalResult checkEntries();
  LogicalResult checkAlgorithms();
  /// Ranges, after the stage `compress`: they are of what it gives.
  LogicalResult loadRanges();
  /// What numbers the stage `fuse` gave to layers, for the recipe.
  LogicalResult finishQuantization();
  /// Measures layers, before the stage `fuse`.
  LogicalResult tune();
  void warnOfUnusedTable();
  LogicalResult compress();
  /// Chooses and writes the masks for training.
  LogicalResult writeMasks();
  /// Writes what compress() did.
  LogicalResult writeRecipe();
  LogicalResult runPasses();
  LogicalResult passes(Stage which, function_ref<void(PassManager &)> build);
  LogicalResult dump(Stage which);
  /// Frees weights that the module does not refer to any more.
  void releaseWeights();
  LogicalResult writeIR();
  LogicalResult writeJson();
  LogicalResult writeMachineCode();
  LogicalResult writeAssembly(CodeGenerator &generator);
  LogicalResult writeObjects(CodeGenerator &generator);
  /// Runs and times a part of the last stage.
  LogicalResult step(StringRef name, function_ref<llvm::Error()> body);

  StringRef input, output;
  CompileOptions options; // with the ranges that they name
  MLIRContext &context;
  CompileReport &report;
  CompileObserver &observer;
  ModelDocument document;
  WeightStore::Views views; // of its weights
  OwningOpRef<ModuleOp> module;
  ResourceSet weights; // those that still have data
};

LogicalResult Compilation::fail(CompileFailure failure, StringRef file,
                                const Twine &message) {
  report.failure = failure;
  if (file == "-")
    file = "standard output";
  return emitError(FileLineColLoc::get(&context, file, 0, 0)) << message;
}

LogicalResult Compilation::fail(llvm::Error error, StringRef file) {
  auto failure = CompileFailure::Input;
  std::string message;
  handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    if (info.convertToErrorCode() == llvm::inconvertibleErrorCode())
      failure = CompileFailure::Internal;
    message = info.message();
  });
  return fail(failure, file, message);
}

//===----------------------------------------------------------------------===//
// Stages that are passes
//===----------------------------------------------------------------------===//

LogicalResult Compilation::checkTuning() {
  if (!options.tune.empty()) {
    if (llvm::Error error = checkTunable(options, report.cpus))
      return fail(CompileFailure::Usage, "vaec", toString(std::move(error)));
    if (llvm::Error error = checkOutput(options.tune))
      return fail(std::move(error), options.tune);
  }
  if (options.tuned.empty())
    return success();
  auto table = readTuningTable(options, report.cpus.back(), context);
  if (failed(table)) {
    report.failure = CompileFailure::Input;
    return failure();
  }
  report.tuning = std::move(*table);
  return success();
}

LogicalResult Compilation::checkRecipe() {
  for (const std::string &path :
       {options.recipe, getRecipeWeights(), options.writeMasks})
    if (!path.empty())
      if (llvm::Error error = checkOutput(path))
        return fail(std::move(error), path);
  if (!options.applyRecipe.empty() && !options.replay) {
    auto recipe = readRecipe(options.applyRecipe, context);
    if (failed(recipe)) {
      report.failure = CompileFailure::Input;
      return failure();
    }
    options.replay = std::move(*recipe);
  }
  if (const QuantizeStep *step = options.getReplayedKinds())
    applyQuantization(*step, options);
  return success();
}

LogicalResult Compilation::importModel() {
  observer.beginStage(Stage::Import, ModuleOp(), "");
  {
    Timer timer(report.times, getStageName(Stage::Import));
    ImportOptions importOptions;
    importOptions.allowNonfinite = options.allowNonfinite;
    importOptions.verify = false;
    if (succeeded(readModelDocument(input, options.files, context, document)) &&
        (!options.size ||
         succeeded(fixSize(document, *options.size, context))) &&
        (!options.frames ||
         succeeded(fixFrames(document, *options.frames, context))))
      module = buildModel(document, importOptions, context);
  }
  if (!module) {
    report.failure = CompileFailure::Input;
    return failure();
  }
  if (failed(verify(*module))) {
    report.failure = CompileFailure::Internal;
    return failure();
  }
  if (failed(checkWeightFiles()) || failed(checkEntries()))
    return failure();
  report.unusedTensors = document.weights.getUnused();
  if (!options.writeMasks.empty())
    views = document.weights.getViews();
  if (options.emit != Stage::Json)
    document = ModelDocument();
  reportModel(*module, options.entries, report);
  if (failed(checkAlgorithms()))
    return failure();
  weights = collectResources(*module);
  if (failed(checkModelOfRecipe()))
    return failure();
  return dump(Stage::Import);
}

LogicalResult Compilation::checkWeightFiles() {
  std::vector<std::string> outputs = {output.str(), options.tune,
                                      options.recipe, getRecipeWeights(),
                                      options.writeMasks};
  if (options.emit == Stage::Json)
    outputs.push_back(getWeightsPath());
  for (const std::string &file : document.weights.getPaths())
    for (const std::string &path : outputs)
      if (!path.empty() && llvm::sys::fs::equivalent(file, path))
        return fail(CompileFailure::Usage, path,
                    "is a weights file of the model; choose another output");
  return success();
}

LogicalResult Compilation::checkEntries() {
  std::vector<StringRef> known;
  for (auto function : module->getOps<func::FuncOp>())
    if (function->hasAttr(kEntryAttr))
      known.push_back(function.getName());
  for (const std::string &entry : options.entries)
    if (!llvm::is_contained(known, entry))
      return fail(CompileFailure::Input, input,
                  "the model has no entry point '" + entry + "'" +
                      suggestName(entry, known) + "; it has " +
                      llvm::join(known, ", "));
  return success();
}

LogicalResult Compilation::checkModelOfRecipe() {
  if (!options.compresses() && !options.replay && options.recipe.empty() &&
      !options.needsRanges())
    return success();
  report.hash = hashModel(*module);
  beginRecipe(options, report);
  if (!options.replay)
    return success();
  LogicalResult result =
      checkRecipeOfModel(*module, *options.replay, getRecipeFile(), report);
  if (failed(result))
    report.failure = CompileFailure::Input;
  return result;
}

/// What is said of single layers is of layers that there are.
LogicalResult Compilation::checkAlgorithms() {
  std::vector<StringRef> known;
  for (const LayerReport &layer : report.layers)
    known.push_back(layer.name);
  auto check = [&](ArrayRef<std::string> texts, StringRef option) {
    for (StringRef text : texts) {
      if (!text.contains('='))
        continue;
      StringRef layer = text.rsplit('=').first;
      if (!llvm::is_contained(known, layer))
        return fail(CompileFailure::Input, input,
                    option + ": the model has no layer '" + layer + "'" +
                        suggestName(layer, known));
    }
    return LogicalResult::success();
  };
  if (failed(check(options.algorithms, "--algorithm")))
    return failure();
  // A recipe may say more than is compiled; it is checked by its lines.
  return options.getReplayedKinds()
             ? success()
             : check(options.quantizeLayers, "--quantize-layer");
}

LogicalResult Compilation::loadRanges() {
  if (!options.needsRanges())
    return success();
  auto table = readRanges(options, report.recipe, &context);
  if (failed(table)) {
    report.failure = CompileFailure::Input;
    return failure();
  }
  options.rangeTable = std::move(*table);
  return success();
}

LogicalResult Compilation::tune() {
  if (options.tune.empty() || options.emit < Stage::Fuse)
    return success();
  Timer timer(report.times, "tune");
  bool dynamic = false;
  auto table = measureLayers(*module, options, report, observer, dynamic);
  if (!table)
    return fail(table.takeError(), options.tune);
  if (dynamic)
    emitRemark(FileLineColLoc::get(&context, input, 0, 0))
        << "the sizes of images are dynamic: convolutions are measured for "
           "results of "
        << kNominalSize << "x" << kNominalSize
        << "; --size=HxW measures them for images of one size";
  report.tuning = std::move(*table);
  llvm::Error error = writeFile(options.tune, options.removeFilesOnSignal,
                                [&](llvm::raw_pwrite_stream &out) {
                                  report.tuning.print(out);
                                  return llvm::Error::success();
                                });
  return error ? fail(std::move(error), options.tune) : success();
}

void Compilation::warnOfUnusedTable() {
  bool any = false, model = false;
  for (const AlgorithmReport &row : report.algorithms) {
    any |= row.source == AlgorithmSource::Tuned;
    model |= row.source == AlgorithmSource::Model;
  }
  if (!options.tuned.empty() && model && !any)
    emitWarning(FileLineColLoc::get(&context, options.tuned, 0, 0))
        << "no convolution of the model has a shape of this table; was it "
           "measured for another model or another --size?";
}

LogicalResult Compilation::passes(Stage which,
                                  function_ref<void(PassManager &)> build) {
  if (which > options.emit)
    return success();
  PassManager pm(&context, ModuleOp::getOperationName());
  build(pm);
  std::string pipeline;
  llvm::raw_string_ostream text(pipeline);
  pm.printAsTextualPipeline(text);
  observer.beginStage(which, *module, pipeline);
  observer.configure(which, pm);
  // Once a stage is enough: a reproducer, run by vae-opt, verifies after every
  // pass.
  pm.enableVerifier(false);
  {
    Timer timer(report.times, getStageName(which));
    bool passed = succeeded(pm.run(*module));
    if (!passed || failed(verify(*module))) {
      // What is asked for may be more than can be removed.
      report.failure = !passed && which == Stage::Compress
                           ? CompileFailure::Input
                           : CompileFailure::Internal;
      return failure();
    }
  }
  return dump(which);
}

LogicalResult Compilation::writeMasks() {
  auto masks = selectMasks(*module, options, views);
  if (failed(masks)) {
    report.failure = CompileFailure::Input;
    return failure();
  }
  std::string failed;
  llvm::Error error =
      vae::writeMasks(*masks, options, report.model, report.hash, failed);
  return error ? fail(std::move(error), failed) : success();
}

LogicalResult Compilation::compress() {
  bool active = options.compresses() && options.emit >= Stage::Compress;
  if (active && prunes(options))
    reportPruning(*module, /*after=*/false,
                  getAlgorithmRules(options, report.tuning), report);
  if (active && !options.writeMasks.empty() && failed(writeMasks()))
    return failure();
  if (failed(passes(Stage::Compress,
                    [&](auto &pm) { buildCompress(pm, options); })))
    return failure();
  if (active && failed(finishCompression(*module, options, report))) {
    report.failure = CompileFailure::Input;
    return failure();
  }
  return success();
}

LogicalResult Compilation::finishQuantization() {
  if (options.quantize == Quantize::None)
    return success();
  const QuantizeStep *step = options.getReplayedKinds();
  if (!step) {
    report.recipe.steps.emplace_back(
        describeQuantization(*module, options, report));
    return success();
  }
  LogicalResult result = checkKinds(*step, report, getRecipeFile(), context);
  if (failed(result))
    report.failure = CompileFailure::Input;
  return result;
}

LogicalResult Compilation::writeRecipe() {
  if (options.recipe.empty())
    return success();
  if (report.recipe.steps.empty())
    emitWarning(FileLineColLoc::get(&context, options.recipe, 0, 0))
        << "nothing was decided: the recipe has no steps";
  std::string failed;
  llvm::Error error = vae::writeRecipe(report.recipe, options, failed);
  return error ? fail(std::move(error), failed) : success();
}

LogicalResult Compilation::runPasses() {
  if (failed(passes(Stage::Simplify,
                    [&](auto &pm) { buildSimplify(pm, options); })))
    return failure();
  reportParameters(*module, report);
  if (failed(compress()) || failed(loadRanges()) || failed(tune()) ||
      failed(passes(Stage::Fuse,
                    [&](auto &pm) { buildFuse(pm, options, report.tuning); })))
    return failure();
  if (options.emit >= Stage::Fuse) {
    reportFusion(*module, getAlgorithmRules(options, report.tuning), report);
    warnOfUnusedTable();
    if (failed(finishQuantization()))
      return failure();
  }
  if (report.cpus.size() > 1 && options.emit >= Stage::Kernels)
    (*module)->setAttr(kVersionsAttr, describeVersions(report.cpus, &context));
  const KernelTarget &target = report.cpus.front().kernels;
  if (failed(passes(Stage::Kernels,
                    [&](auto &pm) { buildKernels(pm, options, target); })) ||
      failed(
          passes(Stage::Buffers, [&](auto &pm) { buildBuffers(pm, options); })))
    return failure();
  if (options.emit > Stage::Kernels)
    releaseWeights();
  if (options.emit >= Stage::Buffers)
    reportEntries(*module, report);
  if (failed(passes(Stage::LLVM, [&](auto &pm) { buildLLVM(pm, options); })))
    return failure();
  if (options.emit >= Stage::LLVM)
    report.cpus = getVersions(*module, report.cpus.front());
  return success();
}

void Compilation::releaseWeights() {
  if (!options.exclusiveContext)
    return;
  ResourceSet used = collectResources(*module);
  releaseResources(weights, used);
  weights = std::move(used);
}

static OpPrintingFlags printingFlags() {
  OpPrintingFlags flags;
  flags.elideLargeResourceString(0);
  flags.elideLargeElementsAttrs(16);
  return flags;
}

LogicalResult Compilation::dump(Stage which) {
  if (options.dumpStages.empty())
    return success();
  if (std::error_code code =
          llvm::sys::fs::create_directories(options.dumpStages))
    return fail(CompileFailure::Input, options.dumpStages,
                "the folder cannot be made: " + code.message());
  SmallString<128> path(options.dumpStages);
  int number = static_cast<int>(which) - static_cast<int>(Stage::Import);
  llvm::sys::path::append(path,
                          Twine(number) + "-" + getStageName(which) + ".mlir");
  llvm::Error error = writeFile(path, options.removeFilesOnSignal,
                                [&](llvm::raw_pwrite_stream &out) {
                                  module->print(out, printingFlags());
                                  return llvm::Error::success();
                                });
  return error ? fail(std::move(error), path) : success();
}

LogicalResult Compilation::writeIR() {
  llvm::Error error = writeFile(output, options.removeFilesOnSignal,
                                [&](llvm::raw_pwrite_stream &out) {
                                  module->print(out, printingFlags());
                                  return llvm::Error::success();
                                });
  return error ? fail(std::move(error), output) : success();
}

std::string Compilation::getWeightsPath() const {
  SmallString<128> path(output);
  if (output == "-")
    path = llvm::sys::path::stem(input);
  llvm::sys::path::replace_extension(path, "safetensors");
  return path.str().str();
}

/// The tensors in use go into a file beside the model; standard output has no
/// such place, there they are only named.
LogicalResult Compilation::writeJson() {
  const std::vector<const WeightTensor *> &used = document.weights.getUsed();
  llvm::erase_if(document.root.members, [](const JsonValue::Member &member) {
    return member.key == "weights";
  });
  if (!used.empty()) {
    std::string path = getWeightsPath();
    document.root.set(
        "weights", JsonValue::makeString(llvm::sys::path::filename(path), {}));
    if (output != "-")
      if (llvm::Error error =
              writeFile(path, options.removeFilesOnSignal, [&](auto &out) {
                writeSafetensors(used, out);
                return llvm::Error::success();
              }))
        return fail(std::move(error), path);
  }
  llvm::Error error =
      writeFile(output, options.removeFilesOnSignal, [&](auto &out) {
        printJson(document.root, out);
        return llvm::Error::success();
      });
  return error ? fail(std::move(error), output) : success();
}

//===----------------------------------------------------------------------===//
// Machine code
//===----------------------------------------------------------------------===//

LogicalResult Compilation::step(StringRef name,
                                function_ref<llvm::Error()> body) {
  Timer timer(report.steps, name);
  llvm::Error error = body();
  return error ? fail(std::move(error), output) : success();
}

/// The text includes the weights from a file beside it; standard output has no
/// such place.
LogicalResult Compilation::writeAssembly(CodeGenerator &generator) {
  std::string weights = (output + ".weights").str();
  if (output == "-") {
    weights = (llvm::sys::path::stem(input) + ".s.weights").str();
  } else if (llvm::Error error = writeFile(weights, options.removeFilesOnSignal,
                                           [&](llvm::raw_pwrite_stream &out) {
                                             vae::writeWeights(*module, out);
                                             return llvm::Error::success();
                                           })) {
    return fail(std::move(error), weights);
  }
  return step("codegen", [&] {
    return writeFile(output, options.removeFilesOnSignal,
                     [&](llvm::raw_pwrite_stream &out) {
                       return generator.emitAssembly(
                           llvm::sys::path::filename(weights), out);
                     });
  });
}

LogicalResult Compilation::writeObjects(CodeGenerator &generator) {
  std::vector<CodeGenerator::Object> objects;
  std::optional<TemporaryFile> linked;
  auto kind = options.emit == Stage::So ? LinkKind::SharedLibrary
                                        : LinkKind::Relocatable;
  if (failed(step("codegen", [&] { return generator.emitObjects(objects); })) ||
      failed(step("link", [&]() -> llvm::Error {
        auto file =
            linkCode(objects, {report.weightBytes, report.cpus.front(), kind},
                     output, options.removeFilesOnSignal);
        if (!file)
          return file.takeError();
        linked.emplace(std::move(*file));
        return llvm::Error::success();
      })))
    return failure();
  objects.clear();
  return step("write", [&] {
    return writeLinked(*linked, *module, output, options.removeFilesOnSignal);
  });
}

LogicalResult Compilation::writeMachineCode() {
  PassManager replay(&context, ModuleOp::getOperationName());
  const Cpu &cpu = report.cpus.front();
  replay.addPass(createEmitMachineCodePass(cpu, options.optLevel));
  std::string pipeline;
  llvm::raw_string_ostream text(pipeline);
  replay.printAsTextualPipeline(text);
  observer.beginStage(options.emit, *module, pipeline);
  report.weightBytes = getWeightsSize(*module);
  Timer timer(report.times, getStageName(options.emit));
  CodeGenerator generator(cpu, options.optLevel);
  if (failed(step("translate", [&] { return generator.translate(*module); })))
    return failure();
  return options.emit == Stage::Asm ? writeAssembly(generator)
                                    : writeObjects(generator);
}

LogicalResult Compilation::run() {
  // A recipe may say what CPUs must have.
  if (failed(checkRecipe()))
    return failure();
  auto cpus = resolveTargets(options);
  if (!cpus)
    return fail(CompileFailure::Usage, "vaec", toString(cpus.takeError()));
  report.cpus = std::move(*cpus);
  if (llvm::Error error = checkOutput(output))
    return fail(std::move(error), output);
  if (failed(checkTuning()) || failed(importModel()))
    return failure();
  if (options.emit == Stage::Json)
    return writeJson();
  if (failed(runPasses()) ||
      failed(options.emit <= Stage::LLVM ? writeIR() : writeMachineCode()) ||
      failed(writeRecipe()))
    return failure();
  uint64_t size = 0;
  if (output != "-" && !llvm::sys::fs::file_size(output, size))
    report.outputBytes = size;
  return success();
}

} // namespace

LogicalResult vae::compileModel(StringRef input, StringRef output,
                                const CompileOptions &options,
                                MLIRContext &context, CompileReport *report,
                                CompileObserver *observer) {
  CompileReport ownReport;
  CompileObserver ownObserver;
  return Compilation(input, output, options, context,
                     report ? *report : ownReport,
                     observer ? *observer : ownObserver)
      .run();
}
