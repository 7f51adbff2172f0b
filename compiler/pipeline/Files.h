// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that appear under their name only when they are complete.
#ifndef COMPILER_PIPELINE_FILES_H
#define COMPILER_PIPELINE_FILES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace llvm {
class raw_pwrite_stream;
} // namespace llvm

namespace vae {

/// A file with a name of its own beside an output; it is removed unless it has
/// been moved. With `removeOnSignal`, LLVM's signal handlers remove it too.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(llvm::StringRef beside,
                                              bool removeOnSignal);
  TemporaryFile(TemporaryFile &&other) noexcept;
  TemporaryFile &operator=(TemporaryFile &&) = delete;
  ~TemporaryFile();

  llvm::StringRef getPath() const { return path; }

  llvm::Error
  write(llvm::function_ref<llvm::Error(llvm::raw_pwrite_stream &)> body) const;

  /// Fails if the disk has no room for the file with that many bytes. For
  /// writers that cannot report it.
  llvm::Error checkSpace(uint64_t bytes) const;

  /// Puts the file in the place of `target`, at once. What is no regular file
  /// (a device, a pipe) is not replaced: it receives the bytes.
  llvm::Error moveTo(llvm::StringRef target);

private:
  TemporaryFile(llvm::StringRef path, bool removeOnSignal)
      : path(path.str()), removeOnSignal(removeOnSignal) {}
  std::string path;
  bool removeOnSignal;
};

/// Writes a whole file or nothing: what was there before stays when something
/// fails. "-" is standard output; a reader that has closed it is no error.
llvm::Error
writeFile(llvm::StringRef path, bool removeOnSignal,
          llvm::function_ref<llvm::Error(llvm::raw_pwrite_stream &)> body);

/// Whether a file could be written at `path`, and if not, why and what to do.
llvm::Error checkOutput(llvm::StringRef path);

} // namespace vae

#endif // COMPILER_PIPELINE_FILES_H
