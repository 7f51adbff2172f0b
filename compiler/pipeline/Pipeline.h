// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a model to a library, stage by stage.
#ifndef COMPILER_PIPELINE_PIPELINE_H
#define COMPILER_PIPELINE_PIPELINE_H

#include "compiler/pipeline/Options.h"
#include "compiler/target/cpu/Cpu.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringRef.h"

namespace vae {

llvm::StringRef getStageName(Stage stage);
llvm::StringRef getStageDescription(Stage stage);
std::optional<Stage> getStage(llvm::StringRef name);

/// The passes of one stage; empty for stages that are not passes.
void buildSimplify(mlir::OpPassManager &pm, const CompileOptions &options);
void buildCompress(mlir::OpPassManager &pm, const CompileOptions &options);
void buildFuse(mlir::OpPassManager &pm, const CompileOptions &options);
void buildKernels(mlir::OpPassManager &pm, const CompileOptions &options,
                  const KernelTarget &target);
void buildBuffers(mlir::OpPassManager &pm, const CompileOptions &options);
void buildLLVM(mlir::OpPassManager &pm, const CompileOptions &options);

/// Registers the pass pipelines `vae-<stage>` for textual use, at the default
/// optimization level and for this machine.
void registerStagePipelines();

/// What a compilation found out, for --report.
struct StageTime {
  std::string stage;
  double seconds;
};
struct CompileReport {
  std::vector<StageTime> times;
  Cpu cpu;
};

/// Compiles the model at `input` and writes `options.emit` to `output` ("-":
/// standard output, for text). Diagnostics go to the context's engine; on
/// failure nothing is left behind and an older output stays whole.
/// Thread safety: one context a thread.
llvm::LogicalResult compileModel(llvm::StringRef input, llvm::StringRef output,
                                 const CompileOptions &options,
                                 mlir::MLIRContext &context,
                                 CompileReport *report = nullptr);

} // namespace vae

#endif // COMPILER_PIPELINE_PIPELINE_H
