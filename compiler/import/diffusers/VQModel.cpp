// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// VQModel (van den Oord et al. 2017; Esser et al. 2021): the latent is
// quantized before it is decoded.
#include "compiler/import/diffusers/Blocks.h"
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

void vae::diffusers::buildVQModel(Fields &config, WeightStore &weights,
                                  Autoencoder &model) {
  Pyramid down = readPyramid(config, kDownKeys, {64}, 1);
  Pyramid up = readPyramid(config, kUpKeys, {64}, 1);
  int64_t latent = config.getInt("latent_channels", 1, kMaxDim, 3);
  const JsonValue *embedding = config.get("vq_embed_dim");
  int64_t units = embedding && !embedding->isNull()
                      ? config.getInt("vq_embed_dim", 1, kMaxDim)
                      : latent;
  int64_t entries = config.getInt("num_vq_embeddings", 1, 1 << 24, 256);
  bool spatial =
      config.getChoice("norm_type", {"group", "spatial"}) == "spatial";
  int64_t outputs = config.getInt("out_channels", 1, kMaxDim, 3);
  model.imageChannels = config.getInt("in_channels", 1, kMaxDim, 3);
  model.multiple = getMultiple(down.channels.size());
  readScaling(config, kScalingFactor, units, model);
  if (!config.ok())
    return;

  Image h = Blocks(model.encoder, down, weights, config)
                .encoder(getData(model), latent);
  Image code = model.encoder.conv("quant_conv", h, units, Graph::pointwise());
  model.code = code.name;
  StringRef codebook = "quantize.embedding.weight";
  model.outputs = {
      model.encoder.nearest("indices", codebook, code, entries).name};
  Image quantized = model.decoder.quantize(codebook, {"z", units}, entries);
  Image z = model.decoder.conv("post_quant_conv", quantized, latent,
                               Graph::pointwise());
  Blocks(model.decoder, up, weights, config)
      .decoder(z, outputs, spatial ? &quantized : nullptr);
}
