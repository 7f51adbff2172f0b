/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A deterministic autoencoder by hand whose height and width are dynamic:
 * x [batch, 1, height, width], height = 8, 16, .. from 16, width = 4, 8, ..;
 * z [batch, 1, height/8, width/4+1] is the sum of x in its first element, and 0
 * elsewhere.
 */
#include "ModelNote.h"
#include "vae/vae_abi.h"

VAE_TEST_NOTE("{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[]}");

static int64_t no_arena(const int64_t *symbols) {
  (void)symbols;
  return 0;
}

static int32_t encode(const vae_abi_call *call) {
  const float *x = (const float *)call->inputs[0];
  float *z = (float *)call->outputs[0];
  int64_t in = call->symbols[1] * call->symbols[2];
  int64_t out = call->symbols[1] / 8 * (call->symbols[2] / 4 + 1);
  for (int64_t n = 0; n < call->symbols[0]; ++n) {
    for (int64_t i = 0; i < out; ++i)
      z[n * out + i] = 0;
    for (int64_t i = 0; i < in; ++i)
      z[n * out] += x[n * in + i];
  }
  return 0;
}

static const vae_abi_symbol symbols[] = {
    {"batch", 1, 1, 0, 0}, {"height", 9, 8, 0, 0}, {"width", 4, 4, 0, 0}};
static const vae_abi_dim image[] = {
    {0, 0, 1, 0}, {-1, 0, 0, 1}, {1, 0, 8, 0}, {2, 0, 4, 0}};
static const vae_abi_dim code[] = {
    {0, 0, 1, 0}, {-1, 0, 0, 1}, {1, 0, 1, 0}, {2, 0, 1, 1}};
#define TENSOR(name, role, dims)                                               \
  {name, role, VAE_DTYPE_F32, 4, 0, dims, "NCHW", 0, 0, 1, 0, {0, 0, 0, 0}}
static const vae_abi_tensor x[] = {TENSOR("x", VAE_ROLE_INPUT, image)};
static const vae_abi_tensor z[] = {TENSOR("z", VAE_ROLE_LATENT, code)};
static const vae_abi_entry entries[] = {
    {"encode", 1, 1, x, z, no_arena, no_arena, encode, 0, 0, 0, 0, 0}};
static const vae_abi_model model = {VAE_ABI_VERSION,
                                    sizeof(vae_abi_model),
                                    "spatial",
                                    "by hand",
                                    "",
                                    "",
                                    "f32",
                                    "",
                                    "",
                                    3,
                                    1,
                                    symbols,
                                    entries,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    "f32",
                                    {0, 0, 0, 0}};

__attribute__((visibility("default"))) const vae_abi_model *
vae_model_query(uint32_t max_abi_version) {
  return max_abi_version >= VAE_ABI_VERSION ? &model : 0;
}
