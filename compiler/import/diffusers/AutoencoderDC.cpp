// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AutoencoderDC (Chen et al. 2024, arXiv:2410.10733): deep compression, with
// shortcuts that turn pixels into channels and back.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

/// Each halves height and width, and 2^16 is the largest multiple.
static constexpr int64_t kMaxStages = 16;
static constexpr int64_t kMaxLayers = 256;
static constexpr size_t kMaxScales = 16;
static constexpr int64_t kMaxKernel = 65535;

namespace {

/// One side. What is there for each stage is in the order from the image
/// inwards.
struct Side {
  std::string name;
  std::vector<int64_t> channels, layers;
  std::vector<bool> attending;              // EfficientViTBlock, not ResBlock
  std::vector<std::vector<int64_t>> scales; // sizes of kernels
  std::vector<bool> batchNorm;              // not RMS norm
  std::vector<std::string> activations;     // "": none
  int64_t headDim = 32, latent = 32;
  /// Resampling as pixel (un)shuffle after a convolution, not strided
  /// convolution or repetition of pixels before one.
  bool shuffle = true;
  bool shortcut = true; // at the latent

  std::string key(StringRef suffix) const { return name + "_" + suffix.str(); }
  size_t last() const { return channels.size() - 1; }
  /// A first stage without layers leaves its work to the layer at the image.
  bool resamplesAtImage() const { return layers.front() == 0; }
  /// Whether the sizes of stage i and the next one differ.
  bool resamplesAfter(size_t i) const { return i < last() && layers[i] > 0; }
};

/// Writes the layers of one side.
class SideBuilder {
public:
  SideBuilder(Graph &graph, const Side &side) : graph(graph), side(side) {}

  Image encoder(const Image &x);
  Image decoder(const Image &z, int64_t outputs, StringRef activation);

private:
  Image norm(const Twine &name, const Image &x, size_t stage);
  Image residual(const std::string &name, const Image &x, size_t stage);
  Image attention(const std::string &name, const Image &x, size_t stage);
  Image gatedConv(const std::string &name, const Image &x);
  Image blocks(const std::string &name, Image x, size_t stage, size_t &index);
  Image down(const std::string &name, const Image &x, int64_t outputs,
             bool shortcut);
  Image up(const std::string &name, const Image &x, int64_t outputs,
           bool shortcut);

  Graph &graph;
  const Side &side;
};

} // namespace

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Image SideBuilder::norm(const Twine &name, const Image &x, size_t stage) {
  return side.batchNorm[stage] ? graph.batchNorm(name, x)
                               : graph.rmsNorm(name, x);
}

/// Class ResBlock.
Image SideBuilder::residual(const std::string &name, const Image &x,
                            size_t stage) {
  Image h =
      graph.conv(name + ".conv1", x, x.channels, {}, side.activations[stage]);
  h = graph.conv(name + ".conv2", h, x.channels, {3, 1, 1, 1, /*bias=*/false});
  return graph.add(name, norm(name + ".norm", h, stage), x);
}

/// Class SanaMultiscaleLinearAttention. With few pixels the library sums in
/// another order; that is the same function.
Image SideBuilder::attention(const std::string &name, const Image &x,
                             size_t stage) {
  const Graph::Window pointwise = Graph::pointwise(/*bias=*/false);
  int64_t heads = x.channels / side.headDim;
  SmallVector<Image> parts;
  for (StringRef part : {".to_q", ".to_k", ".to_v"})
    parts.push_back(
        graph.conv(name + part, x, heads * side.headDim, pointwise));
  Image qkv = graph.concat(name + ".qkv", parts);
  parts = {qkv};
  for (auto [i, kernel] : enumerate(side.scales[stage])) {
    std::string scale = (name + ".to_qkv_multiscale." + Twine(i)).str();
    int64_t border = kernel / 2;
    Image h = graph.conv(
        scale + ".proj_in", qkv, qkv.channels,
        {kernel, 1, border, border, /*bias=*/false, /*groups=*/qkv.channels});
    Graph::Window grouped = pointwise;
    grouped.groups = 3 * heads;
    parts.push_back(graph.conv(scale + ".proj_out", h, qkv.channels, grouped));
  }
  if (parts.size() > 1)
    qkv = graph.concat(name + ".multiscale", parts);
  Image h = graph.linearAttention(name + ".attention", qkv, side.headDim);
  h = graph.conv(name + ".to_out", h, x.channels, pointwise);
  return graph.add(name, norm(name + ".norm_out", h, stage), x);
}

