// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Tune.h"

#include "compiler/pipeline/WriteLibrary.h"
#include "compiler/tune/Candidates.h"
#include "compiler/tune/Measure.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace vae;

static constexpr StringLiteral kCompiler = "vaec " VAEC_VERSION;

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

llvm::Error vae::checkTunable(const CompileOptions &options,
                              ArrayRef<Cpu> cpus) {
  if (options.emit < Stage::Fuse)
    return llvm::createStringError(
        "--tune needs a stage from 'fuse' on: before it, no convolution has an "
        "algorithm");
  if (!getAlgorithmRules(options, TuningTable()).fast)
    return llvm::createStringError(
        options.exactConv
            ? "--tune and --exact-conv exclude each other: every convolution "
              "would be direct; leave one of them out"
            : "--tune needs -O2 or -O3: every convolution would be direct");
  if (cpus.size() > 1)
    return llvm::createStringError(
        "--tune measures code for one CPU, this one; leave --mcpu out, or use "
        "the table of another compilation with --tuned=FILE");
  auto host = resolveCpu("native", "");
  if (!host)
    return host.takeError();
  const Cpu &cpu = cpus.front();
  if (cpu.triple == host->triple && cpu.required == host->required)
    return llvm::Error::success();
  return llvm::createStringError(
      "--tune measures on this machine, " + host->name +
      ", and the code is for " + cpu.name +
      "; leave --mcpu and --mtriple out, or tune on such a machine and use its "
      "table here with --tuned=FILE");
}

