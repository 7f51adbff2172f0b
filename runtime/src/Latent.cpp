// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scaled latents. As noise, they have the same bits on every machine.
#include "runtime/src/Model.h"
#include "runtime/src/Random.h"
#include "runtime/src/Table.h"

using namespace vae::runtime;

namespace {

/// y = (x - before) * factor + after, in f64.
struct AffineMap {
  double before, factor, after;

  float operator()(float x) const {
    return static_cast<float>((x - before) * factor + after);
  }
};

} // namespace

/// What becomes of the numbers of one channel. A log-variance moves by twice
/// the logarithm of the factor of its standard deviation.
static AffineMap getMap(int32_t role, double scale, double shift,
                        bool unscale) {
  if (role == VAE_ROLE_LOGVAR)
    return {0, 1, (unscale ? -2 : 2) * logOf(scale)};
  if (unscale)
    return {0, 1 / scale, shift};
  return {shift, scale, 0};
}

/// The product of dims[begin] to dims[end - 1]; -1 if one is negative or it
/// overflows.
static int64_t multiply(const int64_t *dims, uint32_t begin, uint32_t end) {
  int64_t product = 1;
  for (uint32_t d = begin; d < end; ++d)
    if (dims[d] < 0 || __builtin_mul_overflow(product, dims[d], &product))
      return -1;
  return product;
}

static vae_status_t mapLatent(const vae_model_t *model,
                              const vae_abi_tensor *tensor, const int64_t *dims,
                              const float *in, float *out, bool unscale) {
  if (!model || !tensor || !dims || !in || !out || !isLatent(*tensor) ||
      tensor->dtype != VAE_DTYPE_F32 || !tensor->layout)
    return VAE_INVALID_ARGUMENT;
  const vae_abi_scaling *scaling = model->table->latent_scaling;
  if (!scaling)
    return VAE_NOT_FOUND;
  uint32_t axis = getChannelDim(*tensor);
  if (axis >= tensor->rank || multiply(dims, 0, tensor->rank) < 0 ||
      (scaling->count > 1 && dims[axis] != scaling->count))
    return VAE_INVALID_ARGUMENT;
  int64_t outer = multiply(dims, 0, axis), channels = dims[axis],
          inner = multiply(dims, axis + 1, tensor->rank);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t c = 0; c < channels; ++c) {
      int64_t which = scaling->count > 1 ? c : 0;
      AffineMap map = getMap(tensor->role, scaling->scale[which],
                             scaling->shift[which], unscale);
      for (int64_t i = 0; i < inner; ++i)
        *out++ = map(*in++);
    }
  return VAE_OK;
}

vae_status_t vae_model_scale_latent(const vae_model_t *model,
                                    const vae_abi_tensor *tensor,
                                    const int64_t *dims, const float *in,
                                    float *out) {
  return mapLatent(model, tensor, dims, in, out, /*unscale=*/false);
}

vae_status_t vae_model_unscale_latent(const vae_model_t *model,
                                      const vae_abi_tensor *tensor,
                                      const int64_t *dims, const float *in,
                                      float *out) {
  return mapLatent(model, tensor, dims, in, out, /*unscale=*/true);
}
