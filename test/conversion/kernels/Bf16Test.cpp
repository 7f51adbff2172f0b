// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers that rounding to bf16 could make others than f32 has.
#include "compiler/conversion/kernels/Kernels.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "test/conversion/kernels/CompileText.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(roundToBf16(1.0f), 0x3f80);
  EXPECT_EQ(roundToBf16(-1.0f), 0xbf80);
  EXPECT_EQ(roundToBf16(1 + 0x1p-8f), 0x3f80); // a tie
  EXPECT_EQ(roundToBf16(1 + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_EQ(roundToBf16(1 + 3 * 0x1p-8f), 0x3f82); // a tie
  EXPECT_EQ(roundToBf16(-0.0f), 0x8000);
}

TEST(Bf16, KeepsFiniteNumbersFinite) {
  EXPECT_EQ(roundToBf16(kLargest), 0x7f7f);
  EXPECT_EQ(roundToBf16(-kLargest), 0xff7f);
  EXPECT_EQ(roundToBf16(kInfinity), 0x7f80);
  EXPECT_EQ(roundToBf16(-kInfinity), 0xff80);
  float nan = std::numeric_limits<float>::signaling_NaN();
  EXPECT_GT(roundToBf16(nan) & 0x7fff, 0x7f80);
}

TEST(Bf16, WeightsArePairs) {
  Contraction shape;
  shape.precision = Precision::BF16;
  shape.inputs = 3;
  shape.outputs = 17;
  shape.window[0] = 2; // two runs of three, each stored as four
  auto packed = packBf16Weight(
      shape, [](int64_t, int64_t o, int64_t i, int64_t ky, int64_t) {
        return float(64 * ky + 16 * i + o % 16 + 1);
      });
  ASSERT_EQ(packed.size(), size_t(2 * 16 * 8));
  auto at = [&](int64_t block, int64_t pair, int64_t lane, int64_t which) {
    return packed[((block * 4 + pair) * 16 + lane) * 2 + which];
  };
  EXPECT_EQ(at(0, 0, 5, 0), roundToBf16(6));      // o = 5, i = 0
  EXPECT_EQ(at(0, 0, 5, 1), roundToBf16(16 + 6)); // i = 1
  EXPECT_EQ(at(0, 1, 5, 0), roundToBf16(32 + 6)); // i = 2
  EXPECT_EQ(at(0, 1, 5, 1), 0);                   // no fourth input
  EXPECT_EQ(at(1, 2, 0, 0), roundToBf16(64 + 1)); // o = 16, ky = 1
  EXPECT_EQ(at(1, 2, 1, 0), 0);                   // no output 17
}

/// What a dense layer of four outputs, with weights 0, 1e-30, 1 and -1 for both
/// inputs, makes of x and 0.
std::vector<float> run(float x, int64_t width) {
  const std::string model = R"({"format_version": 1, "name": "dense",
    "inputs": [{"name": "x", "shape": [2]}],
    "encoder": {"layers": [{"name": "d", "type": "dense", "units": 4,
      "weights": {"kernel": {"shape": [4, 2],
        "data": [0, 0, 1e-30, 1e-30, 1, 1, -1, -1]}, "bias": [0, 0, 0, 0]}}]},
    "latent": {"kind": "code", "code": "d"}})";
  CompileOptions options;
  options.precision = Precision::BF16;
  options.exactEnds = false;
  options.vectorWidth = width;
  auto library = compileText(model, options);
  if (!library)
    return {};
  EXPECT_STREQ(library->getTable().quantization, "bf16");
  Tensor data;
  data.shape = {1, 2};
  data.data = {x, 0};
  std::string error;
  auto results = library->run(*library->findEntry("encode"), {1}, {data},
                              Split::Whole, Edge::End, error);
  EXPECT_EQ(error, "");
  return results[0].data;
}

TEST(Bf16, SpecialNumbersAreThoseOfF32) {
  for (int64_t width : {0, 4, 8}) { // 0: as the CPU has them
    std::vector<float> large = run(kLargest, width);
    EXPECT_EQ(large[0], 0);
    EXPECT_NEAR(large[1], 3.4e8, 2e6);
    EXPECT_TRUE(std::isfinite(large[2]) && large[2] > 3.3e38f);
    EXPECT_TRUE(std::isfinite(large[3]) && large[3] < -3.3e38f);

    std::vector<float> infinite = run(kInfinity, width);
    EXPECT_TRUE(std::isnan(infinite[0]));
    EXPECT_EQ(infinite[1], kInfinity);
    EXPECT_EQ(infinite[2], kInfinity);
    EXPECT_EQ(infinite[3], -kInfinity);

    for (float y : run(std::numeric_limits<float>::quiet_NaN(), width))
      EXPECT_TRUE(std::isnan(y));
  }
}

} // namespace
