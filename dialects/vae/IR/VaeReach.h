// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a tensor is when a model runs on a part of an image. Included by Vae.h.
#ifndef DIALECTS_VAE_IR_VAEREACH_H
#define DIALECTS_VAE_IR_VAEREACH_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace vae {

/// One axis of a tensor when a model runs on a tile: on the units [first, end)
/// of a symbol instead of all of them. The tensor's elements of the tile are,
/// counted on the whole tensor, those from first * up / down; there are
/// (end - first) * up / down - missing. If the tile does not begin where the
/// image does, the first `before` of them differ from the whole tensor's; if it
/// does not end where the image does, so do those from the
/// (end - first) * up / down - after'th on. All numbers of elements are whole
/// if `down` divides first, and end where the image does not end there.
struct AxisReach {
  /// The symbol that the axis follows; 0 if it is the same in every tile.
  unsigned symbol = 0;
  /// Elements per unit: a fraction in lowest terms.
  int64_t up = 1, down = 1;
  /// Never negative.
  int64_t before = 0;
  /// Not below `missing`. Both may be negative: more elements than up / down
  /// says.
  int64_t after = 0, missing = 0;
  /// Tiles must begin at a multiple of so many elements, and end at one, too,
  /// if the image does not end there.
  int64_t grid = 1;
};

/// One for each axis of a tensor.
using Reach = llvm::SmallVector<AxisReach, 4>;

} // namespace vae

#endif // DIALECTS_VAE_IR_VAEREACH_H
