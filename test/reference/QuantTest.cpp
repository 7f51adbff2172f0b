// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized tensors: what the description of the dialect says of their
// integers, with numbers worked out by hand.
#include "test/reference/Reference.h"

#include "dialects/vae/IR/VaeQuant.h"

#include <random>

using namespace vae;
using namespace vae::reference;

/// Aliases for the types of activations: scale and zero point.
static const char *kTypes = R"(
!half10 = !quant.uniform<u8:f32, 0.5:10>
!half128 = !quant.uniform<u8:f32, 0.5:128>
!quarter4 = !quant.uniform<u8:f32, 0.25:4>
!one3 = !quant.uniform<u8:f32, 1.0:3>
)";

static std::vector<Tensor> runQuantized(const char *function,
                                        llvm::ArrayRef<Tensor> inputs) {
  return run(std::string(kTypes) + function, inputs);
}

// x = {12, 10, 6} stands for (q - 10) / 2: integers {2, 0, -4}.
// w / t = {2, 1, -1.2}, {2, -2, 0.5}: integers {2, 1, -1}, {2, -2, 0} (ties to
// even). Sums 2*2 + 0*1 + 4*1 = 8 and 2*2 = 4; times s*t = 1/8 and 1/4: 1, 1.
static const Tensor kDenseX = {{1, 3}, {12, 10, 6}};
static const Tensor kDenseWeight = {{2, 3}, {0.5f, 0.25f, -0.3f, 1, -1, 0.25f}};
static const Tensor kDenseBias = {{2}, {0.5f, -2}};

TEST(reference, IntegerDense) {
  auto y = runQuantized(R"(
    func.func @f(%x: tensor<1x3x!half10>, %w: tensor<2x3xf32>) -> tensor<1x2xf32> {
      %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.25, 0.5}>}
        : (tensor<1x3x!half10>, tensor<2x3xf32>) -> tensor<1x2xf32>
      return %y : tensor<1x2xf32>
    })",
                        {kDenseX, kDenseWeight});
  ASSERT_EQ(y.size(), 1u);
  expectTensor(y[0], {1, 2}, {1, 1});
}

TEST(reference, IntegerDenseEpilogue) {
  // 1 + 0.5 + 1 = 2.5, and relu(1 - 2 + 0.25) = 0. In integers of 1 from 3 on:
  // 2 (ties to even) + 3 = 5, and 3.
  const char *text = R"(
    func.func @f(%x: tensor<1x3x!half10>, %w: tensor<2x3xf32>, %b: tensor<2xf32>,
                 %r: tensor<1x2xR>) -> (tensor<1x2xf32>, tensor<1x2x!one3>) {
      %y = vae.dense %x, %w bias(%b) residual(%r) {activation = #vae.act<relu>,
          vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.25, 0.5}>}
        : (tensor<1x3x!half10>, tensor<2x3xf32>, tensor<2xf32>, tensor<1x2xR>) -> tensor<1x2xf32>
      %q = vae.dense %x, %w bias(%b) residual(%r) {activation = #vae.act<relu>,
          vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.25, 0.5}>}
        : (tensor<1x3x!half10>, tensor<2x3xf32>, tensor<2xf32>, tensor<1x2xR>) -> tensor<1x2x!one3>
      return %y, %q : tensor<1x2xf32>, tensor<1x2x!one3>
    })";
  // The quantized residual stands for (8 - 4) / 4 = 1 and (5 - 4) / 4.
  const Tensor f32 = {{1, 2}, {1, 0.25f}}, quantized = {{1, 2}, {8, 5}};
  for (bool isQuantized : {false, true}) {
    const Tensor &residual = isQuantized ? quantized : f32;
    std::string program = text;
    for (size_t at; (at = program.find("xR>")) != std::string::npos;)
      program.replace(at, 3, isQuantized ? "x!quarter4>" : "xf32>");
    auto y = runQuantized(program.c_str(),
                          {kDenseX, kDenseWeight, kDenseBias, residual});
    ASSERT_EQ(y.size(), 2u);
    expectTensor(y[0], {1, 2}, {2.5, 0});
    expectTensor(y[1], {1, 2}, {5, 3});
  }
}

