// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model in the terms of the native format, before anything is built from it:
// what all importers give, and what the native one builds
// (docs/design/imports-as-model-files.md).
#ifndef COMPILER_IMPORT_MODELDOCUMENT_H
#define COMPILER_IMPORT_MODELDOCUMENT_H

#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"

namespace vae {

struct ModelDocument {
  /// The texts that the positions in `root` point into, by JsonPosition::file.
  std::vector<std::string> files;
  /// The model (docs/model-format.md). Importers of other formats leave out
  /// key "weights" and fill the store.
  JsonValue root;
  WeightStore weights;
};

} // namespace vae

#endif // COMPILER_IMPORT_MODELDOCUMENT_H
