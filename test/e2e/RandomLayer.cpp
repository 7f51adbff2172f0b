// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/RandomLayer.h"

#include "test/e2e/RandomLayerWriter.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace vae;
using namespace vae::test::random_layer;

/// Every type of the format; those with most kernels more often.
static constexpr const char *kTypes[] = {
#define VAE_ACTIVATION(TYPE, KIND, KEYS) TYPE,
#define VAE_LAYER(TYPE, FUNCTION, MIN, MAX, KEYS, TENSORS) TYPE,
#include "compiler/import/native/Format.def"
    "score",
    "conv2d",
    "conv2d",
    "conv2d",
    "conv2d",
    "conv2d",
    "dense",
    "dense",
    "dense",
    "conv_transpose2d",
    "conv_transpose2d",
    "conv_transpose2d",
    "depthwise_conv2d",
    "conv3d",
    "conv3d"};
static constexpr const char *kActivations[] = {
#define VAE_ACTIVATION(TYPE, KIND, KEYS) TYPE,
#include "compiler/import/native/Format.def"
};

json Writer::numbers(llvm::ArrayRef<int64_t> shape, double scale,
                     double middle) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  json data = json::array();
  for (int64_t i = 0; i < count; ++i)
    data.push_back(middle +
                   scale * static_cast<double>(integer(-512, 512)) / 512);
  return {{"shape", std::vector<int64_t>(shape.begin(), shape.end())},
          {"data", std::move(data)}};
}