TEST(reference, IntegerConv2dPadsWithTheZeroPoint) {
  // Integers {2, -2; 0, 1}, a column of zeros left of them, and the kernel
  // {1, 2; 3, -1}: 2*2 - 0 = 4; 2 - 2*2 + 0 - 1 = -3; times 1/2.
  auto y = runQuantized(
      R"(
    func.func @f(%x: tensor<1x1x2x2x!half128>, %w: tensor<1x1x2x2xf32>) -> tensor<1x1x1x2xf32> {
      %y = vae.conv2d %x, %w {padding = array<i64: 0, 1, 0, 0>,
          vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {1.0}>}
        : (tensor<1x1x2x2x!half128>, tensor<1x1x2x2xf32>) -> tensor<1x1x1x2xf32>
      return %y : tensor<1x1x1x2xf32>
    })",
      {{{1, 1, 2, 2}, {130, 126, 128, 129}}, {{1, 1, 2, 2}, {1, 2, 3, -1}}});
  ASSERT_EQ(y.size(), 1u);
  expectTensor(y[0], {1, 1, 1, 2}, {2, -1.5});
}

TEST(reference, IntegerConvolutionsInGroups) {
  // Integers 3 and -2 by 2 and 3 (4 and 6 over 2), times 1/2 * 2.
  const Tensor x = {{1, 2, 1, 1}, {131, 126}}, w = {{2, 1, 1, 1}, {4, 6}};
  for (const char *op :
       {"vae.conv2d %x, %w {groups = 2 : i64, vae.weight_type = "
        "!quant.uniform<i8<-127:127>:f32:0, {2.0, 2.0}>}",
        "vae.conv_transpose2d %x, %w {groups = 2 : i64, vae.weight_type = "
        "!quant.uniform<i8<-127:127>:f32:1, {2.0}>}"}) {
    std::string type = "tensor<1x2x1x1xf32>";
    std::string text =
        "func.func @f(%x: tensor<1x2x1x1x!half128>, %w: tensor<2x1x1x1xf32>) "
        "-> " +
        type + " {\n %y = " + op +
        " : (tensor<1x2x1x1x!half128>, tensor<2x1x1x1xf32>) -> " + type +
        "\n return %y : " + type + "\n}";
    auto y = runQuantized(text.c_str(), {x, w});
    ASSERT_EQ(y.size(), 1u);
    expectTensor(y[0], {1, 2, 1, 1}, {6, -6});
  }
}

TEST(reference, IntegerConv3d) {
  // 2*1 - 2*5 = -8, times 1/2.
  auto y =
      runQuantized(R"(
    func.func @f(%x: tensor<1x1x2x1x1x!half128>, %w: tensor<1x1x2x1x1xf32>) -> tensor<1x1x1x1x1xf32> {
      %y = vae.conv3d %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {1.0}>}
        : (tensor<1x1x2x1x1x!half128>, tensor<1x1x2x1x1xf32>) -> tensor<1x1x1x1x1xf32>
      return %y : tensor<1x1x1x1x1xf32>
    })",
                   {{{1, 1, 2, 1, 1}, {130, 126}}, {{1, 1, 2, 1, 1}, {1, 5}}});
  ASSERT_EQ(y.size(), 1u);
  expectTensor(y[0], {1, 1, 1, 1, 1}, {-4});
}

TEST(reference, IntegerSumsAreExact) {
  // 1023 products of 245 * 127 and one of 245 * 126: 31861515, odd and above
  // 2^24, so that f32 rounds it, ties to even, to 31861516, and sums of f32
  // would round all the way.
  Tensor x = {{1, 1024}, std::vector<float>(1024, 255)};
  Tensor w = {{1, 1024}, std::vector<float>(1024, 127)};
  w.data.back() = 126;
  auto y = runQuantized(R"(
    func.func @f(%x: tensor<1x1024x!half10>, %w: tensor<1x1024xf32>, %b: tensor<1xf32>) -> tensor<1x1xf32> {
      %y = vae.dense %x, %w bias(%b) {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {1.0}>}
        : (tensor<1x1024x!half10>, tensor<1x1024xf32>, tensor<1xf32>) -> tensor<1x1xf32>
      return %y : tensor<1x1xf32>
    })",
                        {x, w, {{1}, {-15930000}}});
  ASSERT_EQ(y.size(), 1u);
  EXPECT_EQ(y[0].data[0], 758.0f); // 31861516 / 2 - 15930000
}

