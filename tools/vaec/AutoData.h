// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data to decide on. Errors are thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_AUTODATA_H
#define TOOLS_VAEC_AUTODATA_H

#include "tools/vaec/Arguments.h"
#include "tools/vaec/AutoRun.h"

namespace vae::tool {

/// What the model is measured on: files, or images of the f32 model's own
/// making, whose entry point is `sample`. As many as a run takes for a while
/// and not longer, if the user does not say how many.
CalibrationData getAutoData(const Arguments &arguments,
                            const vaedata::Model &model,
                            const vae_abi_entry &entry);

} // namespace vae::tool

#endif // TOOLS_VAEC_AUTODATA_H
