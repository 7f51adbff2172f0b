// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AutoencoderKLWan (Wan 2.1 and 2.2) and AutoencoderKLQwenImage, which is its
// first form. The library feeds them 1 + 4 + 4 + .. frames and keeps what
// causal convolutions need of the past; the whole video at once gives the same.
// The first frame stays out of all resampling in time.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

#include <algorithm>

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

namespace {

/// What config.json says.
struct WanConfig {
  int64_t width = 96, decoderWidth = 96, latent = 16, layers = 2;
  int64_t inputs = 3, outputs = 3, patch = 1;
  std::vector<int64_t> multipliers = {1, 2, 4, 4};
  /// Whether the downsampling behind a block halves the frames, too.
  std::vector<bool> temporal = {false, true, true};
  /// Wan 2.2: blocks have shortcuts around their resampling.
  bool residual = false;

  size_t blocks() const { return multipliers.size(); }
  bool isTemporal(size_t block) const {
    return block + 1 < blocks() && temporal[block];
  }
};

class WanGraph {
public:
  WanGraph(Graph &graph, const WanConfig &config)
      : graph(graph), config(config) {}

  Image encoder(Image x);
  Image decoder(Image x);

private:
  using Name = const std::string &;
  Image resnet(Name name, const Image &x, int64_t outputs);
  Image attention(Name name, const Image &x);
  Image middle(Name name, Image x);
  Image downsample(Name name, const Image &x, bool temporal);
  Image upsample(Name name, const Image &x, int64_t outputs, bool temporal);
  Image averageDown(Name name, Image x, int64_t outputs, int64_t frames,
                    int64_t pixels);
  Image repeatUp(Name name, const Image &x, int64_t outputs, int64_t frames);
  Image downBlock(Name name, Image x, size_t block, int64_t outputs);
  Image upBlock(Name name, const Image &x, size_t block, int64_t outputs);
  Image turnPatches(Name name, Image x, bool apart);

  Graph &graph;
  const WanConfig &config;
};

} // namespace

static Graph::VideoWindow justFront() { return Graph::temporal(2, 0); }

Image WanGraph::resnet(Name name, const Image &x, int64_t outputs) {
  Image h = graph.l2Norm(name + ".norm1", x, "silu");
  h = graph.conv3d(name + ".conv1", h, outputs, Graph::causal());
  h = graph.l2Norm(name + ".norm2", h, "silu");
  h = graph.conv3d(name + ".conv2", h, outputs, Graph::causal());
  Image skip = x.channels == outputs
                   ? x
                   : graph.conv3d(name + ".conv_shortcut", x, outputs,
                                  Graph::pointwise3d());
  return graph.add(name, h, skip);
}

/// Of the pixels of each frame.
Image WanGraph::attention(Name name, const Image &x) {
  Image h = graph.framesToBatch(name + ".frames", x);
  h = graph.l2Norm(name + ".norm", h);
  h = graph.conv(name + ".to_qkv", h, 3 * x.channels, Graph::pointwise());
  auto parts = graph.split(name + ".parts", h, 3);
  h = graph.attention(name + ".attention", parts[0], parts[1], parts[2],
                      /*heads=*/1);
  h = graph.conv(name + ".proj", h, x.channels, Graph::pointwise());
  h = graph.batchToFrames(name + ".video", h, &x);
  return graph.add(name, h, x);
}

Image WanGraph::middle(Name name, Image x) {
  x = resnet(name + ".resnets.0", x, x.channels);
  x = attention(name + ".attentions.0", x);
  return resnet(name + ".resnets.1", x, x.channels);
}

Image WanGraph::downsample(Name name, const Image &x, bool temporal) {
  Image h = graph.framesToBatch(name + ".frames", x);
  h = graph.conv(name + ".resample.1", h, x.channels, {3, 2, 0, 1, true});
  h = graph.batchToFrames(name + ".video", h, &x);
  if (!temporal)
    return h;
  Image first = graph.sliceFrames(name + ".first", h, 0, 1);
  Image rest = graph.conv3d(name + ".time_conv", h, h.channels,
                            Graph::temporal(0, 0, /*stride=*/2));
  return graph.joinFrames(name, first, rest);
}

