// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/Calibrator.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vae;

/// Two examples of 3 channels of 2 numbers.
static const std::vector<float> kValues = {1, 2, -3, 4, 0, 0, 5, 6, 7, 8, 0, 0};

TEST(Calibrator, ChannelsAndTensors) {
  Calibrator calibrator;
  calibrator.add("x", kValues, 3, 2);
  calibrator.add("elbo", {1, 2}, 0, 1);
  calibrator.beginSecondPass();
  calibrator.add("x", kValues, 3, 2);
  calibrator.add("elbo", {1, 2}, 0, 1);
  std::vector<TensorRanges> tensors = calibrator.finish();
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "x");
  EXPECT_EQ(tensors[0].count, 12u);
  EXPECT_EQ(tensors[0].ranges[RangeMethod::MinMax], (Range{-3, 8}));
  ASSERT_EQ(tensors[0].channels.size(), 3u);
  EXPECT_EQ(tensors[0].channels[0][RangeMethod::MinMax], (Range{1, 6}));
  EXPECT_EQ(tensors[0].channels[1][RangeMethod::MinMax], (Range{-3, 8}));
  EXPECT_EQ(tensors[0].channels[2][RangeMethod::MinMax], (Range{0, 0}));
  EXPECT_TRUE(tensors[1].channels.empty());
  EXPECT_EQ(calibrator.getOddities("x").constant, std::vector<size_t>{2});
  EXPECT_TRUE(calibrator.getOddities("x").nonfinite.empty());
}

TEST(Calibrator, BatchesDoNotMatter) {
  Calibrator whole, parts;
  llvm::ArrayRef<float> values(kValues);
  for (unsigned pass = 0; pass < 2; ++pass) {
    whole.add("x", values, 3, 2);
    parts.add("x", values.take_front(6), 3, 2);
    parts.add("x", values.drop_front(6), 3, 2);
    if (pass == 0) {
      whole.beginSecondPass();
      parts.beginSecondPass();
    }
  }
  EXPECT_EQ(whole.finish(), parts.finish());
}

TEST(Calibrator, NonfiniteChannels) {
  Calibrator calibrator;
  calibrator.add("x", {1, NAN, 2, 3}, 2, 1);
  EXPECT_EQ(calibrator.getOddities("x").nonfinite, std::vector<size_t>{1});
  EXPECT_TRUE(calibrator.getOddities("x").constant.empty());
  EXPECT_TRUE(calibrator.getOddities("y").nonfinite.empty());
}
