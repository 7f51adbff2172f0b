// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which units can have other scales, which they get, and that the function
// stays.
#include "compiler/compress/Equalization.h"
#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace vae;

namespace {

class EqualizationTest : public testing::Test {
protected:
  EqualizationTest() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<VaeDialect, func::FuncDialect>();
  }

  /// A function whose argument is %x.
  void parse(const std::string &type, const std::string &body) {
    std::string text = "func.func @f(%x: tensor<" + type + ">) -> " + body;
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
  }

  std::vector<std::string> describe() {
    std::vector<std::string> texts;
    Equalization equalization(*module);
    for (const Equalization::Group &group : equalization.getGroups())
      texts.push_back(group.describe());
    return texts;
  }

  EqualizeStep solve(EqualizationMethod method, double alpha = 0.5,
                     std::vector<double> inputs = {}) {
    Equalization equalization(*module);
    std::vector<Equalization::Choice> choices;
    for (size_t i = 0; i < equalization.getGroups().size(); ++i)
      choices.push_back({i, method});
    EqualizeStep step;
    step.groups = equalization.solve(
        choices, alpha, [&](StringRef) { return ArrayRef<double>(inputs); });
    return step;
  }

  std::vector<float> run(ArrayRef<int64_t> shape) {
    reference::Tensor x;
    x.shape.assign(shape.begin(), shape.end());
    std::mt19937_64 random(3);
    int64_t size = 1;
    for (int64_t dim : shape)
      size *= dim;
    for (int64_t i = 0; i < size; ++i)
      x.data.push_back(float(random() % 2001) / 1000 - 1);
    auto results =
        reference::interpret(module->lookupSymbol<func::FuncOp>("f"), {x});
    EXPECT_TRUE(bool(results)) << toString(results.takeError());
    return (*results)[0].data;
  }

  /// The function is the same with the scales, of which one is not 1.
  void check(ArrayRef<int64_t> shape, const EqualizeStep &step) {
    bool any = false;
    for (const EqualizeStep::Group &group : step.groups)
      for (const EqualizeStep::Axis &axis : group.axes)
        for (double scale : axis.scales)
          any |= std::fabs(std::log(scale)) > 0.1;
    EXPECT_TRUE(any);
    std::vector<float> before = run(shape);
    ASSERT_TRUE(succeeded(equalizeWeights(*module, step)));
    std::vector<float> after = run(shape);
    ASSERT_EQ(before.size(), after.size());
    float largest = 0;
    for (float value : before)
      largest = std::max(largest, std::fabs(value));
    EXPECT_GT(largest, 0);
    for (auto [old, own] : llvm::zip(before, after))
      EXPECT_NEAR(old, own, 1e-5 * largest);
  }