/// Class GLUMBConv.
Image SideBuilder::gatedConv(const std::string &name, const Image &x) {
  constexpr int64_t kExpansion = 4;
  int64_t wide = 2 * kExpansion * x.channels;
  Image h =
      graph.conv(name + ".conv_inverted", x, wide, Graph::pointwise(), "silu");
  h = graph.conv(name + ".conv_depth", h, wide,
                 {3, 1, 1, 1, /*bias=*/true, /*groups=*/wide});
  h = graph.glu(name + ".gate", h, "silu");
  h = graph.conv(name + ".conv_point", h, x.channels,
                 Graph::pointwise(/*bias=*/false));
  return graph.add(name, graph.rmsNorm(name + ".norm", h), x);
}

/// The blocks of a stage: members `index` and following of module `name`.
Image SideBuilder::blocks(const std::string &name, Image x, size_t stage,
                          size_t &index) {
  for (int64_t layer = 0; layer < side.layers[stage]; ++layer) {
    std::string own = name + "." + std::to_string(index++);
    x = side.attending[stage]
            ? gatedConv(own + ".conv_out", attention(own + ".attn", x, stage))
            : residual(own, x, stage);
  }
  return x;
}

/// Class DCDownBlock2d.
Image SideBuilder::down(const std::string &name, const Image &x,
                        int64_t outputs, bool shortcut) {
  std::string conv = name + ".conv";
  Image h = side.shuffle
                ? graph.pixelUnshuffle(name + ".pixels",
                                       graph.conv(conv, x, outputs / 4, {}), 2)
                : graph.conv(conv, x, outputs, {3, 2, 1, 1});
  if (!shortcut)
    return h;
  Image y = graph.pixelUnshuffle(name + ".shortcut.pixels", x, 2);
  y = graph.meanChannels(name + ".shortcut", y, y.channels / outputs);
  return graph.add(name, h, y);
}

/// Class DCUpBlock2d.
Image SideBuilder::up(const std::string &name, const Image &x, int64_t outputs,
                      bool shortcut) {
  std::string conv = name + ".conv";
  Image h =
      side.shuffle
          ? graph.pixelShuffle(name + ".pixels",
                               graph.conv(conv, x, 4 * outputs, {}), 2)
          : graph.conv(conv, graph.upsample(name + ".pixels", x, 2, "nearest"),
                       outputs, {});
  if (!shortcut)
    return h;
  Image y = graph.repeatChannels(name + ".shortcut.channels", x,
                                 4 * outputs / x.channels);
  y = graph.pixelShuffle(name + ".shortcut", y, 2);
  return graph.add(name, h, y);
}

Image SideBuilder::encoder(const Image &x) {
  Image h = side.resamplesAtImage()
                ? down("encoder.conv_in", x, side.channels[1], false)
                : graph.conv("encoder.conv_in", x, side.channels.front(), {});
  for (size_t i = 0; i <= side.last(); ++i) {
    std::string stage = "encoder.down_blocks." + std::to_string(i);
    size_t index = 0;
    h = blocks(stage, h, i, index);
    if (side.resamplesAfter(i))
      h = down(stage + "." + std::to_string(index), h, side.channels[i + 1],
               true);
  }
  Image z = graph.conv("encoder.conv_out", h, side.latent, {});
  if (!side.shortcut)
    return z;
  Image mean =
      graph.meanChannels("encoder.out_shortcut", h, h.channels / side.latent);
  return graph.add("encoder.latent", z, mean);
}

