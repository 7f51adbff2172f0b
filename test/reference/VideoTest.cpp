// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

using namespace vae::reference;

/// [1, 1, 3, 1, 2]: three frames of one row.
static Tensor video3() { return {{1, 1, 3, 1, 2}, {1, 2, 3, 4, 5, 6}}; }

TEST(reference, Conv3dIsCausal) {
  // y[t] = 1 * x[t - 2] + 10 * x[t - 1] + 100 * x[t]
  Tensor weight = {{1, 1, 3, 1, 1}, {1, 10, 100}};
  expectOp("vae.conv3d %0, %1 {padding = array<i64: 2, 0, 0, 0, 0, 0>}",
           {video3(), weight}, {1, 1, 3, 1, 2}, {100, 200, 310, 420, 531, 642});
}

TEST(reference, Conv3dInTimeAndSpace) {
  // Frames and columns two apart; bias, then ReLU.
  Tensor weight = {{1, 1, 2, 1, 2}, {1, 2, 3, -4}}, bias = {{1}, {1}};
  expectOp("vae.conv3d %0, %1 bias(%2) {dilations = array<i64: 2, 1, 1>, "
           "padding = array<i64: 0, 0, 0, 0, 0, 1>, strides = "
           "array<i64: 1, 1, 1>, activation = #vae.act<relu>}",
           {video3(), weight, bias}, {1, 1, 1, 1, 2},
           // 1 + 2*2 + 3*5 - 4*6 + 1, 2 + 3*6 + 1
           {0, 21});
}

TEST(reference, FramesToBatch) {
  Tensor x = {{1, 2, 2, 1, 1}, {1, 2, 3, 4}};
  expectOp("vae.frames_to_batch %0", {x}, {2, 2, 1, 1}, {1, 3, 2, 4});
  Tensor images = {{4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}};
  expectOp("vae.batch_to_frames %0 {frames = 2 : i64}", {images},
           {2, 2, 2, 1, 1}, {1, 3, 2, 4, 5, 7, 6, 8});
}

TEST(reference, ChannelsToFrames) {
  Tensor x = {{1, 4, 1, 1, 1}, {1, 2, 3, 4}};
  expectOp("vae.channels_to_frames %0 {factor = 2 : i64}", {x}, {1, 2, 2, 1, 1},
           {1, 3, 2, 4});
  expectOp("vae.channels_to_frames %0 {channel_major = true, factor = 2 : i64}",
           {x}, {1, 2, 2, 1, 1}, {1, 2, 3, 4});
  Tensor y = {{1, 2, 2, 1, 1}, {1, 3, 2, 4}};
  expectOp("vae.frames_to_channels %0 {factor = 2 : i64}", {y}, {1, 4, 1, 1, 1},
           {1, 2, 3, 4});
}

TEST(reference, PadFrames) {
  expectOp("vae.pad %0 {padding = array<i64: 1, 0, 0, 0, 0, 1>}", {video3()},
           {1, 1, 4, 1, 3}, {0, 0, 0, 1, 2, 0, 3, 4, 0, 5, 6, 0});
}
