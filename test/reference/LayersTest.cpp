// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

using namespace vae::reference;

static Tensor image3() { return {{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}; }
static Tensor image2() { return {{1, 1, 2, 2}, {1, 2, 3, 4}}; }
static Tensor kernel2() { return {{1, 1, 2, 2}, {1, 2, 3, 4}}; }
/// Sums an element and its neighbour down and right.
static Tensor diagonal() { return {{1, 1, 2, 2}, {1, 0, 0, 1}}; }

TEST(reference, Dense) {
  Tensor x = {{2, 2}, {1, 2, 3, 4}};
  Tensor weight = {{3, 2}, {1, 0, 0, 1, 1, 1}};
  // Rows of weight pick x0, x1, x0 + x1.
  expectOp("vae.dense %0, %1", {x, weight}, {2, 3}, {1, 2, 3, 3, 4, 7});
  Tensor bias = {{3}, {10, 20, 30}};
  expectOp("vae.dense %0, %1 bias(%2)", {x, weight, bias}, {2, 3},
           {11, 22, 33, 13, 24, 37});
}

TEST(reference, DenseEpilogue) {
  Tensor x = {{1, 2}, {1, 2}};
  Tensor weight = {{2, 2}, {1, 1, 1, -1}};
  Tensor bias = {{2}, {1, 1}};
  Tensor residual = {{1, 2}, {-10, 5}};
  // 1 + 2 + 1 - 10 = -6, relu 0; 1 - 2 + 1 + 5 = 5.
  expectOp("vae.dense %0, %1 bias(%2) residual(%3) "
           "{activation = #vae.act<relu>}",
           {x, weight, bias, residual}, {1, 2}, {0, 5});
}

TEST(reference, DenseOnTheLastOfThreeAxes) {
  Tensor x = {{1, 2, 2}, {1, 2, 3, 4}};
  Tensor weight = {{1, 2}, {10, 1}};
  // 10*1 + 2, 10*3 + 4
  expectOp("vae.dense %0, %1", {x, weight}, {1, 2, 1}, {12, 34});
}

TEST(reference, DenseAccumulatesInDoublePrecision) {
  // In f32, 2^24 + 1 = 2^24: the sum would be 0.
  Tensor x = {{1, 3}, {16777216, 1, -16777216}};
  Tensor weight = {{1, 3}, {1, 1, 1}};
  expectOp("vae.dense %0, %1", {x, weight}, {1, 1}, {1});
}

TEST(reference, Conv2d) {
  // Not flipped: 1*1 + 2*2 + 3*3 + 4*4 = 30.
  expectOp("vae.conv2d %0, %1", {image2(), kernel2()}, {1, 1, 1, 1}, {30});
  // 1+5, 2+6, 4+8, 5+9
  expectOp("vae.conv2d %0, %1", {image3(), diagonal()}, {1, 1, 2, 2},
           {6, 8, 12, 14});
}

TEST(reference, Conv2dAsymmetricPadding) {
  // [top, left, bottom, right] = [0, 1, 1, 0]:
  //   0 1 2 3      0+4 1+5 2+6
  //   0 4 5 6  ->  0+7 4+8 5+9
  //   0 7 8 9      0+0 7+0 8+0
  //   0 0 0 0
  expectOp("vae.conv2d %0, %1 {padding = array<i64: 0, 1, 1, 0>}",
           {image3(), diagonal()}, {1, 1, 3, 3}, {4, 6, 8, 7, 12, 14, 0, 7, 8});
}

TEST(reference, Conv2dStrides) {
  // Rows 0 only, columns 0 and 1.
  expectOp("vae.conv2d %0, %1 {strides = array<i64: 2, 1>}",
           {image3(), diagonal()}, {1, 1, 1, 2}, {6, 8});
}

TEST(reference, Conv2dDilation) {
  // x[0,0] + x[2,2] = 1 + 9.
  expectOp("vae.conv2d %0, %1 {dilations = array<i64: 2, 2>}",
           {image3(), diagonal()}, {1, 1, 1, 1}, {10});
  // Only down: x[0,j] + x[2,j+1] = 1 + 8, 2 + 9.
  expectOp("vae.conv2d %0, %1 {dilations = array<i64: 2, 1>}",
           {image3(), diagonal()}, {1, 1, 1, 2}, {9, 11});
}

TEST(reference, Conv2dSumsChannels) {
  Tensor x = {{1, 2, 1, 1}, {3, 5}};
  Tensor weight = {{2, 2, 1, 1}, {1, 10, 100, 1000}};
  // 3 + 50, 300 + 5000
  expectOp("vae.conv2d %0, %1", {x, weight}, {1, 2, 1, 1}, {53, 5300});
}

TEST(reference, Conv2dGroups) {
  Tensor x = {{1, 4, 1, 1}, {1, 2, 3, 4}};
  Tensor weight = {{2, 2, 1, 1}, {1, 10, 100, 1000}};
  // Channels 0, 1: 1 + 20; channels 2, 3: 300 + 4000.
  expectOp("vae.conv2d %0, %1 {groups = 2 : i64}", {x, weight}, {1, 2, 1, 1},
           {21, 4300});
  // Depthwise, two outputs a channel.
  Tensor depthwise = {{4, 1, 1, 1}, {1, 2, 3, 4}};
  Tensor two = {{1, 2, 1, 1}, {10, 100}};
  expectOp("vae.conv2d %0, %1 {groups = 2 : i64}", {two, depthwise},
           {1, 4, 1, 1}, {10, 20, 300, 400});
}

TEST(reference, Conv2dEpilogue) {
  Tensor bias = {{1}, {-10}};
  Tensor residual = {{1, 1, 2, 2}, {1, 2, 3, 4}};
  // 6-10+1 = -3, 8-10+2 = 0, 12-10+3 = 5, 14-10+4 = 8; leaky 0.5
  expectOp("vae.conv2d %0, %1 bias(%2) residual(%3) "
           "{activation = #vae.act<leaky_relu, alpha = 0.5>}",
           {image3(), diagonal(), bias, residual}, {1, 1, 2, 2},
           {-1.5, 0, 5, 8});
}

TEST(reference, ConvTranspose2d) {
  // Each x[i,j] adds x[i,j] * [[1, 2], [3, 4]] at (i, j):
  //   1*1        1*2+2*1                2*2
  //   1*3+3*1    1*4+2*3+3*2+4*1        2*4+4*2
  //   3*3        3*4+4*3                4*4
  expectOp("vae.conv_transpose2d %0, %1", {image2(), kernel2()}, {1, 1, 3, 3},
           {1, 4, 4, 6, 20, 16, 9, 24, 16});
}

TEST(reference, ConvTranspose2dStrides) {
  // Stride 2: no overlap.
  expectOp("vae.conv_transpose2d %0, %1 {strides = array<i64: 2, 2>}",
           {image2(), kernel2()}, {1, 1, 4, 4},
           {1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16});
}

TEST(reference, ConvTranspose2dAsymmetricPadding) {
  // The result above without its first row and last column.
  expectOp("vae.conv_transpose2d %0, %1 {strides = array<i64: 2, 2>, "
           "padding = array<i64: 1, 0, 0, 1>}",
           {image2(), kernel2()}, {1, 1, 3, 3}, {3, 4, 6, 3, 6, 4, 9, 12, 12});
}

TEST(reference, ConvTranspose2dOutputPadding) {
  Tensor bias = {{1}, {1}};
  Tensor x = {{1, 1, 1, 1}, {1}};
  // A row more, which no input reaches: the bias.
  expectOp("vae.conv_transpose2d %0, %1 bias(%2) {strides = array<i64: 2, 2>, "
           "output_padding = array<i64: 1, 0>}",
           {x, kernel2(), bias}, {1, 1, 3, 2}, {2, 3, 4, 5, 1, 1});
  // With bottom padding it keeps the row that would have been cut off.
  expectOp("vae.conv_transpose2d %0, %1 {strides = array<i64: 2, 2>, "
           "padding = array<i64: 0, 0, 1, 0>, "
           "output_padding = array<i64: 1, 0>}",
           {x, kernel2()}, {1, 1, 2, 2}, {1, 2, 3, 4});
}

TEST(reference, ConvTranspose2dDilation) {
  Tensor x = {{1, 1, 1, 1}, {5}};
  expectOp("vae.conv_transpose2d %0, %1 {dilations = array<i64: 2, 2>}",
           {x, kernel2()}, {1, 1, 3, 3}, {5, 0, 10, 0, 0, 0, 15, 0, 20});
}

TEST(reference, ConvTranspose2dGroups) {
  Tensor x = {{1, 4, 1, 1}, {1, 2, 3, 4}};
  Tensor weight = {{4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}};
  // Group 0: 1*1 + 2*3, 1*2 + 2*4; group 1: 3*5 + 4*7, 3*6 + 4*8.
  expectOp("vae.conv_transpose2d %0, %1 {groups = 2 : i64}", {x, weight},
           {1, 4, 1, 1}, {7, 10, 43, 50});
}

TEST(reference, ConvTranspose2dEpilogue) {
  Tensor x = {{1, 1, 1, 1}, {-1}};
  Tensor bias = {{1}, {2}};
  Tensor residual = {{1, 1, 2, 2}, {0, 0, 0, 10}};
  // -1+2 = 1, -2+2 = 0, -3+2 = -1, -4+2+10 = 8; relu6 cuts off.
  expectOp("vae.conv_transpose2d %0, %1 bias(%2) residual(%3) "
           "{activation = #vae.act<relu6>}",
           {x, kernel2(), bias, residual}, {1, 1, 2, 2}, {1, 0, 0, 6});
}
