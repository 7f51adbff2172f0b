// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/MappedFiles.h"

#include "llvm/ADT/STLExtras.h"

#include <sys/mman.h>

using namespace vae;

/// Little beside a large model, and enough that the calls cost nothing.
static constexpr uint64_t kMaxRead = 8 << 20;

/// MemoryBuffer::dontNeedIfMmap() asks posix_madvise(), which does nothing in
/// glibc. Nobody writes to the mapping, so no byte is lost.
static void dropPages(const llvm::MemoryBuffer &file) {
  if (file.getBufferKind() != llvm::MemoryBuffer::MemoryBuffer_MMap)
    return;
  void *begin = const_cast<char *>(file.getBufferStart());
  (void)::madvise(begin, file.getBufferSize(), MADV_DONTNEED); // only advice
}

void MappedFiles::add(const std::shared_ptr<llvm::MemoryBuffer> &file) {
  std::lock_guard<std::mutex> lock(mutex);
  llvm::erase_if(files, [](auto &known) { return known.expired(); });
  files.push_back(file);
}

void MappedFiles::countRead(uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  read += bytes;
  if (read < kMaxRead)
    return;
  read = 0;
  for (const auto &known : files)
    if (std::shared_ptr<llvm::MemoryBuffer> file = known.lock())
      dropPages(*file);
}
