// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAEC_APPLYRECIPE_H
#define TOOLS_VAEC_APPLYRECIPE_H

#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// Reads the recipe of --apply-recipe, if there is one, into
/// `options.replay`, and refuses options of which it says something else. What
/// goes wrong is printed.
ExitCode readAppliedRecipe(Arguments &arguments);

/// For a run of the model in f32: no numbers are chosen.
void dropKinds(CompileOptions &options);

} // namespace vae::tool

#endif // TOOLS_VAEC_APPLYRECIPE_H
