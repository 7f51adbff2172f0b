// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as the config.json of a folder of diffusers, or, after a line
// "---", as the index of its shards: a module that verifies, or one error with
// a place.
#include "test/import/diffusers/ImportFolder.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static vae::test::DiffusersFolder folder;
  const std::string separator = "\n---\n";
  std::string text(reinterpret_cast<const char *>(data), size);
  size_t at = text.find(separator);
  vae::test::DiffusersFolder::Outcome outcome =
      at == std::string::npos
          ? folder.import(text)
          : folder.importShards(text.substr(0, at),
                                text.substr(at + separator.size()));
  if (!outcome.fault.empty())
    std::abort();
  return 0;
}
