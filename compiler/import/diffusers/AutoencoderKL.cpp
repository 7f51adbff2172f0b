// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AutoencoderKL (Rombach et al. 2022, appendix E) and the classes that differ
// from it in keys only.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

namespace {

/// Names of the keys that have several.
struct Keys {
  StringRef downChannels = "block_out_channels",
            upChannels = "block_out_channels", downLayers = "layers_per_block",
            upLayers = "layers_per_block";
};

/// What a file without these keys means.
struct Defaults {
  std::vector<int64_t> channels = {64};
  int64_t layers = 1, latentChannels = 4;
};

} // namespace

static void build(Fields &config, const WeightStore &weights, const Keys &keys,
                  const Defaults &defaults, Autoencoder &model) {
  Pyramid down, up;
  down.channels = readChannels(config, keys.downChannels, defaults.channels);
  up.channels = readChannels(config, keys.upChannels, down.channels);
  down.attention =
      readBlockTypes(config, "down_block_types", "DownEncoderBlock2D",
                     "AttnDownEncoderBlock2D", down.channels.size());
  up.attention = readBlockTypes(config, "up_block_types", "UpDecoderBlock2D",
                                "AttnUpDecoderBlock2D", up.channels.size());
  constexpr int64_t kMaxLayers = 1024;
  down.layers = config.getInt(keys.downLayers, 1, kMaxLayers, defaults.layers);
  up.layers = config.getInt(keys.upLayers, 1, kMaxLayers, defaults.layers);
  down.groups = up.groups = config.getInt("norm_num_groups", 1, kMaxDim, 32);
  down.activation = up.activation = readActivation(config, "silu");
  down.midAttention = up.midAttention =
      config.getBool("mid_block_add_attention", true);
  int64_t latent =
      config.getInt("latent_channels", 1, kMaxDim, defaults.latentChannels);
  int64_t outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  model.multiple = int64_t(1)
                   << (std::min<size_t>(down.channels.size(), 17) - 1);
  bool quant = config.getBool("use_quant_conv", true);
  bool postQuant = config.getBool("use_post_quant_conv", true);
  if (!config.ok())
    return;

  Image moments =
      Blocks(model.encoder, down, weights).encoder(getData(model), 2 * latent);
  if (quant)
    moments = model.encoder.conv("quant_conv", moments, moments.channels,
                                 Graph::pointwise());
  model.head = moments.name;
  Image z = {"z", latent};
  if (postQuant)
    z = model.decoder.conv("post_quant_conv", z, latent, Graph::pointwise());
  Blocks(model.decoder, up, weights).decoder(z, outputs, nullptr);
}

void vae::diffusers::buildAutoencoderKL(Fields &config,
                                        const WeightStore &weights,
                                        Autoencoder &model) {
  build(config, weights, {}, {}, model);
}

/// Without an image and a mask its decoder is an ordinary one.
void vae::diffusers::buildAsymmetricAutoencoderKL(Fields &config,
                                                  const WeightStore &weights,
                                                  Autoencoder &model) {
  build(config, weights,
        {"down_block_out_channels", "up_block_out_channels",
         "layers_per_down_block", "layers_per_up_block"},
        {}, model);
}

/// Its batch normalization of patches belongs to the pipeline around it.
void vae::diffusers::buildAutoencoderKLFlux2(Fields &config,
                                             const WeightStore &weights,
                                             Autoencoder &model) {
  Keys keys;
  keys.upChannels = "decoder_block_out_channels";
  build(config, weights, keys, {{128, 256, 512, 512}, 2, 32}, model);
}