int64_t Writer::drawDivisor(int64_t number) {
  int64_t divisor = integer(1, number);
  while (number % divisor)
    --divisor;
  return divisor;
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

Value Writer::input(Dims dims) {
  std::string name = "x" + std::to_string(inputs.size());
  std::vector<json> shape;
  for (const Dim &dim : dims)
    shape.push_back(dim.symbol ? json(dim.symbol) : json(dim.size));
  json entry = {{"name", name}};
  if (dims.size() == 3 && chance(40)) {
    std::rotate(shape.begin(), shape.begin() + 1, shape.end());
    entry["layout"] = "NHWC";
  }
  entry["shape"] = shape;
  inputs.push_back(entry);
  return {name, std::move(dims)};
}

Value Writer::add(json layer, llvm::ArrayRef<Value> operands, Dims dims) {
  std::string name = "l" + std::to_string(layers.size());
  json whole = {{"name", name}};
  whole.update(layer);
  whole["inputs"] = json::array();
  for (const Value &operand : operands)
    whole["inputs"].push_back(operand.name);
  layers.push_back(whole);
  return {name, std::move(dims)};
}

/// An image of at least that many rows and columns, dynamic ones multiples.
Value Writer::image(int64_t channels, std::array<int64_t, 2> least,
                    std::array<int64_t, 2> multiple, int64_t room) {
  Dims dims = {{channels}, {1}, {1}};
  bool isSmall = chance(15);
  for (int axis : {0, 1})
    dims[1 + axis].size = std::max<int64_t>(least[axis], 1) +
                          (isSmall ? integer(0, 1) : integer(0, room));
  switch (integer(0, 4)) {
  case 0: { // any height and width
    for (int axis : {0, 1}) {
      if (chance(30))
        continue;
      Dim &dim = dims[1 + axis];
      dim.symbol = axis ? "width" : "height";
      dim.size =
          (dim.size + multiple[axis] - 1) / multiple[axis] * multiple[axis];
      model["dynamic"][dim.symbol] = {{"min", dim.size},
                                      {"multiple", multiple[axis]}};
    }
    return input(dims);
  }
  case 1: { // flat
    Value flat = input({{dims[0].size * dims[1].size * dims[2].size}});
    json layer = {{"type", "reshape"},
                  {"shape", {dims[0].size, dims[1].size, dims[2].size}}};
    return add(layer, {flat}, dims);
  }
  case 2: { // transposed
    Value other = input({dims[1], dims[2], dims[0]});
    return add({{"type", "transpose"}, {"perm", {0, 3, 1, 2}}}, {other}, dims);
  }
  default:
    return input(dims);
  }
}

/// A vector, a sequence or an image.
Value Writer::anything() {
  switch (integer(0, 3)) {
  case 0:
    return input({{integer(1, 300)}});
  case 1:
    return input({{integer(1, 9)}, {integer(1, 40)}});
  default:
    return image(drawChannels(), {1, 1});
  }
}

json Writer::parameters(llvm::StringRef activation) {
  json keys = json::object();
  if ((activation == "leaky_relu" || activation == "elu") && chance(60))
    keys["alpha"] = chance(50) ? 0.3 : 1.5;
  if (activation == "gelu" && chance(50))
    keys["approximate"] = "tanh";
  if (activation == "hard_sigmoid" && chance(50))
    keys["slope"] = 0.2;
  if (activation == "clamp")
    keys.update({{"min", -0.5}, {"max", 0.75}});
  return keys;
}

void Writer::drawActivation(json &layer) {
  std::string name = kActivations[random() % std::size(kActivations)];
  json value = {{"type", name}};
  value.update(parameters(name));
  layer["activation"] = value;
}

/// What is fused into a layer, in any combination.
Value Writer::epilogue(Value value) {
  if (chance(20)) {
    json layer = {{"type", "batch_norm"}};
    int64_t channels = value.dims[0].size;
    layer["weights"]["running_mean"] = numbers({channels}, 0.5);
    layer["weights"]["running_var"] = numbers({channels}, 0.9, 1);
    addAffine(layer, {channels});
    value = add(layer, {value}, value.dims);
  }
  bool canAdd =
      llvm::none_of(value.dims, [](const Dim &dim) { return dim.isChanged; });
  if (chance(20))
    drawActivation(layers.back());
  if (canAdd && chance(40)) {
    Value residual = input(value.dims);
    if (residual.dims.size() == 3 && chance(30)) // not an argument itself
      residual = add({{"type", "relu"}}, {residual}, residual.dims);
    std::array<Value, 2> operands = {value, residual};
    if (chance(50))
      std::swap(operands[0], operands[1]);
    value = add({{"type", "add"}}, operands, value.dims);
    if (chance(50))
      drawActivation(layers.back());
  }
  return value;
}

void Writer::addBias(json &layer, int64_t units) {
  if (chance(25))
    layer["bias"] = false;
  else
    layer["weights"]["bias"] = numbers({units}, 0.4);
}

void Writer::addAffine(json &layer, llvm::ArrayRef<int64_t> shape) {
  if (chance(25)) {
    layer["affine"] = false;
    return;
  }
  layer["weights"]["weight"] =
      chance(15) ? json(nullptr) : numbers(shape, 0.5, 1);
  layer["weights"]["bias"] = chance(15) ? json(nullptr) : numbers(shape, 0.4);
}

Value Writer::buildLayer() {
  using Build = Value (Writer::*)();
  static const std::map<llvm::StringRef, Build> special = {
      {"dense", &Writer::dense},
      {"conv2d", &Writer::conv},
      {"depthwise_conv2d", &Writer::depthwise},
      {"conv3d", &Writer::conv3d},
      {"frames_to_batch", &Writer::frames},
      {"batch_to_frames", &Writer::frames},
      {"channels_to_frames", &Writer::frameChannels},
      {"frames_to_channels", &Writer::frameChannels},
      {"slice", &Writer::slice},
      {"conv_transpose2d", &Writer::convTranspose},
      {"batch_norm", &Writer::norm},
      {"group_norm", &Writer::norm},
      {"layer_norm", &Writer::norm},
      {"prelu", &Writer::norm},
      {"max_pool2d", &Writer::pool},
      {"avg_pool2d", &Writer::pool},
      {"global_max_pool2d", &Writer::pool},
      {"global_avg_pool2d", &Writer::pool},
      {"add", &Writer::combine},
      {"mul", &Writer::combine},
      {"concat", &Writer::concat},
      {"split", &Writer::split},
      {"rms_norm", &Writer::rmsNorm},
      {"glu", &Writer::glu},
      {"attention", &Writer::attention},
      {"linear_attention", &Writer::linearAttention},
      {"nearest_codebook", &Writer::codebook},
      {"embedding", &Writer::codebook},
      {"resize", &Writer::resize},
      {"pixel_shuffle", &Writer::pixelShuffle},
      {"pixel_unshuffle", &Writer::pixelShuffle},
      {"repeat_channels", &Writer::channels},
      {"mean_channels", &Writer::channels},
      {"upsample", &Writer::upsample},
      {"reshape", &Writer::reshape},
      {"flatten", &Writer::reshape},
      {"transpose", &Writer::reshape},
      {"pad", &Writer::border},
      {"crop", &Writer::border}};
  auto found = special.find(type);
  return found == special.end() ? elementwise() : (this->*found->second)();
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// An encoder with two heads and a decoder, for the kernels of scores.
void Writer::writeScore() {
  int64_t data = integer(1, 50), size = integer(1, 20);
  Value x = input({{data}});
  auto head = [&](const char *name, int64_t in, int64_t out) {
    json layer = {{"name", name}, {"type", "dense"}, {"units", out}};
    layer["weights"]["kernel"] = numbers({out, in}, 1 / std::sqrt(in));
    layer["weights"]["bias"] = numbers({out}, 0.3);
    return layer;
  };
  model["inputs"] = inputs;
  json mu = head("mu", data, size), logvar = head("logvar", data, size);
  logvar["inputs"] = json::array({x.name});
  model["encoder"]["layers"] = json::array({mu, logvar});
  model["latent"] = {{"kind", "gaussian"}, {"mu", "mu"}, {"logvar", "logvar"}};
  model["decoder"]["layers"] = json::array({head("y", size, data)});
  json likelihood = {{"kind", "gaussian"}};
  switch (integer(0, 3)) {
  case 0:
    likelihood = {{"kind", "bernoulli"}, {"parameterization", "logits"}};
    break;
  case 1:
    likelihood = {{"kind", "laplace"}, {"scale", 0.5}};
    break;
  case 2: {
    json second = head("spread", size, data);
    second["inputs"] = json::array({"z"});
    model["decoder"]["layers"].push_back(second);
    model["decoder"]["output"] = "y";
    model["decoder"]["output_logvar"] = "spread";
    likelihood["variance"] = "learned";
    break;
  }
  default:
    likelihood["variance"] = 0.25;
  }
  model["likelihood"] = likelihood;
  if (chance(50))
    model["prior"] = {{"kind", "normal"}, {"mean", 0.5}, {"std", 1.5}};
}

std::string Writer::write() {
  model["format_version"] = 1;
  model["name"] = type;
  if (type == "score") {
    writeScore();
    return model.dump(1);
  }
  Value result = buildLayer();
  result = epilogue(result);
  if (result.dims.size() == 3 && result.isFixed() && chance(30)) {
    if (chance(50))
      result = add({{"type", "flatten"}}, {result}, {{result.count()}});
    else
      result = add({{"type", "transpose"}, {"perm", {0, 2, 3, 1}}}, {result},
                   {result.dims[1], result.dims[2], result.dims[0]});
  }
  model["inputs"] = inputs;
  model["encoder"]["layers"] = layers;
  model["latent"] = {{"kind", "code"}, {"code", result.name}};
  if (result.dims.size() == 3 && chance(40))
    model["latent"]["layout"] = "NHWC";
  return model.dump(1);
}

unsigned vae::test::countLayerTypes() { return std::size(kTypes); }

std::string vae::test::getLayerType(unsigned seed) {
  return kTypes[seed % std::size(kTypes)];
}

std::string vae::test::writeLayerModel(unsigned seed) {
  return Writer(seed, getLayerType(seed)).write();
}
