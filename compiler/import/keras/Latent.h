// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the latent in a graph.
#ifndef COMPILER_IMPORT_KERAS_LATENT_H
#define COMPILER_IMPORT_KERAS_LATENT_H

#include "compiler/import/keras/Assemble.h"

namespace vae::keras {

/// The heads of an encoder.
struct Heads {
  /// The mean, or the head that is split, or the code.
  Tensor mu;
  Tensor logvar;
  /// "halves", "interleaved"; empty: no split.
  std::string split;
  /// The sample that a layer draws, if there is one.
  Tensor sample;

  bool isCode() const { return split.empty() && !logvar; }
};

/// A tensor behind what only passes it on: dropout, a linear activation.
Tensor skipIdentity(const Part &part, Tensor tensor);

/// The heads that `outputs` are, by the rules of docs/import-keras.md. `latent`
/// is the user's word, `codeDims` the shape that the decoder takes, empty if
/// that is not known. False after a problem.
bool findHeads(const Part &part, llvm::ArrayRef<Tensor> outputs,
               llvm::StringRef latent, llvm::ArrayRef<int64_t> codeDims,
               Heads &heads, Report &report);

/// Calls of layers that draw a sample.
std::vector<int> findSamplings(const Part &part);

/// Whether a name is one of a log-variance, or of a mean.
bool isLogvarName(llvm::StringRef name);
bool isMeanName(llvm::StringRef name);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_LATENT_H
