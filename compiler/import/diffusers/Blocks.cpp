// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/diffusers/Blocks.h"

#include <cmath>

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

/// SpatialNorm has no key for its groups.
static constexpr int64_t kSpatialGroups = 32;

Image Blocks::norm(const Twine &name, const Image &x, StringRef activation) {
  if (!condition)
    return graph.groupNorm(name, x, pyramid.groups, activation);
  std::string own = name.str();
  Image normed = graph.groupNorm(own + ".norm_layer", x, kSpatialGroups);
  // A 1x1 convolution before repetition gives what it gives after it.
  auto modulate = [&](StringRef part) {
    Image small =
        graph.conv(own + part, *condition, x.channels, Graph::pointwise());
    return graph.resize(small.name + ".resized", small, normed);
  };
  Image scaled = graph.multiply(own + ".scaled", normed, modulate(".conv_y"));
  return graph.add(own, scaled, modulate(".conv_b"), activation);
}

Image Blocks::resnet(const std::string &name, const Image &x, int64_t outputs) {
  if (!pyramid.temporal)
    return spatialResnet(name, x, outputs);
  return temporalResnet(name,
                        spatialResnet(name + ".spatial_res_block", x, outputs));
}

double Blocks::readMix(const std::string &tensor) {
  auto value = weights.readScalar(tensor);
  if (value)
    return 1 / (1 + std::exp(-double(*value)));
  if (config.ok())
    config.fail(config.getPosition()) << toString(value.takeError());
  else
    consumeError(value.takeError());
  return 0;
}

/// x + sigmoid(mix) * branch(x): class AlphaBlender, whose two operands differ
/// by what the temporal block adds.
Image Blocks::temporalResnet(const std::string &name, const Image &x) {
  constexpr double epsilon = 1e-5;
  std::string own = name + ".temporal_res_block";
  auto window = Graph::temporal(1, 1);
  Image video = graph.batchToFrames(own + ".video", x);
  Image h =
      graph.groupNorm(own + ".norm1", video, pyramid.groups, "silu", epsilon);
  h = graph.conv3d(own + ".conv1", h, x.channels, window);
  h = graph.groupNorm(own + ".norm2", h, pyramid.groups, "silu", epsilon);
  h = graph.conv3d(own + ".conv2", h, x.channels, window);
  h = graph.scale(name + ".time_mixer", h,
                  readMix(name + ".time_mixer.mix_factor"), 0);
  h = graph.add(name, video, h);
  return graph.framesToBatch(name + ".frames", h);
}

Image Blocks::spatialResnet(const std::string &name, const Image &x,
                            int64_t outputs) {
  // First what is left of x, so that its memory is free behind the first norm.
  Image skip = x.channels == outputs ? x
                                     : graph.conv(name + ".conv_shortcut", x,
                                                  outputs, Graph::pointwise());
  Image h = norm(name + ".norm1", x, pyramid.activation);
  h = graph.conv(name + ".conv1", h, outputs, {});
  h = norm(name + ".norm2", h, pyramid.activation);
  h = graph.conv(name + ".conv2", h, outputs, {});
  return graph.add(name, h, skip);
}

/// Class Attention with one head. Files before version 0.17 name the
/// projections otherwise.
Image Blocks::attention(const std::string &name, const Image &x) {
  bool old = weights.find(name + ".query.weight") &&
             !weights.find(name + ".to_q.weight");
  auto project = [&](const Image &from, StringRef part, StringRef oldPart) {
    return graph.conv(name + "." + (old ? oldPart : part), from, x.channels,
                      Graph::pointwise());
  };
  Image h = condition
                ? norm(name + ".spatial_norm", x, "")
                : graph.groupNorm(name + ".group_norm", x, pyramid.groups);
  Image query = project(h, "to_q", "query"), key = project(h, "to_k", "key"),
        value = project(h, "to_v", "value");
  h = graph.attention(name + ".attention", query, key, value, /*heads=*/1);
  h = project(h, "to_out.0", "proj_attn");
  return graph.add(name, h, x);
}

Image Blocks::middle(const std::string &name, Image x) {
  x = resnet(name + ".resnets.0", x, x.channels);
  if (pyramid.midAttention)
    x = attention(name + ".attentions.0", x);
  return pyramid.midSecond ? resnet(name + ".resnets.1", x, x.channels) : x;
}

