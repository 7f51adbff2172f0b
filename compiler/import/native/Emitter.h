// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Creates operations whose types follow from shape inference; what inference
// or a verifier finds wrong becomes an error at a position of the model file.
#ifndef COMPILER_IMPORT_NATIVE_EMITTER_H
#define COMPILER_IMPORT_NATIVE_EMITTER_H

#include "compiler/import/native/Fields.h"
#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/DenseMap.h"

namespace vae {

/// A dimension that is known when the model runs. It is `multiple` times a
/// whole number plus `remainder`, and at least `minimum`.
struct DynamicDim {
  std::string name;
  int64_t minimum = 1, multiple = 1, remainder = 0;
};

/// scale * (value of dimension `symbol` / its multiple) + offset; `symbol` 0 is
/// the batch. A fixed dimension has symbol -1.
struct LinearDim {
  int symbol = -1;
  int64_t scale = 0, offset = 0;
};

class Emitter {
public:
  Emitter(const Source &source) : source(source), builder(source.getContext()) {
    symbols.push_back({"batch"});
  }

  const Source &source;
  mlir::OpBuilder builder;
  /// The dynamic dimensions; symbol i of a shape stands for symbols[i], divided
  /// by its multiple without the remainder.
  std::vector<DynamicDim> symbols;

  /// The shape of a value as expressions of the dynamic dimensions.
  Dims getDims(mlir::Value value) const;
  void setDims(mlir::Value value, Dims dims) { known[value] = std::move(dims); }
  /// The dimension as a linear expression; none if it is not one.
  std::optional<LinearDim> getLinear(mlir::AffineExpr expr) const;
  /// "[N, 64]", for messages.
  std::string formatDims(llvm::ArrayRef<mlir::AffineExpr> dims) const;
  std::string formatDims(mlir::Value value) const {
    return formatDims(getDims(value));
  }

  /// Creates an operation with one result; null after an error, which starts
  /// with `subject`.
  template <typename OpTy, typename... Args>
  mlir::Value create(mlir::Location loc, llvm::StringRef subject,
                     Args &&...args) {
    mlir::OperationState state(loc, OpTy::getOperationName());
    OpTy::build(builder, state, mlir::Type(), std::forward<Args>(args)...);
    mlir::Operation *op = finish(state, subject, &OpTy::inferReturnTypes);
    return op ? op->getResult(0) : mlir::Value();
  }

  /// The same for any number of results; none after an error.
  template <typename OpTy, typename... Args>
  llvm::SmallVector<mlir::Value>
  createMany(mlir::Location loc, llvm::StringRef subject, Args &&...args) {
    mlir::OperationState state(loc, OpTy::getOperationName());
    OpTy::build(builder, state, mlir::TypeRange(), std::forward<Args>(args)...);
    mlir::Operation *op = finish(state, subject, &OpTy::inferReturnTypes);
    llvm::SmallVector<mlir::Value> values;
    if (op)
      values.append(op->result_begin(), op->result_end());
    return values;
  }

private:
  using InferFn = llvm::LogicalResult (*)(
      mlir::MLIRContext *, std::optional<mlir::Location>, mlir::ValueRange,
      mlir::DictionaryAttr, mlir::OpaqueProperties, mlir::RegionRange,
      llvm::SmallVectorImpl<mlir::Type> &);

  mlir::Operation *finish(mlir::OperationState &state, llvm::StringRef subject,
                          InferFn infer);
  llvm::LogicalResult checkResults(mlir::Operation *op,
                                   llvm::ArrayRef<Dims> results);

  llvm::DenseMap<mlir::Value, Dims> known;
};

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_EMITTER_H
