// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd in 16-bit block floating point, where its integers are as large as
// they can become, and where numbers are no numbers.
#include "compiler/conversion/kernels/WinogradForm.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

constexpr int64_t kChannels = 80; // a whole chunk of 64, and a block of 16
constexpr int64_t kOutputs = 4, kWindow = 6, kTile = 4;

std::unique_ptr<ModelLibrary> compile(const std::string &model,
                                      CompileOptions options) {
  options.exactEnds = false;
  return compileText(model, options);
}

std::vector<float> decode(ModelLibrary &library, const Tensor &latent) {
  std::string error;
  auto results = library.run(*library.findEntry("decode"), {latent.shape[0]},
                             {latent}, Split::Whole, Edge::End, error);
  EXPECT_EQ(error, "");
  return results[0].data;
}

/// A convolution of one tile: 6x6 pixels to 4x4 results. Weights are those of
/// the output for all inputs and taps.
class OneTile {
public:
  OneTile(llvm::ArrayRef<float> weights, int64_t width) {
    std::vector<float> kernel;
    for (float weight : weights)
      kernel.insert(kernel.end(), kChannels * 9, weight);
    std::string model = llvm::formatv(
        R"({"format_version": 1, "name": "tile",
        "latent": {"kind": "code", "shape": [6, 6, {0}], "layout": "NHWC"},
        "decoder": {"layers": [{"name": "c", "type": "conv2d",
          "kernel_size": 3, "filters": {1}, "weights": {
          "kernel": {"shape": [{1}, {0}, 3, 3], "data": [{2}]},
          "bias": [{3}]}}]}})",
        kChannels, weights.size(), join(kernel), "0, 0, 0, 0");
    CompileOptions options;
    options.precision = Precision::BFP16;
    options.algorithms = {"winograd4"};
    options.vectorWidth = width;
    library = compile(model, options);
  }

  /// Results of one pixel of the tile for each output, of pixels that are the
  /// same for all channels.
  std::vector<float> run(llvm::function_ref<float(int64_t, int64_t)> pixel,
                         int64_t channels = kChannels) {
    Tensor data;
    data.shape = {1, kWindow, kWindow, kChannels};
    for (int64_t i = 0; i < kWindow; ++i)
      for (int64_t j = 0; j < kWindow; ++j)
        for (int64_t c = 0; c < kChannels; ++c)
          data.data.push_back(c < channels ? pixel(i, j) : 0);
    return decode(*library, data);
  }

private:
  std::unique_ptr<ModelLibrary> library;
};

/// Widths of vectors that have 16-bit products; 0: as the CPU has them.
constexpr int64_t kWidths[] = {0, 8};

/// Signs of pixels for which a position of the transformed tile is as large as
/// its scale allows for, in all channels: its sum is the largest that there is.
TEST(BlockFloat, LargestSumsDoNotOverflow) {
  Matrix input = getWinogradMatrices({kTile, 3}).input;
  const float weights[kOutputs] = {1, -1, 0.25F, 1e10F};
  for (int64_t width : kWidths) {
    OneTile model(weights, width);
    for (int64_t row = 0; row < kWindow; ++row)
      for (int64_t column = 0; column < kWindow; ++column) {
        auto pixel = [&](int64_t i, int64_t j) {
          return std::copysign(1.0F, static_cast<float>(input[row][i])) *
                 std::copysign(1.0F, static_cast<float>(input[column][j]));
        };
        std::vector<float> results = model.run(pixel);
        for (int64_t i = 0; i < kTile; ++i)
          for (int64_t j = 0; j < kTile; ++j) {
            double sum = 0;
            for (int64_t tap = 0; tap < 9; ++tap)
              sum += kChannels * pixel(i + tap / 3, j + tap % 3);
            for (auto [o, weight] : llvm::enumerate(weights))
              EXPECT_NEAR(results[(o * kTile + i) * kTile + j] / weight, sum,
                          kChannels * 9 * 1e-3)
                  << row << ", " << column << ", output " << o;
          }
      }
  }
}

