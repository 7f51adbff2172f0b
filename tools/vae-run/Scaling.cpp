// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Scaling.h"

#include "tools/vae-run/Error.h"

#include <cstring>

using namespace vaerun;

static void check(vae_status_t status) {
  if (status != VAE_OK)
    throw std::runtime_error(
        concat("a latent cannot be scaled: ", vae_status_text(status)));
}

static bool isLatent(const vae_abi_tensor &tensor) {
  return tensor.role == VAE_ROLE_LATENT || tensor.role == VAE_ROLE_MU ||
         tensor.role == VAE_ROLE_LOGVAR;
}

void vaerun::requireScaling(const Model &model) {
  if (!model.getTable().latent_scaling)
    fail(model.getPath(),
         ": --scaled: expected a model that declares how its latent is scaled, "
         "found one that does not; give its \"latent\" the key \"scale\" and "
         "compile it again, or leave the option out");
}

void vaerun::scaleOutputs(const Model &model, std::vector<Output> &outputs) {
  for (Output &output : outputs)
    if (isLatent(*output.tensor))
      check(vae_model_scale_latent(model.get(), output.tensor,
                                   output.shape.data(), output.values.data(),
                                   output.values.data()));
}

static void unscale(const Model &model, vae_abi_tensor tensor, int64_t examples,
                    const Sizes &sizes, Data &data) {
  tensor.role = VAE_ROLE_LATENT;
  Shape shape = getShape(model.getTable(), tensor, sizes, examples);
  check(vae_model_unscale_latent(model.get(), &tensor, shape.data(),
                                 data.values.data(), data.values.data()));
}

void vaerun::unscaleInputs(const Model &model, Job &job) {
  const vae_abi_model &table = model.getTable();
  for (uint32_t i = 0; i < job.entry->num_inputs; ++i) {
    const vae_abi_tensor &tensor = job.entry->inputs[i];
    Data &data = job.inputs[i];
    if (tensor.role == VAE_ROLE_NOISE) {
      if (std::strcmp(table.prior, "standard_normal") != 0)
        fail(model.getPath(),
             ": --scaled: expected a standard normal prior, "
             "found '",
             table.prior, "'; leave the option out");
      if (data.examples == 0) {
        data.examples = job.getExamples();
        data.values.resize(countFitting(table, tensor, job));
        check(vae_noise_normal(job.seed, /*stream=*/0, /*first=*/0,
                               data.values.size(), data.values.data()));
      }
    } else if (tensor.role != VAE_ROLE_LATENT) {
      continue;
    }
    unscale(model, tensor, data.examples, job.sizes, data);
  }
}
