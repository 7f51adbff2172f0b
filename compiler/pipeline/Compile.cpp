// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the stages and writes the result.
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/target/cpu/Codegen.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;
using namespace vae;

namespace {

/// Removes a file unless told to keep it.
class TemporaryFile {
public:
  /// A new, empty file next to `base`.
  static llvm::Expected<TemporaryFile> create(StringRef base,
                                              StringRef suffix) {
    SmallString<128> path;
    if (std::error_code code =
            llvm::sys::fs::createUniqueFile(base + ".%%%%%%" + suffix, path))
      return llvm::createFileError(base, code);
    return TemporaryFile(path);
  }
  TemporaryFile(TemporaryFile &&other) : path(std::move(other.path)) {
    other.path.clear();
  }
  ~TemporaryFile() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
  StringRef getPath() const { return path; }
  /// Puts the file in the place of `target`, at once.
  llvm::Error moveTo(StringRef target) {
    if (std::error_code code = llvm::sys::fs::rename(path, target))
      return llvm::createFileError(target, code);
    path.clear();
    return llvm::Error::success();
  }

private:
  explicit TemporaryFile(StringRef path) : path(path.str()) {}
  std::string path;
};

class Compilation {
public:
  Compilation(StringRef input, StringRef output, const CompileOptions &options,
              MLIRContext &context, CompileReport &report)
      : input(input), output(output), options(options), context(context),
        report(report) {}

  LogicalResult run();

private:
  LogicalResult error(const Twine &message) {
    return emitError(FileLineColLoc::get(&context, output, 0, 0)) << message;
  }
  LogicalResult error(llvm::Error failure) {
    return error(llvm::toString(std::move(failure)));
  }
  /// Runs and times a stage; the result says whether it was the last.
  LogicalResult stage(Stage which, function_ref<LogicalResult()> body);
  LogicalResult passes(Stage which, function_ref<void(PassManager &)> build);
  LogicalResult dump(Stage which);
  LogicalResult writeIR();
  LogicalResult writeMachineCode();
  LogicalResult
  writeFile(function_ref<llvm::Error(llvm::raw_fd_ostream &)> body);

  StringRef input, output;
  const CompileOptions &options;
  MLIRContext &context;
  CompileReport &report;
  OwningOpRef<ModuleOp> module;
};

LogicalResult Compilation::stage(Stage which,
                                 function_ref<LogicalResult()> body) {
  auto start = std::chrono::steady_clock::now();
  if (failed(body()))
    return failure();
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  report.times.push_back({getStageName(which).str(), elapsed.count()});
  return dump(which);
}

LogicalResult Compilation::passes(Stage which,
                                  function_ref<void(PassManager &)> build) {
  if (which > options.emit)
    return success();
  return stage(which, [&] {
    PassManager pm(&context);
    build(pm);
    return pm.run(*module);
  });
}

static OpPrintingFlags printingFlags() {
  OpPrintingFlags flags;
  flags.elideLargeResourceString(0);
  flags.elideLargeElementsAttrs(16);
  return flags;
}

LogicalResult Compilation::dump(Stage which) {
  if (options.dumpStages.empty() || which > Stage::LLVM)
    return success();
  if (std::error_code code =
          llvm::sys::fs::create_directories(options.dumpStages))
    return error(llvm::createFileError(options.dumpStages, code));
  SmallString<128> path(options.dumpStages);
  llvm::sys::path::append(path, Twine(static_cast<int>(which)) + "-" +
                                    getStageName(which) + ".mlir");
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code)
    return error(llvm::createFileError(path, code));
  module->print(out, printingFlags());
  return success();
}

