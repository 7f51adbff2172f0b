// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of a model: private @encoder and @decoder that hold the layers
// once, in NCHW, and the entry points that call them with external layouts.
#ifndef COMPILER_IMPORT_NATIVE_ENTRIES_H
#define COMPILER_IMPORT_NATIVE_ENTRIES_H

#include "compiler/import/native/Graph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {

/// Fills a module with all entry points that the model makes possible.
llvm::LogicalResult buildEntries(BuildContext &context, mlir::ModuleOp module);

/// An argument or result of an entry point, as its caller sees it.
struct Port {
  std::string name, role, layout;
  /// The shape with the batch, in the order of `layout`.
  Dims dims;
  std::optional<std::pair<double, double>> range;
};

/// One entry point while it is built.
class EntryFunction {
public:
  EntryFunction(Emitter &emitter, mlir::ModuleOp module, llvm::StringRef name,
                JsonPosition position, std::vector<Port> arguments);

  /// Argument `index` as the caller gave it, and in NCHW order.
  mlir::Value getArgument(unsigned index) const;
  mlir::Value getInternal(unsigned index);
  /// The same, by name.
  mlir::Value getInternal(llvm::StringRef name);

  /// Results of a call of one of the private functions.
  llvm::SmallVector<mlir::Value> call(mlir::func::FuncOp callee,
                                      llvm::ArrayRef<mlir::Value> operands);

  /// Adds a result that is in NCHW order; its port states the layout.
  void addInternal(mlir::Value value, Port port);
  /// Adds a result that is in the order of its port.
  void addExternal(mlir::Value value, Port port);

  /// Ends the function. Fails after an error, also of a method above.
  llvm::LogicalResult finish();

  template <typename OpTy, typename... Args>
  mlir::Value create(Args &&...args) {
    return emitter.create<OpTy>(loc, name, std::forward<Args>(args)...);
  }

  Emitter &emitter;
  mlir::Location loc;
  std::string name;

private:
  mlir::DictionaryAttr describe(const Port &port);

  JsonPosition position;
  mlir::func::FuncOp function;
  std::vector<Port> arguments, results;
  llvm::SmallVector<mlir::Value> values;
  bool good = true;
};

/// The order of axes in NCHW of a shape given in a layout, and back.
Dims toInternal(llvm::ArrayRef<mlir::AffineExpr> dims, llvm::StringRef layout);
Dims toExternal(llvm::ArrayRef<mlir::AffineExpr> dims, llvm::StringRef layout);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_ENTRIES_H
