// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers of windows, norms, and those that move elements.
#include "test/e2e/RandomLayerWriter.h"

#include <algorithm>
#include <cmath>

using namespace vae::test::random_layer;

Writer::Window Writer::drawWindow(json &layer, int64_t mostKernel,
                                  bool isPool) {
  Window window = {{1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}};
  bool isSquare = chance(60);
  for (int axis : {0, 1}) {
    bool copies = axis && isSquare;
    window.kernel[axis] = copies ? window.kernel[0] : integer(1, mostKernel);
    window.stride[axis] = copies ? window.stride[0] : pick({1, 1, 1, 2, 3});
    window.dilation[axis] = isPool || chance(75) ? 1 : integer(2, 3);
  }
  bool isSame = chance(40), isSymmetric = chance(50);
  for (int side = 0; side < 4; ++side) {
    int64_t kernel = window.kernel[side % 2];
    int64_t most = isPool ? (kernel - 1) / 2 + (kernel > 2) : 3;
    window.padding[side] = side >= 2 && isSymmetric ? window.padding[side - 2]
                           : isPool ? std::min(most, integer(0, kernel - 1))
                                    : integer(0, most);
  }
  if (isSame)
    for (int axis : {0, 1}) {
      int64_t total = window.extent(axis) - 1;
      window.stride[axis] = isPool ? window.stride[axis] : 1;
      window.padding[axis] = total / 2;
      window.padding[axis + 2] = total - total / 2;
      if (isPool)
        window.padding[axis + 2] = window.padding[axis];
    }
  if (!isSame && chance(30))
    window.padding = {0, 0, 0, 0};
  layer["kernel_size"] = window.kernel;
  layer["stride"] = window.stride;
  if (!isPool)
    layer["dilation"] = window.dilation;
  layer["padding"] = window.padding;
  return window;
}

Value Writer::windowInput(const Window &window, int64_t channels) {
  std::array<int64_t, 2> least;
  for (int axis : {0, 1})
    least[axis] =
        window.extent(axis) - window.padding[axis] - window.padding[axis + 2];
  return image(channels, least, window.stride, channels > 24 ? 8 : 14);
}

Dims Writer::windowDims(const Window &window, const Value &x,
                        int64_t channels) {
  Dims dims = x.dims;
  dims[0] = {channels};
  for (int axis : {0, 1}) {
    Dim &dim = dims[1 + axis];
    int64_t size = (dim.size + window.padding[axis] + window.padding[axis + 2] -
                    window.extent(axis)) /
                       window.stride[axis] +
                   1;
    dim.isChanged =
        dim.symbol && (size != dim.size || window.stride[axis] != 1);
    dim.size = size;
  }
  return dims;
}

Value Writer::dense() {
  int64_t in = pick({integer(1, 20), integer(1, 100), 33, 64}),
          out = pick({integer(1, 4), integer(1, 20), integer(1, 90), 64});
  Value x = chance(60) ? input({{in}}) : Value();
  if (x.dims.empty())
    x = chance(50) ? input({{integer(1, 9)}, {in}})
                   : input({{integer(1, 5)}, {integer(1, 6)}, {in}});
  json layer = {{"type", "dense"}, {"units", out}};
  layer["weights"]["kernel"] = numbers({out, in}, 1 / std::sqrt(in));
  addBias(layer, out);
  Dims dims = x.dims;
  dims.back().size = out;
  return add(layer, {x}, dims);
}

Value Writer::conv() {
  json layer = {{"type", type}};
  Window window = drawWindow(layer, pick({1, 3, 3, 4, 5}), false);
  int64_t channels = drawChannels(), groups = 1;
  if (chance(25))
    groups = chance(40) ? channels : drawDivisor(channels);
  int64_t filters =
      groups *
      std::max<int64_t>(1, pick({integer(1, 4), drawChannels()}) / groups);
  Value x = windowInput(window, channels);
  layer["filters"] = filters;
  layer["groups"] = groups;
  int64_t in = channels / groups;
  layer["weights"]["kernel"] =
      numbers({filters, in, window.kernel[0], window.kernel[1]},
              1 / std::sqrt(in * window.kernel[0] * window.kernel[1]));
  addBias(layer, filters);
  return add(layer, {x}, windowDims(window, x, filters));
}

