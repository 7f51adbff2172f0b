// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/QuantizeLayers.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace vae;

TEST(QuantizeLayers, RangesAreReadAsWritten) {
  const float third = 1.0f / 3;
  for (const char *name :
       {"x", "conv+norm#1", "output:y", "down.0/conv-in", "a b,c{d}\"e\"=%41'"})
    for (Range range : {Range{-third, third}, Range{0, std::nextafterf(1, 2)},
                        Range{-1e-38f, 3.4028235e38f}, Range{-5, -5}}) {
      std::string text = formatRange(name, range);
      // What has a meaning in an option of a pass is not in it.
      EXPECT_EQ(text.find_first_of(" ,{}\"'="), std::string::npos) << text;
      auto read = parseRange(text);
      ASSERT_TRUE(read) << text;
      EXPECT_EQ(read->first, name);
      EXPECT_TRUE(read->second == range) << text;
    }
}

TEST(QuantizeLayers, OtherTextsAreNoRanges) {
  for (const char *text : {"", "x", "x:1", ":0:1", "x:1:0", "x:a:1", "x:0:inf",
                           "x:nan:1", "x%:0:1", "x%4:0:1", "x%4g:0:1"})
    EXPECT_FALSE(parseRange(text)) << text;
}
