// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

using namespace vae::reference;

TEST(reference, Concat) {
  Tensor a = {{2, 1}, {1, 2}};
  Tensor b = {{2, 2}, {3, 4, 5, 6}};
  expectOp("vae.concat %0, %1 {axis = 1 : i64}", {a, b}, {2, 3},
           {1, 3, 4, 2, 5, 6});
  Tensor c = {{1, 2, 1}, {1, 2}};
  Tensor d = {{1, 2, 2}, {3, 4, 5, 6}};
  expectOp("vae.concat %0, %1, %0 {axis = 2 : i64}", {c, d, c}, {1, 2, 4},
           {1, 3, 4, 1, 2, 5, 6, 2});
}

TEST(reference, SplitHalves) {
  Tensor x = {{2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}};
  auto parts = runOp("vae.split %0 {axis = 1 : i64, sections = 2 : i64}", {x},
                     "tensor<2x2xf32>, tensor<2x2xf32>");
  ASSERT_EQ(parts.size(), 2u);
  expectTensor(parts[0], {2, 2}, {1, 2, 5, 6});
  expectTensor(parts[1], {2, 2}, {3, 4, 7, 8});
}

TEST(reference, SplitInterleaved) {
  Tensor x = {{1, 4, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  auto parts = runOp("vae.split %0 {axis = 1 : i64, sections = 2 : i64, "
                     "interleaved = true}",
                     {x}, "tensor<1x2x1x2xf32>, tensor<1x2x1x2xf32>");
  ASSERT_EQ(parts.size(), 2u);
  // Channels 0 and 2, channels 1 and 3.
  expectTensor(parts[0], {1, 2, 1, 2}, {1, 2, 5, 6});
  expectTensor(parts[1], {1, 2, 1, 2}, {3, 4, 7, 8});
}

TEST(reference, Slice) {
  Tensor x = {{2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
  expectOp("vae.slice %0 {axis = 1 : i64, begin = 1 : i64, size = 2 : i64}",
           {x}, {2, 2}, {1, 2, 6, 7});
  expectOp("vae.slice %0 {axis = 1 : i64, begin = 0 : i64, size = 3 : i64, "
           "stride = 2 : i64}",
           {x}, {2, 3}, {0, 2, 4, 5, 7, 9});
}

static Tensor image3() { return {{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}; }

TEST(reference, Crop) {
  // [top, left, bottom, right]
  expectOp("vae.crop %0 {border = array<i64: 1, 0, 0, 2>}", {image3()},
           {1, 1, 2, 1}, {4, 7});
  expectOp("vae.crop %0 {border = array<i64: 0, 1, 2, 0>}", {image3()},
           {1, 1, 1, 2}, {2, 3});
}

TEST(reference, Pad) {
  Tensor x = {{1, 1, 1, 2}, {1, 2}};
  expectOp("vae.pad %0 {padding = array<i64: 0, 2, 1, 0>, value = 9.0 : f32}",
           {x}, {1, 1, 2, 4}, {9, 9, 1, 2, 9, 9, 9, 9});
  expectOp("vae.pad %0 {padding = array<i64: 1, 0, 0, 1>}", {x}, {1, 1, 2, 3},
           {0, 0, 0, 1, 2, 0});
}

TEST(reference, Reshape) {
  Tensor x = {{2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  expectOp("vae.reshape %0 {shape = array<i64: -1>}", {x}, {2, 4},
           {1, 2, 3, 4, 5, 6, 7, 8});
  expectOp("vae.reshape %0 {shape = array<i64: 1, -1, 1>}", {x}, {2, 1, 4, 1},
           {1, 2, 3, 4, 5, 6, 7, 8});
}

TEST(reference, Transpose) {
  // Channels (1 2), (3 4) become pixels (1 3), (2 4).
  Tensor x = {{1, 2, 1, 2}, {1, 2, 3, 4}};
  expectOp("vae.transpose %0 {permutation = array<i64: 0, 2, 3, 1>}", {x},
           {1, 1, 2, 2}, {1, 3, 2, 4});
  // y[0, k, i, j] = x[0, i, j, k] is not its own inverse.
  Tensor z = {{1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}};
  expectOp("vae.transpose %0 {permutation = array<i64: 0, 3, 1, 2>}", {z},
           {1, 3, 1, 2}, {1, 4, 2, 5, 3, 6});
}

TEST(reference, ConvertLayout) {
  Tensor x = {{1, 2, 1, 2}, {1, 2, 3, 4}};
  // The logical value stays.
  auto results = run(R"(
    func.func @f(%x: tensor<1x2x1x2xf32>)
        -> tensor<1x2x1x2xf32, #vae.layout<channels_last>> {
      %y = vae.convert_layout %x : (tensor<1x2x1x2xf32>)
          -> tensor<1x2x1x2xf32, #vae.layout<channels_last>>
      return %y : tensor<1x2x1x2xf32, #vae.layout<channels_last>>
    })",
                     {x});
  ASSERT_EQ(results.size(), 1u);
  expectTensor(results[0], {1, 2, 1, 2}, {1, 2, 3, 4});
}

TEST(reference, PixelShuffle) {
  // Four channels of one pixel become 2x2 pixels, row after row.
  Tensor x = {{1, 4, 1, 2}, {1, 5, 2, 6, 3, 7, 4, 8}};
  expectOp("vae.pixel_shuffle %0 {factor = 2 : i64}", {x}, {1, 1, 2, 4},
           {1, 2, 5, 6, 3, 4, 7, 8});
  Tensor y = {{1, 1, 2, 4}, {1, 2, 5, 6, 3, 4, 7, 8}};
  expectOp("vae.pixel_unshuffle %0 {factor = 2 : i64}", {y}, {1, 4, 1, 2},
           {1, 5, 2, 6, 3, 7, 4, 8});
}

TEST(reference, ChannelsRepeatedAndAveraged) {
  Tensor x = {{1, 2, 2}, {1, 2, 3, 4}};
  expectOp("vae.repeat_channels %0 {repeats = 2 : i64}", {x}, {1, 4, 2},
           {1, 2, 1, 2, 3, 4, 3, 4});
  expectOp("vae.mean_channels %0 {group = 2 : i64}", {x}, {1, 1, 2}, {2, 3});
}