FailureOr<TuningTable> vae::readTuningTable(const CompileOptions &options,
                                            const Cpu &cpu,
                                            MLIRContext &context) {
  Location place = FileLineColLoc::get(&context, options.tuned, 0, 0);
  auto file = llvm::MemoryBuffer::getFile(options.tuned, /*IsText=*/true);
  if (!file)
    return emitError(place) << "cannot be read: " << file.getError().message()
                            << "; vaec --tune=FILE writes a tuning table";
  auto table = TuningTable::parse((*file)->getBuffer(), options.tuned, context);
  if (failed(table))
    return failure();
  StringRef precision = stringifyPrecision(options.precision);
  if (!table->features.empty() && table->features != cpu.required)
    return emitError(place)
           << "measured for " << (table->cpu.empty() ? "a CPU" : table->cpu)
           << " with other features than " << cpu.name
           << " has, which the code is for; measure on such a machine with "
              "--tune=FILE, or remove the line of 'features' to use it "
              "nevertheless";
  if (!table->precision.empty() && table->precision != precision)
    return emitError(place) << "measured with precision " << table->precision
                            << ", but the model is compiled with " << precision
                            << "; measure again with --tune=FILE";
  if (!table->cpu.empty() && table->cpu != cpu.name)
    emitWarning(place) << "measured on " << table->cpu << ", used for "
                       << cpu.name << ": other algorithms may be faster there";
  if (!table->compiler.empty() && table->compiler != kCompiler)
    emitWarning(place) << "measured by " << table->compiler << ", this is "
                       << kCompiler
                       << ": measure again if kernels have changed";
  return table;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

namespace {
class Tuner {
public:
  Tuner(const CompileOptions &options, const Cpu &cpu,
        CompileObserver &observer, TuningTable table)
      : options(options), cpu(cpu), observer(observer), table(std::move(table)),
        candidates(cpu.kernels, this->table) {}

  llvm::Expected<TuningTable> run(ModuleOp module, bool &dynamic);

private:
  /// The convolutions of the model, computed by an algorithm.
  llvm::Error collect(ModuleOp module, const Algorithm &algorithm);
  /// Compiles the candidates and loads their code.
  llvm::Expected<LoadedLibrary> load();

  const CompileOptions &options;
  const Cpu &cpu;
  CompileObserver &observer;
  TuningTable table;
  Candidates candidates;
};
} // namespace

llvm::Error Tuner::collect(ModuleOp module, const Algorithm &algorithm) {
  OwningOpRef<ModuleOp> copy = module.clone();
  CompileOptions forced = options;
  forced.algorithms = {algorithm.str()};
  forced.storage = Storage::F32; // which ranks algorithms alike
  forced.quantize = Quantize::None;
  if (forced.precision == Precision::BFP16 && !cpu.kernels.wordDots)
    forced.precision = Precision::F32; // as the pass decides, and warns of once
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.enableVerifier(false);
  buildFuse(pm, forced);
  if (failed(pm.run(*copy)))
    return llvm::createStringError("the layers to measure cannot be fused");
  candidates.add(*copy, algorithm);
  return llvm::Error::success();
}

llvm::Expected<LoadedLibrary> Tuner::load() {
  ModuleOp module = candidates.getModule();
  CompileOptions simple = options;
  simple.exclusiveContext = false; // the model needs the weights, too
  simple.debugInfo = false;
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.enableVerifier(false);
  buildKernels(pm, simple, cpu.kernels);
  buildBuffers(pm, simple);
  buildLLVM(pm, simple);
  if (failed(verify(module)) || failed(pm.run(module)) ||
      failed(verify(module)))
    return llvm::createStringError("the layers to measure cannot be compiled");
  CodeGenerator generator(cpu, options.optLevel);
  std::vector<CodeGenerator::Object> objects;
  if (llvm::Error error = generator.translate(module))
    return error;
  if (llvm::Error error = generator.emitObjects(objects))
    return error;
  bool removeOnSignal = options.removeFilesOnSignal;
  auto linked = linkCode(objects,
                         {static_cast<int64_t>(getWeightsSize(module)), cpu,
                          LinkKind::SharedLibrary},
                         options.tune, removeOnSignal);
  if (!linked)
    return linked.takeError();
  auto library = TemporaryFile::create(options.tune, removeOnSignal);
  if (!library)
    return library.takeError();
  if (llvm::Error error =
          writeLinked(*linked, module, library->getPath(), removeOnSignal))
    return error;
  return LoadedLibrary::load(library->getPath());
}

llvm::Expected<TuningTable> Tuner::run(ModuleOp module, bool &dynamic) {
  AlgorithmRules rules = getAlgorithmRules(options, table);
  for (const Algorithm &algorithm : Algorithm::getAll())
    if (rules.allows(algorithm))
      if (llvm::Error error = collect(module, algorithm))
        return error;
  std::vector<CandidateLayer> layers = candidates.getLayers();
  if (!layers.empty()) {
    observer.tune("compiling layers", 0, layers.size());
    auto library = load();
    if (!library)
      return library.takeError();
    size_t done = 0;
    for (const CandidateLayer &layer : layers) {
      observer.tune(layer.name, done++, layers.size());
      dynamic |= layer.dynamic;
      std::vector<std::string> entries;
      for (const auto &[algorithm, entry] : layer.algorithms)
        entries.push_back(entry);
      auto times = library->measure(entries, layer.name);
      if (!times)
        return times.takeError();
      TunedLayer tuned;
      tuned.shape = layer.shape;
      for (size_t i = 0; i < entries.size(); ++i)
        tuned.times.push_back({layer.algorithms[i].first, (*times)[i]});
      tuned.choose();
      table.add(std::move(tuned));
    }
  }
  table.compiler = kCompiler.str();
  table.cpu = cpu.name;
  table.features = cpu.required;
  table.precision = stringifyPrecision(options.precision).str();
  return std::move(table);
}

llvm::Expected<TuningTable> vae::measureLayers(ModuleOp module,
                                               const CompileOptions &options,
                                               const CompileReport &report,
                                               CompileObserver &observer,
                                               bool &dynamic) {
  return Tuner(options, report.cpus.front(), observer, report.tuning)
      .run(module, dynamic);
}
