// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Vaec.h"

#include "compiler/pipeline/Files.h"
#include "compiler/pipeline/RegisterAll.h"
#include "compiler/pipeline/Reproducer.h"
#include "tools/vaec/ApplyRecipe.h"
#include "tools/vaec/Arguments.h"
#include "tools/vaec/AutoPrecision.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/Console.h"
#include "tools/vaec/FitWeights.h"
#include "tools/vaec/PrepareIntegers.h"
#include "tools/vaec/PrintReport.h"
#include "tools/vaec/Recovery.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace vae;
using namespace vae::tool;

namespace {
/// Shows the stage, keeps what a reproducer needs, lets MLIR's flags act.
class Observer : public CompileObserver {
public:
  Observer(Stage last, bool mlirFlags, ConfigureFn configurePasses,
           SeeFn seeStage)
      : last(last), mlirFlags(mlirFlags), configurePasses(configurePasses),
        seeStage(seeStage) {}

  void beginStage(Stage stage, mlir::ModuleOp before,
                  llvm::StringRef pipeline) override {
    current = getStageName(stage);
    progress.setStage(current, static_cast<unsigned>(stage),
                      static_cast<unsigned>(last) + 1);
    reproducer.record(before, pipeline);
    seeStage(stage, before);
  }

  void configure(Stage stage, mlir::PassManager &passes) override {
    configurePasses(stage, passes);
    if (!mlirFlags)
      return;
    mlir::applyDefaultTimingPassManagerCLOptions(passes);
    if (failed(mlir::applyPassManagerCLOptions(passes)))
      llvm::errs() << "vaec: warning: --mlir flags are not applied\n";
  }

  void tune(llvm::StringRef what, size_t done, size_t total) override {
    progress.setStage(("tune: " + what).str(), done, total);
  }

  Progress progress;
  Reproducer reproducer;
  llvm::StringRef current;

private:
  Stage last;
  bool mlirFlags;
  ConfigureFn configurePasses;
  SeeFn seeStage;
};
} // namespace

static void printCpus() {
  for (const CpuList &list : listCpus()) {
    llvm::outs() << list.triple << "\n";
    for (const std::string &name : list.names)
      llvm::outs() << "  " << name << "\n";
  }
}

/// Reads the flags of MLIR.
static bool parseMlirFlags(const Arguments &arguments) {
  registerAllPasses(); // for --mlir-print-ir-after=PASS
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  // Weights are not what anybody wants to see of a stage.
  std::vector<const char *> flags = {
      "vaec", "--mlir-elide-resource-strings-if-larger=0",
      "--mlir-elide-elementsattrs-if-larger=16"};
  for (const std::string &flag : arguments.mlirFlags)
    if (llvm::StringRef(flag).starts_with("--mlir-elide-resource"))
      flags.erase(flags.begin() + 1);
  for (const std::string &flag : arguments.mlirFlags)
    flags.push_back(flag.c_str());
  return llvm::cl::ParseCommandLineOptions(flags.size(), flags.data(), "",
                                           &llvm::errs());
}

/// Where a reproducer goes: beside the output, or else among temporary files.
static std::string writeReproducer(const Arguments &arguments,
                                   Reproducer &reproducer) {
  llvm::SmallString<128> path(arguments.output);
  if (path == "-")
    path = llvm::sys::path::stem(arguments.input);
  path += ".repro.mlir";
  auto write = [&](llvm::StringRef to) {
    return writeFile(to, /*removeOnSignal=*/false,
                     [&](llvm::raw_pwrite_stream &out) {
                       reproducer.write(out);
                       return llvm::Error::success();
                     });
  };
  llvm::Error error = write(path);
  if (!error)
    return path.str().str();
  llvm::SmallString<128> other;
  llvm::sys::path::system_temp_directory(/*erasedOnReboot=*/true, other);
  llvm::sys::path::append(other, llvm::sys::path::filename(path));
  if (llvm::Error again = write(other)) {
    llvm::errs() << "vaec: error: reproducer '" << path << "' "
                 << llvm::toString(std::move(error)) << "\n";
    consumeError(std::move(again));
    return "";
  }
  consumeError(std::move(error));
  return other.str().str();
}

