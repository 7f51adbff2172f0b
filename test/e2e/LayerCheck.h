// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model should compute, from the reference interpreter: entry points as
// they were imported, and each operation that is left after fusion.
#ifndef TEST_E2E_LAYERCHECK_H
#define TEST_E2E_LAYERCHECK_H

#include "compiler/pipeline/Pipeline.h"
#include "compiler/reference/Interpreter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace vae::test {

/// How far a tensor is from what it should be.
struct Difference {
  /// L2 norm over the elements that are finite in both, relative to that of the
  /// magnitudes; these are the expected values themselves if not given.
  double error = 0;
  /// NaN where there should be none or the other way round, likewise infinity.
  int64_t misplaced = 0;
  /// The first of these elements, else the one that is off the most.
  size_t first = 0;

  bool within(double limit) const { return misplaced == 0 && error <= limit; }
};
Difference compare(const reference::Tensor &found,
                   const reference::Tensor &expected,
                   const reference::Tensor *magnitude = nullptr);

/// What is wrong, in words; empty if nothing is. `worst` is raised to the
/// largest error relative to its limit.
class LayerCheck {
public:
  /// Imports the model and runs the stages up to fuse. `error` says why not.
  LayerCheck(const std::string &path, const CompileOptions &options,
             mlir::MLIRContext &context, std::string &error);

  /// Checks every operation of an entry point by itself: the interpreter gets
  /// the operands that the library computed, so that errors do not add up and
  /// limits can be tight. `outputs` are those of a library that exposes layers.
  std::string checkLayers(llvm::StringRef entry,
                          llvm::ArrayRef<reference::Tensor> inputs,
                          llvm::ArrayRef<reference::Tensor> outputs,
                          double &worst);

  /// Checks the results of an entry point as it was imported: no stage may
  /// change what a model means. `outputs` may have more tensors behind them.
  std::string checkEntry(llvm::StringRef entry,
                         llvm::ArrayRef<reference::Tensor> inputs,
                         llvm::ArrayRef<reference::Tensor> outputs,
                         double &worst);

private:
  /// What the interpreter makes of one operation. `positive`: of absolute
  /// values in the place of operands and weights, before the activation.
  llvm::Expected<std::vector<reference::Tensor>>
  interpretAlone(mlir::Operation *op,
                 llvm::ArrayRef<reference::Tensor> operands, bool positive);
  llvm::Expected<reference::Tensor>
  getMagnitude(mlir::Operation *op, llvm::ArrayRef<reference::Tensor> operands,
               const reference::Tensor &result);

  mlir::OwningOpRef<mlir::ModuleOp> imported, fused, scratch;
};

} // namespace vae::test

#endif // TEST_E2E_LAYERCHECK_H
