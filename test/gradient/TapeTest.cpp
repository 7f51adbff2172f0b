// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/gradient/Tape.h"
#include "test/reference/Reference.h"

using namespace vae;
using vae::gradient::Gradients;
using vae::gradient::Tape;
using vae::reference::Program;
using vae::reference::Tensor;

namespace {
/// @f of a text, executed; its first result is the loss.
class Recording {
public:
  Recording(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs)
      : program(text), function(program.function("f")),
        tape(Tape::record(function, inputs)) {
    if (!tape)
      error = toString(tape.takeError());
    else
      loss = function.front().getTerminator()->getOperand(0);
  }

  /// With ones as seed.
  llvm::Expected<Gradients> differentiate(llvm::ArrayRef<mlir::Value> wanted,
                                          gradient::SeePartFn see = nullptr) {
    Gradients seeds;
    Tensor &seed = seeds[loss];
    seed.shape = tape->get(loss).shape;
    seed.data.assign(tape->get(loss).data.size(), 1.0f);
    return tape->differentiate(seeds, wanted, see);
  }

  /// Result of the n-th operation.
  mlir::Value result(unsigned n) {
    return std::next(function.front().begin(), n)->getResult(0);
  }

  Program program;
  mlir::func::FuncOp function;
  llvm::Expected<Tape> tape;
  mlir::Value loss;
  std::string error;
};
} // namespace

TEST(tape, SumsPartsOfAllUses) {
  // y = (x + x) * x = 2 x^2, dy/dx = 4 x.
  Recording recording(R"(func.func @f(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
    %a = vae.add %x, %x : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %y = vae.mul %a, %x : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  })",
                      {{{1, 2}, {3, -1}}});
  ASSERT_EQ(recording.error, "");
  mlir::Value x = recording.function.getArgument(0);
  std::vector<std::vector<float>> parts;
  auto found = recording.differentiate(
      {x}, [&](mlir::OpOperand &operand, const Tensor &part) {
        if (operand.get() == x)
          parts.push_back(part.data);
      });
  ASSERT_TRUE(static_cast<bool>(found)) << toString(found.takeError());
  EXPECT_EQ((*found)[x].data, (std::vector<float>{12, -4}));
  // Of the product: x + x; of the sum, twice: x.
  EXPECT_EQ(parts,
            (std::vector<std::vector<float>>{{6, -2}, {3, -1}, {3, -1}}));
}

TEST(tape, OfWeightsAndOfValuesBetween) {
  Recording recording(R"(func.func @f(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
    %w = vae.constant dense<[[2.0, 5.0]]> : tensor<1x2xf32>
    %u = vae.constant dense<[[3.0]]> : tensor<1x1xf32>
    %a = vae.dense %x, %w : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
    %y = vae.dense %a, %u : (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>
    return %y : tensor<2x1xf32>
  })",
                      {{{2, 2}, {1, 2, 3, 4}}});
  ASSERT_EQ(recording.error, "");
  mlir::Value w = recording.result(0), a = recording.result(2),
              unused = recording.result(3);
  EXPECT_EQ(recording.tape->get(a).data, (std::vector<float>{12, 26}));
  auto found = recording.differentiate({w, a, recording.loss});
  ASSERT_TRUE(static_cast<bool>(found)) << toString(found.takeError());
  // 3 * (1 + 3), 3 * (2 + 4)
  EXPECT_EQ((*found)[w].data, (std::vector<float>{12, 18}));
  EXPECT_EQ((*found)[a].data, (std::vector<float>{3, 3}));
  EXPECT_EQ((*found)[unused].data, (std::vector<float>{1, 1}));
}

