// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd in 16-bit block floating point, where its integers are as large as
// they can become, and where numbers are no numbers.
#include "compiler/conversion/kernels/WinogradForm.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "test/e2e/ModelLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

constexpr int64_t kChannels = 80; // a whole chunk of 64, and a block of 16
constexpr int64_t kOutputs = 4, kWindow = 6, kTile = 4;

/// A convolution of one tile: 6x6 pixels to 4x4 results. Weights are those of
/// the output for all inputs and taps.
class OneTile {
public:
  OneTile(llvm::ArrayRef<float> weights, int64_t width) : weights(weights) {
    std::string kernel;
    for (float weight : weights)
      for (int64_t i = 0; i < kChannels * 9; ++i)
        kernel += llvm::formatv("{0}{1}", kernel.empty() ? "" : ", ", weight);
    std::string model = llvm::formatv(
        R"({"format_version": 1, "name": "tile",
        "latent": {"kind": "code", "shape": [6, 6, {0}], "layout": "NHWC"},
        "decoder": {"layers": [{"name": "c", "type": "conv2d",
          "kernel_size": 3, "filters": {1}, "weights": {
          "kernel": {"shape": [{1}, {0}, 3, 3], "data": [{2}]},
          "bias": [{3}]}}]}})",
        kChannels, weights.size(), kernel, "0, 0, 0, 0");
    llvm::SmallString<128> input, output;
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("tile", "json", input));
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("tile", "so", output));
    std::error_code code;
    llvm::raw_fd_ostream(input, code) << model;
    EXPECT_FALSE(code);
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    CompileOptions options;
    options.precision = Precision::BFP16;
    options.algorithms = {"winograd4"};
    options.exactEnds = false;
    options.vectorWidth = width;
    EXPECT_TRUE(succeeded(compileModel(input, output, options, context)));
    library = std::make_unique<ModelLibrary>(output.str().str(), error);
    llvm::sys::fs::remove(input);
    llvm::sys::fs::remove(output);
    EXPECT_EQ(error, "");
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
    auto results = library->run(*library->findEntry("decode"), {1}, {data},
                                Split::Whole, Edge::End, error);
    EXPECT_EQ(error, "");
    return results[0].data;
  }

private:
  std::vector<float> weights;
  std::unique_ptr<ModelLibrary> library;
  std::string error;
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

} // namespace
