// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measuring a model's convolutions by each algorithm: docs/design/tuning.md.
#ifndef COMPILER_PIPELINE_TUNE_H
#define COMPILER_PIPELINE_TUNE_H

#include "compiler/pipeline/Pipeline.h"

namespace vae {

/// Whether code for these machines can be measured here, and there is something
/// to measure. The message says what to do.
llvm::Error checkTunable(const CompileOptions &options,
                         llvm::ArrayRef<Cpu> cpus);

/// Reads `options.tuned`. Refuses a table of other code than is compiled for
/// `cpu`, and warns of one of another CPU or compiler.
llvm::FailureOr<TuningTable> readTuningTable(const CompileOptions &options,
                                             const Cpu &cpu,
                                             mlir::MLIRContext &context);

/// Measures the convolutions of a module, as it is before the stage `fuse`, and
/// gives them beside those of the table that was read. `dynamic`: whether sizes
/// were assumed. Errors with a system's code are about the file.
llvm::Expected<TuningTable> measureLayers(mlir::ModuleOp module,
                                          const CompileOptions &options,
                                          const CompileReport &report,
                                          CompileObserver &observer,
                                          bool &dynamic);

} // namespace vae

#endif // COMPILER_PIPELINE_TUNE_H