  /// Two dense layers with something between: unit 0 is 100 times as large as
  /// the others.
  static std::string makePair(const std::string &between) {
    return R"(tensor<?x2xf32> {
  %w1 = vae.constant dense<[[100.0, -50.0], [1.0, 1.0], [0.5, -1.0]]> : tensor<3x2xf32>
  %b1 = vae.constant dense<[10.0, 0.1, 0.2]> : tensor<3xf32>
  %w2 = vae.constant dense<[[0.01, 1.0, 4.0], [0.005, -1.0, 0.0]]> : tensor<2x3xf32>
  %h = vae.dense %x, %w1 bias(%b1) : (tensor<?x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x3xf32> loc("fc1")
  )" + between +
           R"(
  %y = vae.dense %r, %w2 : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32> loc("fc2")
  return %y : tensor<?x2xf32>
})";
  }
  static std::string activate(const std::string &function) {
    return "%r = vae.activation %h <" + function +
           "> : (tensor<?x3xf32>) -> tensor<?x3xf32>";
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(EqualizationTest, CrossLayerMakesWeightsEquallyLarge) {
  parse("?x2xf32", makePair(activate("relu")));
  EXPECT_EQ(describe(), (std::vector<std::string>{"fc1 -> fc2"}));
  EqualizeStep step = solve(EqualizationMethod::CrossLayer);
  ASSERT_EQ(step.groups.size(), 1u);
  EXPECT_EQ(step.groups[0].method, "cross-layer");
  ASSERT_EQ(step.groups[0].axes.size(), 2u);
  // sqrt(r1 / r2) of 100 and 0.01, 1 and 1, 1 and 4.
  for (const EqualizeStep::Axis &axis : step.groups[0].axes) {
    ASSERT_EQ(axis.scales.size(), 3u);
    EXPECT_NEAR(axis.scales[0], 100, 1e-5); // 0.01 is rounded
    EXPECT_NEAR(axis.scales[1], 1, 1e-9);
    EXPECT_NEAR(axis.scales[2], 0.5, 1e-9);
  }
  check({5, 2}, step);
  // There is nothing left to do.
  step = solve(EqualizationMethod::CrossLayer);
  for (const EqualizeStep::Axis &axis : step.groups[0].axes)
    for (double scale : axis.scales)
      EXPECT_NEAR(scale, 1, 1e-6);
}

TEST_F(EqualizationTest, SmoothIsTheFormulaOfThePaper) {
  parse("?x2xf32", makePair(activate("leaky_relu, alpha = 0.1")));
  EqualizeStep step = solve(EqualizationMethod::Smooth, 0.75, {81, 16, 0});
  ASSERT_EQ(step.groups.size(), 1u);
  const std::vector<double> &scales = step.groups[0].axes[1].scales;
  EXPECT_NEAR(scales[0], 27 / std::pow(0.01, 0.25), 1e-4);
  EXPECT_NEAR(scales[1], 8, 1e-9);
  EXPECT_EQ(scales[2], 1); // it is always 0
  check({5, 2}, step);
}

TEST_F(EqualizationTest, OtherFunctionsLetNoScalePass) {
  for (const char *function :
       {"sigmoid", "silu", "relu6", "elu, alpha = 1.0",
        "clamp, alpha = -1.0, beta = 1.0", "affine, alpha = 2.0, beta = 1.0",
        "affine, alpha = -2.0"}) {
    parse("?x2xf32", makePair(activate(function)));
    EXPECT_TRUE(describe().empty()) << function;
  }
  parse("?x2xf32", makePair(activate("affine, alpha = 2.0")));
  EXPECT_EQ(describe().size(), 1u);
}

TEST_F(EqualizationTest, WhatTheFunctionGivesKeepsItsScale) {
  parse("?x2xf32", R"((tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = vae.constant dense<[[100.0, -50.0], [1.0, 1.0]]> : tensor<2x2xf32>
  %v = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("fc1")
  %y = vae.dense %h, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("fc2")
  return %h, %y : tensor<?x2xf32>, tensor<?x2xf32>
})");
  EXPECT_TRUE(describe().empty());
}

TEST_F(EqualizationTest, ChannelsThroughPoolingAndFlattening) {
  parse("?x1x4x4xf32", R"(tensor<?x2xf32> {
  %w = vae.constant dense<[[[[9.0]]], [[[-0.5]]]]> : tensor<2x1x1x1xf32>
  %v = vae.constant dense<[[0.1, 0.2, -0.3, 0.4, 1.0, 2.0, 3.0, 4.0], [0.1, 0.1, 0.1, 0.1, 5.0, 5.0, 5.0, 5.0]]> : tensor<2x8xf32>
  %h = vae.conv2d %x, %w : (tensor<?x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x4x4xf32> loc("conv")
  %p = vae.pool2d %h {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x2x4x4xf32>) -> tensor<?x2x2x2xf32>
  %r = vae.reshape %p {shape = array<i64: -1>} : (tensor<?x2x2x2xf32>) -> tensor<?x8xf32>
  %y = vae.dense %r, %v : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32> loc("fc")
  return %y : tensor<?x2xf32>
})");
  EXPECT_EQ(describe(), (std::vector<std::string>{"conv -> fc"}));
  EqualizeStep step = solve(EqualizationMethod::CrossLayer);
  const EqualizeStep::Axis &read = step.groups[0].axes[1];
  ASSERT_EQ(read.scales.size(), 8u);
  EXPECT_NEAR(read.scales[3], std::sqrt(9 / 0.4), 1e-6);
  EXPECT_EQ(read.scales[0], read.scales[3]);
  EXPECT_NEAR(read.scales[4], std::sqrt(0.5 / 5), 1e-9);
  check({2, 1, 4, 4}, step);
}

TEST_F(EqualizationTest, ResidualSumsShareScales) {
  parse("?x2xf32", R"(tensor<?x1xf32> {
  %a = vae.constant dense<[[8.0, 1.0], [1.0, 1.0]]> : tensor<2x2xf32>
  %b = vae.constant dense<[[0.5, 0.5], [3.0, 4.0]]> : tensor<2x2xf32>
  %c = vae.constant dense<[[0.1, 2.0]]> : tensor<1x2xf32>
  %h = vae.dense %x, %a : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("first")
  %r = vae.activation %h <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = vae.dense %r, %b : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("branch")
  %s = vae.add %h, %d : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.dense %s, %c : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32> loc("last")
  return %y : tensor<?x1xf32>
})");
  EXPECT_EQ(describe(),
            (std::vector<std::string>{"first, branch -> branch, last"}));
  check({5, 2}, solve(EqualizationMethod::CrossLayer));
}

