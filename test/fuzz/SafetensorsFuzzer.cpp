// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a safetensors file: tensors within the file, or an error.
#include "compiler/import/Weights.h"
#include "test/fuzz/MemoryFile.h"

#include <cstdlib>
#include <fcntl.h>

namespace {
/// The name must end as such files do, so that no memory file serves.
struct File {
  std::string path =
      "/tmp/vaec-fuzz-" + std::to_string(getpid()) + ".safetensors";
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ~File() { unlink(path.c_str()); }
};
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const File file;
  vae::test::setContent(file.fd, data, size);
  vae::WeightStore weights;
  if (llvm::Error error = weights.addFile(file.path)) {
    if (toString(std::move(error)).empty())
      std::abort();
    return 0;
  }
  // Every byte that a tensor claims can be read.
  unsigned sum = 0;
  if (const vae::WeightTensor *tensor = weights.find("w"))
    for (char byte : tensor->data)
      sum += static_cast<unsigned char>(byte);
  return sum == 1 && size == 0;
}