LogicalResult
Compilation::writeFile(function_ref<llvm::Error(llvm::raw_fd_ostream &)> body) {
  if (output == "-") {
    llvm::Error failure = body(llvm::outs());
    return failure ? error(std::move(failure)) : success();
  }
  auto file = TemporaryFile::create(output, ".tmp");
  if (!file)
    return error(file.takeError());
  std::error_code code;
  llvm::raw_fd_ostream out(file->getPath(), code);
  if (code)
    return error(llvm::createFileError(file->getPath(), code));
  llvm::Error failure = body(out);
  out.close();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    consumeError(std::move(failure));
    return error(llvm::createFileError(output, code));
  }
  if (!failure)
    failure = file->moveTo(output);
  return failure ? error(std::move(failure)) : success();
}

LogicalResult Compilation::writeIR() {
  return writeFile([&](llvm::raw_fd_ostream &out) {
    module->print(out, printingFlags());
    return llvm::Error::success();
  });
}

LogicalResult Compilation::writeMachineCode() {
  bool temporary = options.emit != Stage::Asm;
  SmallString<128> weightsPath(output == "-" ? "model" : output);
  std::optional<TemporaryFile> weights, object, library;
  auto make = [&](std::optional<TemporaryFile> &file, StringRef suffix) {
    auto made = TemporaryFile::create(weightsPath, suffix);
    if (!made)
      return error(made.takeError());
    file.emplace(std::move(*made));
    return success();
  };
  if (temporary) {
    if (failed(make(weights, ".weights")))
      return failure();
    if (llvm::Error failed = writeWeights(*module, weights->getPath()))
      return error(std::move(failed));
  }
  llvm::LLVMContext llvmContext;
  auto translated = translateToLLVM(
      *module, report.cpu, options.optLevel,
      weights ? weights->getPath() : StringRef("weights.bin"), llvmContext);
  if (!translated)
    return error(translated.takeError());
  auto emit = [&](llvm::raw_fd_ostream &out) {
    return emitMachineCode(**translated, report.cpu, options.emit == Stage::Asm,
                           out);
  };
  if (options.emit != Stage::So)
    return writeFile(emit);
  if (failed(make(object, ".o")) || failed(make(library, ".so")))
    return failure();
  std::error_code code;
  llvm::raw_fd_ostream out(object->getPath(), code);
  if (code)
    return error(llvm::createFileError(object->getPath(), code));
  llvm::Error failed = emit(out);
  out.close();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    consumeError(std::move(failed));
    return error(llvm::createFileError(object->getPath(), code));
  }
  if (!failed)
    failed = linkLibrary(object->getPath(), library->getPath());
  if (!failed)
    failed = library->moveTo(output);
  return failed ? error(std::move(failed)) : success();
}

LogicalResult Compilation::run() {
  auto cpu = resolveCpu(options.cpu, options.triple);
  if (!cpu)
    return error(cpu.takeError());
  report.cpu = *cpu;
  if (failed(stage(Stage::Import, [&]() -> LogicalResult {
        ImportOptions importOptions;
        importOptions.allowNonfinite = options.allowNonfinite;
        module = importNativeModel(input, importOptions, context);
        return success(static_cast<bool>(module));
      })))
    return failure();
  if (failed(passes(Stage::Simplify,
                    [&](auto &pm) { buildSimplify(pm, options); })) ||
      failed(passes(Stage::Compress,
                    [&](auto &pm) { buildCompress(pm, options); })) ||
      failed(passes(Stage::Fuse, [&](auto &pm) { buildFuse(pm, options); })) ||
      failed(passes(
          Stage::Kernels,
          [&](auto &pm) { buildKernels(pm, options, report.cpu.kernels); })) ||
      failed(passes(Stage::Buffers,
                    [&](auto &pm) { buildBuffers(pm, options); })) ||
      failed(passes(Stage::LLVM, [&](auto &pm) { buildLLVM(pm, options); })))
    return failure();
  if (options.emit <= Stage::LLVM)
    return writeIR();
  return stage(options.emit, [&] { return writeMachineCode(); });
}

} // namespace

LogicalResult vae::compileModel(StringRef input, StringRef output,
                                const CompileOptions &options,
                                MLIRContext &context, CompileReport *report) {
  CompileReport local;
  return Compilation(input, output, options, context, report ? *report : local)
      .run();
}
