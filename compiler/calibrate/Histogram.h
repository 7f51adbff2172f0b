// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The distribution of the numbers of a tensor or channel, and the ranges that
// follow from it: docs/calibration.md has the formulas.
#ifndef COMPILER_CALIBRATE_HISTOGRAM_H
#define COMPILER_CALIBRATE_HISTOGRAM_H

#include "compiler/calibrate/Range.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace vae {

/// What the first pass over the data finds.
struct Extent {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
  /// Of them, `zeros` are 0 and `nonfinite` are no numbers or infinite.
  uint64_t count = 0, zeros = 0, nonfinite = 0;

  void add(llvm::ArrayRef<float> values);
  void add(const Extent &other);
  uint64_t getFinite() const { return count - nonfinite; }
};

/// Counts in bins of one width, over [low, high] if these have one sign, else
/// over [-a, a], a being the larger of the two. Zeros are not counted: 8 bits
/// always represent them without an error.
class Histogram {
public:
  /// `numBins` is even.
  Histogram(const Extent &extent, size_t numBins);

  /// Counts what the extent was found of, in the second pass.
  void add(llvm::ArrayRef<float> values);

  Ranges getRanges() const;

private:
  double getEdge(size_t bin) const { return begin + width * double(bin); }
  /// The number at that place, from 0, of all in ascending order.
  float getOrdered(uint64_t index) const;
  /// The p-th percentile, between neighbours as NumPy does it.
  float getPercentile(double p) const;
  Range getLeastSquares() const;
  Range getLeastDivergence() const;
  /// Bins of absolute values, from 0 on.
  std::vector<uint64_t> fold() const;

  Extent extent;
  double begin = 0, width = 0;
  bool symmetric = false;
  std::vector<uint32_t> bins;
};

} // namespace vae

#endif // COMPILER_CALIBRATE_HISTOGRAM_H
