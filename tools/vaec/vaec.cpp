// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec: compiles a model to a shared library.
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"

#include "CLI/CLI.hpp"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace vae;

namespace {

/// Exit codes: docs/cli.md.
enum ExitCode { kOk = 0, kUserError = 1, kUsage = 2, kBug = 70 };

std::string stageList() {
  std::string text;
#define VAE_STAGE(NAME, IDENTIFIER, DESCRIPTION)                               \
  text += std::string(text.empty() ? "" : ", ") + NAME;
#include "compiler/pipeline/Stages.def"
  return text;
}

struct Arguments {
  std::string input, output, emit = "so", entries;
  CompileOptions options;
};

void addOptions(CLI::App &app, Arguments &a) {
  app.add_option("model", a.input,
                 "The model: a JSON file (docs/model-format.md)")
      ->required()
      ->option_text("MODEL");
  app.add_option("-o,--output", a.output,
                 "Output file; default: the model's name with the ending of "
                 "what is emitted")
      ->option_text("FILE");
  app.add_option("--entry", a.entries,
                 "Entry points to compile, separated by commas; default: all")
      ->option_text("NAMES");
  app.add_flag("--allow-nonfinite", a.options.allowNonfinite,
               "Accept NaN and infinite weights");

  const std::string code = "Code generation";
  app.add_option("--mcpu", a.options.cpu,
                 "CPU to compile for: native, x86-64-v3, x86-64-v4, or any "
                 "that LLVM knows; default native")
      ->option_text("CPU")
      ->group(code);
  app.add_option("--mtriple", a.options.triple,
                 "Target triple; default: this machine, or the architecture "
                 "that has the CPU")
      ->option_text("TRIPLE")
      ->group(code);
  app.add_flag("--exact-conv", a.options.exactConv,
               "Forbid forms of convolution that are faster but less exact")
      ->group(code);

  const std::string look = "Looking inside";
  app.add_option("--emit,--stop-after", a.emit,
                 "What to write: " + stageList() + "; default so")
      ->option_text("STAGE")
      ->group(look);
  app.add_option("--dump-stages", a.options.dumpStages,
                 "Write the IR after every stage into a folder")
      ->option_text("DIR")
      ->group(look);
  app.add_flag("--expose-layers", a.options.exposeLayers,
               "Make the result of every layer an output, for comparison")
      ->group(look);
}

std::string defaultOutput(const Arguments &a) {
  if (a.options.emit <= Stage::LLVM)
    return "-";
  llvm::SmallString<64> path(llvm::sys::path::filename(a.input));
  llvm::sys::path::replace_extension(path, a.options.emit == Stage::Asm ? "s"
                                           : a.options.emit == Stage::Obj
                                               ? "o"
                                               : "so");
  return path.str().str();
}

/// file:line:col: error: message
void printDiagnostic(mlir::Diagnostic &diagnostic) {
  mlir::Location location = diagnostic.getLocation();
  mlir::FileLineColLoc position;
  location->walk([&](mlir::Location part) {
    position = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    return position ? mlir::WalkResult::interrupt()
                    : mlir::WalkResult::advance();
  });
  if (position) {
    llvm::errs() << position.getFilename().getValue() << ":";
    if (position.getLine())
      llvm::errs() << position.getLine() << ":" << position.getColumn() << ":";
    llvm::errs() << " ";
  }
  const char *kind =
      diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error ? "error"
      : diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning
          ? "warning"
          : "note";
  llvm::errs() << kind << ": " << diagnostic.str() << "\n";
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    printDiagnostic(note);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  CLI::App app("vaec compiles a variational autoencoder to a shared library.");
  app.set_version_flag("--version", "vaec " VAEC_VERSION);
  Arguments arguments;
  unsigned level = 2;
  // -O3 and -O 3.
  app.add_option("-O,--opt-level", level,
                 "Optimization: 0 (direct, no fusion) to 3; default 2")
      ->option_text("LEVEL")
      ->check(CLI::Range(0, 3))
      ->group("Code generation");
  addOptions(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  auto stage = getStage(arguments.emit);
  if (!stage) {
    llvm::errs() << "vaec: error: unknown stage '" << arguments.emit
                 << "'; stages are " << stageList() << "\n";
    return kUsage;
  }
  arguments.options.emit = *stage;
  arguments.options.optLevel = level;
  llvm::SmallVector<llvm::StringRef> names;
  llvm::StringRef(arguments.entries).split(names, ',', -1, false);
  arguments.options.entries.assign(names.begin(), names.end());
  if (arguments.output.empty())
    arguments.output = defaultOutput(arguments);

  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    printDiagnostic(diagnostic);
    return mlir::success();
  });
  bool ok = succeeded(compileModel(arguments.input, arguments.output,
                                   arguments.options, context));
  return ok ? kOk : kUserError;
}
