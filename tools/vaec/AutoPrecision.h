// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --quantize=auto: docs/quantization-auto.md.
#ifndef TOOLS_VAEC_AUTOPRECISION_H
#define TOOLS_VAEC_AUTOPRECISION_H

#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// Measures ranges and layers, and completes the options of the compilation so
/// that the budget is kept: the range table and the layers. What was found is
/// in `arguments.autoReport`; it is printed unless the report will have it.
/// Fails if the budget is not kept on the part of the data for the check.
ExitCode choosePrecisions(Arguments &arguments);

} // namespace vae::tool

#endif // TOOLS_VAEC_AUTOPRECISION_H
