// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Batches.h"

#include "vae/vae_runtime.h"

#include <algorithm>
#include <numeric>

using namespace vae::tool;
using namespace vaedata;

/// Bytes of a batch, and its most examples.
static constexpr int64_t kMostBytes = int64_t(256) << 20, kMostExamples = 64;

int64_t vae::tool::chooseBatch(const vae_abi_model &model,
                               const vae_abi_entry &entry,
                               const CalibrationData &data) {
  const vae_abi_symbol &batch = model.symbols[0];
  if (batch.flags & VAE_SYMBOL_WHOLE)
    return data.samples;
  Sizes sizes = data.sizes;
  sizes[0] = batch.multiple;
  int64_t bytes = entry.arena_size(sizes.data());
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    bytes += countElements(getShape(model, entry.outputs[i], sizes, sizes[0]))
                 .value_or(0) *
             int64_t(sizeof(float));
  int64_t clips = std::clamp<int64_t>(kMostBytes / std::max<int64_t>(bytes, 1),
                                      1, kMostExamples);
  return std::min(clips * batch.multiple, data.samples);
}

std::vector<float> vae::tool::sliceExamples(const Data &data, int64_t begin,
                                            int64_t count) {
  if (data.examples == 1) {
    std::vector<float> repeated;
    for (int64_t i = 0; i < count; ++i)
      repeated.insert(repeated.end(), data.values.begin(), data.values.end());
    return repeated;
  }
  auto size = static_cast<int64_t>(data.values.size()) / data.examples;
  return {data.values.begin() + begin * size,
          data.values.begin() + (begin + count) * size};
}

std::vector<size_t> vae::tool::choosePart(size_t samples, size_t clip, bool one,
                                          DataPart part) {
  size_t quarters = samples / clip / 4;
  std::vector<size_t> chosen;
  auto take = [&](size_t number) {
    for (size_t i = 0; i < clip; ++i)
      chosen.push_back(number * clip + i);
  };
  for (size_t number = 0; number < 4 * quarters; ++number) {
    size_t place = number % 4;
    DataPart owner = place % 2 == 0 ? DataPart::Calibration
                     : place == 1   ? DataPart::Decision
                                    : DataPart::Check;
    if (one)
      owner = number < 2 * quarters   ? DataPart::Calibration
              : number < 3 * quarters ? DataPart::Decision
                                      : DataPart::Check;
    if (owner == part)
      take(number);
  }
  return chosen;
}

static Data takeExamples(const Data &data, const std::vector<size_t> &chosen) {
  if (data.examples <= 1)
    return data;
  Data part;
  size_t size = data.values.size() / static_cast<size_t>(data.examples);
  part.values.reserve(chosen.size() * size);
  for (size_t i : chosen)
    part.values.insert(part.values.end(),
                       data.values.begin() + ptrdiff_t(i * size),
                       data.values.begin() + ptrdiff_t((i + 1) * size));
  part.examples = static_cast<int64_t>(chosen.size());
  return part;
}

static CalibrationData takeSamples(const CalibrationData &data,
                                   const std::vector<size_t> &chosen) {
  CalibrationData part;
  part.samples = static_cast<int64_t>(chosen.size());
  part.sizes = data.sizes;
  part.main = takeExamples(data.main, chosen);
  for (const auto &[name, condition] : data.conditions)
    part.conditions[name] = takeExamples(condition, chosen);
  return part;
}

CalibrationData vae::tool::takePart(const CalibrationData &data,
                                    const vae_abi_model &model, DataPart part) {
  const vae_abi_symbol &batch = model.symbols[0];
  return takeSamples(data, choosePart(static_cast<size_t>(data.samples),
                                      static_cast<size_t>(batch.multiple),
                                      batch.flags & VAE_SYMBOL_WHOLE, part));
}

CalibrationData vae::tool::takeRange(const CalibrationData &data, int64_t begin,
                                     int64_t count) {
  std::vector<size_t> chosen(static_cast<size_t>(count));
  std::iota(chosen.begin(), chosen.end(), static_cast<size_t>(begin));
  return takeSamples(data, chosen);
}

CalibrationData vae::tool::takeEvenly(const CalibrationData &data,
                                      const vae_abi_model &model,
                                      int64_t count) {
  const vae_abi_symbol &batch = model.symbols[0];
  bool inOrder = batch.multiple > 1 || batch.flags & VAE_SYMBOL_WHOLE;
  std::vector<size_t> chosen;
  for (int64_t i = 0; i < count; ++i)
    chosen.push_back(
        static_cast<size_t>(inOrder ? i : i * data.samples / count));
  return takeSamples(data, chosen);
}
