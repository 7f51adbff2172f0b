// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AutoencoderKLTemporalDecoder (Stable Video Diffusion, Blattmann et al. 2023):
// the encoder of AutoencoderKL, and a decoder whose blocks look at the frames
// of a clip. The batch is the frames of one clip.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

void vae::diffusers::buildAutoencoderKLTemporalDecoder(Fields &config,
                                                       WeightStore &weights,
                                                       Autoencoder &model) {
  Pyramid down = readPyramid(config, kDownKeys, {64}, 1);
  int64_t latent = config.getInt("latent_channels", 1, kMaxDim, 4);
  int64_t outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  model.multiple = getMultiple(down.channels.size());
  readScaling(config, kScalingFactor, latent, model);
  if (!config.ok())
    return;

  Image moments = Blocks(model.encoder, down, weights, config)
                      .encoder(getData(model), 2 * latent);
  model.head =
      model.encoder
          .conv("quant_conv", moments, moments.channels, Graph::pointwise())
          .name;
  Pyramid up = down;
  up.temporal = true;
  // Its middle has as many residual blocks as the others, of which the library
  // runs two at most, with attention between them.
  up.midAttention = up.midSecond = down.layers > 1;
  up.attention.assign(up.channels.size(), false);
  Graph &graph = model.decoder;
  Image h = Blocks(graph, up, weights, config)
                .decoder({"z", latent}, outputs, nullptr);
  Image video = graph.batchToFrames("decoder.video", h);
  h = graph.conv3d("decoder.time_conv_out", video, outputs,
                   Graph::temporal(1, 1));
  graph.framesToBatch("decoder.frames", h);
}
