// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports models of Keras (docs/import-keras.md).
#ifndef COMPILER_IMPORT_KERAS_KERASIMPORTER_H
#define COMPILER_IMPORT_KERAS_KERASIMPORTER_H

#include "compiler/import/ModelDocument.h"
#include "compiler/import/ModelFiles.h"
#include "compiler/import/keras/Graph.h"
#include "llvm/ADT/StringRef.h"

namespace vae::keras {

/// Reads a model of Keras: a .keras archive, an HDF5 file of Keras 2, or JSON
/// with `files.weights` (what it is, is found out by its content); or the
/// encoder and decoder that `files` names. Positions of a problem, and of the
/// document, point into `document.files`.
std::optional<Problem> readKeras(llvm::StringRef path, const ModelFiles &files,
                                 ModelDocument &document);

/// The same for the text of a config without weights, for tests.
std::optional<Problem> translateConfig(llvm::StringRef text,
                                       llvm::StringRef latent,
                                       ModelDocument &document);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_KERASIMPORTER_H
