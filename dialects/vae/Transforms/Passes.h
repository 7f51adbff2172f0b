// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the vae dialect to the vae dialect.
#ifndef DIALECTS_VAE_TRANSFORMS_PASSES_H
#define DIALECTS_VAE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace vae {
#define GEN_PASS_DECL
#include "dialects/vae/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_PASSES_H
