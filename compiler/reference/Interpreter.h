// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter of the vae dialect: what "correct" means. Slow and
// literal: each op is written as its description in VaeOps.td says. Tensors
// hold f32; every element is computed in f64 and rounded once, when it is
// stored.
#ifndef COMPILER_REFERENCE_INTERPRETER_H
#define COMPILER_REFERENCE_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace vae::reference {

/// A tensor in row-major order of its logical shape, whatever the encoding of
/// its type says. Of a quantized one, `data` are its integers.
struct Tensor {
  llvm::SmallVector<int64_t> shape;
  std::vector<float> data;
};

/// Sees result `resultIndex` of every executed operation, in the order of
/// execution, including those of called functions and the calls themselves.
/// The tensor lives until the observer returns.
using ObserverFn = llvm::function_ref<void(
    mlir::Operation *op, unsigned resultIndex, const Tensor &value)>;

/// Computes an operation, whose results have their shapes, in another way than
/// the interpreter's own; false if it leaves that to the interpreter.
using EvaluateFn = llvm::function_ref<bool(
    mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands,
    llvm::MutableArrayRef<Tensor> results)>;

/// Executes a function.
///
/// The function, and every function that it calls, consists of one block of
/// vae operations, `func.call` and `func.return` over tensors of f32 (which may
/// lie in memory as f16) and quantized ones. Dynamic
/// dimensions take their size from `inputs`; constraints that depend on them
/// are checked while the function runs. Returns the results in order.
///
/// Errors name the place and the layer: wrong number, shape or size of inputs,
/// other element types, an operation that the interpreter does not
/// know, IR that does not verify, recursion, a weight without data, or a tensor
/// of more than 2^31 elements. Nothing aborts, and nothing is printed.
///
/// Thread safety: several threads may interpret functions of one module.
llvm::Expected<std::vector<Tensor>> interpret(mlir::func::FuncOp function,
                                              llvm::ArrayRef<Tensor> inputs,
                                              ObserverFn observer = nullptr,
                                              EvaluateFn evaluate = nullptr);

/// Computes one operation of the dialect, which verifies, on its operands.
llvm::Expected<std::vector<Tensor>>
interpretOperation(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands,
                   EvaluateFn evaluate = nullptr);

} // namespace vae::reference

#endif // COMPILER_REFERENCE_INTERPRETER_H
