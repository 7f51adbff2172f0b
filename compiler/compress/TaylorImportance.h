// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much a model's loss depends on its units (neurons, channels), to first
// order.
#ifndef COMPILER_COMPRESS_TAYLORIMPORTANCE_H
#define COMPILER_COMPRESS_TAYLORIMPORTANCE_H

#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vae {

/// Scores units by what their removal changes of the loss,
///
///   s(u)^2 = 1/N sum_n (sum_e a_ne * dL_n/da_ne)^2
///
/// with a_ne the elements of u in example n, as the layers with weights read
/// them, and L_n = -ELBO the loss of the example (L. Theis et al., Faster gaze
/// prediction with dense networks and Fisher pruning, 1801.05787: what they sum
/// for a feature map, without the factor 1/2; P. Molchanov et al., Importance
/// Estimation for Neural Network Pruning, 1906.10771: the squared first-order
/// criterion for a gate behind the unit, by examples). Elements of units that
/// go together are summed before the square.
class TaylorImportance {
public:
  /// Of a module whose entry point `score` gives each example's ELBO, or its
  /// log-likelihood if there is no KL. Normalization is folded, and what it
  /// calls is inlined. The module must outlive the object.
  static llvm::Expected<TaylorImportance> create(mlir::ModuleOp module);

  /// The inputs of `score`, for the caller to fill in.
  mlir::func::FuncOp getScore() const { return score; }

  /// Adds a batch. Errors are those of Tape, and a loss that is no finite
  /// number.
  llvm::Error add(llvm::ArrayRef<reference::Tensor> inputs);

  /// s(u) of each layer's output units; 0 for those that the loss does not see
  /// and those that cannot be removed. Layers have the names of UnitFlow.
  std::vector<std::pair<std::string, std::vector<double>>> getScores() const;

private:
  /// A tensor as a layer reads it, which makes other units of it.
  struct Reader {
    int64_t axis = 0;
    /// Of an index on the axis: the place in `squares`; none for elements that
    /// are carried on or cannot be removed.
    llvm::SmallVector<std::optional<size_t>> units;
  };

  TaylorImportance(mlir::ModuleOp module, mlir::func::FuncOp score,
                   mlir::Value gain);
  void findReaders();

  mlir::func::FuncOp score;
  /// The result that is the negative loss.
  mlir::Value gain;
  UnitFlow flow;
  llvm::DenseMap<mlir::OpOperand *, Reader> readers;
  llvm::SmallVector<mlir::Value> wanted;
  llvm::DenseMap<Unit, size_t> places; // of roots
  std::vector<double> squares;
  int64_t examples = 0;
};

} // namespace vae

#endif // COMPILER_COMPRESS_TAYLORIMPORTANCE_H