Value Writer::depthwise() {
  json layer = {{"type", type}};
  Window window = drawWindow(layer, pick({1, 3, 3, 5}), false);
  int64_t channels = drawChannels(), multiplier = pick({1, 1, 2, 3});
  Value x = windowInput(window, channels);
  layer["multiplier"] = multiplier;
  layer["weights"]["kernel"] = numbers(
      {channels * multiplier, 1, window.kernel[0], window.kernel[1]}, 0.5);
  addBias(layer, channels * multiplier);
  return add(layer, {x}, windowDims(window, x, channels * multiplier));
}

Value Writer::convTranspose() {
  json layer = {{"type", type}};
  Window window = drawWindow(layer, integer(1, 5), false);
  int64_t channels = drawChannels(), groups = 1;
  if (chance(20))
    groups = chance(40) ? channels : drawDivisor(channels);
  int64_t each = std::max<int64_t>(1, integer(1, 40) / groups);
  std::array<int64_t, 2> extra = {0, 0}, least;
  for (int axis : {0, 1}) {
    extra[axis] = chance(30) ? integer(0, 2) : 0;
    int64_t removed = window.padding[axis] + window.padding[axis + 2];
    // (size - 1) * stride + extent + extra - removed >= 1
    least[axis] = 1;
    while ((least[axis] - 1) * window.stride[axis] + window.extent(axis) +
               extra[axis] <=
           removed)
      ++least[axis];
  }
  Value x = image(channels, least, {1, 1}, chance(20) ? 0 : 6);
  Dims dims = x.dims;
  dims[0] = {each * groups};
  for (int axis : {0, 1}) {
    Dim &dim = dims[1 + axis];
    int64_t size = (dim.size - 1) * window.stride[axis] + window.extent(axis) +
                   extra[axis] - window.padding[axis] -
                   window.padding[axis + 2];
    dim.isChanged =
        dim.symbol && (size != dim.size || window.stride[axis] != 1);
    dim.size = size;
  }
  layer["filters"] = each * groups;
  layer["groups"] = groups;
  layer["output_padding"] = extra;
  layer["weights"]["kernel"] =
      numbers({channels, each, window.kernel[0], window.kernel[1]},
              1 / std::sqrt(channels / groups));
  addBias(layer, each * groups);
  return add(layer, {x}, dims);
}

Value Writer::norm() {
  json layer = {{"type", type}};
  Value x = anything();
  std::vector<int64_t> shape = {x.dims[0].size};
  if (type == "batch_norm") {
    layer["weights"]["running_mean"] = numbers(shape, 0.5);
    layer["weights"]["running_var"] = numbers(shape, 0.9, 1);
  } else if (type == "group_norm") {
    layer["groups"] = drawDivisor(shape[0]);
  } else if (type == "layer_norm") {
    size_t axes = integer(1, x.dims.size());
    shape.clear();
    for (const Dim &dim : llvm::ArrayRef(x.dims).take_back(axes)) {
      if (dim.symbol) { // weights need a size
        layers.clear();
        inputs.clear();
        model.erase("dynamic");
        x = input({{integer(2, 60)}});
        shape.clear();
        shape.push_back(x.dims[0].size);
        break;
      }
      shape.push_back(dim.size);
    }
    layer["shape"] = shape;
  } else { // prelu
    layer["weights"]["weight"] = numbers({chance(30) ? 1 : shape[0]}, 0.3, 0.2);
    return add(layer, {x}, x.dims);
  }
  if (chance(50))
    layer["epsilon"] = 1e-3;
  addAffine(layer, shape);
  return add(layer, {x}, x.dims);
}

Value Writer::pool() {
  json layer = {{"type", type}};
  if (llvm::StringRef(type).starts_with("global")) {
    Value x = image(drawChannels(), {1, 1});
    return add(layer, {x}, {x.dims[0]});
  }
  Window window = drawWindow(layer, 4, true);
  if (type == "avg_pool2d")
    layer["count_include_pad"] = chance(50);
  Value x = windowInput(window, drawChannels());
  return add(layer, {x}, windowDims(window, x, x.dims[0].size));
}

