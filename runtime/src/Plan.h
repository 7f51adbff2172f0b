// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cutting a run into parts that take little memory.
#ifndef VAE_RUNTIME_PLAN_H
#define VAE_RUNTIME_PLAN_H

#include "runtime/src/Tiles.h"

namespace vae::runtime {

/// Bytes that may be taken: all together, and of the session's block.
struct Limits {
  int64_t total = INT64_MAX, block = INT64_MAX;
  /// Tasks that run at the same time.
  int64_t threads = 1;
};

/// One segment of an entry point, or all of it, whole or in parts.
struct SegmentPlan {
  const vae_abi_entry *entry = nullptr;
  uint32_t numAxes = 0; // that are cut
  CutAxis axes[kMaxCutAxes];
  /// Bytes: of the arena, of the copies of a part's inputs and outputs, and of
  /// the whole tensors that it has from the segment before and gives to the
  /// next.
  int64_t arena = 0, tile = 0, taken = 0, given = 0;

  /// -1 if the sum overflows.
  int64_t getBlock() const;
  int64_t getNumParts() const;
};

/// A run: of `batch` examples at a time, each time all segments one after the
/// other. With several segments, or if images are cut, `batch` is 1.
struct RunPlan {
  int64_t batch = 0;
  uint32_t numSegments = 0;
  SegmentPlan segments[kMaxPoints - 1];
  /// Bytes of all noise and of all outputs.
  int64_t noise = 0, outputs = 0;
  /// Bytes of tasks: of one, and of all that run at the same time, which are
  /// the first of the block.
  int64_t scratchPiece = 0, scratch = 0;

  /// Bytes that the segments share, one after the other, and tasks.
  int64_t getBlock() const;
  /// The block, noise and outputs; -1 if the sum overflows.
  int64_t getTotal() const;
  bool fits(const Limits &limits) const {
    int64_t total = getTotal();
    return total >= 0 && total <= limits.total && getBlock() <= limits.block;
  }
  bool isWhole(int64_t examples) const {
    return batch == examples && numSegments == 1 && segments[0].numAxes == 0;
  }
};

/// Sets the scratch of a plan of an entry point or of segments of it.
void planScratch(const vae_abi_entry &entry, int64_t threads, RunPlan &plan);

/// Cuts a run so that it keeps within the limits, with as few operations as
/// possible. The symbols must be valid, and every tensor have a size.
///
/// VAE_OUT_OF_MEMORY if there is no such cut: the message gives the least
/// memory, and what keeps the entry point from running in parts. VAE_INTERNAL
/// if the library claims a negative arena.
vae_status_t planRun(const vae_abi_model &table, const vae_abi_entry &entry,
                     const int64_t *symbols, const Limits &limits,
                     RunPlan &plan, Text &message);

/// Whether a part has a copy of a tensor of its own: if an axis is cut.
bool isCut(const vae_abi_tensor &tensor, const SegmentPlan &plan);

} // namespace vae::runtime

#endif // VAE_RUNTIME_PLAN_H
