// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data that a model makes itself. Errors are thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_GENERATEDDATA_H
#define TOOLS_VAEC_GENERATEDDATA_H

#include "tools/vaec/Arguments.h"
#include "tools/vaec/CalibrationData.h"

namespace vae::tool {

/// The images that the decoder of the original model makes of the prior, as
/// data of an entry point that takes images. The model has `sample`.
CalibrationData generateImages(const Arguments &arguments,
                               const std::string &entry, int64_t samples,
                               const CalibrationOptions &options);

} // namespace vae::tool

#endif // TOOLS_VAEC_GENERATEDDATA_H
