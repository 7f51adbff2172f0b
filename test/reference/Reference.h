// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the reference tests share: text in, tensors out.
#ifndef TEST_REFERENCE_REFERENCE_H
#define TEST_REFERENCE_REFERENCE_H

#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/Vae.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>

namespace vae::reference {

/// A parsed module and the context that holds it.
class Program {
public:
  explicit Program(llvm::StringRef text) {
    context.loadDialect<VaeDialect, mlir::func::FuncDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context, "m.mlir");
    EXPECT_TRUE(module) << text.str();
  }

  mlir::func::FuncOp function(llvm::StringRef name) {
    return module ? module->lookupSymbol<mlir::func::FuncOp>(name)
                  : mlir::func::FuncOp();
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Runs @f of a module; reports an error as a failure of the test.
inline std::vector<Tensor> run(llvm::StringRef text,
                               llvm::ArrayRef<Tensor> inputs) {
  Program program(text);
  auto results = interpret(program.function("f"), inputs);
  if (results)
    return std::move(*results);
  ADD_FAILURE() << toString(results.takeError());
  return {};
}

/// Runs one operation: `op` is its text with operands %0, %1, … and without
/// the types, `result` its result types.
inline std::vector<Tensor> runOp(llvm::StringRef op,
                                 llvm::ArrayRef<Tensor> inputs,
                                 llvm::StringRef result) {
  std::string arguments, types, names;
  unsigned count = 1 + result.count(", tensor");
  for (auto [index, input] : llvm::enumerate(inputs)) {
    std::string type = "tensor<";
    for (int64_t size : input.shape)
      type += std::to_string(size) + "x";
    type += "f32>";
    arguments += (index ? ", %" : "%") + std::to_string(index) + ": " + type;
    types += (index ? ", " : "") + type;
  }
  for (unsigned index = 0; index < count; ++index)
    names += (index ? ", %r#" : "%r#") + std::to_string(index);
  return run(("func.func @f(" + arguments + ") -> (" + result + ") {\n  %r:" +
              std::to_string(count) + " = " + op + " : (" + types + ") -> (" +
              result + ")\n  return " + names + " : " + result + "\n}\n")
                 .str(),
             inputs);
}

/// Compares within a few ulps of f32; NaN equals NaN.
inline void expectTensor(const Tensor &found, llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<double> values) {
  EXPECT_EQ(llvm::ArrayRef<int64_t>(found.shape), shape);
  ASSERT_EQ(found.data.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i]))
      EXPECT_TRUE(std::isnan(found.data[i])) << "element " << i;
    else if (std::isinf(values[i]))
      EXPECT_EQ(found.data[i], values[i]) << "element " << i;
    else
      EXPECT_NEAR(found.data[i], values[i], 3e-7 * (1 + std::abs(values[i])))
          << "element " << i;
  }
}

/// Runs one operation with one result and compares it.
inline void expectOp(llvm::StringRef op, llvm::ArrayRef<Tensor> inputs,
                     llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<double> values) {
  std::string type = "tensor<";
  for (int64_t size : shape)
    type += std::to_string(size) + "x";
  auto results = runOp(op, inputs, type + "f32>");
  ASSERT_EQ(results.size(), 1u) << op.str();
  expectTensor(results[0], shape, values);
}

} // namespace vae::reference

#endif // TEST_REFERENCE_REFERENCE_H
