// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects the numbers of tensors in two passes over the same data, in memory
// that does not grow with it.
#ifndef COMPILER_CALIBRATE_CALIBRATOR_H
#define COMPILER_CALIBRATE_CALIBRATOR_H

#include "compiler/calibrate/Histogram.h"
#include "compiler/calibrate/RangeTable.h"
#include "llvm/ADT/StringMap.h"

namespace vae {

class Calibrator {
public:
  /// Numbers of a tensor, dense: `channels` may be 0 where there is no such
  /// dimension. A tensor may be added in any number of parts, in both passes
  /// the same; all parts have as many channels.
  void add(llvm::StringRef name, llvm::ArrayRef<float> values, int64_t channels,
           int64_t inner);

  /// Ends the first pass, in which extents are found.
  void beginSecondPass();

  /// Ends the second pass. In the order in which tensors came first.
  std::vector<TensorRanges> finish() const;

  /// Channels with the same number everywhere, and those with NaN or infinite
  /// numbers, of a tensor of finish().
  struct Oddities {
    std::vector<size_t> constant, nonfinite;
  };
  Oddities getOddities(llvm::StringRef name) const;

private:
  struct Tensor {
    std::string name;
    int64_t channels = 0;
    Extent extent;
    std::vector<Extent> extents;       // of channels
    std::vector<Histogram> histograms; // of channels, at last of the tensor
  };

  std::vector<Tensor> tensors;
  llvm::StringMap<size_t> numbers;
  bool second = false;
};

} // namespace vae

#endif // COMPILER_CALIBRATE_CALIBRATOR_H
