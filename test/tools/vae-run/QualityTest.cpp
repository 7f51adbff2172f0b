// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Quality.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace vaerun;

namespace {

/// Numbers in [0, 1) that look random.
std::vector<float> makeValues(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / (1 << 24);
  }
  return values;
}

/// The formulas as they are printed: every window on its own, variances as
/// means of squared differences.
double getSsimLiterally(const std::vector<float> &x,
                        const std::vector<float> &y, int64_t height,
                        int64_t width, double range) {
  double weights[11][11], total = 0, sum = 0;
  for (int i = 0; i < 11; ++i)
    for (int j = 0; j < 11; ++j)
      total += weights[i][j] =
          std::exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / (2 * 1.5 * 1.5));
  int64_t windows = 0;
  for (int64_t top = 0; top + 11 <= height; ++top)
    for (int64_t left = 0; left + 11 <= width; ++left, ++windows) {
      auto mean = [&](auto value) {
        double result = 0;
        for (int64_t i = 0; i < 11; ++i)
          for (int64_t j = 0; j < 11; ++j)
            result +=
                weights[i][j] / total * value((top + i) * width + left + j);
        return result;
      };
      double a = mean([&](int64_t i) { return double(x[i]); });
      double b = mean([&](int64_t i) { return double(y[i]); });
      double aa = mean([&](int64_t i) { return (x[i] - a) * (x[i] - a); });
      double bb = mean([&](int64_t i) { return (y[i] - b) * (y[i] - b); });
      double ab = mean([&](int64_t i) { return (x[i] - a) * (y[i] - b); });
      double c1 = std::pow(0.01 * range, 2), c2 = std::pow(0.03 * range, 2);
      sum += (2 * a * b + c1) * (2 * ab + c2) /
             ((a * a + b * b + c1) * (aa + bb + c2));
    }
  return sum / static_cast<double>(windows);
}

TEST(Quality, PeakSignalToNoiseRatio) {
  EXPECT_DOUBLE_EQ(getPsnr(0.01, 1), 20);
  EXPECT_DOUBLE_EQ(getPsnr(0.04, 2), 20);
  EXPECT_TRUE(std::isinf(getPsnr(0, 1)));
}

TEST(Quality, PlanesOfEveryLayout) {
  EXPECT_FALSE(findPlanes({9, 784}, "NC"));
  EXPECT_FALSE(findPlanes({9, 28, 28}, "NCHW"));
  auto planes = findPlanes({9, 3, 11, 13}, "NCHW");
  ASSERT_TRUE(planes);
  EXPECT_EQ(planes->channels, 3);
  EXPECT_TRUE(planes->fitWindow());
  EXPECT_FALSE(findPlanes({9, 10, 12}, "NHW")->fitWindow());
  EXPECT_FALSE(findPlanes({9, 12, 10, 12}, "NHWC")->fitWindow());
}

TEST(Quality, StructuralSimilarityFollowsTheFormula) {
  for (auto [height, width] : {std::pair<int64_t, int64_t>(11, 11), {13, 30}}) {
    auto count = static_cast<size_t>(height * width);
    std::vector<float> x = makeValues(count, 1), y = makeValues(count, 2);
    for (size_t i = 0; i < count; ++i)
      y[i] = 0.7f * x[i] + 0.3f * y[i];
    auto planes = findPlanes({1, height, width}, "NHW");
    EXPECT_NEAR(getSsim(x, y, *planes, 1),
                getSsimLiterally(x, y, height, width, 1), 1e-9);
    EXPECT_NEAR(getSsim(x, y, *planes, 2),
                getSsimLiterally(x, y, height, width, 2), 1e-9);
    EXPECT_DOUBLE_EQ(getSsim(x, x, *planes, 1), 1);
  }
}

TEST(Quality, StructuralSimilarityIsTheMeanOfChannelsAndExamples) {
  constexpr int64_t kHeight = 12, kWidth = 14, kPlane = kHeight * kWidth;
  std::vector<float> x = makeValues(4 * kPlane, 1),
                     y = makeValues(4 * kPlane, 2);
  double expected = 0;
  for (int64_t plane = 0; plane < 4; ++plane) {
    auto part = [&](const std::vector<float> &values) {
      return std::vector<float>(values.begin() + plane * kPlane,
                                values.begin() + (plane + 1) * kPlane);
    };
    expected += getSsimLiterally(part(x), part(y), kHeight, kWidth, 1) / 4;
  }
  EXPECT_NEAR(getSsim(x, y, *findPlanes({2, 2, kHeight, kWidth}, "NCHW"), 1),
              expected, 1e-9);
  // The same with channels last.
  Array a{"", {}, {2, 2, kHeight, kWidth}, x, ""};
  Array b{"", {}, {2, 2, kHeight, kWidth}, y, ""};
  permute(a, {0, 2, 3, 1});
  permute(b, {0, 2, 3, 1});
  EXPECT_NEAR(getSsim(a.values, b.values,
                      *findPlanes({2, kHeight, kWidth, 2}, "NHWC"), 1),
              expected, 1e-9);
}

} // namespace
