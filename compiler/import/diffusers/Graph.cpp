// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/diffusers/Graph.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

JsonValue Graph::makeLayer(const Twine &name, StringRef type,
                           ArrayRef<Image> inputs, StringRef activation) {
  JsonValue layer = JsonValue::makeObject(position);
  layer.set("name", JsonValue::makeString(name.str(), position));
  layer.set("type", JsonValue::makeString(type, position));
  JsonValue names = JsonValue::makeArray(position);
  for (const Image &input : inputs)
    names.items.push_back(JsonValue::makeString(input.name, position));
  layer.set("inputs", std::move(names));
  if (!activation.empty())
    layer.set("activation", JsonValue::makeString(activation, position));
  return layer;
}

Image Graph::finish(JsonValue layer, int64_t channels) {
  Image result = {layer.find("name")->text, channels};
  layers.items.push_back(std::move(layer));
  return result;
}

Image Graph::conv(const Twine &name, const Image &x, int64_t filters,
                  const Window &window, StringRef activation) {
  JsonValue layer = makeLayer(name, "conv2d", {x}, activation);
  layer.set("filters", makeInteger(filters));
  layer.set("kernel_size", makeInteger(window.kernel));
  if (window.stride != 1)
    layer.set("stride", makeInteger(window.stride));
  layer.set("padding", makeIntegers({window.before, window.before, window.after,
                                     window.after}));
  if (!window.bias)
    layer.set("bias", JsonValue::makeBoolean(false, position));
  if (window.groups != 1)
    layer.set("groups", makeInteger(window.groups));
  return finish(std::move(layer), filters);
}

Image Graph::groupNorm(const Twine &name, const Image &x, int64_t groups,
                       StringRef activation, double epsilon) {
  JsonValue layer = makeLayer(name, "group_norm", {x}, activation);
  layer.set("groups", makeInteger(groups));
  layer.set("epsilon", JsonValue::makeNumber(epsilon, position));
  return finish(std::move(layer), x.channels);
}

Image Graph::l2Norm(const Twine &name, const Image &x, StringRef activation) {
  JsonValue layer = makeLayer(name, "rms_norm", {x}, activation);
  layer.set("l2", JsonValue::makeBoolean(true, position));
  layer.set("epsilon", JsonValue::makeNumber(1e-12, position));
  JsonValue weights = JsonValue::makeObject(position);
  weights.set("weight",
              JsonValue::makeString((name + ".gamma").str(), position));
  weights.set("bias", JsonValue::makeNull(position));
  layer.set("weights", std::move(weights));
  return finish(std::move(layer), x.channels);
}

Image Graph::rmsNorm(const Twine &name, const Image &x, StringRef activation) {
  return finish(makeLayer(name, "rms_norm", {x}, activation), x.channels);
}

Image Graph::batchNorm(const Twine &name, const Image &x) {
  return finish(makeLayer(name, "batch_norm", {x}), x.channels);
}

Image Graph::add(const Twine &name, const Image &a, const Image &b,
                 StringRef activation) {
  return finish(makeLayer(name, "add", {a, b}, activation), a.channels);
}

Image Graph::multiply(const Twine &name, const Image &a, const Image &b) {
  return finish(makeLayer(name, "mul", {a, b}), a.channels);
}

Image Graph::scale(const Twine &name, const Image &x, double factor,
                   double offset, StringRef activation) {
  JsonValue layer = makeLayer(name, "scale", {x}, activation);
  layer.set("factor", JsonValue::makeNumber(factor, position));
  layer.set("offset", JsonValue::makeNumber(offset, position));
  return finish(std::move(layer), x.channels);
}

Image Graph::upsample(const Twine &name, const Image &x, int64_t factor,
                      StringRef mode) {
  JsonValue layer = makeLayer(name, "upsample", {x});
  layer.set("scale", makeInteger(factor));
  layer.set("mode", JsonValue::makeString(mode, position));
  return finish(std::move(layer), x.channels);
}

Image Graph::resize(const Twine &name, const Image &x, const Image &like) {
  JsonValue layer = makeLayer(name, "resize", {x, like});
  layer.set("mode", JsonValue::makeString("nearest", position));
  return finish(std::move(layer), x.channels);
}

Image Graph::attention(const Twine &name, const Image &query, const Image &key,
                       const Image &value, int64_t heads) {
  JsonValue layer = makeLayer(name, "attention", {query, key, value});
  layer.set("heads", makeInteger(heads));
  return finish(std::move(layer), value.channels);
}

Image Graph::glu(const Twine &name, const Image &x, StringRef gate) {
  JsonValue layer = makeLayer(name, "glu", {x});
  layer.set("gate", JsonValue::makeString(gate, position));
  return finish(std::move(layer), x.channels / 2);
}

Image Graph::concat(const Twine &name, ArrayRef<Image> inputs) {
  int64_t channels = 0;
  for (const Image &input : inputs)
    channels += input.channels;
  return finish(makeLayer(name, "concat", inputs), channels);
}

Image Graph::finishWith(const Twine &name, StringRef type, const Image &x,
                        StringRef key, int64_t value, int64_t channels) {
  JsonValue layer = makeLayer(name, type, {x});
  layer.set(key, makeInteger(value));
  return finish(std::move(layer), channels);
}

Image Graph::linearAttention(const Twine &name, const Image &x,
                             int64_t headDim) {
  return finishWith(name, "linear_attention", x, "head_dim", headDim,
                    x.channels / 3);
}

Image Graph::pixelShuffle(const Twine &name, const Image &x, int64_t factor) {
  return finishWith(name, "pixel_shuffle", x, "factor", factor,
                    x.channels / (factor * factor));
}

Image Graph::pixelUnshuffle(const Twine &name, const Image &x, int64_t factor) {
  return finishWith(name, "pixel_unshuffle", x, "factor", factor,
                    x.channels * factor * factor);
}

Image Graph::repeatChannels(const Twine &name, const Image &x,
                            int64_t repeats) {
  return finishWith(name, "repeat_channels", x, "repeats", repeats,
                    x.channels * repeats);
}

Image Graph::meanChannels(const Twine &name, const Image &x, int64_t group) {
  return finishWith(name, "mean_channels", x, "group", group,
                    x.channels / group);
}

void Graph::useTensor(JsonValue &layer, StringRef role, StringRef tensor,
                      int64_t entries) const {
  JsonValue weights = JsonValue::makeObject(position);
  weights.set(role, JsonValue::makeString(tensor, position));
  layer.set("entries", makeInteger(entries));
  layer.set("weights", std::move(weights));
}

Image Graph::nearest(const Twine &name, StringRef tensor, const Image &x,
                     int64_t entries) {
  JsonValue layer = makeLayer(name, "nearest_codebook", {x});
  useTensor(layer, "codebook", tensor, entries);
  return finish(std::move(layer), 1);
}

Image Graph::quantize(StringRef tensor, const Image &x, int64_t entries) {
  Image indices = nearest("quantize.indices", tensor, x, entries);
  JsonValue embedding = makeLayer("quantize.embedding", "embedding", {indices});
  useTensor(embedding, "table", tensor, entries);
  embedding.set("units", makeInteger(x.channels));
  return finish(std::move(embedding), x.channels);
}
