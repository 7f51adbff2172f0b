// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is needed to repeat a stage that failed.
#ifndef COMPILER_PIPELINE_REPRODUCER_H
#define COMPILER_PIPELINE_REPRODUCER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace vae {

/// A copy of the IR before a stage, with the passes of that stage. Constants
/// are shared with the original.
class Reproducer {
public:
  /// Weights of more bytes than this are not written: zeros stand for them.
  static constexpr int64_t kMaxWeightBytes = 16 << 20;

  /// Replaces what was recorded before.
  void record(mlir::ModuleOp module, llvm::StringRef pipeline);

  bool isEmpty() const { return !module; }
  /// Whether zeros stand for the weights.
  bool omitsWeights() const { return omitted; }

  /// Writes a file that `vae-opt --run-reproducer` runs.
  void write(llvm::raw_ostream &out);

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string pipeline;
  bool omitted = false;
};

} // namespace vae

#endif // COMPILER_PIPELINE_REPRODUCER_H
