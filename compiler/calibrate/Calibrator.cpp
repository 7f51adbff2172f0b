// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/Calibrator.h"

#include <cassert>

using namespace vae;
using llvm::ArrayRef;
using llvm::StringRef;

/// On both sides of zero: 2048 of absolute values, as TensorRT takes. A tensor
/// has many channels, hence fewer for each.
static constexpr size_t kTensorBins = 4096, kChannelBins = 1024;

void Calibrator::add(StringRef name, ArrayRef<float> values, int64_t channels,
                     int64_t inner) {
  auto [entry, isNew] = numbers.try_emplace(name, tensors.size());
  if (isNew) {
    Tensor tensor;
    tensor.name = name.str();
    tensor.channels = channels;
    tensor.extents.resize(channels);
    tensors.push_back(std::move(tensor));
  }
  Tensor &tensor = tensors[entry->second];
  assert(tensor.channels == channels && "two tensors of one name");
  if (second)
    tensor.histograms.back().add(values);
  else
    tensor.extent.add(values);
  if (channels == 0)
    return;
  for (size_t at = 0, c = 0; at < values.size(); at += inner, ++c) {
    size_t channel = c % channels;
    ArrayRef<float> part = values.slice(at, inner);
    if (second)
      tensor.histograms[channel].add(part);
    else
      tensor.extents[channel].add(part);
  }
}

void Calibrator::beginSecondPass() {
  second = true;
  for (Tensor &tensor : tensors) {
    tensor.histograms.reserve(tensor.extents.size() + 1);
    for (const Extent &extent : tensor.extents)
      tensor.histograms.emplace_back(extent, kChannelBins);
    tensor.histograms.emplace_back(tensor.extent, kTensorBins);
  }
}

std::vector<TensorRanges> Calibrator::finish() const {
  std::vector<TensorRanges> result;
  for (const Tensor &tensor : tensors) {
    TensorRanges ranges;
    ranges.name = tensor.name;
    ranges.count = tensor.extent.count;
    ranges.nonfinite = tensor.extent.nonfinite;
    ranges.ranges = tensor.histograms.back().getRanges();
    for (const Histogram &channel : ArrayRef(tensor.histograms).drop_back())
      ranges.channels.push_back(channel.getRanges());
    result.push_back(std::move(ranges));
  }
  return result;
}

Calibrator::Oddities Calibrator::getOddities(StringRef name) const {
  Oddities result;
  auto found = numbers.find(name);
  if (found == numbers.end())
    return result;
  const Tensor &tensor = tensors[found->second];
  // Without channels, the tensor is the only one.
  ArrayRef<Extent> extents(tensor.extents);
  if (extents.empty())
    extents = tensor.extent;
  for (size_t c = 0; c < extents.size(); ++c) {
    if (extents[c].nonfinite)
      result.nonfinite.push_back(c);
    else if (extents[c].low == extents[c].high)
      result.constant.push_back(c);
  }
  return result;
}