TEST_F(EqualizationTest, ChainsAreSolvedTogether) {
  parse("?x1xf32", R"(tensor<?x1xf32> {
  %a = vae.constant dense<[[8.0], [0.1]]> : tensor<2x1xf32>
  %b = vae.constant dense<[[0.5, 0.5], [3.0, 4.0]]> : tensor<2x2xf32>
  %c = vae.constant dense<[[0.1, 2.0]]> : tensor<1x2xf32>
  %h = vae.dense %x, %a : (tensor<?x1xf32>, tensor<2x1xf32>) -> tensor<?x2xf32> loc("a")
  %d = vae.dense %h, %b : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("b")
  %y = vae.dense %d, %c : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32> loc("c")
  return %y : tensor<?x1xf32>
})");
  EXPECT_EQ(describe(), (std::vector<std::string>{"a -> b", "b -> c"}));
  check({5, 1}, solve(EqualizationMethod::CrossLayer));
  EqualizeStep rest = solve(EqualizationMethod::CrossLayer);
  for (const EqualizeStep::Group &group : rest.groups)
    for (double scale : group.axes[0].scales)
      EXPECT_NEAR(scale, 1, 1e-4);
}

TEST_F(EqualizationTest, NormsTakeScales) {
  parse("?x4xf32", R"(tensor<?x1xf32> {
  %g = vae.constant dense<[8.0, 1.0, 0.1, 1.0]> : tensor<4xf32>
  %o = vae.constant dense<[1.0, -1.0, 0.5, 0.0]> : tensor<4xf32>
  %c = vae.constant dense<[[0.1, 2.0, 1.0, 1.0]]> : tensor<1x4xf32>
  %n = vae.layer_norm %x weight(%g) bias(%o) {axes = 1 : i64, epsilon = 1.000000e-03 : f64} : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32> loc("norm")
  %y = vae.dense %n, %c : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32> loc("fc")
  return %y : tensor<?x1xf32>
})");
  EXPECT_EQ(describe(), (std::vector<std::string>{"norm -> fc"}));
  EqualizeStep step = solve(EqualizationMethod::Smooth, 0.5, {20, 3, 0.5, 2});
  EXPECT_EQ(step.groups[0].axes[0].part, EqualizeStep::Part::Norm);
  check({5, 4}, step);
}

TEST_F(EqualizationTest, AttentionReadsItsNorm) {
  parse("?x2x2x2xf32", R"(tensor<?x2x2x2xf32> {
  %g = vae.constant dense<[8.0, 0.5]> : tensor<2xf32>
  %q = vae.constant dense<[[[[0.1]], [[1.0]]], [[[-0.1]], [[2.0]]]]> : tensor<2x2x1x1xf32>
  %v = vae.constant dense<[[[[0.2]], [[1.0]]], [[[0.1]], [[-3.0]]]]> : tensor<2x2x1x1xf32>
  %n = vae.group_norm %x weight(%g) {groups = 1 : i64, epsilon = 0.001 : f64} : (tensor<?x2x2x2xf32>, tensor<2xf32>) -> tensor<?x2x2x2xf32> loc("norm")
  %a = vae.conv2d %n, %q : (tensor<?x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x2x2xf32> loc("query")
  %b = vae.conv2d %n, %v : (tensor<?x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x2x2xf32> loc("value")
  %y = vae.attention %a, %a, %b {heads = 1 : i64, scale = 0.7 : f64} : (tensor<?x2x2x2xf32>, tensor<?x2x2x2xf32>, tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  return %y : tensor<?x2x2x2xf32>
})");
  EXPECT_EQ(describe(), (std::vector<std::string>{"norm -> query, value"}));
  check({2, 2, 2, 2}, solve(EqualizationMethod::CrossLayer));
}

TEST_F(EqualizationTest, UnitsOfAnotherModelAreRefused) {
  parse("?x2xf32", makePair(activate("relu")));
  EqualizeStep step = solve(EqualizationMethod::CrossLayer);
  step.groups[0].axes[1].scales.pop_back();
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(equalizeWeights(*module, step)));
  EXPECT_EQ(message, "layer 'fc2': the recipe has 2 scales for 3 units; make "
                     "the recipe again");
}

} // namespace
