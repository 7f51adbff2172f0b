// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --equalize and --correct-bias: docs/quantization.md.
#ifndef TOOLS_VAEC_PREPAREINTEGERS_H
#define TOOLS_VAEC_PREPAREINTEGERS_H

#include "tools/vaec/IntegerTrial.h"

namespace vae::tool {

/// Changes weights so that integers represent the model better, as the
/// arguments ask and where that is measured to be so; they replay the steps
/// then. What goes wrong is printed.
ExitCode prepareIntegers(Arguments &arguments);

/// Adds a step to the recipe if a model of integers comes nearer to f32 by it.
/// Prints what was tried.
void equalizeUnits(const IntegerTrial &trial, Recipe &recipe);
void correctBiases(const IntegerTrial &trial, Recipe &recipe);

/// Whether the recipe with a further step is better on samples that nothing was
/// decided on; says so.
bool confirm(const IntegerTrial &trial, const Recipe &before,
             const Recipe &after, llvm::StringRef option);

void note(const llvm::Twine &message);

} // namespace vae::tool

#endif // TOOLS_VAEC_PREPAREINTEGERS_H