Value Writer::combine() {
  Value x = anything();
  std::vector<Value> operands = {x};
  for (int64_t more = integer(1, 2); more > 0; --more)
    operands.push_back(chance(15) ? x : input(x.dims));
  return add({{"type", type}}, operands, x.dims);
}

Value Writer::concat() {
  Value x = anything();
  size_t axis = integer(0, x.dims.size() - 1);
  if (x.dims[axis].symbol)
    axis = 0;
  std::vector<Value> operands = {x};
  Dims dims = x.dims;
  for (int64_t more = integer(0, 3); more > 0; --more) {
    Dims other = x.dims;
    other[axis].size = integer(1, axis ? 6 : 33);
    dims[axis].size += other[axis].size;
    int64_t place = integer(0, operands.size());
    operands.insert(operands.begin() + place, input(other));
  }
  return add({{"type", type}, {"axis", axis + 1}}, operands, dims);
}

/// The last part of some.
Value Writer::split() {
  int64_t sections = integer(1, 4), size = integer(1, 20);
  Value x = image(sections * size, {1, 1});
  Dims dims = x.dims;
  dims[0].size = size;
  Value parts =
      add({{"type", type}, {"sections", sections}, {"axis", 1}}, {x}, dims);
  parts.name += ":" + std::to_string(integer(0, sections - 1));
  return add({{"type", "relu"}}, {parts}, dims);
}

Value Writer::upsample() {
  std::array<int64_t, 2> scale = {integer(1, 3), integer(1, 3)};
  Value x = image(drawChannels(), {1, 1}, {1, 1}, 7);
  json layer = {{"type", type}, {"scale", scale}};
  if (chance(50)) {
    layer["mode"] = "bilinear";
    layer["align_corners"] = chance(50);
  }
  Dims dims = x.dims;
  for (int axis : {0, 1}) {
    Dim &dim = dims[1 + axis];
    dim.size *= scale[axis];
    dim.isChanged = dim.symbol && scale[axis] != 1;
  }
  return add(layer, {x}, dims);
}

Value Writer::reshape() {
  Value x = image(drawChannels(), {1, 1});
  while (!x.isFixed()) {
    layers.clear();
    inputs.clear();
    model.erase("dynamic");
    x = image(drawChannels(), {1, 1});
  }
  json layer = {{"type", type}};
  if (type == "transpose") {
    std::vector<int64_t> axes = {1, 2, 3};
    std::shuffle(axes.begin(), axes.end(), random);
    layer["perm"] = {0, axes[0], axes[1], axes[2]};
    return add(layer, {x},
               {x.dims[axes[0] - 1], x.dims[axes[1] - 1], x.dims[axes[2] - 1]});
  }
  if (chance(60))
    layer["order"] = chance(50) ? "NHWC" : "NCHW";
  if (type == "flatten")
    return add(layer, {x}, {{x.count()}});
  int64_t first = drawDivisor(x.count());
  layer["shape"] = {first, x.count() / first};
  return add(layer, {x}, {{first}, {x.count() / first}});
}

Value Writer::border() {
  if (type == "pad" && chance(30))
    return videoPad();
  std::array<int64_t, 4> sides;
  for (int64_t &side : sides)
    side = integer(0, 3);
  bool isPad = type == "pad";
  json layer = {{"type", type}, {isPad ? "padding" : "border", sides}};
  if (isPad && chance(60))
    layer["value"] = pick({0, 1, -2});
  std::array<int64_t, 2> least;
  for (int axis : {0, 1})
    least[axis] = isPad ? 1 : 1 + sides[axis] + sides[axis + 2];
  Value x = image(drawChannels(), least);
  Dims dims = x.dims;
  for (int axis : {0, 1}) {
    int64_t change = sides[axis] + sides[axis + 2];
    dims[1 + axis].size += isPad ? change : -change;
    dims[1 + axis].isChanged = dims[1 + axis].symbol && change;
  }
  return add(layer, {x}, dims);
}

/// Activations, scale, softmax and dropout.
Value Writer::elementwise() {
  json layer = {{"type", type}};
  layer.update(parameters(type));
  Value x = anything();
  if (type == "scale")
    layer.update({{"factor", -1.25}, {"offset", 0.1}});
  if (type == "softmax")
    layer["axis"] = integer(1, x.dims.size());
  return add(layer, {x}, x.dims);
}
