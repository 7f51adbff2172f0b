// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory through the caller's allocator or the C library's.
#ifndef VAE_RUNTIME_MEMORY_H
#define VAE_RUNTIME_MEMORY_H

#include "vae/vae_runtime.h"

#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>

namespace vae::runtime {

/// Wants large pages for what a large block has of whole ones: an image in
/// pages of 4 KiB has more of them than a core remembers the places of, and
/// hardware that fetches ahead stops at the end of each. A kernel without large
/// pages says no, and nothing is lost.
inline void wantLargePages(void *block, size_t size) {
  constexpr uintptr_t kPage = uintptr_t(2) << 20;
  auto first = reinterpret_cast<uintptr_t>(block);
  uintptr_t begin = (first + kPage - 1) & ~(kPage - 1);
  uintptr_t end = (first + size) & ~(kPage - 1);
  if (begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
}

struct Allocator {
  vae_allocate_fn allocateFn = nullptr;
  vae_deallocate_fn deallocateFn = nullptr;
  void *context = nullptr;

  /// Memory of at least one byte, or nullptr.
  void *allocate(size_t size, size_t alignment) const {
    size = size ? size : 1;
    if (allocateFn)
      return allocateFn(context, size, alignment);
    void *memory = nullptr;
    if (alignment < sizeof(void *))
      alignment = sizeof(void *);
    if (posix_memalign(&memory, alignment, size) != 0)
      return nullptr;
    wantLargePages(memory, size);
    return memory;
  }

  void deallocate(void *memory, size_t size, size_t alignment) const {
    if (!memory)
      return;
    if (deallocateFn)
      deallocateFn(context, memory, size ? size : 1, alignment);
    else
      std::free(memory);
  }

  template <typename T, typename... Args> T *make(Args &&...args) const {
    void *memory = allocate(sizeof(T), alignof(T));
    return memory ? new (memory) T(std::forward<Args>(args)...) : nullptr;
  }
  template <typename T> void destroy(T *object) const {
    if (!object)
      return;
    object->~T();
    deallocate(object, sizeof(T), alignof(T));
  }
};

/// A number of bytes rounded up to what an arena is aligned to; -1 if it
/// overflows.
inline int64_t alignBytes(int64_t bytes) {
  constexpr int64_t kMask = VAE_ARENA_ALIGNMENT - 1;
  if (__builtin_add_overflow(bytes, kMask, &bytes))
    return -1;
  return bytes & ~kMask;
}

/// A block that only grows, aligned for an arena.
class Buffer {
public:
  /// Keeps the old block if there is no memory for a larger one.
  bool reserve(const Allocator &allocator, int64_t wanted) {
    if (wanted <= size)
      return true;
    void *larger = allocator.allocate(wanted, VAE_ARENA_ALIGNMENT);
    if (!larger)
      return false;
    release(allocator);
    data = larger;
    size = wanted;
    return true;
  }
  void release(const Allocator &allocator) {
    allocator.deallocate(data, size, VAE_ARENA_ALIGNMENT);
    data = nullptr;
    size = 0;
  }

  void *getData() const { return data; }
  int64_t getSize() const { return size; }

private:
  void *data = nullptr;
  int64_t size = 0;
};

} // namespace vae::runtime

#endif // VAE_RUNTIME_MEMORY_H