Image WanGraph::upsample(Name name, const Image &x, int64_t outputs,
                         bool temporal) {
  Image video = x;
  if (temporal) {
    Image first = graph.sliceFrames(name + ".first", x, 0, 1);
    Image rest = graph.sliceFrames(name + ".rest", x, 1);
    rest = graph.conv3d(name + ".time_conv", rest, 2 * x.channels, justFront());
    rest = graph.channelsToFrames(name + ".doubled", rest, 2);
    video = graph.joinFrames(name + ".joined", first, rest);
  }
  Image h = graph.framesToBatch(name + ".frames", video);
  h = graph.upsample(name + ".upsampled", h, 2, "nearest");
  h = graph.conv(name + ".resample.1", h, outputs, {});
  return graph.batchToFrames(name, h, &video);
}

/// Class AvgDown3D: means over blocks of frames and pixels.
Image WanGraph::averageDown(Name name, Image x, int64_t outputs, int64_t frames,
                            int64_t pixels) {
  if (frames > 1) {
    // There is an odd number of frames.
    x = graph.padFrames(name + ".padded", x, frames - 1);
    x = graph.framesToChannels(name + ".halved", x, frames,
                               /*channelMajor=*/true);
  }
  if (pixels > 1) {
    Image video = x;
    x = graph.framesToBatch(name + ".frames", x);
    x = graph.pixelUnshuffle(name + ".unshuffled", x, pixels);
    x = graph.batchToFrames(name + ".video", x, &video);
  }
  return x.channels == outputs
             ? x
             : graph.meanChannels(name + ".mean", x, x.channels / outputs);
}

/// Class DupUp3D: its inverse, by repetition.
Image WanGraph::repeatUp(Name name, const Image &x, int64_t outputs,
                         int64_t frames) {
  constexpr int64_t pixels = 2;
  int64_t repeats = outputs * frames * pixels * pixels / x.channels;
  Image h = x;
  if (repeats > 1)
    h = graph.repeatChannels(name + ".repeated", h, repeats);
  h = graph.framesToBatch(name + ".frames", h);
  h = graph.pixelShuffle(name + ".shuffled", h, pixels);
  h = graph.batchToFrames(name + ".video", h, &x);
  if (frames == 1)
    return h;
  h = graph.channelsToFrames(name + ".doubled", h, frames,
                             /*channelMajor=*/true);
  return graph.sliceFrames(name + ".rest", h, frames - 1);
}

Image WanGraph::downBlock(Name name, Image x, size_t block, int64_t outputs) {
  bool last = block + 1 == config.blocks();
  int64_t frames = config.isTemporal(block) ? 2 : 1;
  Image skip =
      averageDown(name + ".avg_shortcut", x, outputs, frames, last ? 1 : 2);
  for (int64_t layer = 0; layer < config.layers; ++layer)
    x = resnet(name + ".resnets." + std::to_string(layer), x, outputs);
  if (!last)
    x = downsample(name + ".downsampler", x, frames > 1);
  return graph.add(name, x, skip);
}

Image WanGraph::upBlock(Name name, const Image &x, size_t block,
                        int64_t outputs) {
  bool last = block + 1 == config.blocks();
  // The blocks of the decoder mirror those of the encoder.
  bool temporal = !last && config.temporal[config.temporal.size() - 1 - block];
  Image h = x;
  for (int64_t layer = 0; layer <= config.layers; ++layer)
    h = resnet(name + ".resnets." + std::to_string(layer), h, outputs);
  if (last)
    return h;
  if (!config.residual)
    return upsample(name + ".upsamplers.0", h, h.channels / 2, temporal);
  h = upsample(name + ".upsampler", h, outputs, temporal);
  Image skip = repeatUp(name + ".avg_shortcut", x, outputs, temporal ? 2 : 1);
  return graph.add(name, h, skip);
}

