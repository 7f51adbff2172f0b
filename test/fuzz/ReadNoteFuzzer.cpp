// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a model library: everything that happens before it is mapped.
#include "runtime/src/ElfFile.h"
#include "runtime/src/Note.h"
#include "test/fuzz/MemoryFile.h"

#include <cstdlib>

using namespace vae::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string &path = vae::test::writeMemoryFile(data, size);
  char message[256];
  Text text(message, sizeof(message));
  ElfFile file;
  if (file.read(path.c_str(), text) == VAE_OK) {
    (void)file.checkMachine(text);
    (void)checkNoteSyntax(file.getNote(), file.getNoteSize(), text);
    (void)checkNote(file.getNote(), file.getNoteSize(), nullptr, nullptr, text);
  } else if (!*message) {
    std::abort(); // a refusal says why
  }
  return 0;
}
