// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One file of Keras, with its weights.
#ifndef COMPILER_IMPORT_KERAS_KERASFILE_H
#define COMPILER_IMPORT_KERAS_KERASFILE_H

#include "compiler/import/keras/Graph.h"
#include "compiler/import/keras/Hdf5.h"

namespace vae::keras {

struct KerasFile {
  /// What positions in `root` point into, "vae.keras/config.json".
  std::string textName;
  JsonValue root;
  /// Where the weights come from.
  std::string weightsPath;
  Hdf5File weights;
  /// The rules of Keras 2 hold for functions of the same name.
  bool keras2 = false;
  /// Names of Keras 2 by layer; empty if the file has those of Keras 3.
  std::map<const JsonValue *, std::vector<std::string>> namesByLayer;
  bool hasNames = false;
};

/// Reads a file, whatever it is, and its weights from `weights` if that is not
/// empty. Positions get the index `number`. Tensors are called by their path
/// with `prefix` before it. False after a problem.
bool readKerasFile(llvm::StringRef path, llvm::StringRef weights,
                   llvm::StringRef reader, unsigned number,
                   const std::string &prefix, KerasFile &file, Report &report);

/// Parses the text of a config. False after a problem.
bool parseConfig(llvm::StringRef text, unsigned number, JsonValue &root,
                 Report &report);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_KERASFILE_H
