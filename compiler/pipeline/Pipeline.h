// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a model to a library, stage by stage.
#ifndef COMPILER_PIPELINE_PIPELINE_H
#define COMPILER_PIPELINE_PIPELINE_H

#include "compiler/conversion/AlgorithmChooser.h"
#include "compiler/pipeline/Options.h"
#include "compiler/pipeline/Report.h"
#include "compiler/target/cpu/Cpu.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringRef.h"

namespace vae {

llvm::StringRef getStageName(Stage stage);
llvm::StringRef getStageDescription(Stage stage);
std::optional<Stage> getStage(llvm::StringRef name);

/// The machines to compile for, from the least to the most demanding one:
/// options cpus, triple, vectorWidth and tile. Errors say which of them is
/// wrong and what would do.
llvm::Expected<std::vector<Cpu>> resolveTargets(const CompileOptions &options);
/// The most demanding of them: what all versions of the code share is chosen
/// for it.
llvm::Expected<Cpu> resolveTarget(const CompileOptions &options);

/// What decides about algorithms. For the most demanding machine; an unknown
/// one gets the defaults.
AlgorithmRules getAlgorithmRules(const CompileOptions &options,
                                 const TuningTable &tuning);

/// The passes of one stage; empty for stages that are not passes.
void buildSimplify(mlir::OpPassManager &pm, const CompileOptions &options);
void buildCompress(mlir::OpPassManager &pm, const CompileOptions &options);
void buildFuse(mlir::OpPassManager &pm, const CompileOptions &options);
void buildFuse(mlir::OpPassManager &pm, const CompileOptions &options,
               const TuningTable &tuning);
void buildKernels(mlir::OpPassManager &pm, const CompileOptions &options,
                  const KernelTarget &target);
void buildBuffers(mlir::OpPassManager &pm, const CompileOptions &options);
void buildLLVM(mlir::OpPassManager &pm, const CompileOptions &options);

/// Registers the pass pipelines `vae-<stage>` for textual use, at the default
/// optimization level and for this machine.
void registerStagePipelines();

/// Follows a compilation. The methods run on the thread that compiles.
class CompileObserver {
public:
  virtual ~CompileObserver() = default;
  /// A stage begins. `before` is the IR that it reads (none for the import) and
  /// `pipeline` its passes, as vae-opt reads them.
  virtual void beginStage(Stage stage, mlir::ModuleOp before,
                          llvm::StringRef pipeline) {}
  /// The passes of a stage, before they run: a place for instrumentation.
  virtual void configure(Stage stage, mlir::PassManager &passes) {}
  /// --tune goes on: `what` is being done, `done` of `total` is.
  virtual void tune(llvm::StringRef what, size_t done, size_t total) {}
};

/// Compiles the model at `input`, or the one that `options.files` names (then
/// `input` is only what messages call it), and writes `options.emit` to
/// `output` ("-": standard output, for text). Diagnostics go to the context's
/// engine; on failure nothing is left behind, an older output stays whole, and
/// the report says who is to blame. Thread safety: one context a thread.
llvm::LogicalResult compileModel(llvm::StringRef input, llvm::StringRef output,
                                 const CompileOptions &options,
                                 mlir::MLIRContext &context,
                                 CompileReport *report = nullptr,
                                 CompileObserver *observer = nullptr);

} // namespace vae

#endif // COMPILER_PIPELINE_PIPELINE_H
