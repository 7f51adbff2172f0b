// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every vector-Jacobian product beside central differences of the reference
// interpreter, for all operands, on random data.
#include "compiler/gradient/Tape.h"
#include "test/reference/Reference.h"

#include <random>

using namespace vae;
using vae::gradient::Gradients;
using vae::gradient::Tape;
using vae::reference::Program;
using vae::reference::Tensor;

namespace {
struct OpCase {
  /// With operands %0, %1, ..
  const char *op;
  std::vector<const char *> operands;
  /// Types of the results.
  const char *results;
  /// Of the operands, uniform.
  double low = -1, high = 1;
};

/// For messages.
void PrintTo(const OpCase &test, std::ostream *out) { *out << test.op; }

/// "1x2x3" as a shape.
llvm::SmallVector<int64_t> parseShape(llvm::StringRef text) {
  llvm::SmallVector<int64_t> shape;
  while (!text.empty()) {
    auto [size, rest] = text.split('x');
    shape.push_back(std::stoll(size.str()));
    text = rest;
  }
  return shape;
}

/// The function @f of the operation.
std::string write(const OpCase &test) {
  std::string arguments, types, names;
  llvm::StringRef results = test.results;
  size_t count = 1 + results.count(", tensor");
  for (auto [i, operand] : llvm::enumerate(test.operands)) {
    std::string type = "tensor<" + std::string(operand) + "xf32>";
    arguments += (i ? ", %" : "%") + std::to_string(i) + ": " + type;
    types += (i ? ", " : "") + type;
  }
  for (size_t i = 0; i < count; ++i)
    names += (i ? ", %r#" : "%r#") + std::to_string(i);
  return ("func.func @f(" + arguments + ") -> (" + results + ") {\n  %r:" +
          std::to_string(count) + " = " + test.op + " : (" + types + ") -> (" +
          results + ")\n  return " + names + " : " + results + "\n}\n")
      .str();
}

class Vjp : public testing::TestWithParam<OpCase> {
protected:
  Vjp() : program(write(GetParam())), function(program.function("f")) {}

  void SetUp() override {
    ASSERT_TRUE(function);
    for (const char *operand : GetParam().operands)
      inputs.push_back(draw(parseShape(operand)));
  }

  Tensor draw(llvm::ArrayRef<int64_t> shape) {
    Tensor tensor;
    tensor.shape.assign(shape.begin(), shape.end());
    int64_t size = 1;
    for (int64_t dim : shape)
      size *= dim;
    std::uniform_real_distribution<float> values(
        static_cast<float>(GetParam().low),
        static_cast<float>(GetParam().high));
    for (int64_t i = 0; i < size; ++i)
      tensor.data.push_back(values(random));
    return tensor;
  }

  /// Of the loss sum <seed, result>.
  double evaluate(const std::vector<Tensor> &at) {
    auto results = reference::interpret(function, at);
    if (!results) {
      ADD_FAILURE() << toString(results.takeError());
      return 0;
    }
    double sum = 0;
    for (auto [seed, result] : llvm::zip(seeds, *results))
      for (auto [factor, value] : llvm::zip(seed.data, result.data))
        sum += double(factor) * value;
    return sum;
  }

  /// Of the operand's element, from points that f32 has.
  double differentiate(size_t operand, size_t element) {
    const float h = 1.0f / 512;
    std::vector<Tensor> at = inputs;
    float &x = at[operand].data[element];
    float up = x + h, down = x - h;
    x = up;
    double above = evaluate(at);
    x = down;
    return (above - evaluate(at)) / (double(up) - double(down));
  }

  Program program;
  mlir::func::FuncOp function;
  std::mt19937_64 random{7};
  std::vector<Tensor> inputs, seeds;
};
} // namespace

