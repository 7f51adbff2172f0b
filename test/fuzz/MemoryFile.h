// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of a fuzzer as a file.
#ifndef TEST_FUZZ_MEMORYFILE_H
#define TEST_FUZZ_MEMORYFILE_H

#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace vae::test {

/// Makes these bytes the content of an open file.
inline void setContent(int fd, const uint8_t *data, size_t size) {
  if (fd < 0 || ftruncate(fd, 0) != 0 ||
      pwrite(fd, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
}

/// The path of a file in memory with these bytes, the same one each time.
inline const std::string &writeMemoryFile(const uint8_t *data, size_t size) {
  static const int fd = memfd_create("model", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  setContent(fd, data, size);
  return path;
}

} // namespace vae::test

#endif // TEST_FUZZ_MEMORYFILE_H
