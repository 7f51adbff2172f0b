// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of tasks while they run.
#ifndef VAE_RUNTIME_SCRATCH_H
#define VAE_RUNTIME_SCRATCH_H

#include <atomic>
#include <cstdint>
#include <sched.h>

namespace vae::runtime {

/// Pieces of memory that tasks take and give back. There is one for each thread
/// of ours; tasks of a caller's pool with more threads wait for each other.
class Scratch {
public:
  static constexpr uint32_t kMaxPieces = 1024;

  /// Forgets what was there. No task runs.
  void reset(void *memory, int64_t pieceSize, uint32_t pieces) {
    base = static_cast<char *>(memory);
    size = pieceSize;
    for (uint32_t w = 0; w < kMaxPieces / 64; ++w) {
      uint32_t first = w * 64;
      uint32_t count = pieces > first ? pieces - first : 0;
      free[w].store(count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1,
                    std::memory_order_relaxed);
    }
    words = (pieces + 63) / 64;
  }

  void *take() {
    for (;; sched_yield())
      for (uint32_t w = 0; w < words; ++w) {
        uint64_t mask = free[w].load(std::memory_order_relaxed);
        while (mask) {
          uint64_t lowest = mask & -mask;
          if (free[w].compare_exchange_weak(mask, mask & ~lowest,
                                            std::memory_order_acquire,
                                            std::memory_order_relaxed))
            return base + size * (int64_t{w} * 64 + __builtin_ctzll(lowest));
        }
      }
  }

  void give(void *piece) {
    int64_t index = (static_cast<char *>(piece) - base) / size;
    free[index / 64].fetch_or(uint64_t{1} << (index % 64),
                              std::memory_order_release);
  }

private:
  char *base = nullptr;
  int64_t size = 0;
  uint32_t words = 0;
  std::atomic<uint64_t> free[kMaxPieces / 64] = {};
};

} // namespace vae::runtime

#endif // VAE_RUNTIME_SCRATCH_H