TEST_P(Vjp, IsThatOfDifferences) {
  auto tape = Tape::record(function, inputs);
  ASSERT_TRUE(static_cast<bool>(tape)) << toString(tape.takeError());
  Gradients seedOf;
  for (mlir::Value result : function.front().getTerminator()->getOperands()) {
    seeds.push_back(draw(tape->get(result).shape));
    seedOf[result] = seeds.back();
  }
  std::vector<mlir::Value> wanted(function.args_begin(), function.args_end());
  auto found = tape->differentiate(seedOf, wanted);
  ASSERT_TRUE(static_cast<bool>(found)) << toString(found.takeError());
  for (size_t operand = 0; operand < inputs.size(); ++operand) {
    const Tensor &gradient = (*found)[wanted[operand]];
    ASSERT_EQ(gradient.shape, inputs[operand].shape);
    for (size_t i = 0; i < gradient.data.size(); ++i) {
      double expected = differentiate(operand, i);
      EXPECT_NEAR(gradient.data[i], expected, 3e-3 * (1 + std::abs(expected)))
          << "element " << i << " of operand " << operand;
    }
  }
}

// The last operand of `like` only gives a shape; biases and residuals are
// operands like others. Positive ones where there are square roots or
// logarithms.
static const OpCase kCases[] = {
    {"vae.dense %0, %1 bias(%2)", {"2x3", "4x3", "4"}, "tensor<2x4xf32>"},
    {"vae.dense %0, %1", {"2x2x3", "4x3"}, "tensor<2x2x4xf32>"},
    {"vae.dense %0, %1 bias(%2) residual(%3) {activation = #vae.act<tanh>}",
     {"2x3", "4x3", "4", "2x4"},
     "tensor<2x4xf32>"},
    {"vae.conv2d %0, %1 bias(%2)",
     {"2x2x4x5", "3x2x3x3", "3"},
     "tensor<2x3x2x3xf32>"},
    {"vae.conv2d %0, %1 {strides = array<i64: 2, 1>, padding = array<i64: 1, "
     "0, 2, 1>, dilations = array<i64: 1, 2>}",
     {"1x2x5x4", "3x2x3x2"},
     "tensor<1x3x3x3xf32>"},
    {"vae.conv2d %0, %1 bias(%2) residual(%3) {groups = 2 : i64, padding = "
     "array<i64: 1, 1, 1, 1>, activation = #vae.act<sigmoid>}",
     {"1x4x3x3", "6x2x3x3", "6", "1x6x3x3"},
     "tensor<1x6x3x3xf32>"},
    {"vae.conv_transpose2d %0, %1 bias(%2)",
     {"2x3x2x3", "3x2x3x3", "2"},
     "tensor<2x2x4x5xf32>"},
    {"vae.conv_transpose2d %0, %1 {strides = array<i64: 2, 2>, padding = "
     "array<i64: 1, 0, 1, 1>, output_padding = array<i64: 1, 0>, dilations = "
     "array<i64: 1, 2>}",
     {"1x2x3x2", "2x3x3x2"},
     "tensor<1x3x6x4xf32>"},
    {"vae.conv_transpose2d %0, %1 bias(%2) residual(%3) {groups = 2 : i64, "
     "strides = array<i64: 2, 2>, activation = #vae.act<silu>}",
     {"1x4x2x2", "4x1x2x2", "2", "1x2x4x4"},
     "tensor<1x2x4x4xf32>"},
    {"vae.conv3d %0, %1 bias(%2) {padding = array<i64: 1, 1, 0, 0, 1, 0>, "
     "strides = array<i64: 1, 2, 1>}",
     {"1x2x3x3x3", "2x2x2x2x2", "2"},
     "tensor<1x2x3x2x2xf32>"},
    {"vae.batch_norm %0, %1, %2 weight(%3) bias(%4) {epsilon = 0.1 : f64}",
     {"2x3x2", "3", "3", "3", "3"},
     "tensor<2x3x2xf32>",
     0.5,
     1.5},
    {"vae.channel_affine %0, %1, %2", {"2x3x2", "3", "3"}, "tensor<2x3x2xf32>"},
    {"vae.group_norm %0 weight(%1) bias(%2) {groups = 2 : i64, epsilon = 0.1 : "
     "f64}",
     {"2x4x2x2", "4", "4"},
     "tensor<2x4x2x2xf32>"},
    {"vae.group_norm %0 weight(%1) bias(%2) residual(%3) {groups = 1 : i64, "
     "epsilon = 0.1 : f64, activation = #vae.act<silu>}",
     {"2x3x2", "3", "3", "2x3x2"},
     "tensor<2x3x2xf32>"},
    {"vae.layer_norm %0 weight(%1) bias(%2) {axes = 2 : i64, epsilon = 0.1 : "
     "f64}",
     {"2x3x2", "3x2", "3x2"},
     "tensor<2x3x2xf32>"},
    {"vae.rms_norm %0 weight(%1) bias(%2) residual(%3) {epsilon = 0.1 : f64, "
     "activation = #vae.act<gelu>}",
     {"2x3x2", "3", "3", "2x3x2"},
     "tensor<2x3x2xf32>"},
    {"vae.rms_norm %0 {l2 = true, epsilon = 0.01 : f64}",
     {"2x3x2"},
     "tensor<2x3x2xf32>",
     0.2,
     1},
    // Divides by epsilon.
    {"vae.rms_norm %0 {l2 = true, epsilon = 10.0 : f64}",
     {"2x3x2"},
     "tensor<2x3x2xf32>"},
    {"vae.activation %0 <mish>", {"2x5"}, "tensor<2x5xf32>"},
    {"vae.prelu %0, %1", {"2x3x2", "3"}, "tensor<2x3x2xf32>"},
    {"vae.prelu %0, %1", {"2x3x2", "1"}, "tensor<2x3x2xf32>"},
    {"vae.add %0, %1", {"2x3", "2x3"}, "tensor<2x3xf32>"},
    {"vae.sub %0, %1", {"2x3", "2x3"}, "tensor<2x3xf32>"},
    {"vae.mul %0, %1", {"2x3", "2x3"}, "tensor<2x3xf32>"},
    {"vae.glu %0 <sigmoid>", {"2x4x2"}, "tensor<2x2x2xf32>"},
    {"vae.softmax %0 {axis = 1 : i64}", {"2x3x2"}, "tensor<2x3x2xf32>"},
    {"vae.attention %0, %1, %2 {heads = 2 : i64, scale = 0.8 : f64}",
     {"2x2x4", "2x3x4", "2x3x2"},
     "tensor<2x2x2xf32>"},
    {"vae.attention %0, %1, %2 {scale = 0.8 : f64}",
     {"1x2x2x2", "1x2x1x3", "1x4x1x3"},
     "tensor<1x4x2x2xf32>"},
    {"vae.dropout %0 {rate = 0.5 : f64}", {"2x3"}, "tensor<2x3xf32>"},
    {"vae.upsample %0 {scale = array<i64: 2, 3>}",
     {"1x2x2x2"},
     "tensor<1x2x4x6xf32>"},
    {"vae.resize %0 {size = array<i64: 3, 5>}",
     {"1x2x2x3"},
     "tensor<1x2x3x5xf32>"},
    {"vae.resize %0 like(%1) {mode = #vae.resize<nearest_exact>}",
     {"1x2x5x3", "1x1x2x2"},
     "tensor<1x2x2x2xf32>"},
    {"vae.pixel_shuffle %0 {factor = 2 : i64}",
     {"1x8x2x1"},
     "tensor<1x2x4x2xf32>"},
    {"vae.pixel_unshuffle %0 {factor = 2 : i64}",
     {"1x2x2x4"},
     "tensor<1x8x1x2xf32>"},
    {"vae.repeat_channels %0 {repeats = 3 : i64}",
     {"2x2x2"},
     "tensor<2x6x2xf32>"},
    {"vae.mean_channels %0 {group = 2 : i64}", {"2x4x2"}, "tensor<2x2x2xf32>"},
    {"vae.pool2d %0 {kind = #vae.pool<avg>, kernel = array<i64: 2, 3>, strides "
     "= array<i64: 1, 2>, padding = array<i64: 1, 1, 0, 1>}",
     {"1x2x3x4"},
     "tensor<1x2x3x2xf32>"},
    {"vae.pool2d %0 {kind = #vae.pool<avg>, kernel = array<i64: 2, 2>, strides "
     "= array<i64: 2, 2>, padding = array<i64: 1, 1, 0, 0>, count_include_pad "
     "= false}",
     {"1x2x3x3"},
     "tensor<1x2x2x2xf32>"},
    {"vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides "
     "= array<i64: 1, 1>, padding = array<i64: 1, 0, 0, 0>}",
     {"1x2x3x3"},
     "tensor<1x2x3x2xf32>"},
    {"vae.global_pool %0 {kind = #vae.pool<avg>}",
     {"2x2x2x3"},
     "tensor<2x2xf32>"},
    {"vae.global_pool %0 {kind = #vae.pool<max>}",
     {"2x2x2x3"},
     "tensor<2x2xf32>"},
    {"vae.concat %0, %1, %2 {axis = 1 : i64}",
     {"2x1x2", "2x3x2", "2x2x2"},
     "tensor<2x6x2xf32>"},
    {"vae.split %0 {axis = 1 : i64, sections = 2 : i64}",
     {"2x4x2"},
     "tensor<2x2x2xf32>, tensor<2x2x2xf32>"},
    {"vae.split %0 {axis = 1 : i64, sections = 3 : i64, interleaved = true}",
     {"2x6"},
     "tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>"},
    {"vae.slice %0 {axis = 1 : i64, begin = 1 : i64, size = 2 : i64, stride = "
     "2 : i64}",
     {"2x5x2"},
     "tensor<2x2x2xf32>"},
    {"vae.crop %0 {border = array<i64: 1, 0, 0, 1>}",
     {"1x2x3x3"},
     "tensor<1x2x2x2xf32>"},
    {"vae.pad %0 {padding = array<i64: 1, 0, 2, 1>, value = 0.25 : f32}",
     {"1x2x2x2"},
     "tensor<1x2x5x3xf32>"},
    {"vae.pad %0 {padding = array<i64: 2, 1, 0, 0, 1, 0>}",
     {"1x2x1x2x2"},
     "tensor<1x2x3x4x2xf32>"},
    {"vae.reshape %0 {shape = array<i64: 3, 2>}", {"2x6"}, "tensor<2x3x2xf32>"},
    {"vae.transpose %0 {permutation = array<i64: 0, 2, 3, 1>}",
     {"2x2x3x2"},
     "tensor<2x3x2x2xf32>"},
    {"vae.convert_layout %0", {"1x2x2x2"}, "tensor<1x2x2x2xf32>"},
    {"vae.frames_to_batch %0", {"1x2x3x2x1"}, "tensor<3x2x2x1xf32>"},
    {"vae.batch_to_frames %0 like(%1)",
     {"4x2x1x2", "2x1x2x1x1"},
     "tensor<2x2x2x1x2xf32>"},
    {"vae.channels_to_frames %0 {factor = 2 : i64}",
     {"1x4x2x1x2"},
     "tensor<1x2x4x1x2xf32>"},
    {"vae.frames_to_channels %0 {factor = 2 : i64, channel_major = true}",
     {"1x2x4x1x2"},
     "tensor<1x4x2x1x2xf32>"},
    {"vae.reparameterize %0, %1, %2", {"2x3", "2x3", "2x3"}, "tensor<2x3xf32>"},
    {"vae.kl %0, %1", {"2x3", "2x3"}, "tensor<2xf32>"},
    {"vae.kl %0, %1 prior(%2, %3)",
     {"2x3x2", "2x3x2", "3", "3"},
     "tensor<2xf32>",
     0.7,
     1.5},
    {"vae.log_likelihood %0, %1 {likelihood = "
     "#vae.likelihood<bernoulli_logits>}",
     {"2x5", "2x5"},
     "tensor<2xf32>"},
    {"vae.log_likelihood %0, %1 {likelihood = #vae.likelihood<bernoulli>}",
     {"2x5", "2x5"},
     "tensor<2xf32>",
     0.1,
     0.9},
    {"vae.log_likelihood %0, %1 {likelihood = #vae.likelihood<gaussian>, scale "
     "= 0.7 : f64}",
     {"2x5", "2x5"},
     "tensor<2xf32>"},
    {"vae.log_likelihood %0, %1 logvar(%2) {likelihood = "
     "#vae.likelihood<gaussian>}",
     {"2x5", "2x5", "2x5"},
     "tensor<2xf32>"},
    {"vae.log_likelihood %0, %1 {likelihood = #vae.likelihood<laplace>, scale "
     "= 0.7 : f64}",
     {"2x5", "2x5"},
     "tensor<2xf32>"},
};

INSTANTIATE_TEST_SUITE_P(ops, Vjp, testing::ValuesIn(kCases));