TEST(tape, SameValueAsTwoOperands) {
  // y = x * w + x: the residual is the data.
  Recording recording(R"(func.func @f(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    %w = vae.constant dense<[[4.0]]> : tensor<1x1xf32>
    %y = vae.dense %x, %w residual(%x)
      : (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  })",
                      {{{1, 1}, {3}}});
  ASSERT_EQ(recording.error, "");
  mlir::Value x = recording.function.getArgument(0);
  auto found = recording.differentiate({x});
  ASSERT_TRUE(static_cast<bool>(found)) << toString(found.takeError());
  EXPECT_EQ((*found)[x].data, (std::vector<float>{5}));
}

TEST(tape, ZeroWhereTheLossDoesNotDepend) {
  Recording recording(R"(func.func @f(%x: tensor<1x4xf32>)
      -> (tensor<1x2xf32>, tensor<1x4xf32>) {
    %a, %b = vae.split %x {axis = 1 : i64, sections = 2 : i64}
      : (tensor<1x4xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>)
    %s = vae.softmax %x {axis = 1 : i64} : (tensor<1x4xf32>) -> tensor<1x4xf32>
    return %a, %s : tensor<1x2xf32>, tensor<1x4xf32>
  })",
                      {{{1, 4}, {1, 2, 3, 4}}});
  ASSERT_EQ(recording.error, "");
  mlir::Value x = recording.function.getArgument(0),
              softmax = recording.result(1);
  auto found = recording.differentiate({x, softmax});
  ASSERT_TRUE(static_cast<bool>(found)) << toString(found.takeError());
  EXPECT_EQ((*found)[x].data, (std::vector<float>{1, 1, 0, 0}));
  EXPECT_EQ((*found)[softmax].data, (std::vector<float>{0, 0, 0, 0}));
}

TEST(tape, UnknownOperationIsAnErrorOnlyOnTheWay) {
  llvm::StringRef text = R"(func.func @f(%x: tensor<1x2x1xf32>,
      %table: tensor<3x2xf32>) -> tensor<1x2x1xf32> {
    %i = vae.nearest_codebook %x, %table
      : (tensor<1x2x1xf32>, tensor<3x2xf32>) -> tensor<1x1xf32> loc("codes")
    %y = vae.embedding %i, %table
      : (tensor<1x1xf32>, tensor<3x2xf32>) -> tensor<1x2x1xf32> loc("table")
    %z = vae.mul %y, %x
      : (tensor<1x2x1xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
    return %z : tensor<1x2x1xf32>
  })";
  Recording recording(text,
                      {{{1, 2, 1}, {1, 0}}, {{3, 2}, {0, 0, 1, 0, 2, 0}}});
  ASSERT_EQ(recording.error, "");
  // Between them and y there is none of the operations.
  auto known = recording.differentiate({recording.result(1)});
  ASSERT_TRUE(static_cast<bool>(known)) << toString(known.takeError());
  EXPECT_EQ((*known)[recording.result(1)].data, (std::vector<float>{1, 0}));
  auto unknown = recording.differentiate({recording.function.getArgument(1)});
  ASSERT_FALSE(static_cast<bool>(unknown));
  EXPECT_EQ(toString(unknown.takeError()),
            "'vae.embedding' of layer 'table': no gradient is known of this "
            "operation");
}

static void expectValuesOfInterpreter(llvm::StringRef text,
                                      std::vector<Tensor> inputs) {
  for (Tensor &tensor : inputs) {
    int64_t size = 1;
    for (int64_t dim : tensor.shape)
      size *= dim;
    for (int64_t i = 0; i < size; ++i)
      tensor.data.push_back(
          static_cast<float>(std::sin(double(i) * 1.7 + double(size))));
  }
  Program program(text);
  mlir::func::FuncOp function = program.function("f");
  auto expected = reference::interpret(function, inputs);
  ASSERT_TRUE(static_cast<bool>(expected)) << toString(expected.takeError());
  auto tape = Tape::record(function, inputs);
  ASSERT_TRUE(static_cast<bool>(tape)) << toString(tape.takeError());
  const Tensor &found =
      tape->get(function.front().getTerminator()->getOperand(0));
  ASSERT_EQ(found.shape, (*expected)[0].shape);
  for (size_t i = 0; i < found.data.size(); ++i)
    EXPECT_NEAR(found.data[i], (*expected)[0].data[i], 1e-6) << i;
}

