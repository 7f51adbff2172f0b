// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores of units beside what gates and removals do to the loss.
#include "compiler/compress/TaylorImportance.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cmath>
#include <map>
#include <random>

using namespace mlir;
using namespace vae;
using reference::Tensor;

namespace {

/// A dense layer of each output unit's weights.
using Weights = std::vector<std::vector<double>>;

std::string print(const Weights &weights) {
  std::string text = "dense<[";
  for (size_t u = 0; u < weights.size(); ++u) {
    text += u ? ", [" : "[";
    for (size_t i = 0; i < weights[u].size(); ++i)
      text += (i ? ", " : "") + std::to_string(weights[u][i]);
    text += "]";
  }
  return text + "]> : tensor<" + std::to_string(weights.size()) + "x" +
         std::to_string(weights[0].size()) + "xf32>";
}

Weights draw(size_t units, size_t inputs, std::mt19937_64 &random) {
  std::uniform_real_distribution<double> values(-1, 1);
  Weights weights(units, std::vector<double>(inputs));
  for (auto &row : weights)
    for (double &value : row)
      value = values(random);
  return weights;
}

class TaylorImportanceTest : public testing::Test {
protected:
  TaylorImportanceTest() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<VaeDialect, func::FuncDialect>();
    std::uniform_real_distribution<float> values(0, 1);
    x.shape = {6, 3};
    for (int i = 0; i < 18; ++i)
      x.data.push_back(values(random));
  }

  void parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
  }

  /// 3 numbers become 4 units of `hidden`, and these the 3 logits.
  void parseModel(const Weights &in, const Weights &out,
                  const std::string &activation = "relu") {
    parse("func.func @score(%x: tensor<?x3xf32>) -> (tensor<?xf32> "
          "{vae.role = \"log_likelihood\"}) {\n"
          "  %v = vae.constant " +
          print(in) + "\n  %w = vae.constant " + print(out) +
          R"(
  %a = vae.dense %x, %v : (tensor<?x3xf32>, tensor<4x3xf32>) -> tensor<?x4xf32> loc("hidden")
  %b = vae.activation %a <)" +
          activation + R"(> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = vae.dense %b, %w : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<?x3xf32> loc("logits")
  %l = vae.log_likelihood %x, %y {likelihood = #vae.likelihood<bernoulli_logits>} : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?xf32>
  return %l : tensor<?xf32>
})");
  }

  std::map<std::string, std::vector<double>> score() {
    auto importance = TaylorImportance::create(*module);
    if (!importance) {
      ADD_FAILURE() << toString(importance.takeError());
      return {};
    }
    // In two batches: sums are over all examples.
    for (int64_t begin : {0, 2}) {
      Tensor part;
      part.shape = {begin ? 4 : 2, 3};
      part.data.assign(x.data.begin() + begin * 3,
                       x.data.begin() + (begin ? 18 : 6));
      if (llvm::Error error = importance->add({part}))
        ADD_FAILURE() << toString(std::move(error));
    }
    std::map<std::string, std::vector<double>> scores;
    for (auto &[layer, own] : importance->getScores())
      scores[layer] = own;
    return scores;
  }

  /// -log p of each example.
  std::vector<double> getLosses() {
    auto results =
        reference::interpret(module->lookupSymbol<func::FuncOp>("score"), {x});
    if (!results) {
      ADD_FAILURE() << toString(results.takeError());
      return {};
    }
    std::vector<double> losses;
    for (float value : results->front().data)
      losses.push_back(-value);
    return losses;
  }

  /// The losses with what reads a unit of `hidden` multiplied by `gate`.
  std::vector<double> getGatedLosses(const Weights &in, Weights out,
                                     size_t unit, double gate,
                                     const std::string &activation) {
    for (auto &row : out)
      row[unit] *= gate;
    parseModel(in, out, activation);
    return getLosses();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::mt19937_64 random{11};
  Tensor x;
};

} // namespace

TEST_F(TaylorImportanceTest, IsTheMeanSquareOfDerivativesOfGates) {
  Weights in = draw(4, 3, random), out = draw(3, 4, random);
  // Sigmoid: what counts is behind the activation.
  for (std::string activation : {"relu", "sigmoid"}) {
    parseModel(in, out, activation);
    std::vector<double> scores = score()["hidden"];
    ASSERT_EQ(scores.size(), 4u);
    const double h = 0.01;
    for (size_t unit = 0; unit < 4; ++unit) {
      auto above = getGatedLosses(in, out, unit, 1 + h, activation);
      auto below = getGatedLosses(in, out, unit, 1 - h, activation);
      double sum = 0;
      for (size_t n = 0; n < above.size(); ++n)
        sum += std::pow((above[n] - below[n]) / (2 * h), 2);
      EXPECT_NEAR(scores[unit], std::sqrt(sum / double(above.size())), 1e-3)
          << unit << " " << activation;
    }
  }
}

