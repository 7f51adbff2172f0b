// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Importance of units by what the loss says of them on data
// (--importance=taylor). Errors are thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_LOSSIMPORTANCE_H
#define TOOLS_VAEC_LOSSIMPORTANCE_H

#include "tools/vaec/Arguments.h"
#include "tools/vaec/CalibrationData.h"

namespace vae::tool {

/// At most so many examples are differentiated.
inline constexpr int64_t kLossSamples = 256;

/// The scores of TaylorImportance, on the calibration data or on images that
/// the decoder makes of the prior. `hash` is that of the model, `entries` are
/// all that it has.
std::vector<std::pair<std::string, std::vector<double>>>
scoreByLoss(const Arguments &arguments, const std::string &hash,
            const std::vector<std::string> &entries,
            const CalibrationOptions &options);

} // namespace vae::tool

#endif // TOOLS_VAEC_LOSSIMPORTANCE_H
