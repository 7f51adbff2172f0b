// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HDF5 files, read in a process of their own: the library was not written for
// files that somebody else made (docs/design/hdf5-in-a-process.md).
#ifndef COMPILER_IMPORT_KERAS_HDF5_H
#define COMPILER_IMPORT_KERAS_HDF5_H

#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"

namespace vae::keras {

/// A file in memory, closed at the end.
class MemoryFile {
public:
  static llvm::Expected<MemoryFile> create();
  MemoryFile(MemoryFile &&other) noexcept : fd(other.fd) { other.fd = -1; }
  MemoryFile &operator=(MemoryFile &&other) noexcept {
    std::swap(fd, other.fd);
    return *this;
  }
  ~MemoryFile();

  int getDescriptor() const { return fd; }
  llvm::Error append(llvm::ArrayRef<char> bytes) const;

private:
  explicit MemoryFile(int fd) : fd(fd) {}
  int fd;
};

struct Hdf5File {
  /// The datasets of floats, named by their paths.
  std::vector<WeightTensor> tensors;
  /// Text attributes of groups: {"path": {"name": "text" or ["text", ...]}}.
  JsonValue attributes;

  /// An attribute; null if there is none.
  const JsonValue *findAttribute(llvm::StringRef group,
                                 llvm::StringRef name) const;
};

/// Reads a file, or the bytes of `memory` if that is given, by the program
/// `reader`; empty: vaec-read-hdf5 beside this program. Messages call the file
/// `path`.
llvm::Expected<Hdf5File> readHdf5(llvm::StringRef path,
                                  const MemoryFile *memory,
                                  llvm::StringRef reader);

/// Whether a file begins as HDF5 files do.
bool isHdf5(llvm::StringRef bytes);

} // namespace vae::keras

#endif // COMPILER_IMPORT_KERAS_HDF5_H