TEST_F(TaylorImportanceTest, UnitsThatTheLossDoesNotSeeAreZero) {
  Weights in = draw(4, 3, random), out = draw(3, 4, random);
  in[1] = {-1, -2, -0.5}; // never positive
  for (auto &row : out)
    row[2] = 0; // never read
  parseModel(in, out);
  auto scores = score();
  EXPECT_EQ(scores["hidden"][1], 0);
  EXPECT_EQ(scores["hidden"][2], 0);
  EXPECT_GT(scores["hidden"][0] + scores["hidden"][3], 0);
  // They are kept in any case.
  EXPECT_EQ(scores["logits"], std::vector<double>(3, 0));
}

TEST_F(TaylorImportanceTest, OrderIsThatOfMeasuredLosses) {
  Weights in = draw(4, 3, random), out(3, std::vector<double>(4));
  for (auto &row : in)
    for (double &value : row)
      value = 0.5 + 0.1 * value;
  const std::vector<double> sizes = {0.4, 0.05, 1.2, 0.15};
  for (auto &row : out)
    for (size_t unit = 0; unit < 4; ++unit)
      row[unit] = sizes[unit];
  // All that the units say is true.
  for (float &value : x.data)
    value = value < 0.1f ? 0.5f : 1.0f;
  parseModel(in, out);
  std::vector<double> scores = score()["hidden"], before = getLosses();
  std::vector<double> increases;
  for (size_t unit = 0; unit < 4; ++unit) {
    auto after = getGatedLosses(in, out, unit, 0, "relu");
    double sum = 0;
    for (size_t n = 0; n < after.size(); ++n)
      sum += after[n] - before[n];
    increases.push_back(sum);
  }
  for (size_t a = 0; a < 4; ++a)
    for (size_t b = 0; b < 4; ++b)
      EXPECT_EQ(scores[a] < scores[b], increases[a] < increases[b])
          << a << " " << b;
}

// Its result belongs to the units that it reads.
TEST_F(TaylorImportanceTest, ALayerBesideItsDataReadsThem) {
  auto parseGated = [&](size_t unit, double gate) {
    std::mt19937_64 same{5};
    Weights in = draw(3, 3, same), inner = draw(3, 3, same),
            out = draw(3, 3, same);
    for (Weights *reads : {&inner, &out})
      for (auto &row : *reads)
        row[unit] *= gate;
    parse("func.func @score(%x: tensor<?x3xf32>) -> (tensor<?xf32> "
          "{vae.role = \"log_likelihood\"}) {\n"
          "  %v = vae.constant " +
          print(in) + "\n  %u = vae.constant " + print(inner) +
          "\n  %w = vae.constant " + print(out) + R"(
  %a = vae.dense %x, %v : (tensor<?x3xf32>, tensor<3x3xf32>) -> tensor<?x3xf32> loc("hidden")
  %b = vae.dense %a, %u : (tensor<?x3xf32>, tensor<3x3xf32>) -> tensor<?x3xf32> loc("inner")
  %s = vae.add %a, %b : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %y = vae.dense %s, %w : (tensor<?x3xf32>, tensor<3x3xf32>) -> tensor<?x3xf32> loc("logits")
  %l = vae.log_likelihood %x, %y {likelihood = #vae.likelihood<bernoulli_logits>} : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?xf32>
  return %l : tensor<?xf32>
})");
  };
  parseGated(0, 1);
  std::vector<double> scores = score()["hidden"];
  ASSERT_EQ(scores.size(), 3u);
  const double h = 0.01;
  for (size_t unit = 0; unit < 3; ++unit) {
    parseGated(unit, 1 + h);
    auto above = getLosses();
    parseGated(unit, 1 - h);
    auto below = getLosses();
    double sum = 0;
    for (size_t n = 0; n < above.size(); ++n)
      sum += std::pow((above[n] - below[n]) / (2 * h), 2);
    EXPECT_NEAR(scores[unit], std::sqrt(sum / double(above.size())), 1e-3)
        << unit;
  }
}

