// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_CALIBRATE_RANGE_H
#define COMPILER_CALIBRATE_RANGE_H

#include <array>
#include <cstddef>

namespace vae {

/// The methods of RangeMethods.def.
enum class RangeMethod {
#define VAE_RANGE_METHOD(IDENTIFIER, NAME, DESCRIPTION) IDENTIFIER,
#include "compiler/calibrate/RangeMethods.def"
};

inline constexpr const char *kRangeMethodNames[] = {
#define VAE_RANGE_METHOD(IDENTIFIER, NAME, DESCRIPTION) NAME,
#include "compiler/calibrate/RangeMethods.def"
};
inline constexpr size_t kNumRangeMethods =
    sizeof(kRangeMethodNames) / sizeof(kRangeMethodNames[0]);

/// The numbers that 8 bits are to represent; others saturate.
struct Range {
  float low = 0, high = 0;

  bool operator==(const Range &other) const {
    return low == other.low && high == other.high;
  }
};

/// One range for each method.
struct Ranges {
  std::array<Range, kNumRangeMethods> of;

  Range &operator[](RangeMethod method) {
    return of[static_cast<size_t>(method)];
  }
  const Range &operator[](RangeMethod method) const {
    return of[static_cast<size_t>(method)];
  }
  bool operator==(const Ranges &other) const { return of == other.of; }
};

} // namespace vae

#endif // COMPILER_CALIBRATE_RANGE_H