TEST(reference, QuantizedWeightsOfF32Layers) {
  // {0.3, -1} over t = 0.3 are the integers 1 and -3: 0.3 * 2 - 0.9 * 1.
  auto y = run(R"(
    func.func @f(%x: tensor<1x2xf32>, %w: tensor<1x2xf32>) -> tensor<1x1xf32> {
      %y = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.3}>}
        : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
      return %y : tensor<1x1xf32>
    })",
               {{{1, 2}, {2, 1}}, {{1, 2}, {0.3f, -1}}});
  ASSERT_EQ(y.size(), 1u);
  expectTensor(y[0], {1, 1}, {-0.3});
}

TEST(reference, Quantize) {
  // Over 1/2, ties to even, plus 10; the ends are -5 and 122.5.
  const float inf = std::numeric_limits<float>::infinity();
  auto y = runQuantized(R"(
    func.func @f(%x: tensor<1x9xf32>) -> (tensor<1x9x!half10>, tensor<1x9xf32>) {
      %q = vae.convert_layout %x : (tensor<1x9xf32>) -> tensor<1x9x!half10>
      %y = vae.convert_layout %q : (tensor<1x9x!half10>) -> tensor<1x9xf32>
      return %q, %y : tensor<1x9x!half10>, tensor<1x9xf32>
    })",
                        {{{1, 9},
                          {0, 0.25f, 0.26f, -0.75f, 1, 300, -inf, inf,
                           std::numeric_limits<float>::quiet_NaN()}}});
  ASSERT_EQ(y.size(), 2u);
  expectTensor(y[0], {1, 9}, {10, 10, 11, 8, 12, 255, 0, 255, 0});
  expectTensor(y[1], {1, 9}, {0, 0, 0.5, -1, 1, 122.5, -5, 122.5, -5});
}

TEST(reference, QuantizedMovement) {
  auto y = runQuantized(R"(
    func.func @f(%x: tensor<1x1x1x2x!half10>)
        -> (tensor<1x1x2x3x!half10>, tensor<1x1x2x4x!half10>, tensor<1x1x1x1x!half10>) {
      %p = vae.pad %x {padding = array<i64: 0, 1, 1, 0>}
        : (tensor<1x1x1x2x!half10>) -> tensor<1x1x2x3x!half10>
      %u = vae.upsample %x {scale = array<i64: 2, 2>}
        : (tensor<1x1x1x2x!half10>) -> tensor<1x1x2x4x!half10>
      %m = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>}
        : (tensor<1x1x1x2x!half10>) -> tensor<1x1x1x1x!half10>
      return %p, %u, %m : tensor<1x1x2x3x!half10>, tensor<1x1x2x4x!half10>, tensor<1x1x1x1x!half10>
    })",
                        {{{1, 1, 1, 2}, {7, 200}}});
  ASSERT_EQ(y.size(), 3u);
  expectTensor(y[0], {1, 1, 2, 3}, {10, 7, 200, 10, 10, 10});
  expectTensor(y[1], {1, 1, 2, 4}, {7, 7, 200, 200, 7, 7, 200, 200});
  expectTensor(y[2], {1, 1, 1, 1}, {200});
}

TEST(reference, QuantizationIsOffByHalfAStepAtMost) {
  mlir::MLIRContext context;
  context.loadDialect<VaeDialect>();
  std::mt19937 random(7);
  for (auto [low, high] : {std::make_pair(-3.7, 12.9),
                           {0.0, 6.0},
                           {-1e-3, 2e-5},
                           {-8.0, 0.0},
                           {0.25, 1e6}}) {
    Quantization numbers(getActivationType(&context, low, high));
    // 0 is an integer, so that an end may be off by half a step.
    double step = (std::max(high, 0.0) - std::min(low, 0.0)) / 255;
    EXPECT_FLOAT_EQ(numbers.scale, step);
    EXPECT_EQ(numbers.dequantize(numbers.quantize(0)), 0);
    std::uniform_real_distribution<float> draw(low, high);
    for (unsigned i = 0; i < 1000; ++i) {
      float x = draw(random);
      EXPECT_LE(std::fabs(numbers.dequantize(numbers.quantize(x)) - x),
                step * 0.50001)
          << x << " of " << low << " to " << high;
    }
  }
}