Image SideBuilder::decoder(const Image &z, int64_t outputs,
                           StringRef activation) {
  Image h = graph.conv("decoder.conv_in", z, side.channels.back(), {});
  if (side.shortcut) {
    Image repeated = graph.repeatChannels("decoder.in_shortcut", z,
                                          h.channels / side.latent);
    h = graph.add("decoder.in", h, repeated);
  }
  for (size_t i = side.last() + 1; i-- > 0;) {
    std::string stage = "decoder.up_blocks." + std::to_string(i);
    size_t index = 0;
    if (side.resamplesAfter(i))
      h = up(stage + "." + std::to_string(index++), h, side.channels[i], true);
    h = blocks(stage, h, i, index);
  }
  h = graph.rmsNorm("decoder.norm_out", h, activation);
  return side.resamplesAtImage()
             ? up("decoder.conv_out", h, outputs, false)
             : graph.conv("decoder.conv_out", h, outputs, {});
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// False after an error.
static bool checkCount(Fields &config, const std::string &key, size_t found,
                       size_t stages) {
  if (found >= stages)
    return config.ok();
  config.fail(config.get(key))
      << "'" << key << "' has too few entries"
      << (config.has(key) ? ", " : " by default, ") << found << " for "
      << stages << " numbers of channels";
  return false;
}

/// False after an error.
static bool requireArray(Fields &config, const std::string &key) {
  if (const JsonValue *value = config.get(key); value && !value->isArray())
    config.mismatch(key, *value, "an array");
  return config.ok();
}

/// Calls `read` with the entry for each stage: of an array, or one value for
/// all. Entries without a stage are left alone, as by the library.
static void readStages(Fields &config, const std::string &key, size_t stages,
                       function_ref<void(size_t, const JsonValue &)> read) {
  const JsonValue *value = config.get(key);
  if (!value || (value->isArray() &&
                 !checkCount(config, key, value->items.size(), stages)))
    return;
  for (size_t i = 0; i < stages && config.ok(); ++i)
    read(i, value->isArray() ? value->items[i] : *value);
}

static void readChannels(Fields &config, Side &side) {
  std::string key = side.key("block_out_channels");
  const JsonValue *value = config.get(key);
  if (!value)
    return;
  if (!value->isArray() || value->items.empty() ||
      value->items.size() > kMaxStages)
    return config.mismatch(key, *value,
                           "an array of 1 to " + Twine(kMaxStages) +
                               " whole numbers");
  side.channels.clear();
  for (const JsonValue &item : value->items)
    side.channels.push_back(config.asInt(key, item, 1, kMaxDim));
}

static void readLayers(Fields &config, Side &side) {
  std::string key = side.key("layers_per_block");
  if (requireArray(config, key))
    readStages(config, key, side.channels.size(),
               [&](size_t i, const JsonValue &value) {
                 side.layers.resize(side.channels.size());
                 side.layers[i] = config.asInt(key, value, 0, kMaxLayers);
               });
  checkCount(config, key, side.layers.size(), side.channels.size());
}

static std::vector<int64_t> asScales(Fields &config, const std::string &key,
                                     const JsonValue &value) {
  std::vector<int64_t> scales;
  if (!value.isArray() || value.items.size() > kMaxScales) {
    config.mismatch(key, value,
                    "an array of up to " + Twine(kMaxScales) +
                        " sizes of kernels");
    return scales;
  }
  for (const JsonValue &item : value.items) {
    scales.push_back(config.asInt(key, item, 1, kMaxKernel));
    if (config.ok() && scales.back() % 2 == 0)
      config.mismatch(key, item, "an odd number, which keeps the image's size");
  }
  return scales;
}

/// Blocks without attention ignore theirs.
static void readScales(Fields &config, Side &side) {
  std::string key = side.key("qkv_multiscales");
  if (requireArray(config, key))
    readStages(config, key, side.channels.size(),
               [&](size_t i, const JsonValue &value) {
                 side.scales.resize(side.channels.size());
                 side.scales[i] = side.attending[i]
                                      ? asScales(config, key, value)
                                      : std::vector<int64_t>();
               });
  checkCount(config, key, side.scales.size(), side.channels.size());
}

/// One of two words; true for the second.
static bool asChoice(Fields &config, const std::string &key,
                     const JsonValue &value, StringRef first, StringRef second,
                     const Twine &remark = "") {
  if (!value.isString() || (value.text != first && value.text != second))
    config.mismatch(key, value, "'" + first + "' or '" + second + "'" + remark);
  return value.text == second;
}

/// What both sides have. The members that have defaults of their own keep
/// these.
static void readSide(Fields &config, Side &side) {
  readChannels(config, side);
  if (!config.ok())
    return;
  size_t stages = side.channels.size();
  readLayers(config, side);
  side.attending.resize(stages);
  std::string types = side.key("block_types");
  readStages(config, types, stages, [&](size_t i, const JsonValue &value) {
    side.attending[i] =
        asChoice(config, types, value, "ResBlock", "EfficientViTBlock");
  });
  readScales(config, side);
  side.batchNorm.resize(stages);
  side.activations.resize(stages, "silu");
  side.headDim = config.getInt("attention_head_dim", 1, kMaxDim, 32);
  side.latent = config.getInt("latent_channels", 1, kMaxDim, 32);
}

/// The keys that only the decoder has.
static void readDecoder(Fields &config, Side &side) {
  size_t stages = side.channels.size();
  const std::string norms = "decoder_norm_types", acts = "decoder_act_fns";
  readStages(config, norms, stages, [&](size_t i, const JsonValue &value) {
    side.batchNorm[i] =
        asChoice(config, norms, value, "rms_norm", "batch_norm",
                 " (the library's 'layer_norm' normalizes rows of pixels and "
                 "fits one width only)");
  });
  const JsonValue *values = config.get(acts);
  readStages(config, acts, stages, [&](size_t i, const JsonValue &value) {
    bool none = values->isArray() && value.isNull();
    side.activations[i] = none ? "" : asActivation(config, acts, value);
  });
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// What channels and layers must be for the stages to fit together.
static void checkStages(Fields &config, const Side &side) {
  std::string channels = side.key("block_out_channels"),
              layers = side.key("layers_per_block");
  auto fail = [&](const std::string &key) {
    return std::move(config.fail(config.get(key)) << "'" << key << "': ");
  };
  if (config.ok() && side.resamplesAtImage() && side.last() == 0)
    fail(layers) << "a first stage without layers needs a second one";
  // What stage i gets; stages without layers pass it on.
  int64_t entering = side.channels.front();
  for (size_t i = 0; i <= side.last() && config.ok(); ++i) {
    int64_t here = side.channels[i];
    bool used = side.layers[i] > 0 || i == side.last();
    if (used && i > 0 && here != entering)
      fail(layers) << "stage " << i << " has " << here << " channels, but gets "
                   << entering << ", because the stage before it has no layers";
    else if (side.attending[i] && side.layers[i] && here < side.headDim)
      fail(channels) << "stage " << i << " has " << here
                     << " channels, less than the 'attention_head_dim', "
                     << side.headDim;
    else if (side.resamplesAfter(i) && 4 * here % side.channels[i + 1])
      fail(channels) << "a shortcut from " << here << " to "
                     << side.channels[i + 1]
                     << " channels needs a divisor of 4 * " << here;
    if (i == 0 || used)
      entering = side.channels[std::min(i + 1, side.last())];
  }
  if (config.ok() && side.shortcut && side.channels.back() % side.latent)
    fail(channels) << "the shortcut at the latent needs a multiple of its "
                   << side.latent << " channels, found "
                   << side.channels.back();
}

/// pixel_unshuffle makes four channels of one.
static void checkUnshuffle(Fields &config, const Side &side) {
  std::string key = side.key("block_out_channels");
  for (size_t i = 1; i <= side.last() && config.ok(); ++i)
    if ((side.resamplesAfter(i - 1) || (i == 1 && side.resamplesAtImage())) &&
        side.channels[i] % 4)
      config.fail(config.get(key))
          << "'" << key << "': pixel_unshuffle gives a multiple of 4 channels, "
          << "found " << side.channels[i];
}

void vae::diffusers::buildAutoencoderDC(Fields &config, WeightStore &weights,
                                        Autoencoder &model) {
  const std::vector<int64_t> channels = {128, 256, 512, 512, 1024, 1024};
  const std::vector<std::vector<int64_t>> scales = {{}, {}, {}, {5}, {5}, {5}};
  Side encoder, decoder;
  encoder.name = "encoder";
  encoder.layers = {2, 2, 2, 3, 3, 3};
  decoder.name = "decoder";
  decoder.layers = {3, 3, 3, 3, 3, 3};
  for (Side *side : {&encoder, &decoder}) {
    side->channels = channels;
    side->scales = scales;
    readSide(config, *side);
  }
  encoder.shuffle = config.getChoice("downsample_block_type",
                                     {"pixel_unshuffle", "Conv", "conv"}) ==
                    "pixel_unshuffle";
  decoder.shuffle =
      config.getChoice("upsample_block_type",
                       {"pixel_shuffle", "interpolate"}) == "pixel_shuffle";
  encoder.shortcut = config.getBool("encoder_out_shortcut", true);
  decoder.shortcut = config.getBool("decoder_in_shortcut", true);
  std::string activation =
      readActivation(config, "decoder_conv_act_fn", "relu");
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  if (config.ok())
    readDecoder(config, decoder);
  readScaling(config, 1, encoder.latent, model);
  checkStages(config, encoder);
  checkStages(config, decoder);
  if (config.ok() && encoder.shuffle)
    checkUnshuffle(config, encoder);
  if (!config.ok())
    return;

  if (encoder.resamplesAtImage())
    model.multiple *= 2;
  for (size_t i = 0; i < encoder.channels.size(); ++i)
    if (encoder.resamplesAfter(i))
      model.multiple *= 2;
  model.code = SideBuilder(model.encoder, encoder).encoder(getData(model)).name;
  SideBuilder(model.decoder, decoder)
      .decoder({"z", encoder.latent}, model.imageChannels, activation);
}
