/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A deterministic autoencoder by hand: z[j] = x[2j], a decoder that also gives
 * a variance, and a score without KL. */
#include "ModelNote.h"
#include "vae/vae_abi.h"

VAE_TEST_NOTE("{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[]}");

static int64_t none(const int64_t *symbols) {
  (void)symbols;
  return 0;
}
static int32_t encode(const vae_abi_call *call) {
  for (int64_t i = 0; i < call->symbols[0] * 2; ++i)
    ((float *)call->outputs[0])[i] = ((const float *)call->inputs[0])[2 * i];
  return 0;
}
static int32_t decode(const vae_abi_call *call) {
  for (int64_t i = 0; i < call->symbols[0] * 4; ++i)
    ((float *)call->outputs[0])[i] = ((float *)call->outputs[1])[i] = 0;
  return 0;
}
static int32_t score(const vae_abi_call *call) {
  for (int64_t i = 0; i < call->symbols[0]; ++i)
    ((float *)call->outputs[0])[i] = -1;
  return 0;
}

static const vae_abi_symbol symbols[] = {{"batch", 1, 1, 0, 0}};
static const vae_abi_dim by4[] = {{0, 0, 1, 0}, {-1, 0, 0, 4}};
static const vae_abi_dim by2[] = {{0, 0, 1, 0}, {-1, 0, 0, 2}};
#define TENSOR(name, role, rank, dims, layout)                                 \
  {name, role, VAE_DTYPE_F32, rank, 0, dims, layout, 0, 0, 1, 0, {0, 0, 0, 0}}
static const vae_abi_tensor x[] = {TENSOR("x", VAE_ROLE_INPUT, 2, by4, "NC")};
static const vae_abi_tensor z[] = {TENSOR("z", VAE_ROLE_LATENT, 2, by2, "NC")};
static const vae_abi_tensor y[] = {
    TENSOR("y", VAE_ROLE_OUTPUT, 2, by4, "NC"),
    TENSOR("y_logvar", VAE_ROLE_OUTPUT_LOGVAR, 2, by4, "NC")};
static const vae_abi_tensor ll[] = {
    TENSOR("log_likelihood", VAE_ROLE_LOG_LIKELIHOOD, 1, by4, "N")};
static const vae_abi_entry entries[] = {
    {"encode", 1, 1, x, z, none, none, encode, 0, 0, 0, 0, 0},
    {"decode", 1, 2, z, y, none, none, decode, 0, 0, 0, 0, 0},
    {"score", 1, 1, x, ll, none, none, score, 0, 0, 0, 0, 0}};
static const vae_abi_model model = {VAE_ABI_VERSION,
                                    sizeof(vae_abi_model),
                                    "code",
                                    "by hand",
                                    "",
                                    "",
                                    "f32",
                                    "gaussian",
                                    "",
                                    1,
                                    3,
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