/// Patches of pixels as channels, or apart again. A patch lies in the channels
/// column by column.
Image WanGraph::turnPatches(Name name, Image x, bool apart) {
  if (config.patch == 1)
    return x;
  Image video = x;
  x = graph.framesToBatch(name + ".frames", x);
  x = graph.transpose(name + ".columns", x, {0, 1, 3, 2});
  x = apart ? graph.pixelShuffle(name + ".shuffled", x, config.patch)
            : graph.pixelUnshuffle(name + ".unshuffled", x, config.patch);
  x = graph.transpose(name + ".rows", x, {0, 1, 3, 2});
  return graph.batchToFrames(name, x, &video);
}

Image WanGraph::encoder(Image x) {
  x = turnPatches("patches", x, /*apart=*/false);
  std::string down = "encoder.down_blocks.";
  Image h = graph.conv3d("encoder.conv_in", x, config.width, Graph::causal());
  size_t next = 0;
  auto name = [&] { return down + std::to_string(next++); };
  for (size_t block = 0; block < config.blocks(); ++block) {
    int64_t outputs = config.width * config.multipliers[block];
    if (config.residual) {
      h = downBlock(name(), h, block, outputs);
      continue;
    }
    for (int64_t layer = 0; layer < config.layers; ++layer)
      h = resnet(name(), h, outputs);
    if (block + 1 < config.blocks())
      h = downsample(name(), h, config.temporal[block]);
  }
  h = middle("encoder.mid_block", h);
  h = graph.l2Norm("encoder.norm_out", h, "silu");
  h = graph.conv3d("encoder.conv_out", h, 2 * config.latent, Graph::causal());
  return graph.conv3d("quant_conv", h, h.channels, Graph::pointwise3d());
}

