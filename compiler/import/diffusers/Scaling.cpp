// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How pipelines scale a latent, in one formula: (z - shift) * scale.
#include "compiler/import/diffusers/Family.h"

using namespace llvm;
using namespace vae;
using namespace vae::diffusers;

/// The library writes null for a number that is not there.
static bool hasValue(const Fields &config, StringRef key) {
  const JsonValue *value = config.get(key);
  return value && !value->isNull();
}

static double getNumber(Fields &config, StringRef key, double missing) {
  return hasValue(config, key) ? config.getNumber(key, missing) : missing;
}

static std::vector<double> getChannels(Fields &config, StringRef key,
                                       int64_t channels) {
  std::vector<double> numbers = config.getNumbers(key, 0);
  if (config.ok() && static_cast<int64_t>(numbers.size()) != channels)
    config.fail(config.get(key))
        << "'" << key << "' has " << numbers.size() << " numbers, the latent "
        << channels << " channels";
  return numbers;
}

void vae::diffusers::readScaling(Fields &config, double factor,
                                 int64_t channels, Autoencoder &model) {
  factor = getNumber(config, "scaling_factor", factor);
  if (config.ok() && !(factor > 0))
    config.mismatch("scaling_factor", *config.get("scaling_factor"),
                    "a positive number");
  // As in Stable Diffusion XL, which takes both or neither and no shift_factor.
  if (hasValue(config, "latents_mean") && hasValue(config, "latents_std")) {
    model.shift = getChannels(config, "latents_mean", channels);
    for (double deviation : getChannels(config, "latents_std", channels)) {
      if (config.ok() && !(deviation > 0))
        config.mismatch("latents_std", *config.get("latents_std"),
                        "positive numbers");
      model.scale.push_back(factor / deviation);
    }
    return;
  }
  model.scale = {factor};
  model.shift = {getNumber(config, "shift_factor", 0)};
}
