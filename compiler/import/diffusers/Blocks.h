// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The blocks that AutoencoderKL and its relatives are made of.
#ifndef COMPILER_IMPORT_DIFFUSERS_BLOCKS_H
#define COMPILER_IMPORT_DIFFUSERS_BLOCKS_H

#include "compiler/import/Weights.h"
#include "compiler/import/diffusers/Graph.h"
#include "compiler/import/native/Fields.h"

namespace vae::diffusers {

/// One side of an autoencoder of residual blocks.
struct Pyramid {
  std::vector<int64_t> channels; // of the blocks, from the image inwards
  std::vector<bool> attention;   // after each layer of the block
  int64_t layers = 1;            // of a block
  int64_t groups = 32;
  std::string activation = "silu";
  bool midAttention = true, midSecond = true; // residual block
  /// Behind each residual block, one over the frames of a clip.
  bool temporal = false;
};

/// Writes encoders and decoders: classes Encoder and Decoder of diffusers.
class Blocks {
public:
  Blocks(Graph &graph, const Pyramid &pyramid, WeightStore &weights,
         Fields &config)
      : graph(graph), pyramid(pyramid), weights(weights), config(config) {}

  Image encoder(const Image &x, int64_t outputs);
  /// `condition`: the latent that spatial norms take; null for group norms.
  Image decoder(const Image &x, int64_t outputs, const Image *condition);

private:
  Image norm(const llvm::Twine &name, const Image &x,
             llvm::StringRef activation);
  Image resnet(const std::string &name, const Image &x, int64_t outputs);
  Image spatialResnet(const std::string &name, const Image &x, int64_t outputs);
  Image temporalResnet(const std::string &name, const Image &x);
  Image attention(const std::string &name, const Image &x);
  Image middle(const std::string &name, Image x);
  /// What the tensor of a mixing factor says: sigmoid of its one value.
  double readMix(const std::string &tensor);

  Graph &graph;
  const Pyramid &pyramid;
  WeightStore &weights;
  Fields &config; // takes errors
  const Image *condition = nullptr;
};

/// "silu" and the other names of diffusers' activations, in any case.
std::string asActivation(Fields &config, llvm::StringRef key,
                         const JsonValue &value);
std::string readActivation(Fields &config, llvm::StringRef key,
                           llvm::StringRef missing);
/// The array of channels of key `key`.
std::vector<int64_t> readChannels(Fields &config, llvm::StringRef key,
                                  std::vector<int64_t> missing);
/// What sizes are multiples of, each block but the last halving them.
int64_t getMultiple(size_t blocks);

/// Names of the keys of one side.
struct PyramidKeys {
  llvm::StringRef channels, types, plain, attending, layers;
};
inline constexpr PyramidKeys kDownKeys = {
    "block_out_channels", "down_block_types", "DownEncoderBlock2D",
    "AttnDownEncoderBlock2D", "layers_per_block"};
inline constexpr PyramidKeys kUpKeys = {
    "block_out_channels", "up_block_types", "UpDecoderBlock2D",
    "AttnUpDecoderBlock2D", "layers_per_block"};
Pyramid readPyramid(Fields &config, const PyramidKeys &keys,
                    std::vector<int64_t> missingChannels,
                    int64_t missingLayers);

/// Reads an array of the types of blocks: `plain`, or `attending` ones.
std::vector<bool> readBlockTypes(Fields &config, llvm::StringRef key,
                                 llvm::StringRef plain,
                                 llvm::StringRef attending, size_t count);

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_BLOCKS_H
