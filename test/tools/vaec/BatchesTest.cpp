// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Batches.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace vae::tool;

namespace {

constexpr DataPart kParts[] = {DataPart::Calibration, DataPart::Decision,
                               DataPart::Check};

TEST(DataParts, TakeTurns) {
  EXPECT_EQ(choosePart(10, 1, false, DataPart::Calibration),
            std::vector<size_t>({0, 2, 4, 6}));
  EXPECT_EQ(choosePart(10, 1, false, DataPart::Decision),
            std::vector<size_t>({1, 5}));
  EXPECT_EQ(choosePart(10, 1, false, DataPart::Check),
            std::vector<size_t>({3, 7}));
}

TEST(DataParts, ClipsStayWhole) {
  EXPECT_EQ(choosePart(8, 2, false, DataPart::Check),
            std::vector<size_t>({6, 7}));
  EXPECT_EQ(choosePart(8, 2, true, DataPart::Calibration),
            std::vector<size_t>({0, 1, 2, 3}));
  EXPECT_EQ(choosePart(8, 2, true, DataPart::Decision),
            std::vector<size_t>({4, 5}));
}

/// No sample is in two parts, and each part has its share.
TEST(DataParts, Disjoint) {
  for (size_t samples = 0; samples < 70; ++samples)
    for (size_t clip : {1, 3})
      for (bool one : {false, true}) {
        std::vector<size_t> all;
        for (DataPart part : kParts) {
          auto chosen = choosePart(samples, clip, one, part);
          EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
          size_t quarter = samples / clip / 4 * clip;
          EXPECT_EQ(chosen.size(),
                    part == DataPart::Calibration ? 2 * quarter : quarter);
          all.insert(all.end(), chosen.begin(), chosen.end());
        }
        std::sort(all.begin(), all.end());
        for (size_t i = 0; i < all.size(); ++i)
          ASSERT_EQ(all[i], i);
        EXPECT_LE(all.size(), samples);
      }
}

} // namespace
