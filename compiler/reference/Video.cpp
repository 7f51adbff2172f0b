// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Movement between frames and images, channels and frames.
#include "compiler/reference/Evaluate.h"

using namespace vae;
using namespace vae::reference;
using llvm::Error;

/// Calls f(index in the video, index in the images) for every element of
/// [N, C, T, H, W] and [N*T, C, H, W].
static void forEachElement(const Tensor &video,
                           llvm::function_ref<void(int64_t, int64_t)> f) {
  int64_t channels = video.shape[1], frames = video.shape[2];
  int64_t pixels = video.shape[3] * video.shape[4];
  for (int64_t n = 0; n < video.shape[0]; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t t = 0; t < frames; ++t)
        for (int64_t k = 0; k < pixels; ++k)
          f(((n * channels + c) * frames + t) * pixels + k,
            ((n * frames + t) * channels + c) * pixels + k);
}

Error reference::evaluate(FramesToBatchOp, const Operands &in, Results out) {
  forEachElement(in[0], [&](int64_t video, int64_t images) {
    out[0].data[images] = in[0].data[video];
  });
  return Error::success();
}

Error reference::evaluate(BatchToFramesOp op, const Operands &in, Results out) {
  if (out[0].data.size() != in[0].data.size())
    return makeError(op, "(C2) the number of images must stay");
  forEachElement(out[0], [&](int64_t video, int64_t images) {
    out[0].data[video] = in[0].data[images];
  });
  return Error::success();
}

/// Calls f(index in `few`, index in `many`) for every element, the former with
/// fewer frames and `factor` times the channels of the latter.
static void forEachFrame(const Tensor &few, const Tensor &many, int64_t factor,
                         bool channelMajor,
                         llvm::function_ref<void(int64_t, int64_t)> f) {
  int64_t channels = many.shape[1];
  for (int64_t n = 0; n < many.shape[0]; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t t = 0; t < many.shape[2]; ++t) {
        int64_t part = t % factor;
        int64_t channel =
            channelMajor ? c * factor + part : part * channels + c;
        for (int64_t i = 0; i < many.shape[3]; ++i)
          for (int64_t j = 0; j < many.shape[4]; ++j)
            f(at(few, n, channel, t / factor, i, j), at(many, n, c, t, i, j));
      }
}

Error reference::evaluate(ChannelsToFramesOp op, const Operands &in,
                          Results out) {
  forEachFrame(
      in[0], out[0], op.getFactor(), op.getChannelMajor(),
      [&](int64_t few, int64_t many) { out[0].data[many] = in[0].data[few]; });
  return Error::success();
}

Error reference::evaluate(FramesToChannelsOp op, const Operands &in,
                          Results out) {
  int64_t factor = op.getFactor(), frames = in[0].shape[2];
  if (frames % factor)
    return makeError(op, "(C2) factor " + llvm::Twine(factor) +
                             " does not divide " + llvm::Twine(frames));
  forEachFrame(
      out[0], in[0], factor, op.getChannelMajor(),
      [&](int64_t few, int64_t many) { out[0].data[few] = in[0].data[many]; });
  return Error::success();
}
