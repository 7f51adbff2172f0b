// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples, some at a time.
#ifndef TOOLS_VAEC_BATCHES_H
#define TOOLS_VAEC_BATCHES_H

#include "tools/vaec/CalibrationData.h"

namespace vae::tool {

/// How many samples to give an entry point at once: of a memory that is
/// bounded, clips being whole.
int64_t chooseBatch(const vae_abi_model &model, const vae_abi_entry &entry,
                    const CalibrationData &data);

/// `count` examples from `begin` on; a single one stands for all.
std::vector<float> sliceExamples(const vaedata::Data &data, int64_t begin,
                                 int64_t count);

/// What samples divide into when nothing may be seen twice.
enum class DataPart {
  Calibration, // half of them: ranges, and what single layers lose
  Decision,    // a quarter: what the search keeps the budget on
  Check        // a quarter: seen once, at the end
};

/// Numbers of the samples of a part, ascending. Parts take turns, for data may
/// be sorted: of four clips of `clip` samples each, the first and the third are
/// for calibration, the second for decision, the fourth for the check; up to
/// three clips at the end are in no part. If all samples are `one` clip, parts
/// are pieces of it, multiples of `clip` long.
std::vector<size_t> choosePart(size_t samples, size_t clip, bool one,
                               DataPart part);

/// The samples of a part with what belongs to them.
CalibrationData takePart(const CalibrationData &data,
                         const vae_abi_model &model, DataPart part);

/// `count` samples from `begin` on.
CalibrationData takeRange(const CalibrationData &data, int64_t begin,
                          int64_t count);

/// `count` of the samples, evenly from all; of clips, the first.
CalibrationData takeEvenly(const CalibrationData &data,
                           const vae_abi_model &model, int64_t count);

} // namespace vae::tool

#endif // TOOLS_VAEC_BATCHES_H
