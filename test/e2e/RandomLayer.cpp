// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/RandomLayer.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

using namespace vae;
using json = nlohmann::ordered_json;

namespace {

/// Every type of the format; those with most kernels more often.
constexpr const char *kTypes[] = {
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
    "depthwise_conv2d"};
constexpr const char *kActivations[] = {
#define VAE_ACTIVATION(TYPE, KIND, KEYS) TYPE,
#include "compiler/import/native/Format.def"
};

/// A dimension; of a dynamic one the least value.
struct Dim {
  int64_t size;
  const char *symbol = nullptr; // "height" or "width"
  bool isChanged = false;       // another size than that of the symbol
};
using Dims = std::vector<Dim>;

struct Value {
  std::string name;
  Dims dims; // without the batch
  bool isFixed() const {
    return llvm::none_of(dims, [](const Dim &dim) { return dim.symbol; });
  }
  int64_t count() const {
    int64_t result = 1;
    for (const Dim &dim : dims)
      result *= dim.size;
    return result;
  }
};

class Writer {
public:
  explicit Writer(unsigned seed)
      : random(seed), type(kTypes[seed % std::size(kTypes)]) {}
  std::string write();

private:
  // Numbers
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % (high - low + 1));
  }
  bool chance(unsigned percent) { return random() % 100 < percent; }
  int64_t pick(std::initializer_list<int64_t> of) {
    return of.begin()[random() % of.size()];
  }
  json numbers(llvm::ArrayRef<int64_t> shape, double scale, double middle = 0);
  int64_t drawChannels() {
    return pick({integer(1, 9), integer(1, 40), integer(1, 72), 16, 32, 17});
  }
  int64_t drawDivisor(int64_t number);

  // The graph
  Value input(Dims dims);
  Value add(json layer, llvm::ArrayRef<Value> operands, Dims dims);
  Value image(int64_t channels, std::array<int64_t, 2> least,
              std::array<int64_t, 2> multiple = {1, 1}, int64_t room = 13);
  Value anything();
  Value epilogue(Value value);
  void drawActivation(json &layer);
  json parameters(llvm::StringRef activation);
  void addBias(json &layer, int64_t units);
  void addAffine(json &layer, llvm::ArrayRef<int64_t> shape);

  // Layers
  struct Window {
    std::array<int64_t, 2> kernel, stride, dilation;
    std::array<int64_t, 4> padding; // top, left, bottom, right
    int64_t extent(int axis) const {
      return dilation[axis] * (kernel[axis] - 1) + 1;
    }
  };
  Window drawWindow(json &layer, int64_t mostKernel, bool isPool);
  Value windowInput(const Window &window, int64_t channels);
  Dims windowDims(const Window &window, const Value &x, int64_t channels);
  Value dense();
  Value conv();
  Value depthwise();
  Value convTranspose();
  Value norm();
  Value pool();
  Value combine();
  Value concat();
  Value split();
  Value upsample();
  Value reshape();
  Value border();
  Value elementwise();
  Value buildLayer();
  void writeScore();

  std::mt19937 random;
  std::string type;
  json model, layers = json::array(), inputs = json::array();
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

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

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

Value Writer::buildLayer() {
  using Build = Value (Writer::*)();
  static const std::map<llvm::StringRef, Build> special = {
      {"dense", &Writer::dense},
      {"conv2d", &Writer::conv},
      {"depthwise_conv2d", &Writer::depthwise},
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

} // namespace

unsigned vae::test::countLayerTypes() { return std::size(kTypes); }

std::string vae::test::getLayerType(unsigned seed) {
  return kTypes[seed % std::size(kTypes)];
}

std::string vae::test::writeLayerModel(unsigned seed) {
  return Writer(seed).write();
}
