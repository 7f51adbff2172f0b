// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

using namespace vae::reference;

TEST(reference, BatchNorm) {
  Tensor x = {{2, 2}, {1, 2, 3, 4}};
  Tensor mean = {{2}, {1, 2}};
  Tensor variance = {{2}, {3, 8}};
  // sqrt(3 + 1) = 2, sqrt(8 + 1) = 3: (1-1)/2, (2-2)/3, (3-1)/2, (4-2)/3.
  expectOp("vae.batch_norm %0, %1, %2 {epsilon = 1.0}", {x, mean, variance},
           {2, 2}, {0, 0, 1, 2. / 3});
  Tensor weight = {{2}, {2, 3}};
  Tensor bias = {{2}, {10, 20}};
  expectOp("vae.batch_norm %0, %1, %2 weight(%3) bias(%4) {epsilon = 1.0}",
           {x, mean, variance, weight, bias}, {2, 2}, {10, 20, 12, 22});
}

TEST(reference, BatchNormOfImages) {
  Tensor x = {{1, 2, 1, 2}, {1, 2, 3, 4}};
  Tensor mean = {{2}, {1, 3}};
  Tensor variance = {{2}, {1, 0.25}};
  // (1-1)/1, (2-1)/1, (3-3)/0.5, (4-3)/0.5
  expectOp("vae.batch_norm %0, %1, %2 {epsilon = 0.0}", {x, mean, variance},
           {1, 2, 1, 2}, {0, 1, 0, 2});
}

TEST(reference, GroupNorm) {
  Tensor x = {{1, 4}, {1, 3, 5, 7}};
  // Means 2 and 6, variances 1; sqrt(1 + 3) = 2.
  expectOp("vae.group_norm %0 {groups = 2 : i64, epsilon = 3.0}", {x}, {1, 4},
           {-0.5, 0.5, -0.5, 0.5});
  Tensor weight = {{4}, {1, 2, 3, 4}};
  Tensor bias = {{4}, {10, 20, 30, 40}};
  expectOp("vae.group_norm %0 weight(%1) bias(%2) "
           "{groups = 2 : i64, epsilon = 3.0}",
           {x, weight, bias}, {1, 4}, {9.5, 21, 28.5, 42});
}

TEST(reference, GroupNormOfImages) {
  Tensor x = {{2, 2, 1, 2}, {0, 2, 4, 6, 5, 5, 5, 5}};
  // Example 0: mean 3, variance (9+1+1+9)/4 = 5, sqrt(5 + 4) = 3; example 1
  // has no variance.
  Tensor bias = {{2}, {0, 1}};
  expectOp("vae.group_norm %0 bias(%1) {groups = 1 : i64, epsilon = 4.0}",
           {x, bias}, {2, 2, 1, 2}, {-1, -1. / 3, 4. / 3, 2, 0, 0, 1, 1});
}

TEST(reference, LayerNorm) {
  Tensor x = {{1, 2, 2}, {1, 3, 5, 9}};
  // Last axis: means 2 and 7, deviations 1 and 2.
  expectOp("vae.layer_norm %0 {epsilon = 0.0}", {x}, {1, 2, 2}, {-1, 1, -1, 1});
}

TEST(reference, LayerNormOverTwoAxes) {
  Tensor x = {{1, 2, 2}, {0, 2, 4, 6}};
  Tensor weight = {{2, 2}, {1, 3, 3, 1}};
  Tensor bias = {{2, 2}, {0, 1, 2, 3}};
  // Mean 3, sqrt(5 + 4) = 3: -1, -1/3, 1/3, 1; times weight plus bias.
  expectOp("vae.layer_norm %0 weight(%1) bias(%2) "
           "{axes = 2 : i64, epsilon = 4.0}",
           {x, weight, bias}, {1, 2, 2}, {-1, 0, 3, 4});
}

TEST(reference, ChannelAffine) {
  Tensor x = {{1, 2, 1, 2}, {1, 2, 3, 4}};
  Tensor scale = {{2}, {2, -1}};
  Tensor offset = {{2}, {0, 10}};
  // 2*1, 2*2, 10-3, 10-4
  expectOp("vae.channel_affine %0, %1, %2", {x, scale, offset}, {1, 2, 1, 2},
           {2, 4, 7, 6});
}

TEST(reference, GroupNormEpilogue) {
  // Mean 2, variance 1: -1 and 1; with the residual -3 and 1; relu.
  Tensor x = {{1, 2}, {1, 3}};
  Tensor residual = {{1, 2}, {-2, 0}};
  expectOp("vae.group_norm %0 residual(%1) {activation = #vae.act<relu>, "
           "epsilon = 0.0 : f64, groups = 1 : i64}",
           {x, residual}, {1, 2}, {0, 1});
}

TEST(reference, RmsNorm) {
  // (1, 7): mean square 25; (3, 4) with epsilon 12.5 too.
  Tensor x = {{1, 2, 2}, {1, 3, 7, 4}};
  Tensor weight = {{2}, {10, 5}}, bias = {{2}, {0, 1}};
  expectOp("vae.rms_norm %0 weight(%1) bias(%2) {epsilon = 0.0 : f64}",
           {x, weight, bias}, {1, 2, 2},
           {2, 30 / std::sqrt(12.5f), 8, 20 / std::sqrt(12.5f) + 1});
  Tensor one = {{1, 2}, {3, 4}};
  expectOp("vae.rms_norm %0 {epsilon = 12.5 : f64}", {one}, {1, 2},
           {0.6f, 0.8f});
  // Over the norm 5, times sqrt(2); a norm below epsilon counts as epsilon.
  float root = std::sqrt(2.0f);
  expectOp("vae.rms_norm %0 {epsilon = 1.0e-12 : f64, l2 = true}", {one},
           {1, 2}, {0.6f * root, 0.8f * root});
  expectOp("vae.rms_norm %0 {epsilon = 10.0 : f64, l2 = true}", {one}, {1, 2},
           {0.3f * root, 0.4f * root});
}
