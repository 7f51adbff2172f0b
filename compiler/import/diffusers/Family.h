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
};

/// Names of what enters encoders and decoders.
inline Image getData(const Autoencoder &model) {
  return {"x", model.imageChannels};
}

#define VAE_FAMILY(CLASS, FUNCTION, KEYS, OTHER_KEYS)                          \
  void FUNCTION(Fields &config, WeightStore &weights, Autoencoder &model);
#include "compiler/import/diffusers/Families.def"

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_FAMILY_H
