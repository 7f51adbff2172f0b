// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Grid.h"

#include "test/tools/vae-run/Files.h"

#include <cmath>

using namespace vaerun;
using namespace vaerun::test;

namespace {

TEST(Grid, FindsImages) {
  auto find = [](const Shape &shape, const std::string &layout) {
    ImageLayout image = findImage(shape, layout, "y");
    return std::vector<int64_t>{image.height, image.width, image.channels,
                                image.channelsLast};
  };
  using Found = std::vector<int64_t>;
  EXPECT_EQ(find({9, 3, 4, 5}, "NCHW"), Found({4, 5, 3, 0}));
  EXPECT_EQ(find({9, 4, 5, 3}, "NHWC"), Found({4, 5, 3, 1}));
  EXPECT_EQ(find({9, 4, 5}, "NHW"), Found({4, 5, 1, 1}));
  EXPECT_EQ(find({9, 784}, "NC"), Found({28, 28, 1, 1}));
  EXPECT_EQ(find({9, 3072}, "NC"), Found({32, 32, 3, 1}));
  EXPECT_EQ(find({9, 1}, "NC"), Found({1, 1, 1, 1}));
  EXPECT_EQ(messageOf([&] { find({9, 10}, "NC"); }),
            "'y': expected images, found vectors of 10 numbers, which make no "
            "square image; write .npy or .npz");
  EXPECT_EQ(messageOf([&] { find({9, 4, 8, 8}, "NCHW"); }),
            "'y': expected images of 1 or 3 channels, found 4 in shape "
            "[9, 4, 8, 8]; write .npy or .npz");
}

TEST(Grid, MapsValuesAndClampsThem) {
  std::vector<float> values = {-1, 0, 1, -2, 2, NAN};
  ImageLayout layout{1, 6, 1, true};
  Pixels grid = drawGrid({values.data()}, 1, layout, -1, 1);
  ASSERT_EQ(grid.width, 6); // a single image has no gap around it
  ASSERT_EQ(grid.height, 1);
  EXPECT_EQ(grid.values, std::vector<uint8_t>({0, 128, 255, 0, 255, 0}));
  // A range of one value is no division by zero.
  EXPECT_EQ(drawGrid({values.data()}, 1, layout, 1, 1).values[0], 0);
}

TEST(Grid, IsAsSquareAsPossible) {
  std::vector<float> values(64 * 4);
  auto size = [&](int64_t count, const ImageLayout &layout) {
    Pixels grid = drawGrid({values.data()}, count, layout, 0, 1);
    return std::vector<int64_t>{(grid.height - 2) / (layout.height + 2),
                                (grid.width - 2) / (layout.width + 2)};
  };
  using Cells = std::vector<int64_t>;
  EXPECT_EQ(size(64, {2, 2, 1, true}), Cells({8, 8}));
  EXPECT_EQ(size(3, {2, 2, 1, true}), Cells({2, 2}));
  EXPECT_EQ(size(6, {2, 2, 1, true}), Cells({3, 2}));
  EXPECT_EQ(size(16, {1, 4, 1, true}), Cells({6, 3}));
}

TEST(Grid, PutsImagesAboveOneAnother) {
  std::vector<float> input = {1, 0}, output = {0, 1};
  ImageLayout layout{1, 1, 1, true};
  Pixels grid = drawGrid({input.data(), output.data()}, 2, layout, 0, 1);
  ASSERT_EQ(grid.height, 7); // gap 2, image, gap 1, image, gap 2
  ASSERT_EQ(grid.width, 8);  // gap 2, image, gap 2, image, gap 2
  auto at = [&](int y, int x) { return grid.values[y * 8 + x]; };
  EXPECT_EQ(at(2, 2), 255);
  EXPECT_EQ(at(4, 2), 0);
  EXPECT_EQ(at(2, 5), 0);
  EXPECT_EQ(at(4, 5), 255);
  EXPECT_EQ(at(3, 2), 128);
}

TEST(Grid, DrawsColourInBothLayouts) {
  std::vector<float> last = {1, 0, 0, 0, 1, 0}, first = {1, 0, 0, 1, 0, 0};
  Pixels a = drawGrid({last.data()}, 1, {1, 2, 3, true}, 0, 1);
  Pixels b = drawGrid({first.data()}, 1, {1, 2, 3, false}, 0, 1);
  EXPECT_EQ(a.channels, 3);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.values, std::vector<uint8_t>({255, 0, 0, 0, 255, 0}));
}

} // namespace
