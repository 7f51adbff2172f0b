// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model is run on to find the ranges of its activations. Errors are
// thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_CALIBRATIONDATA_H
#define TOOLS_VAEC_CALIBRATIONDATA_H

#include "tools/data/Fit.h"

#include <functional>
#include <map>
#include <optional>

namespace vae::tool {

/// Told of what may not be meant.
using WarnFn = std::function<void(const std::string &)>;

/// The entry point that data are for: the only one that is wanted, if it takes
/// data, else as much of the model as it has. Empty if it has none.
std::string chooseDataEntry(const std::vector<std::string> &wanted,
                            const std::vector<std::string> &entries);

struct CalibrationOptions {
  /// Files, and folders of PNG files; none: data are generated.
  std::vector<std::string> data;
  /// "NAME=FILE": further inputs.
  std::vector<std::string> named;
  /// At most so many samples of the data; none: all.
  std::optional<int64_t> samples;
  uint64_t seed = 0;
  /// 0: one for each CPU.
  uint32_t threads = 0;
  bool allowNonfinite = false;
  /// What messages call the options for data and for further inputs.
  std::string dataOption = "--data", inputOption = "--input";
};

struct CalibrationData {
  int64_t samples = 0;
  /// Of the data or the latent; empty if it is generated.
  vaedata::Data main;
  /// Further inputs by name, one example for each sample, or one for all.
  std::map<std::string, vaedata::Data> conditions;
  /// Sizes that follow from the data.
  vaedata::Sizes sizes;
};

/// Loads the data of an entry point, and its further inputs; labels that are
/// not given are drawn.
CalibrationData loadCalibrationData(const vae_abi_model &model,
                                    const vae_abi_entry &entry,
                                    const CalibrationOptions &options,
                                    const WarnFn &warn);

/// SHA-256 of the numbers, as text.
std::string hashData(const CalibrationData &data);

using Entries = std::vector<const vae_abi_entry *>;

/// Everything but the data, which the first of the entry points generates of
/// noise.
CalibrationData drawCalibrationData(const vae_abi_model &model,
                                    const Entries &entries, int64_t samples,
                                    const CalibrationOptions &options,
                                    const WarnFn &warn);

} // namespace vae::tool

#endif // TOOLS_VAEC_CALIBRATIONDATA_H