Image Blocks::encoder(const Image &x, int64_t outputs) {
  Image h = graph.conv("encoder.conv_in", x, pyramid.channels.front(), {});
  for (size_t i = 0; i < pyramid.channels.size(); ++i) {
    std::string block = "encoder.down_blocks." + std::to_string(i);
    for (int64_t layer = 0; layer < pyramid.layers; ++layer) {
      h = resnet((block + ".resnets." + Twine(layer)).str(), h,
                 pyramid.channels[i]);
      if (pyramid.attention[i])
        h = attention((block + ".attentions." + Twine(layer)).str(), h);
    }
    if (i + 1 < pyramid.channels.size())
      h = graph.conv(block + ".downsamplers.0.conv", h, h.channels,
                     {3, 2, 0, 1, true});
  }
  h = middle("encoder.mid_block", h);
  h = graph.groupNorm("encoder.conv_norm_out", h, pyramid.groups, "silu");
  return graph.conv("encoder.conv_out", h, outputs, {});
}

Image Blocks::decoder(const Image &x, int64_t outputs,
                      const Image *conditionOrNull) {
  condition = conditionOrNull;
  Image h = graph.conv("decoder.conv_in", x, pyramid.channels.back(), {});
  h = middle("decoder.mid_block", h);
  for (size_t i = 0; i < pyramid.channels.size(); ++i) {
    size_t from = pyramid.channels.size() - 1 - i;
    std::string block = "decoder.up_blocks." + std::to_string(i);
    // One layer more than a block of the encoder.
    for (int64_t layer = 0; layer <= pyramid.layers; ++layer) {
      h = resnet((block + ".resnets." + Twine(layer)).str(), h,
                 pyramid.channels[from]);
      if (pyramid.attention[i])
        h = attention((block + ".attentions." + Twine(layer)).str(), h);
    }
    if (from > 0) {
      std::string upsampler = block + ".upsamplers.0";
      h = graph.upsample(upsampler, h, 2, "nearest");
      h = graph.conv(upsampler + ".conv", h, h.channels, {});
    }
  }
  h = norm("decoder.conv_norm_out", h, "silu");
  return graph.conv("decoder.conv_out", h, outputs, {});
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

std::string vae::diffusers::asActivation(Fields &config, StringRef key,
                                         const JsonValue &value) {
  std::string name = value.isString() ? StringRef(value.text).lower() : "";
  if (name == "swish")
    return "silu";
  if (is_contained({"silu", "mish", "gelu", "relu"}, name))
    return name;
  config.mismatch(key, value, "one of 'silu', 'swish', 'mish', 'gelu', 'relu'");
  return "silu";
}

std::string vae::diffusers::readActivation(Fields &config, StringRef key,
                                           StringRef missing) {
  const JsonValue *value = config.get(key);
  return value ? asActivation(config, key, *value) : missing.str();
}

std::vector<int64_t>
vae::diffusers::readChannels(Fields &config, StringRef key,
                             std::vector<int64_t> missing) {
  const JsonValue *value = config.get(key);
  if (!value || value->isNull())
    return missing;
  auto channels = config.getInts(key, 1, kMaxDim);
  return {channels.begin(), channels.end()};
}

int64_t vae::diffusers::getMultiple(size_t blocks) {
  return int64_t(1) << (std::min<size_t>(blocks, 17) - 1);
}

Pyramid vae::diffusers::readPyramid(Fields &config, const PyramidKeys &keys,
                                    std::vector<int64_t> missingChannels,
                                    int64_t missingLayers) {
  constexpr int64_t kMaxLayers = 1024;
  Pyramid pyramid;
  pyramid.channels =
      readChannels(config, keys.channels, std::move(missingChannels));
  pyramid.attention = readBlockTypes(config, keys.types, keys.plain,
                                     keys.attending, pyramid.channels.size());
  pyramid.layers = config.getInt(keys.layers, 1, kMaxLayers, missingLayers);
  pyramid.groups = config.getInt("norm_num_groups", 1, kMaxDim, 32);
  pyramid.activation = readActivation(config, "act_fn", "silu");
  pyramid.midAttention = config.getBool("mid_block_add_attention", true);
  return pyramid;
}

std::vector<bool> vae::diffusers::readBlockTypes(Fields &config, StringRef key,
                                                 StringRef plain,
                                                 StringRef attending,
                                                 size_t count) {
  const JsonValue *types = config.get(key);
  std::vector<bool> result;
  if (!types) {
    result.assign(count, false);
    return result;
  }
  if (!types->isArray()) {
    config.mismatch(key, *types, "an array of types of blocks");
    return std::vector<bool>(count, false);
  }
  for (const JsonValue &type : types->items) {
    if (!type.isString() || (type.text != plain && type.text != attending)) {
      config.mismatch(key, type, "'" + plain + "' or '" + attending + "'");
      break;
    }
    result.push_back(type.text == attending);
  }
  if (config.ok() && result.size() != count)
    config.fail(types) << "'" << key << "' has " << result.size()
                       << " types of blocks, but there are " << count
                       << " numbers of channels";
  result.resize(count);
  return result;
}