/// Says that a stage has failed through no fault of the user's.
static ExitCode reportBug(const Arguments &arguments, Observer &observer,
                          llvm::StringRef reason) {
  llvm::errs() << "vaec: internal error: stage '" << observer.current
               << "' failed" << (reason.empty() ? "" : ": ") << reason << "\n"
               << "note: this is a bug of vaec " VAEC_VERSION
                  ", not of the model\n";
  if (observer.reproducer.isEmpty())
    return kBug;
  std::string path = writeReproducer(arguments, observer.reproducer);
  if (path.empty())
    return kBug;
  llvm::errs() << "note: please report it with the file '" << path
               << "', which holds the IR before the stage"
               << (observer.reproducer.omitsWeights()
                       ? ", zeros in the place of the weights"
                       : " and the weights")
               << "; this repeats the failure:\n"
               << "  vae-opt --run-reproducer " << path << "\n";
  return kBug;
}

ExitCode tool::compile(const Arguments &arguments, ConfigureFn configure,
                       CompileReport &report, SeeFn see) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  // Outside the recovery below: it must outlive a crash.
  Observer observer(arguments.options.emit, !arguments.mlirFlags.empty(),
                    configure, see);
  if (arguments.quiet)
    observer.progress.stop();
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (arguments.quiet &&
        diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
      return mlir::success();
    observer.progress.interrupt([&] { printDiagnostic(diagnostic); });
    return mlir::success();
  });
  bool ok = false;
  std::string crash = runRecoverably([&] {
    ok =
        succeeded(compileModel(arguments.input, arguments.output,
                               arguments.options, context, &report, &observer));
  });
  observer.progress.stop();
  if (!crash.empty() || report.failure == CompileFailure::Internal) {
    ExitCode code = reportBug(arguments, observer, crash);
    // After a crash nothing may be destroyed any more.
    if (!crash.empty())
      std::_Exit(code);
    return code;
  }
  if (ok)
    return kOk;
  return report.failure == CompileFailure::Usage ? kUsage : kInputError;
}

static ExitCode writeReport(const Arguments &arguments,
                            const CompileReport &report) {
  bool toFile = !arguments.reportFile.empty();
  llvm::StringRef path = toFile ? llvm::StringRef(arguments.reportFile) : "-";
  llvm::Error error = writeFile(path, /*removeOnSignal=*/true,
                                [&](llvm::raw_pwrite_stream &out) {
                                  if (toFile)
                                    printJsonReport(report, arguments, out);
                                  else
                                    printReport(report, arguments, out);
                                  return llvm::Error::success();
                                });
  if (!error)
    return kOk;
  llvm::errs() << (toFile ? path : "standard output")
               << ": error: " << llvm::toString(std::move(error)) << "\n";
  return kInputError;
}

static ExitCode writeRanges(const Arguments &arguments) {
  llvm::Error error =
      writeFile(arguments.writeRanges, /*removeOnSignal=*/true,
                [&](llvm::raw_pwrite_stream &out) {
                  printRangeTable(*arguments.options.rangeTable, out);
                  return llvm::Error::success();
                });
  return error ? failFile(arguments.writeRanges, std::move(error)) : kOk;
}

int vae::tool::runVaec(int argc, char **argv, ConfigureFn configure) {
  Process process(argc, argv);
  if (argc > 1 && llvm::StringRef(argv[1]) == "calibrate")
    return runCalibrate(argc - 1, argv + 1);
  Arguments arguments;
  arguments.options.removeFilesOnSignal = true;
  arguments.options.exclusiveContext = true;
  if (auto code = parseArguments(argc, argv, arguments))
    return *code;
  if (arguments.listCpus) {
    printCpus();
    llvm::outs().flush();
    llvm::outs().clear_error(); // a reader that has seen enough
    return kOk;
  }
  if (!arguments.mlirFlags.empty() && !parseMlirFlags(arguments))
    return kUsage;
  for (const std::string &file : {arguments.reportFile, arguments.writeRanges})
    if (!file.empty())
      if (llvm::Error error = checkOutput(file))
        return failFile(file, std::move(error));
  if (ExitCode code = readAppliedRecipe(arguments))
    return code;
  if (ExitCode code = decideCompression(arguments))
    return code;
  if (ExitCode code = prepareIntegers(arguments))
    return code;
  // Of the pruned model.
  if (arguments.options.needsRanges() && arguments.options.ranges.empty() &&
      !arguments.options.rangeTable)
    if (ExitCode code = arguments.maxDrop ? choosePrecisions(arguments)
                                          : calibrateFor(arguments))
      return code;
  if (!arguments.writeRanges.empty() && arguments.options.rangeTable)
    if (ExitCode code = writeRanges(arguments))
      return code;
  CompileReport report;
  ExitCode code = compile(arguments, configure, report);
  if (code == kOk && arguments.report)
    code = writeReport(arguments, report);
  return code;
}
