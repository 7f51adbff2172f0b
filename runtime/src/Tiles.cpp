// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Tiles.h"

#include <algorithm>
#include <cstring>

using namespace vae::runtime;

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Range CutAxis::getRange(int64_t i) const {
  return {i * step, std::min((i + 1) * step, size)};
}

Range CutAxis::getPart(int64_t i) const {
  Range part = getRange(i);
  part.begin = std::max<int64_t>(0, part.begin - halo.before);
  part.end = part.end >= size - halo.after ? size : part.end + halo.after;
  if (part.size() >= minimum)
    return part;
  // The model takes no smaller image: reach further, at first backwards.
  int64_t begin = std::max<int64_t>(0, part.end - minimum);
  part.begin = begin / halo.multiple * halo.multiple;
  int64_t least = (minimum + halo.multiple - 1) / halo.multiple * halo.multiple;
  if (part.size() < minimum)
    part.end = std::min(size, part.begin + least);
  return part;
}

int64_t CutAxis::getLargest() const {
  int64_t largest = 0;
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, getPart(i).size());
  return largest;
}

int64_t CutAxis::getTotal() const {
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i)
    total += getPart(i).size();
  return total;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void vae::runtime::copyBox(const ConstBox &from, const Box &to,
                           const int64_t *sizes, uint32_t rank,
                           int64_t elementSize) {
  for (uint32_t d = 0; d < rank; ++d)
    if (sizes[d] <= 0)
      return;
  // Axes that are whole on both sides are one piece with the axis before.
  uint32_t axes = rank;
  int64_t piece = elementSize;
  while (axes > 1 && sizes[axes - 1] == from.dims[axes - 1] &&
         sizes[axes - 1] == to.dims[axes - 1])
    piece *= sizes[--axes];
  --axes; // copied in one go
  int64_t bytes = piece * sizes[axes];
  int64_t index[kMaxRank] = {};
  while (true) {
    int64_t source = 0, target = 0;
    for (uint32_t d = 0; d <= axes; ++d) {
      source = source * from.dims[d] + from.begin[d] + index[d];
      target = target * to.dims[d] + to.begin[d] + index[d];
    }
    std::memcpy(to.data + target * piece, from.data + source * piece,
                static_cast<size_t>(bytes));
    uint32_t d = axes;
    while (d > 0 && ++index[d - 1] == sizes[d - 1])
      index[--d] = 0;
    if (d == 0)
      return;
  }
}
