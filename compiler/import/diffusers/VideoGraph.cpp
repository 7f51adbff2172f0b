// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers on videos, and layers that only move data.
#include "compiler/import/diffusers/Graph.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

JsonValue Graph::makeIntegers(ArrayRef<int64_t> values) const {
  JsonValue array = JsonValue::makeArray(position);
  for (int64_t value : values)
    array.items.push_back(makeInteger(value));
  return array;
}

Image Graph::conv3d(const Twine &name, const Image &x, int64_t filters,
                    const VideoWindow &window, StringRef activation) {
  JsonValue layer = makeLayer(name, "conv3d", {x}, activation);
  layer.set("filters", makeInteger(filters));
  layer.set("kernel_size", makeIntegers(window.kernel));
  layer.set("stride", makeIntegers(window.stride));
  layer.set("padding", makeIntegers(window.padding));
  return finish(std::move(layer), filters);
}

Image Graph::framesToBatch(const Twine &name, const Image &x) {
  return finish(makeLayer(name, "frames_to_batch", {x}), x.channels);
}

Image Graph::batchToFrames(const Twine &name, const Image &x,
                           const Image *like) {
  SmallVector<Image> inputs = {x};
  if (like)
    inputs.push_back(*like);
  return finish(makeLayer(name, "batch_to_frames", inputs), x.channels);
}

Image Graph::channelsToFrames(const Twine &name, const Image &x, int64_t factor,
                              bool channelMajor) {
  JsonValue layer = makeLayer(name, "channels_to_frames", {x});
  layer.set("factor", makeInteger(factor));
  layer.set("channel_major", JsonValue::makeBoolean(channelMajor, position));
  return finish(std::move(layer), x.channels / factor);
}

Image Graph::framesToChannels(const Twine &name, const Image &x, int64_t factor,
                              bool channelMajor) {
  JsonValue layer = makeLayer(name, "frames_to_channels", {x});
  layer.set("factor", makeInteger(factor));
  layer.set("channel_major", JsonValue::makeBoolean(channelMajor, position));
  return finish(std::move(layer), x.channels * factor);
}

/// Axis of a video.
static constexpr int64_t kFrameAxis = 2;

Image Graph::sliceFrames(const Twine &name, const Image &x, int64_t begin,
                         int64_t count) {
  JsonValue layer = makeLayer(name, "slice", {x});
  layer.set("axis", makeInteger(kFrameAxis));
  layer.set("begin", makeInteger(begin));
  if (count)
    layer.set("size", makeInteger(count));
  return finish(std::move(layer), x.channels);
}

Image Graph::joinFrames(const Twine &name, const Image &first,
                        const Image &rest) {
  JsonValue layer = makeLayer(name, "concat", {first, rest});
  layer.set("axis", makeInteger(kFrameAxis));
  return finish(std::move(layer), first.channels);
}

Image Graph::padFrames(const Twine &name, const Image &x, int64_t before) {
  JsonValue layer = makeLayer(name, "pad", {x});
  layer.set("padding", makeIntegers({before, 0, 0, 0, 0, 0}));
  return finish(std::move(layer), x.channels);
}

SmallVector<Image> Graph::split(const Twine &name, const Image &x,
                                int64_t parts) {
  Image whole = finishWith(name, "split", x, "sections", parts, x.channels);
  SmallVector<Image> result;
  for (int64_t part = 0; part < parts; ++part)
    result.push_back(
        {whole.name + ":" + std::to_string(part), x.channels / parts});
  return result;
}

Image Graph::transpose(const Twine &name, const Image &x,
                       ArrayRef<int64_t> permutation) {
  JsonValue layer = makeLayer(name, "transpose", {x});
  layer.set("perm", makeIntegers(permutation));
  return finish(std::move(layer), x.channels);
}

Image Graph::clamp(const Twine &name, const Image &x, double low, double high) {
  JsonValue layer = makeLayer(name, "clamp", {x});
  layer.set("min", JsonValue::makeNumber(low, position));
  layer.set("max", JsonValue::makeNumber(high, position));
  return finish(std::move(layer), x.channels);
}