TEST(tape, LayersGiveWhatTheInterpreterGives) {
  expectValuesOfInterpreter(
      R"(func.func @f(%x: tensor<?x2x6x5xf32>,
      %w: tensor<4x1x3x2xf32>, %b: tensor<4xf32>) -> tensor<?x4x3x5xf32> {
    %y = vae.conv2d %x, %w bias(%b) {groups = 2 : i64,
        strides = array<i64: 2, 1>, padding = array<i64: 1, 1, 1, 0>,
        activation = #vae.act<silu>}
      : (tensor<?x2x6x5xf32>, tensor<4x1x3x2xf32>, tensor<4xf32>)
      -> tensor<?x4x3x5xf32>
    return %y : tensor<?x4x3x5xf32>
  })",
      {{{2, 2, 6, 5}, {}}, {{4, 1, 3, 2}, {}}, {{4}, {}}});
}

// More queries than a block has.
TEST(tape, AttentionGivesWhatTheInterpreterGives) {
  expectValuesOfInterpreter(R"(func.func @f(%q: tensor<?x4x20x15xf32>,
      %k: tensor<?x4x2x3xf32>) -> tensor<?x4x20x15xf32> {
    %y = vae.attention %q, %k, %k {heads = 2 : i64, scale = 3.0 : f64}
      : (tensor<?x4x20x15xf32>, tensor<?x4x2x3xf32>, tensor<?x4x2x3xf32>)
      -> tensor<?x4x20x15xf32>
    return %y : tensor<?x4x20x15xf32>
  })",
                            {{{2, 4, 20, 15}, {}}, {{2, 4, 2, 3}, {}}});
}

// Blocks of positions: 2000 of 600 numbers each.
TEST(tape, LargeConvolutionsGiveWhatTheInterpreterGives) {
  expectValuesOfInterpreter(R"(func.func @f(%x: tensor<1x600x50x40xf32>,
      %w: tensor<1x600x1x1xf32>) -> tensor<1x1x50x40xf32> {
    %y = vae.conv2d %x, %w
      : (tensor<1x600x50x40xf32>, tensor<1x600x1x1xf32>) -> tensor<1x1x50x40xf32>
    return %y : tensor<1x1x50x40xf32>
  })",
                            {{{1, 600, 50, 40}, {}}, {{1, 600, 1, 1}, {}}});
  expectValuesOfInterpreter(R"(func.func @f(%x: tensor<1x1x50x40xf32>,
      %w: tensor<1x600x1x1xf32>) -> tensor<1x600x50x40xf32> {
    %y = vae.conv_transpose2d %x, %w
      : (tensor<1x1x50x40xf32>, tensor<1x600x1x1xf32>) -> tensor<1x600x50x40xf32>
    return %y : tensor<1x600x50x40xf32>
  })",
                            {{{1, 1, 50, 40}, {}}, {{1, 600, 1, 1}, {}}});
}

TEST(tape, RefusesCallsAndSeedsOfOtherShapes) {
  Recording calls(R"(
  func.func private @g(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    return %x : tensor<1x1xf32>
  }
  func.func @f(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    %y = func.call @g(%x) : (tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  })",
                  {{{1, 1}, {3}}});
  EXPECT_NE(calls.error.find("inlined"), std::string::npos) << calls.error;
  Recording other(R"(func.func @f(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    %y = vae.add %x, %x : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  })",
                  {{{1, 1}, {3}}});
  Gradients seeds;
  seeds[other.loss] = {{2}, {1, 1}};
  auto found = other.tape->differentiate(seeds, {});
  ASSERT_FALSE(static_cast<bool>(found));
  EXPECT_EQ(toString(found.takeError()),
            "a seed has another shape than its value");
}
