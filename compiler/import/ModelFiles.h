// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_IMPORT_MODELFILES_H
#define COMPILER_IMPORT_MODELFILES_H

#include <string>

namespace vae {

/// What a model is read from, beside its main file.
struct ModelFiles {
  /// Weights of a Keras model that is JSON.
  std::string weights;
  /// Encoder and decoder as models of their own, in the place of a main file.
  std::string encoder, decoder;
  std::string encoderWeights, decoderWeights;
  /// Which layers are the latent (docs/import-keras.md).
  std::string latent;
  /// The program that reads HDF5; empty: vaec-read-hdf5 beside this one.
  std::string hdf5Reader;

  bool hasParts() const { return !encoder.empty() || !decoder.empty(); }
};

} // namespace vae

#endif // COMPILER_IMPORT_MODELFILES_H
