// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a model library: everything that happens before it is mapped.
#include "runtime/src/ElfFile.h"
#include "runtime/src/Note.h"

#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace vae::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int fd = memfd_create("model", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  char message[256];
  Text text(message, sizeof(message));
  ElfFile file;
  if (file.read(path.c_str(), text) == VAE_OK) {
    (void)file.checkMachine(text);
    (void)checkNoteSyntax(file.getNote(), file.getNoteSize(), text);
    (void)checkNote(file.getNote(), file.getNoteSize(), text);
  } else if (!*message) {
    std::abort(); // a refusal says why
  }
  return 0;
}
