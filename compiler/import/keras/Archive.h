// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The members of a .keras file, which is a zip archive.
#ifndef COMPILER_IMPORT_KERAS_ARCHIVE_H
#define COMPILER_IMPORT_KERAS_ARCHIVE_H

#include "compiler/import/keras/Hdf5.h"

#include <optional>

namespace vae::keras {

struct Archive {
  std::string config;
  /// Empty if there is none.
  std::string metadata;
  std::optional<MemoryFile> weights;
};

/// Reads config.json, metadata.json and model.weights.h5 of an archive into
/// memory, and no other member. Refuses archives that unpack to much more than
/// they hold.
llvm::Expected<Archive> readArchive(llvm::StringRef path);

/// Whether a file begins as zip archives do.
bool isZip(llvm::StringRef bytes);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_ARCHIVE_H
