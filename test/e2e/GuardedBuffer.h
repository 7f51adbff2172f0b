// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory whose neighbours may not be touched.
#ifndef TEST_E2E_GUARDEDBUFFER_H
#define TEST_E2E_GUARDEDBUFFER_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace vae::test {

/// Which end of a buffer lies at the guard page.
enum class Edge { End, Begin };

/// `size` bytes between two pages without access: one byte further is a crash.
/// With Edge::End the address is aligned as the size is.
class GuardedBuffer {
public:
  GuardedBuffer(size_t size, Edge edge) : size(size) {
    size_t page = sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page;
    mapped = inner + 2 * page;
    base = static_cast<char *>(
        mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED ||
        (inner && mprotect(base + page, inner, PROT_READ | PROT_WRITE)))
      throw std::bad_alloc();
    inside = base + page;
    insideSize = inner;
    begin = edge == Edge::Begin ? inside : inside + inner - size;
  }
  ~GuardedBuffer() { munmap(base, mapped); }
  GuardedBuffer(const GuardedBuffer &) = delete;

  void *data() const { return begin; }
  size_t getSize() const { return size; }
  /// From now on a write is a crash, too.
  void makeReadOnly() const {
    if (insideSize && mprotect(inside, insideSize, PROT_READ))
      throw std::bad_alloc();
  }
  /// Sets every four bytes.
  void fill(uint32_t pattern) const {
    for (size_t at = 0; at + 4 <= size; at += 4)
      std::memcpy(begin + at, &pattern, 4);
  }

private:
  char *base, *inside, *begin;
  size_t size, mapped, insideSize;
};

} // namespace vae::test

#endif // TEST_E2E_GUARDEDBUFFER_H
