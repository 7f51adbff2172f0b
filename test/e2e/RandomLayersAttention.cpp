// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention, codebooks, and what rearranges channels and pixels.
#include "test/e2e/RandomLayerWriter.h"

#include <cmath>

using namespace vae::test::random_layer;

Value Writer::rmsNorm() {
  Value x = anything();
  json layer = {{"type", type}};
  if (chance(50))
    layer.update({{"l2", true}, {"epsilon", 1e-12}});
  addAffine(layer, {x.dims[0].size});
  return add(layer, {x}, x.dims);
}

Value Writer::glu() {
  int64_t channels = drawChannels();
  Value x = image(2 * channels, {1, 1});
  json layer = {{"type", type}};
  if (chance(50))
    layer["gate"] = "silu";
  Dims dims = x.dims;
  dims[0].size = channels;
  return add(layer, {x}, dims);
}

/// Three projections of one image, or three inputs of two axes.
Value Writer::attention() {
  int64_t heads = integer(1, 3), size = pick({integer(1, 40), 16, 24});
  int64_t channels = heads * size;
  json layer = {{"type", type}, {"heads", heads}};
  if (chance(40))
    layer["scale"] = 0.25;
  if (chance(50)) {
    Value x = image(drawChannels(), {1, 1}, {1, 1}, 9);
    Dims dims = x.dims;
    dims[0].size = channels;
    std::vector<Value> parts;
    for (int part = 0; part < 3; ++part) {
      json conv = {
          {"type", "conv2d"}, {"filters", channels}, {"kernel_size", 1}};
      conv["weights"]["kernel"] =
          numbers({channels, x.dims[0].size, 1, 1},
                  1 / std::sqrt(static_cast<double>(x.dims[0].size)));
      conv["bias"] = false;
      parts.push_back(add(conv, {x}, dims));
    }
    return add(layer, parts, dims);
  }
  int64_t queries = integer(1, 90),
          keys = chance(50) ? queries : integer(1, 140);
  int64_t values = heads * integer(1, 40);
  Value q = input({{queries}, {channels}}), k = input({{keys}, {channels}}),
        v = input({{keys}, {values}});
  return add(layer, {q, k, v}, {{queries}, {values}});
}

Value Writer::linearAttention() {
  int64_t dim = integer(1, 20), heads = integer(1, 3);
  Value x = image(3 * dim * heads, {1, 1});
  Dims dims = x.dims;
  dims[0].size = dim * heads;
  return add({{"type", type}, {"head_dim", dim}, {"epsilon", 1e-3}}, {x}, dims);
}

/// Indices of entries become entries again, in the other order of operations
/// they are rounded first.
Value Writer::codebook() {
  int64_t units = integer(1, 20), entries = integer(1, 40);
  json embedding = {
      {"type", "embedding"}, {"entries", entries}, {"units", units}};
  embedding["weights"]["table"] = numbers({entries, units}, 1);
  Value x;
  Dims dims;
  if (type == "embedding") {
    x = input({{integer(1, 9)}, {integer(1, 12)}});
    dims = x.dims;
  } else {
    json nearest = {{"type", type}, {"entries", entries}};
    nearest["weights"]["codebook"] = numbers({entries, units}, 1);
    Value image = this->image(units, {1, 1});
    dims = {image.dims[1], image.dims[2]};
    x = add(nearest, {image}, dims);
  }
  dims.insert(dims.begin(), Dim{units});
  return add(embedding, {x}, dims);
}

Value Writer::resize() {
  Value x = image(drawChannels(), {1, 1});
  std::array<int64_t, 2> size = {integer(1, 20), integer(1, 20)};
  json layer = {{"type", type}, {"size", size}};
  constexpr const char *kModes[] = {"nearest", "nearest_exact", "bilinear"};
  std::string mode = kModes[random() % 3];
  layer["mode"] = mode;
  if (mode == "bilinear")
    layer["align_corners"] = chance(50);
  return add(layer, {x}, {x.dims[0], {size[0]}, {size[1]}});
}

Value Writer::pixelShuffle() {
  int64_t factor = integer(1, 3), channels = integer(1, 12);
  bool shuffles = type == "pixel_shuffle";
  Value x = shuffles ? image(channels * factor * factor, {1, 1}, {1, 1}, 7)
                     : image(channels, {factor, factor}, {factor, factor});
  while (!shuffles && (x.dims[1].size % factor || x.dims[2].size % factor)) {
    layers.clear();
    inputs.clear();
    model.erase("dynamic");
    x = image(channels, {factor, factor}, {factor, factor});
  }
  Dims dims = x.dims;
  dims[0].size = shuffles ? channels : channels * factor * factor;
  for (int axis : {1, 2}) {
    dims[axis].size =
        shuffles ? dims[axis].size * factor : dims[axis].size / factor;
    dims[axis].isChanged |= dims[axis].symbol && factor != 1;
  }
  return add({{"type", type}, {"factor", factor}}, {x}, dims);
}

Value Writer::channels() {
  bool repeats = type == "repeat_channels";
  int64_t count = integer(1, 12), channels = integer(1, 5);
  Value x = image(repeats ? count : count * channels, {1, 1});
  Dims dims = x.dims;
  dims[0].size = repeats ? count * channels : count;
  return add({{"type", type}, {repeats ? "repeats" : "group", channels}}, {x},
             dims);
}
