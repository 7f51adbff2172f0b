// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a file says of itself, read without mapping or executing any of it.
#ifndef VAE_RUNTIME_ELFFILE_H
#define VAE_RUNTIME_ELFFILE_H

#include "runtime/src/Text.h"
#include "vae/vae_runtime.h"

#include <cstdlib>
#include <ctime>
#include <sys/types.h>

namespace vae::runtime {

/// Which bytes a path led to.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  struct timespec modified = {};

  bool operator==(const FileIdentity &other) const {
    return device == other.device && inode == other.inode &&
           size == other.size && modified.tv_sec == other.modified.tv_sec &&
           modified.tv_nsec == other.modified.tv_nsec;
  }
  bool operator!=(const FileIdentity &other) const { return !(*this == other); }
};

/// A model library, unloaded. Owns the text of its note.
class ElfFile {
public:
  ElfFile() = default;
  ElfFile(const ElfFile &) = delete;
  ElfFile &operator=(const ElfFile &) = delete;
  ~ElfFile() { std::free(note); }

  /// Reads headers and note; checks that no part of the file is missing.
  vae_status_t read(const char *path, Text &message);

  /// Refuses a library for another kind of machine than this one.
  vae_status_t checkMachine(Text &message) const;

  const char *getNote() const { return note; }
  size_t getNoteSize() const { return noteSize; }
  /// Hands over the terminated text, to be freed with free().
  char *takeNote() {
    char *result = note;
    note = nullptr;
    return result;
  }
  const FileIdentity &getIdentity() const { return identity; }

private:
  struct Reader;

  char *note = nullptr;
  size_t noteSize = 0;
  unsigned machine = 0;
  FileIdentity identity;
};

} // namespace vae::runtime

#endif // VAE_RUNTIME_ELFFILE_H
