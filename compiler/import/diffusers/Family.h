// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the function of a class gets and gives.
#ifndef COMPILER_IMPORT_DIFFUSERS_FAMILY_H
#define COMPILER_IMPORT_DIFFUSERS_FAMILY_H

#include "compiler/import/ModelDocument.h"
#include "compiler/import/diffusers/Graph.h"
#include "compiler/import/native/Fields.h"

namespace vae::diffusers {

/// An autoencoder of images of any size that is a multiple of `multiple`, or of
/// videos of them: of one frame more than a multiple of `frameMultiple`.
struct Autoencoder {
  explicit Autoencoder(JsonPosition position)
      : encoder(position), decoder(position) {}

  int64_t imageChannels = 3, multiple = 1, frameMultiple = 0;
  Graph encoder, decoder;
  /// The layer that gives mean and log-variance as halves of its channels; or
  /// the code of an autoencoder that is not variational.
  std::string head, code;
  /// Layers of the encoder whose values `encode` gives besides the latent.
  std::vector<std::string> outputs;
  /// What pipelines make of the latent, (z - shift) * scale: one number each,
  /// or one a channel. No scale: nothing that is the same for every pixel.
  std::vector<double> scale, shift;
};

/// Names of what enters encoders and decoders.
inline Image getData(const Autoencoder &model) {
  return {"x", model.imageChannels};
}

/// The scaling factor of most classes, where a file has none.
inline constexpr double kScalingFactor = 0.18215;

/// Reads the scaling of the latent, of that many channels, from the keys
/// scaling_factor, shift_factor, latents_mean and latents_std, of which a class
/// has some. `factor`: what a file without scaling_factor means.
void readScaling(Fields &config, double factor, int64_t channels,
                 Autoencoder &model);

#define VAE_FAMILY(CLASS, FUNCTION, KEYS, OTHER_KEYS)                          \
  void FUNCTION(Fields &config, WeightStore &weights, Autoencoder &model);
#include "compiler/import/diffusers/Families.def"

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_FAMILY_H
