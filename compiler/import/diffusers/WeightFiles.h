// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which files of a folder hold its weights.
#ifndef COMPILER_IMPORT_DIFFUSERS_WEIGHTFILES_H
#define COMPILER_IMPORT_DIFFUSERS_WEIGHTFILES_H

#include "compiler/import/Weights.h"

namespace vae::diffusers {

/// Adds diffusion_pytorch_model.safetensors, or the shards of its index; if
/// neither is there, the only variant (…fp16.safetensors). Errors are texts
/// without a position.
llvm::Error addWeightFiles(llvm::StringRef folder, WeightStore &weights);

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_WEIGHTFILES_H
