// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cutting a run into parts that take little memory.
#ifndef VAE_RUNTIME_TILES_H
#define VAE_RUNTIME_TILES_H

#include "runtime/src/Table.h"

namespace vae::runtime {

/// A range of values of a symbol.
struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

/// How the values [0, size) of a symbol are cut: into `count` ranges of `step`
/// values (the last may be shorter), each of which is computed from a part that
/// reaches as far beyond it as the halo says.
struct CutAxis {
  uint32_t symbol = 0;
  int64_t size = 0, minimum = 1;
  vae_abi_halo halo = {};
  int64_t step = 0, count = 1;

  void setStep(int64_t values) {
    step = values;
    count = (size + values - 1) / values;
  }
  /// What range i gives, and the part that it is computed from.
  Range getRange(int64_t i) const;
  Range getPart(int64_t i) const;
  /// The largest part, and all together.
  int64_t getLargest() const;
  int64_t getTotal() const;
};

constexpr uint32_t kMaxCutAxes = 2;

/// Bytes that may be taken: all together, and the most of each buffer.
struct Limits {
  int64_t total = INT64_MAX, arena = INT64_MAX, tile = INT64_MAX,
          noise = INT64_MAX;
};

/// A run, whole or in parts. Parts are of `batch` examples, or of one if images
/// are cut; of the last example on there may be fewer.
struct RunPlan {
  int64_t batch = 0;
  uint32_t numAxes = 0; // that are cut
  CutAxis axes[kMaxCutAxes];
  /// Bytes: of the arena, of the copies of a part's inputs and outputs, of all
  /// noise, and of all outputs.
  int64_t arena = 0, tile = 0, noise = 0, outputs = 0;

  /// -1 if the sum overflows.
  int64_t getTotal() const;
  bool fits(const Limits &limits) const;
  bool isWhole(int64_t examples) const {
    return numAxes == 0 && batch == examples;
  }
  /// Number of parts.
  int64_t getNumParts(int64_t examples) const;
  /// Pixels of all parts together, as a multiple of those of the images.
  double getWork() const;
};

/// Cuts a run so that it keeps within the limits, with as few pixels computed
/// twice as possible. The symbols must be valid, and every tensor have a size.
///
/// VAE_OUT_OF_MEMORY if there is no such cut: the message gives the least
/// memory, and what keeps the entry point from running in parts. VAE_INTERNAL
/// if the library claims a negative arena.
vae_status_t planRun(const vae_abi_model &table, const vae_abi_entry &entry,
                     const int64_t *symbols, const Limits &limits,
                     RunPlan &plan, Text &message);

/// Whether a part has a copy of a tensor of its own: if an axis is cut.
bool isCut(const vae_abi_tensor &tensor, const RunPlan &plan);

/// A box of a dense tensor, from `begin` on.
template <typename Byte> struct BoxOf {
  Byte *data;
  int64_t dims[kMaxRank], begin[kMaxRank];
};
using Box = BoxOf<char>;
using ConstBox = BoxOf<const char>;

/// Copies boxes of `sizes` elements, none if a size is not positive.
void copyBox(const ConstBox &from, const Box &to, const int64_t *sizes,
             uint32_t rank, int64_t elementSize);

} // namespace vae::runtime

#endif // VAE_RUNTIME_TILES_H
