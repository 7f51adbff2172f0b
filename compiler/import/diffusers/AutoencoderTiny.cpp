// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AutoencoderTiny: small distilled models without normalization.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

namespace {

/// The members of a torch.nn.Sequential, numbered in their order.
class Sequence {
public:
  Sequence(Graph &graph, StringRef name, std::string activation)
      : graph(graph), name(name), activation(std::move(activation)) {}

  Image conv(const Image &x, int64_t filters, const Graph::Window &window,
             StringRef act = "") {
    return graph.conv(next(), x, filters, window, act);
  }
  Image upsample(const Image &x, int64_t factor, StringRef mode) {
    return graph.upsample(next(), x, factor, mode);
  }
  /// An activation that is a member of its own is part of the layer before.
  void skip() { ++index; }

  /// Class AutoencoderTinyBlock, whose channels stay.
  Image block(const Image &x) {
    std::string own = next();
    Image h = graph.conv(own + ".conv.0", x, x.channels, {}, activation);
    h = graph.conv(own + ".conv.2", h, x.channels, {}, activation);
    h = graph.conv(own + ".conv.4", h, x.channels, {});
    return graph.add(own, h, x, "relu");
  }

private:
  std::string next() { return name + "." + std::to_string(index++); }

  Graph &graph;
  std::string name, activation;
  unsigned index = 0;
};

/// The blocks of one side: channels, and how many of each.
struct Stages {
  std::vector<int64_t> channels, counts;

  Stages(Fields &config, const std::string &side,
         std::vector<int64_t> defaultCounts) {
    std::string key = "num_" + side + "_blocks";
    channels =
        readChannels(config, side + "_block_out_channels", {64, 64, 64, 64});
    counts = std::move(defaultCounts);
    if (config.has(key)) {
      auto given = config.getInts(key, 0, 1024);
      counts.assign(given.begin(), given.end());
    }
    if (config.ok() && counts.size() != channels.size())
      config.fail(config.get(key))
          << "'" << key << "' has " << counts.size() << " numbers, '" << side
          << "_block_out_channels' has " << channels.size();
  }
};

} // namespace

static void buildEncoder(Sequence layers, Image x, const Stages &stages,
                         int64_t latent, Autoencoder &model) {
  for (auto [i, channels] : enumerate(stages.channels)) {
    Graph::Window half = {3, 2, 1, 1, /*bias=*/false};
    x = layers.conv(x, channels, i ? half : Graph::Window());
    for (int64_t block = 0; block < stages.counts[i]; ++block)
      x = layers.block(x);
  }
  model.code = layers.conv(x, latent, {}).name;
}

static Image buildDecoder(Sequence layers, Image x, const Stages &stages,
                          int64_t outputs, int64_t factor, StringRef mode,
                          StringRef activation) {
  x = layers.conv(x, stages.channels.front(), {}, activation);
  layers.skip();
  for (auto [i, channels] : enumerate(stages.channels)) {
    for (int64_t block = 0; block < stages.counts[i]; ++block)
      x = layers.block(x);
    if (i + 1 == stages.channels.size())
      return layers.conv(x, outputs, {});
    x = layers.upsample(x, factor, mode);
    x = layers.conv(x, channels, {3, 1, 1, 1, /*bias=*/false});
  }
  return x;
}

/// Blocks keep their channels, and so does a stage what it gets.
static void checkEqual(Fields &config, StringRef key, const Stages &stages) {
  for (int64_t channels : stages.channels)
    if (config.ok() && channels != stages.channels.front())
      config.fail(config.get(key))
          << "the numbers in '" << key << "' must be equal";
}

void vae::diffusers::buildAutoencoderTiny(Fields &config, WeightStore &weights,
                                          Autoencoder &model) {
  Stages down(config, "encoder", {1, 3, 3, 3});
  Stages up(config, "decoder", {3, 3, 3, 1});
  checkEqual(config, "encoder_block_out_channels", down);
  checkEqual(config, "decoder_block_out_channels", up);
  std::string activation = readActivation(config, "act_fn", "relu");
  std::string mode = config.getChoice("upsample_fn", {"nearest", "bilinear"});
  int64_t factor = config.getInt("upsampling_scaling_factor", 1, 16, 2);
  int64_t latent = config.getInt("latent_channels", 1, kMaxDim, 4);
  int64_t outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  model.multiple = getMultiple(down.channels.size());
  readScaling(config, 1, latent, model);
  if (!config.ok())
    return;

  // Images in [-1, 1] become [0, 1], and back.
  Image x = model.encoder.scale("encoder.range", getData(model), 0.5, 0.5);
  buildEncoder(Sequence(model.encoder, "encoder.layers", activation), x, down,
               latent, model);
  Graph &decoder = model.decoder;
  Image z = decoder.scale("decoder.third", {"z", latent}, 1.0 / 3, 0, "tanh");
  z = decoder.scale("decoder.clamp", z, 3, 0);
  Image y = buildDecoder(Sequence(decoder, "decoder.layers", activation), z, up,
                         outputs, factor, mode, activation);
  decoder.scale("decoder.range", y, 2, -1);
}