TEST_F(TaylorImportanceTest, UnitsThatGoTogetherHaveOneScore) {
  // Sums: unit 0 is all that the first layer says and minus half of it, which
  // is one half for the loss.
  auto write = [](const char *left, const char *right) {
    return std::string("func.func @score(%x: tensor<?x3xf32>) -> "
                       "(tensor<?xf32> {vae.role = \"elbo\"}) {\n"
                       "  %v = vae.constant ") +
           left + " : tensor<2x3xf32>\n  %u = vae.constant " + right +
           R"( : tensor<2x3xf32>
  %w = vae.constant dense<[[1.0, 0.5], [-1.0, 0.3], [0.2, 0.1]]> : tensor<3x2xf32>
  %a = vae.dense %x, %v : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32> loc("left")
  %b = vae.dense %x, %u : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32> loc("right")
  %s = vae.add %a, %b : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.dense %s, %w : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32> loc("out")
  %l = vae.log_likelihood %x, %y {likelihood = #vae.likelihood<gaussian>} : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?xf32>
  return %l : tensor<?xf32>
})";
  };
  parse(write("dense<[[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]]>",
              "dense<[[-0.5, -1.0, -1.5], [0.0, 0.0, 0.0]]>"));
  auto scores = score();
  EXPECT_EQ(scores["left"], scores["right"]);
  EXPECT_GT(scores["left"][1], 0);
  parse(write("dense<[[0.5, 1.0, 1.5], [0.1, 0.2, 0.3]]>",
              "dense<[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]>"));
  auto same = score();
  for (size_t unit : {0, 1})
    EXPECT_NEAR(scores["left"][unit], same["left"][unit], 1e-5);
}

TEST_F(TaylorImportanceTest, DepthwiseLayersCarryUnitsOn) {
  x.shape = {6, 3};
  parse(
      R"(func.func @score(%x: tensor<?x3xf32>) -> (tensor<?xf32> {vae.role = "elbo"}) {
  %v = vae.constant dense<[[[[1.0]]], [[[0.5]]]]> : tensor<2x1x1x1xf32>
  %u = vae.constant dense<[[[[0.7]]], [[[-2.0]]]]> : tensor<2x1x1x1xf32>
  %w = vae.constant dense<[[[[1.0]], [[0.5]]]]> : tensor<1x2x1x1xf32>
  %i = vae.reshape %x {shape = array<i64: 1, 3, 1>} : (tensor<?x3xf32>) -> tensor<?x1x3x1xf32>
  %a = vae.conv2d %i, %v : (tensor<?x1x3x1xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x3x1xf32> loc("first")
  %b = vae.conv2d %a, %u {groups = 2 : i64} : (tensor<?x2x3x1xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x3x1xf32> loc("depthwise")
  %y = vae.conv2d %b, %w : (tensor<?x2x3x1xf32>, tensor<1x2x1x1xf32>) -> tensor<?x1x3x1xf32> loc("last")
  %l = vae.log_likelihood %i, %y {likelihood = #vae.likelihood<gaussian>} : (tensor<?x1x3x1xf32>, tensor<?x1x3x1xf32>) -> tensor<?xf32>
  return %l : tensor<?xf32>
})");
  auto scores = score();
  EXPECT_EQ(scores["first"], scores["depthwise"]);
  // y = (0.7 - 0.5) x: of example n, L = (0.8 |x|)^2 / 2 + .. and units change
  // it by -(x - y) * 0.7 x = -0.56 |x|^2 and 0.4 |x|^2.
  double sum = 0;
  for (size_t n = 0; n < 6; ++n) {
    double squares = 0;
    for (size_t i = 0; i < 3; ++i)
      squares += std::pow(double(x.data[3 * n + i]), 2);
    sum += squares * squares / 6;
  }
  EXPECT_NEAR(scores["first"][0], 0.56 * std::sqrt(sum), 1e-5);
  EXPECT_NEAR(scores["first"][1], 0.4 * std::sqrt(sum), 1e-5);
}

TEST_F(TaylorImportanceTest, Errors) {
  parse("func.func @decode(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {\n"
        "  return %x : tensor<1x1xf32>\n}");
  auto none = TaylorImportance::create(*module);
  ASSERT_FALSE(static_cast<bool>(none));
  EXPECT_EQ(toString(none.takeError()),
            "the model has no entry point 'score', and so no loss");
  Weights in = draw(4, 3, random), out = draw(3, 4, random);
  parseModel(in, out);
  auto importance = TaylorImportance::create(*module);
  ASSERT_TRUE(static_cast<bool>(importance));
  x.data[4] = INFINITY;
  llvm::Error error = importance->add({x});
  EXPECT_EQ(toString(std::move(error)),
            "the loss of an example is no finite number");
}