TEST(BlockFloat, SpecialNumbersReachTheirResults) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const float weights[kOutputs] = {1, -1, 2, 0};
  for (int64_t width : kWidths) {
    OneTile model(weights, width);
    for (float special : {kInfinity, -kInfinity, kNaN})
      for (float result : model.run([&](int64_t i, int64_t j) {
             return i == 2 && j == 3 ? special : 1;
           }))
        EXPECT_FALSE(std::isfinite(result));
    // Nothing, and less than a scale can be.
    for (float least : {0.0F, 1e-40F})
      for (float result : model.run([&](int64_t, int64_t) { return least; }))
        EXPECT_NEAR(result, 0, 1e-25);
    // Large ones beside a chunk of nothing.
    std::vector<float> large =
        model.run([&](int64_t, int64_t) { return 1e30F; }, 64);
    EXPECT_NEAR(large[0] / (64 * 9 * 1e30), 1, 1e-3);
  }
}

/// A convolution of one tap from 80 to 70 channels, a residual, and a dense
/// layer back, on 17x16 pixels.
std::string makePointwiseModel(int64_t inputs, int64_t outputs) {
  auto numbers = [](int64_t count, int64_t step) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(i * step % 251 - 125) / 1024);
    return join(values);
  };
  return llvm::formatv(
      R"({"format_version": 1, "name": "pointwise",
      "latent": {"kind": "code", "shape": [17, 16, {0}], "layout": "NHWC"},
      "decoder": {"layers": [
        {"name": "a", "type": "conv2d", "kernel_size": 1, "filters": {1},
         "activation": "relu", "weights": {
         "kernel": {"shape": [{1}, {0}, 1, 1], "data": [{2}]}, "bias": [{4}]}},
        {"name": "b", "type": "conv2d", "kernel_size": 1, "filters": {0},
         "weights": {"kernel": {"shape": [{0}, {1}, 1, 1], "data": [{3}]},
         "bias": [{5}]}},
        {{"name": "sum", "type": "add", "inputs": ["b", "z"]}]}})",
      inputs, outputs, numbers(inputs * outputs, 7),
      numbers(inputs * outputs, 11), numbers(outputs, 3), numbers(inputs, 5));
}

TEST(BlockFloat, PointwiseLayersAreThoseOfF32) {
  const std::string model = makePointwiseModel(80, 70);
  Tensor latents;
  latents.shape = {3, 17, 16, 80};
  for (int64_t i = 0; i < 3 * 17 * 16 * 80; ++i)
    latents.data.push_back(static_cast<float>(i * 13 % 509 - 254) / 64);
  for (int64_t width : kWidths) {
    CompileOptions options;
    options.vectorWidth = width;
    std::vector<float> exact = decode(*compile(model, options), latents);
    options.precision = Precision::BFP16;
    auto library = compile(model, options);
    EXPECT_STREQ(library->getTable().quantization, "bfp16");
    EXPECT_TRUE(llvm::any_of(
        llvm::ArrayRef(library->findEntry("decode")->steps,
                       library->findEntry("decode")->num_steps),
        [](const vae_abi_step &step) {
          return llvm::StringRef(step.kernel).starts_with("winograd1x1_");
        }));
    std::vector<float> results = decode(*library, latents);
    ASSERT_EQ(results.size(), exact.size());
    double error = 0, size = 0;
    for (auto [x, y] : llvm::zip(results, exact)) {
      error += (x - y) * (x - y);
      size += y * y;
    }
    EXPECT_LT(std::sqrt(error / size), 2e-4);
    EXPECT_GT(error, 0);
    // An example has the same bits alone.
    Tensor last;
    last.shape = {1, 17, 16, 80};
    int64_t count = 17 * 16 * 80;
    last.data.assign(latents.data.end() - count, latents.data.end());
    EXPECT_EQ(decode(*library, last),
              std::vector<float>(results.end() - count, results.end()));
  }
}

} // namespace
