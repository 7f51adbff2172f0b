// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

#include <limits>

using namespace vae::reference;

static const float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(reference, UpsampleNearest) {
  Tensor x = {{1, 1, 2, 1}, {1, 2}};
  expectOp("vae.upsample %0 {scale = array<i64: 2, 3>}", {x}, {1, 1, 4, 3},
           {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
}

TEST(reference, UpsampleBilinear) {
  Tensor row = {{1, 1, 1, 2}, {0, 4}};
  // Samples at -0.25 -> 0, 0.25, 0.75, 1.25 -> 1.
  expectOp("vae.upsample %0 {scale = array<i64: 1, 2>, mode = "
           "#vae.resize<bilinear>}",
           {row}, {1, 1, 1, 4}, {0, 1, 3, 4});
  // Value 4 * row + 2 * column at rows and columns 0, 0.25, 0.75, 1.
  Tensor x = {{1, 1, 2, 2}, {0, 2, 4, 6}};
  expectOp("vae.upsample %0 {scale = array<i64: 2, 2>, mode = "
           "#vae.resize<bilinear>}",
           {x}, {1, 1, 4, 4},
           {0, 0.5, 1.5, 2, 1, 1.5, 2.5, 3, 3, 3.5, 4.5, 5, 4, 4.5, 5.5, 6});
}

TEST(reference, UpsampleBilinearByThree) {
  Tensor column = {{1, 1, 2, 1}, {0, 3}};
  // (i + 0.5) / 3 - 0.5 = -1/3 -> 0, 0, 1/3, 2/3, 1, 4/3 -> 1.
  expectOp("vae.upsample %0 {scale = array<i64: 3, 1>, mode = "
           "#vae.resize<bilinear>}",
           {column}, {1, 1, 6, 1}, {0, 0, 1, 2, 3, 3});
}

TEST(reference, UpsampleAlignCorners) {
  Tensor row = {{1, 1, 1, 2}, {0, 4}};
  // Samples at i * (2-1) / (4-1); one row stays where it is.
  expectOp("vae.upsample %0 {scale = array<i64: 1, 2>, mode = "
           "#vae.resize<bilinear>, align_corners = true}",
           {row}, {1, 1, 1, 4}, {0, 4. / 3, 8. / 3, 4});
}

static Tensor image3() { return {{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}; }

TEST(reference, MaxPool) {
  expectOp("vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, "
           "strides = array<i64: 1, 1>}",
           {image3()}, {1, 1, 2, 2}, {5, 6, 8, 9});
  // Stride 2: the last row and column do not fill a window.
  expectOp("vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, "
           "strides = array<i64: 2, 2>}",
           {image3()}, {1, 1, 1, 1}, {5});
}

TEST(reference, MaxPoolIgnoresPadding) {
  Tensor x = {{1, 1, 2, 2}, {-1, -2, -3, -4}};
  // Windows of padding top and left: {-1}, {-1, -2}, {-1, -3}, all.
  expectOp("vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, "
           "strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 0, 0>}",
           {x}, {1, 1, 2, 2}, {-1, -1, -1, -1});
}

TEST(reference, MaxPoolPropagatesNaN) {
  Tensor x = {{1, 1, 1, 4}, {kNaN, 2, 3, 1}};
  expectOp("vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 1, 2>, "
           "strides = array<i64: 1, 1>}",
           {x}, {1, 1, 1, 3}, {kNaN, 3, 3});
}

TEST(reference, AvgPool) {
  // (1+2+4+5)/4, (2+3+5+6)/4, (4+5+7+8)/4, (5+6+8+9)/4
  expectOp("vae.pool2d %0 {kind = #vae.pool<avg>, kernel = array<i64: 2, 2>, "
           "strides = array<i64: 1, 1>}",
           {image3()}, {1, 1, 2, 2}, {3, 4, 6, 7});
}

TEST(reference, AvgPoolPadding) {
  Tensor x = {{1, 1, 2, 2}, {-1, -2, -3, -4}};
  const char *op = "vae.pool2d %0 {kind = #vae.pool<avg>, kernel = array<i64: "
                   "2, 2>, strides = array<i64: 1, 1>, padding = array<i64: 1, "
                   "1, 0, 0>, count_include_pad = ";
  // Sums -1, -3, -4, -10 over four, or over 1, 2, 2, 4 elements in the image.
  expectOp(std::string(op) + "true}", {x}, {1, 1, 2, 2},
           {-0.25, -0.75, -1, -2.5});
  expectOp(std::string(op) + "false}", {x}, {1, 1, 2, 2}, {-1, -1.5, -2, -2.5});
}

TEST(reference, GlobalPool) {
  Tensor x = {{1, 2, 1, 3}, {1, 5, 3, -4, -1, -7}};
  expectOp("vae.global_pool %0 {kind = #vae.pool<avg>}", {x}, {1, 2}, {3, -4});
  expectOp("vae.global_pool %0 {kind = #vae.pool<max>}", {x}, {1, 2}, {5, -1});
  Tensor bad = {{1, 1, 1, 3}, {1, kNaN, 3}};
  expectOp("vae.global_pool %0 {kind = #vae.pool<max>}", {bad}, {1, 1}, {kNaN});
}

TEST(reference, ResizeNearest) {
  // Rows of 3 to 5: 0, 0.6, 1.2, 1.8, 2.4; exactly 0.3, 0.9, 1.5, 2.1, 2.7.
  Tensor x = {{1, 1, 3, 1}, {10, 11, 12}};
  expectOp("vae.resize %0 {size = array<i64: 5, 1>}", {x}, {1, 1, 5, 1},
           {10, 10, 11, 11, 12});
  expectOp("vae.resize %0 {mode = #vae.resize<nearest_exact>, size = "
           "array<i64: 5, 1>}",
           {x}, {1, 1, 5, 1}, {10, 10, 11, 12, 12});
  // The size of another image.
  Tensor like = {{1, 2, 2, 1}, {0, 0, 0, 0}};
  expectOp("vae.resize %0 like(%1)", {x, like}, {1, 1, 2, 1}, {10, 11});
}

TEST(reference, ResizeBilinear) {
  // Rows of 2 to 3: -1/6 -> 0, 0.5, 7/6 -> 1; with corners 0, 0.5, 1.
  Tensor x = {{1, 1, 2, 1}, {0, 6}};
  expectOp("vae.resize %0 {mode = #vae.resize<bilinear>, size = array<i64: 3, "
           "1>}",
           {x}, {1, 1, 3, 1}, {0, 3, 6});
  // Of 3 to 2: 0.25, 1.75; with corners 0 and 2.
  Tensor y = {{1, 1, 3, 1}, {0, 4, 8}};
  expectOp("vae.resize %0 {mode = #vae.resize<bilinear>, size = array<i64: 2, "
           "1>}",
           {y}, {1, 1, 2, 1}, {1, 7});
  expectOp("vae.resize %0 {align_corners = true, mode = #vae.resize<bilinear>, "
           "size = array<i64: 2, 1>}",
           {y}, {1, 1, 2, 1}, {0, 8});
}
