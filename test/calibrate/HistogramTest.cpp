// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/Histogram.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace vae;

static constexpr size_t kBins = 4096;

static Ranges getRanges(const std::vector<float> &values) {
  Extent extent;
  extent.add(values);
  Histogram histogram(extent, kBins);
  histogram.add(values);
  return histogram.getRanges();
}

static std::vector<float> drawNormal(size_t count, float outlier) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  values.push_back(outlier);
  return values;
}

/// The mean squared error of 256 steps over a range, value by value.
static double quantize(const std::vector<float> &values, Range range) {
  double step = (double(range.high) - range.low) / 255, sum = 0;
  double zero = std::round(-range.low / step);
  for (float value : values) {
    double q = std::clamp(std::round(value / step) + zero, 0.0, 255.0);
    double error = (q - zero) * step - value;
    sum += error * error;
  }
  return sum / double(values.size());
}

TEST(Histogram, MinMax) {
  Range range = getRanges({-1.5f, 0, 4.25f, 2})[RangeMethod::MinMax];
  EXPECT_EQ(range.low, -1.5f);
  EXPECT_EQ(range.high, 4.25f);
}

TEST(Histogram, PercentilesAreThoseOfNumpy) {
  // numpy.percentile(numpy.arange(-1000, 9001), p) == p * 100 - 1000
  std::vector<float> values;
  for (int i = -1000; i <= 9000; ++i)
    values.push_back(static_cast<float>(i));
  Ranges ranges = getRanges(values);
  float bin = 18000.0f / kBins;
  EXPECT_NEAR(ranges[RangeMethod::Percentile999].low, -990, bin);
  EXPECT_NEAR(ranges[RangeMethod::Percentile999].high, 8990, bin);
  EXPECT_NEAR(ranges[RangeMethod::Percentile9999].low, -999, bin);
  EXPECT_NEAR(ranges[RangeMethod::Percentile9999].high, 8999, bin);
}

TEST(Histogram, ZerosCountInPercentiles) {
  std::vector<float> values(10000, 0.0f);
  values.push_back(5);
  values.push_back(-5);
  Range range = getRanges(values)[RangeMethod::Percentile999];
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(range.high, 0);
}

TEST(Histogram, MseCutsOutliersOff) {
  std::vector<float> values = drawNormal(1000000, 100);
  Ranges ranges = getRanges(values);
  Range range = ranges[RangeMethod::Mse];
  EXPECT_LT(range.high, 60);
  double best = quantize(values, range);
  EXPECT_LT(best, 0.8 * quantize(values, ranges[RangeMethod::MinMax]));
  // Nothing that is clearly different is clearly better.
  for (float low : {0.5f, 0.8f, 1.25f, 2.0f})
    for (float high : {0.5f, 0.8f, 1.25f, 2.0f})
      EXPECT_GT(quantize(values, {range.low * low, range.high * high}),
                0.98 * best)
          << low << " " << high;
}

TEST(Histogram, EntropyCutsOutliersOff) {
  Range range = getRanges(drawNormal(100000, 100))[RangeMethod::Entropy];
  EXPECT_LT(range.high, 10);
  EXPECT_GT(range.high, 2);
  EXPECT_LT(range.low, -2);
}

TEST(Histogram, UniformNumbersAreKeptWhole) {
  std::vector<float> values;
  for (int i = 1; i <= 100000; ++i)
    values.push_back(static_cast<float>(i) / 100000);
  Ranges ranges = getRanges(values);
  EXPECT_NEAR(ranges[RangeMethod::Mse].high, 1, 0.01);
  EXPECT_EQ(ranges[RangeMethod::Mse].low, 0);
  EXPECT_NEAR(ranges[RangeMethod::Entropy].high, 1, 0.1);
  EXPECT_EQ(ranges[RangeMethod::Entropy].low, 0);
}

TEST(Histogram, EntropyKeepsNumbersFarFromZero) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i)
    values.push_back(0.5f + static_cast<float>(i) / 20000);
  EXPECT_GT(getRanges(values)[RangeMethod::Entropy].high, 0.98f);
}

TEST(Histogram, NegativeNumbersMirrorPositiveOnes) {
  std::vector<float> values = drawNormal(10000, 20), mirrored;
  for (float &value : values)
    mirrored.push_back(-(value = std::fabs(value)));
  Ranges ranges = getRanges(values), others = getRanges(mirrored);
  for (size_t i = 0; i < kNumRangeMethods; ++i) {
    EXPECT_NEAR(ranges.of[i].low, -others.of[i].high, 0.01) << i;
    EXPECT_NEAR(ranges.of[i].high, -others.of[i].low, 0.01) << i;
  }
}

TEST(Histogram, ConstantsAndNumbersThatAreNone) {
  Ranges constant = getRanges({3, 3, 3});
  for (const Range &range : constant.of)
    EXPECT_NEAR(range.high, 3, 0.001);
  EXPECT_EQ(constant[RangeMethod::MinMax].low, 3);
  Ranges zero = getRanges({0, 0});
  for (const Range &range : zero.of)
    EXPECT_EQ(range, Range());
  Ranges none = getRanges({NAN, INFINITY});
  for (const Range &range : none.of)
    EXPECT_EQ(range, Range());
  Range some = getRanges({NAN, 2, -1, -INFINITY})[RangeMethod::MinMax];
  EXPECT_EQ(some.low, -1);
  EXPECT_EQ(some.high, 2);
}
