// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pruning that looks at data: docs/pruning.md.
#ifndef TOOLS_VAEC_FITWEIGHTS_H
#define TOOLS_VAEC_FITWEIGHTS_H

#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// Decides which units go, and fits the weights that read the others, as the
/// arguments ask; they replay the steps then. What goes wrong is printed.
ExitCode decideCompression(Arguments &arguments);

} // namespace vae::tool

#endif // TOOLS_VAEC_FITWEIGHTS_H
