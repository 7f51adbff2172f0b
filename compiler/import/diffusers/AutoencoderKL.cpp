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

/// What a file without these keys means.
struct Defaults {
  std::vector<int64_t> channels = {64};
  int64_t layers = 1, latentChannels = 4;
  /// Scaling factor of the latent; 0: the class has none.
  double scaling = kScalingFactor;
};

} // namespace

static void build(Fields &config, WeightStore &weights,
                  const PyramidKeys &downKeys, const PyramidKeys &upKeys,
                  const Defaults &defaults, Autoencoder &model) {
  Pyramid down =
      readPyramid(config, downKeys, defaults.channels, defaults.layers);
  Pyramid up = readPyramid(config, upKeys, down.channels, defaults.layers);
  int64_t latent =
      config.getInt("latent_channels", 1, kMaxDim, defaults.latentChannels);
  int64_t outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  model.multiple = getMultiple(down.channels.size());
  bool quant = config.getBool("use_quant_conv", true);
  bool postQuant = config.getBool("use_post_quant_conv", true);
  if (defaults.scaling > 0)
    readScaling(config, defaults.scaling, latent, model);
  if (!config.ok())
    return;

  Image moments = Blocks(model.encoder, down, weights, config)
                      .encoder(getData(model), 2 * latent);
  if (quant)
    moments = model.encoder.conv("quant_conv", moments, moments.channels,
                                 Graph::pointwise());
  model.head = moments.name;
  Image z = {"z", latent};
  if (postQuant)
    z = model.decoder.conv("post_quant_conv", z, latent, Graph::pointwise());
  Blocks(model.decoder, up, weights, config).decoder(z, outputs, nullptr);
}

void vae::diffusers::buildAutoencoderKL(Fields &config, WeightStore &weights,
                                        Autoencoder &model) {
  build(config, weights, kDownKeys, kUpKeys, {}, model);
}

/// Without an image and a mask its decoder is an ordinary one.
void vae::diffusers::buildAsymmetricAutoencoderKL(Fields &config,
                                                  WeightStore &weights,
                                                  Autoencoder &model) {
  PyramidKeys down = kDownKeys, up = kUpKeys;
  down.channels = "down_block_out_channels";
  down.layers = "layers_per_down_block";
  up.channels = "up_block_out_channels";
  up.layers = "layers_per_up_block";
  build(config, weights, down, up, {}, model);
}

/// Its batch normalization belongs to the pipeline around it: it is of patches
/// of 2 x 2 pixels, which no number a channel can express.
void vae::diffusers::buildAutoencoderKLFlux2(Fields &config,
                                             WeightStore &weights,
                                             Autoencoder &model) {
  PyramidKeys up = kUpKeys;
  up.channels = "decoder_block_out_channels";
  build(config, weights, kDownKeys, up, {{128, 256, 512, 512}, 2, 32, 0},
        model);
}
