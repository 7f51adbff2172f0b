// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions, calls, constants, the observer and errors.
#include "test/reference/Reference.h"

#include "dialects/vae/IR/VaeConstants.h"

using namespace vae;
using namespace vae::reference;

/// The error of running @f; empty if it runs.
static std::string getError(Program &program, llvm::ArrayRef<Tensor> inputs) {
  // Errors are returned, not reported.
  mlir::ScopedDiagnosticHandler handler(
      &program.context, [](mlir::Diagnostic &diagnostic) {
        ADD_FAILURE() << "reported: " << diagnostic.str();
        return mlir::success();
      });
  auto results = interpret(program.function("f"), inputs);
  return results ? "" : toString(results.takeError());
}

static void expectError(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs,
                        llvm::StringRef message) {
  Program program(text);
  std::string error = getError(program, inputs);
  EXPECT_NE(error.find(message.str()), std::string::npos)
      << "expected: " << message.str() << "\nfound: " << error;
}

TEST(reference, Constants) {
  auto results = run(R"(
    func.func @f() -> (tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>) {
      %0 = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %1 = vae.constant dense<3.0> : tensor<2x2xf32>
      %2 = vae.constant dense_resource<w> : tensor<2xf32>
      return %0, %1, %2 : tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>
    }
    {-# dialect_resources: { builtin: { w: "0x040000000000803F00000040" } } #-})",
                     {});
  ASSERT_EQ(results.size(), 3u);
  expectTensor(results[0], {2}, {1, 2});
  expectTensor(results[1], {2, 2}, {3, 3, 3, 3});
  expectTensor(results[2], {2}, {1, 2});
}

TEST(reference, ResourceConstantMadeInMemory) {
  Program program("func.func @f() -> tensor<2xf32> {\n"
                  "  %0 = vae.constant dense<0.0> : tensor<2xf32>\n"
                  "  return %0 : tensor<2xf32>\n}");
  program.module->walk([&](ConstantOp op) {
    op.setValueAttr(makeWeight("w", {2}, {7, 8}, &program.context));
  });
  auto results = interpret(program.function("f"), {});
  ASSERT_TRUE(bool(results)) << toString(results.takeError());
  expectTensor((*results)[0], {2}, {7, 8});
}

// y = relu(x + 1) in a function of its own, called twice.
static const char *kCalls = R"(
  func.func private @layer(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %0 = vae.activation %x <affine, alpha = 1.0, beta = 1.0>
      : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %1 = vae.activation %0 <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %1 : tensor<?x2xf32>
  }
  func.func @f(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
    %0 = call @layer(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %1 = call @layer(%0) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    return %1, %x : tensor<?x2xf32>, tensor<?x2xf32>
  })";

TEST(reference, Calls) {
  auto results = run(kCalls, {{{2, 2}, {-3, -1, 0, 5}}});
  ASSERT_EQ(results.size(), 2u);
  // -3 -> 0 -> 1; -1 -> 0 -> 1; 0 -> 1 -> 2; 5 -> 6 -> 7
  expectTensor(results[0], {2, 2}, {1, 1, 2, 7});
  expectTensor(results[1], {2, 2}, {-3, -1, 0, 5});
}

TEST(reference, ObserverSeesEveryResult) {
  Program program(kCalls);
  std::vector<std::pair<std::string, float>> seen;
  auto observer = [&](mlir::Operation *op, unsigned index,
                      const Tensor &value) {
    EXPECT_EQ(index, 0u);
    seen.emplace_back(op->getName().getStringRef().str(), value.data[0]);
  };
  auto results =
      interpret(program.function("f"), {{{1, 2}, {-3, 0}}}, observer);
  ASSERT_TRUE(bool(results)) << toString(results.takeError());
  std::vector<std::pair<std::string, float>> expected = {
      {"vae.activation", -2}, {"vae.activation", 0}, {"func.call", 0},
      {"vae.activation", 1},  {"vae.activation", 1}, {"func.call", 1}};
  EXPECT_EQ(seen, expected);
}

TEST(reference, ErrorsOfInputs) {
  expectError(kCalls, {}, "function 'f' takes 1 inputs, found 0");
  expectError(kCalls, {{{2, 3}, std::vector<float>(6)}},
              "input 0 of function 'f': expected tensor<?x2xf32>, found "
              "[2, 3]");
  expectError(kCalls, {{{4}, std::vector<float>(4)}},
              "expected tensor<?x2xf32>, found [4]");
  expectError(kCalls, {{{2, 2}, {1, 2, 3}}},
              "[2, 2] does not describe 3 elements");
  expectError(kCalls, {{{0, 2}, {}}}, "must be known and positive");
  expectError(kCalls, {{{-1, 2}, {}}}, "must be known and positive");
  expectError(kCalls, {{{int64_t(1) << 62, 2}, {}}}, "is too large");
}

TEST(reference, ErrorsOfTypes) {
  expectError("func.func @f(%x: tensor<2x2xf64>) { return }",
              {{{2, 2}, {1, 2, 3, 4}}},
              "expected an f32, f16 or quantized tensor, found "
              "tensor<2x2xf64>");
  expectError("func.func @f(%x: i32) { return }", {{{}, {1}}},
              "expected an f32, f16 or quantized tensor, found i32");
  expectError("func.func @f() { %0 = vae.constant dense<1> : tensor<2xi32> "
              "return }",
              {}, "'vae.constant': expected an f32, f16 or quantized tensor");
}

TEST(reference, ErrorsOfWeights) {
  expectError("func.func @f() {\n  %0 = vae.constant dense_resource<none> : "
              "tensor<2xf32> loc(\"fc1\"(\"model.json\":3:5))\n  return\n}",
              {},
              "model.json:3:5: 'vae.constant' of layer 'fc1': the weight "
              "has no data");
  // The blob is there and too short.
  expectError(R"(
    func.func @f() {
      %0 = vae.constant dense_resource<w> : tensor<3xf32>
      return
    }
    {-# dialect_resources: { builtin: { w: "0x040000000000803F00000040" } } #-})",
              {}, "the weight has no data");
}

TEST(reference, ErrorsOfFunctions) {
  expectError("func.func private @f() -> tensor<2xf32>", {}, "one block");
  expectError("func.func @f() { call @f() : () -> () return }", {},
              "function 'f' calls itself");
  expectError("func.func @f() { %0 = func.constant @f : () -> () return }", {},
              "m.mlir:1:23: 'func.constant': the interpreter does not know "
              "this operation");
  auto none = interpret({}, {});
  ASSERT_FALSE(bool(none));
  EXPECT_EQ(toString(none.takeError()), "no function");
}

TEST(reference, ErrorsThatOnlyTheInputsShow) {
  Tensor two = {{2, 2}, {1, 2, 3, 4}}, three = {{3, 2}, {1, 2, 3, 4, 5, 6}};
  expectError("func.func @f(%a: tensor<?x2xf32>, %b: tensor<?x2xf32>) {\n"
              "  %0 = vae.add %a, %b : (tensor<?x2xf32>, tensor<?x2xf32>) -> "
              "tensor<?x2xf32>\n  return\n}",
              {two, three},
              "m.mlir:2:8: 'vae.add' op (C1) operands must have the same "
              "shape: 2 and 3 on axis 0");
  expectError("func.func @f(%x: tensor<?x?xf32>, %m: tensor<3xf32>) {\n"
              "  %0 = vae.batch_norm %x, %m, %m {epsilon = 1.0} : "
              "(tensor<?x?xf32>, tensor<3xf32>, tensor<3xf32>) -> "
              "tensor<?x?xf32>\n  return\n}",
              {two, {{3}, {1, 2, 3}}}, "mean must be [2], found [3]");
  expectError("func.func @f(%x: tensor<?x2xf32>) {\n"
              "  %0 = vae.dropout %x {rate = 0.5} : (tensor<?x2xf32>) -> "
              "tensor<5x2xf32>\n  return\n}",
              {two}, "result 0: expected tensor<5x2xf32>, found [2, 2]");
}

TEST(reference, ErrorsOfSize) {
  // 2^20 * 2^20 elements are valid in the dialect, but nothing is allocated.
  expectError("func.func @f(%x: tensor<1x1x1x1xf32>) {\n"
              "  %0 = vae.upsample %x {scale = array<i64: 1048576, 1048576>} : "
              "(tensor<1x1x1x1xf32>) -> tensor<1x1x1048576x1048576xf32>\n"
              "  return\n}",
              {{{1, 1, 1, 1}, {1}}}, "[1, 1, 1048576, 1048576] is too large");
}

TEST(reference, ErrorsOfIrThatDoesNotVerify) {
  Program program("func.func @f(%x: tensor<1x2xf32>) {\n"
                  "  %0 = vae.softmax %x {axis = 1 : i64} : (tensor<1x2xf32>) "
                  "-> tensor<1x2xf32>\n  return\n}");
  program.module->walk([](SoftmaxOp op) { op.setAxis(7); });
  std::string error = getError(program, {{{1, 2}, {1, 2}}});
  EXPECT_NE(error.find("'vae.softmax' op (C1)"), std::string::npos) << error;
}