Image WanGraph::decoder(Image x) {
  x = graph.conv3d("post_quant_conv", x, x.channels, Graph::pointwise3d());
  int64_t width = config.decoderWidth * config.multipliers.back();
  Image h = graph.conv3d("decoder.conv_in", x, width, Graph::causal());
  h = middle("decoder.mid_block", h);
  for (size_t block = 0; block < config.blocks(); ++block) {
    size_t from = config.blocks() - 1 - block;
    h = upBlock("decoder.up_blocks." + std::to_string(block), h, block,
                config.decoderWidth * config.multipliers[from]);
  }
  h = graph.l2Norm("decoder.norm_out", h, "silu");
  h = graph.conv3d("decoder.conv_out", h, config.outputs, Graph::causal());
  h = turnPatches("image", h, /*apart=*/true);
  return graph.clamp("clamped", h, -1, 1);
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

static void readTemporal(Fields &config, WanConfig &wan) {
  constexpr StringRef key = "temperal_downsample"; // as the library spells it
  if (const JsonValue *value = config.get(key)) {
    wan.temporal.clear();
    for (const JsonValue &item : value->items) {
      if (item.kind != JsonValue::Kind::Boolean)
        return config.mismatch(key, item, "true or false");
      wan.temporal.push_back(item.boolean);
    }
  }
  if (wan.temporal.size() + 1 != wan.multipliers.size())
    config.fail(config.get(key))
        << "'" << key << "' has " << wan.temporal.size()
        << " values, expected one less than 'dim_mult' has, "
        << wan.multipliers.size() - 1;
}

/// The library has the key, and fails when it runs such a model.
static void checkScales(Fields &config) {
  const JsonValue *value = config.get("attn_scales");
  if (value && (!value->isArray() || !value->items.empty()))
    config.mismatch("attn_scales", *value,
                    "[], as of all models that diffusers can run");
}

static void read(Fields &config, WanConfig &wan) {
  constexpr int64_t kMaxLayers = 1024, kMaxWidth = 1 << 16;
  wan.width = config.getInt("base_dim", 1, kMaxWidth, wan.width);
  wan.decoderWidth = wan.width;
  wan.latent = config.getInt("z_dim", 1, kMaxWidth, wan.latent);
  wan.layers = config.getInt("num_res_blocks", 1, kMaxLayers, wan.layers);
  if (config.has("dim_mult")) {
    wan.multipliers.clear();
    append_range(wan.multipliers, config.getInts("dim_mult", 1, kMaxWidth));
  }
  checkScales(config);
  readTemporal(config, wan);
}

/// Channels that are halved, averaged or repeated must come out even.
static bool canResample(const WanConfig &wan) {
  for (size_t block = 0; block < wan.blocks(); ++block) {
    bool last = block + 1 == wan.blocks();
    int64_t pixels = last ? 1 : wan.isTemporal(block) ? 8 : 4;
    int64_t from = wan.width * (block ? wan.multipliers[block - 1] : 1);
    int64_t to = wan.width * wan.multipliers[block];
    // The decoder goes from the channels of the next block to this one's.
    int64_t inner = last ? wan.decoderWidth * wan.multipliers[block]
                         : wan.decoderWidth * wan.multipliers[block + 1];
    int64_t outer = wan.decoderWidth * wan.multipliers[block];
    if (wan.residual ? from * pixels % to || outer * pixels % inner
                     : !last && inner % 2)
      return false;
  }
  return true;
}

static void build(Fields &config, WanConfig &wan, Autoencoder &model) {
  if (!config.ok())
    return;
  if (!canResample(wan)) {
    config.fail(config.get("dim_mult"))
        << "the channels of blocks cannot be resampled; 'dim_mult' does not "
           "fit 'base_dim'";
    return;
  }
  if (wan.inputs % (wan.patch * wan.patch)) {
    config.fail(config.get("patch_size"))
        << "patches of " << wan.patch << "x" << wan.patch
        << " pixels do not divide " << wan.inputs << " channels";
    return;
  }
  // The library's defaults are of models with 16 channels; saved beside another
  // number of them they mean nothing.
  const JsonValue *mean = config.get("latents_mean");
  if (mean && mean->isArray() &&
      static_cast<int64_t>(mean->items.size()) == wan.latent)
    readScaling(config, 1, wan.latent, model);
  if (!config.ok())
    return;
  model.imageChannels = wan.inputs / (wan.patch * wan.patch);
  model.multiple = getMultiple(wan.blocks()) * wan.patch;
  int64_t frames = 1;
  for (size_t block = 0; block < wan.blocks(); ++block)
    frames *= wan.isTemporal(block) ? 2 : 1;
  model.frameMultiple = frames;
  model.head = WanGraph(model.encoder, wan).encoder(getData(model)).name;
  WanGraph(model.decoder, wan).decoder({"z", wan.latent});
}

void vae::diffusers::buildAutoencoderKLWan(Fields &config, WeightStore &,
                                           Autoencoder &model) {
  WanConfig wan;
  read(config, wan);
  const JsonValue *width = config.get("decoder_base_dim");
  if (width && !width->isNull())
    wan.decoderWidth = config.getInt("decoder_base_dim", 1, 1 << 16);
  const JsonValue *patch = config.get("patch_size");
  if (patch && !patch->isNull())
    wan.patch = config.getInt("patch_size", 1, 64);
  wan.inputs = config.getInt("in_channels", 1, kMaxDim, 3);
  wan.outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  wan.residual = config.getBool("is_residual", false);
  build(config, wan, model);
}

void vae::diffusers::buildAutoencoderKLQwenImage(Fields &config, WeightStore &,
                                                 Autoencoder &model) {
  WanConfig wan;
  read(config, wan);
  wan.inputs = wan.outputs = config.getInt("input_channels", 1, kMaxDim, 3);
  build(config, wan, model);
}
