// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a config of Keras: a model of the native format, or a problem.
#include "compiler/import/keras/KerasImporter.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vae::ModelDocument document;
  auto problem = vae::keras::translateConfig(
      llvm::StringRef(reinterpret_cast<const char *>(data), size), "",
      document);
  if (problem ? problem->message.empty() : !document.root.isObject())
    std::abort();
  return 0;
}
