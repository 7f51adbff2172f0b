// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse-mode differentiation of functions of the vae dialect: the values of
// an execution are kept, and gradients flow back through them
// (docs/design/gradients.md).
#ifndef COMPILER_GRADIENT_TAPE_H
#define COMPILER_GRADIENT_TAPE_H

#include "compiler/reference/Interpreter.h"

namespace vae::gradient {

using reference::Tensor;

/// Gradients of some values, by value.
using Gradients = llvm::DenseMap<mlir::Value, Tensor>;

/// Sees what an operation passes back to one of its operands: this use's part
/// of the gradient of the operand's value. The tensor lives until it returns.
using SeePartFn =
    llvm::function_ref<void(mlir::OpOperand &operand, const Tensor &part)>;

class Tape {
public:
  /// Executes a function that calls no others, and keeps the values of all its
  /// operations. Values are those of the reference interpreter, to the rounding
  /// of sums in f64. Errors are its errors.
  static llvm::Expected<Tape> record(mlir::func::FuncOp function,
                                     llvm::ArrayRef<Tensor> inputs);

  /// The tensor of a value: an argument, a weight or a result of an operation.
  const Tensor &get(mlir::Value value) const;

  /// The gradients of the scalar
  ///
  ///   L = sum over s of <seeds[s], s>
  ///
  /// with respect to `wanted`: any values, and so weights. A value on which L
  /// does not depend gets zeros. Work is only done between `wanted` and the
  /// seeds. `see` is told of parts, among them those of all values in
  /// `wanted`, in reverse order of execution.
  ///
  /// Errors name place and layer: an operation on the way whose gradient is not
  /// known, or which has no f32, or a seed of another shape than its value.
  llvm::Expected<Gradients> differentiate(const Gradients &seeds,
                                          llvm::ArrayRef<mlir::Value> wanted,
                                          SeePartFn see = nullptr) const;

private:
  explicit Tape(mlir::func::FuncOp function) : function(function) {}

  llvm::Error passBack(mlir::Operation *op,
                       const llvm::DenseSet<mlir::Value> &needed,
                       Gradients &gradients, SeePartFn see) const;

  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, Tensor> values;
};

} // namespace vae::gradient

#endif // COMPILER_GRADIENT_TAPE_H
