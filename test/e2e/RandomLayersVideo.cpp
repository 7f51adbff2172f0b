// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers on videos.
#include "test/e2e/RandomLayerWriter.h"

#include <algorithm>
#include <cmath>

using namespace vae::test::random_layer;

/// A video of at least that many frames, rows and columns, dynamic ones
/// multiples.
Value Writer::video(int64_t channels, std::array<int64_t, 3> least,
                    std::array<int64_t, 3> multiple) {
  static constexpr const char *symbols[] = {"frames", "height", "width"};
  Dims dims = {{channels}};
  bool isDynamic = chance(40);
  for (int axis : {0, 1, 2}) {
    Dim dim = {std::max<int64_t>(least[axis], 1) + integer(0, 5)};
    if (multiple[axis] > 1 || (isDynamic && chance(60)))
      dim.size =
          (dim.size + multiple[axis] - 1) / multiple[axis] * multiple[axis];
    if (isDynamic && chance(60)) {
      dim.size = std::max(dim.size, multiple[axis]);
      dim.size =
          (dim.size + multiple[axis] - 1) / multiple[axis] * multiple[axis];
      dim.symbol = symbols[axis];
      model["dynamic"][dim.symbol] = {{"min", dim.size},
                                      {"multiple", multiple[axis]}};
    }
    dims.push_back(dim);
  }
  return input(dims);
}

Value Writer::conv3d() {
  json layer = {{"type", type}};
  std::array<int64_t, 3> kernel, stride, dilation, least;
  std::array<int64_t, 6> padding;
  for (int axis : {0, 1, 2}) {
    kernel[axis] = pick({1, 1, 2, 3, 3});
    stride[axis] = pick({1, 1, 1, 2});
    dilation[axis] = chance(80) ? 1 : 2;
    bool isPadded = chance(60);
    padding[axis] = isPadded ? integer(0, 2) : 0;
    padding[axis + 3] = isPadded ? integer(0, 2) : 0;
  }
  for (int axis : {0, 1, 2})
    least[axis] = dilation[axis] * (kernel[axis] - 1) + 1 - padding[axis] -
                  padding[axis + 3];
  layer["kernel_size"] = kernel;
  layer["stride"] = stride;
  layer["dilation"] = dilation;
  layer["padding"] = padding;
  int64_t channels = pick({integer(1, 9), integer(1, 24), 16}), groups = 1;
  if (chance(20))
    groups = chance(40) ? channels : drawDivisor(channels);
  int64_t filters =
      groups *
      std::max<int64_t>(1, pick({integer(1, 4), integer(1, 40), 3}) / groups);
  Value x = video(channels, least, stride);
  layer["filters"] = filters;
  layer["groups"] = groups;
  int64_t in = channels / groups, taps = kernel[0] * kernel[1] * kernel[2];
  layer["weights"]["kernel"] = numbers(
      {filters, in, kernel[0], kernel[1], kernel[2]}, 1 / std::sqrt(in * taps));
  addBias(layer, filters);
  Dims dims = x.dims;
  dims[0] = {filters};
  for (int axis : {0, 1, 2}) {
    Dim &dim = dims[1 + axis];
    int64_t size = (dim.size - least[axis]) / stride[axis] + 1;
    dim.isChanged = dim.symbol && (size != dim.size || stride[axis] != 1);
    dim.size = size;
  }
  return add(layer, {x}, dims);
}

/// To images, through a layer that sees each by itself, and back.
Value Writer::frames() {
  Value x = video(drawChannels(), {1, 1, 1}, {1, 1, 1});
  Value images = add({{"type", "frames_to_batch"}}, {x}, {});
  if (chance(50))
    images = add({{"type", "global_avg_pool2d"}}, {images}, {});
  else
    images = add({{"type", "max_pool2d"}, {"kernel_size", 1}}, {images}, {});
  if (layers.back()["type"] == "global_avg_pool2d") {
    images = add({{"type", "reshape"}, {"shape", {x.dims[0].size, 1, 1}}},
                 {images}, {});
    return add({{"type", "batch_to_frames"}}, {images, x},
               {x.dims[0], x.dims[1], {1}, {1}});
  }
  return add({{"type", "batch_to_frames"}}, {images, x}, x.dims);
}

/// Frames as channels, and back.
Value Writer::frameChannels() {
  int64_t factor = integer(1, 3);
  bool toFrames = type == "channels_to_frames";
  json layer = {{"type", type}, {"factor", factor}};
  if (chance(50))
    layer["channel_major"] = chance(70);
  int64_t channels = integer(1, 20);
  Value x = toFrames ? video(channels * factor, {1, 1, 1}, {1, 1, 1})
                     : video(channels, {1, 1, 1}, {factor, 1, 1});
  Dims dims = x.dims;
  dims[0] = {toFrames ? channels : channels * factor};
  dims[1].size = toFrames ? dims[1].size * factor : dims[1].size / factor;
  dims[1].isChanged = dims[1].symbol && factor > 1;
  return add(layer, {x}, dims);
}

/// A part of the channels, or of the frames.
Value Writer::slice() {
  json layer = {{"type", type}};
  bool ofFrames = chance(50);
  Value x = ofFrames ? video(integer(1, 20), {4, 1, 1}, {1, 1, 1})
                     : image(integer(4, 40), {1, 1});
  Dims dims = x.dims;
  int axis = ofFrames ? 1 : 0;
  Dim &dim = dims[axis];
  int64_t begin = integer(0, 3);
  layer["axis"] = axis + 1;
  layer["begin"] = begin;
  if (chance(50)) {
    dim = {integer(1, 4 - begin)};
    layer["size"] = dim.size;
  } else {
    dim.size -= begin;
    dim.isChanged = dim.symbol && begin;
  }
  return add(layer, {x}, dims);
}

Value Writer::videoPad() {
  std::array<int64_t, 6> sides;
  for (int64_t &side : sides)
    side = chance(50) ? integer(0, 2) : 0;
  json layer = {{"type", type}, {"padding", sides}};
  if (chance(60))
    layer["value"] = pick({0, 1, -2});
  Value x = video(drawChannels(), {1, 1, 1}, {1, 1, 1});
  Dims dims = x.dims;
  for (int axis : {0, 1, 2}) {
    int64_t change = sides[axis] + sides[axis + 3];
    dims[1 + axis].size += change;
    dims[1 + axis].isChanged = dims[1 + axis].symbol && change;
  }
  return add(layer, {x}, dims);
}
