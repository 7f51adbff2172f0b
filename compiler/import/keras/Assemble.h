// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds encoder, latent and decoder in Keras models, and writes them as one
// model of the native format.
#ifndef COMPILER_IMPORT_KERAS_ASSEMBLE_H
#define COMPILER_IMPORT_KERAS_ASSEMBLE_H

#include "compiler/import/keras/Translate.h"

namespace vae::keras {

/// A graph and what its calls become.
struct Part {
  Graph graph;
  std::vector<Fragment> fragments;
};

/// What is to be assembled: encoder and decoder as models of their own, either
/// of which may be null, or one model that may hold both.
struct Parts {
  const Part *whole = nullptr;
  const Part *encoder = nullptr;
  const Part *decoder = nullptr;
  /// "z_mean,z_log_var", "head:halves", "head:interleaved", "code": layers of
  /// the encoder. Empty: found by structure.
  std::string latent;
  std::string name;
};

/// The model of the native format; its root is null after a problem.
JsonValue assemble(const Parts &parts, Report &report);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_ASSEMBLE_H
