// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --scaled: latents in the form that diffusion models work on.
#ifndef TOOLS_VAE_RUN_SCALING_H
#define TOOLS_VAE_RUN_SCALING_H

#include "tools/vae-run/Runner.h"

namespace vaerun {

/// Fails if the model does not declare how its latent is scaled.
void requireScaling(const Model &model);

/// Scales what describes the latent among an entry point's outputs.
void scaleOutputs(const Model &model, std::vector<Output> &outputs);

/// Takes the latent among the job's inputs for a scaled one. So also the noise
/// of `sample`, which is generated if there is none yet: where the prior is
/// standard normal, it is the latent. Fails for other priors.
void unscaleInputs(const Model &model, Job &job);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_SCALING_H
