// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts of images: ranges of symbols, and boxes of tensors.
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
