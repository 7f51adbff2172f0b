/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model by hand with three versions of its code, which add 1, 2 and 3. Every
 * machine has the features of the first two, none those of the last. */
#include "ModelNote.h"
#include "vae/vae_abi.h"

VAE_TEST_NOTE(
    "{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[],"
    "\\\"versions\\\":["
    "{\\\"name\\\":\\\"plain\\\",\\\"features\\\":[]},"
    "{\\\"name\\\":\\\"better\\\",\\\"features\\\":[]},"
    "{\\\"name\\\":\\\"future\\\",\\\"features\\\":[\\\"warp9\\\"]}]}");

static int64_t none(const int64_t *symbols) {
  (void)symbols;
  return 0;
}
static int32_t add(const vae_abi_call *call, float what) {
  for (int64_t i = 0; i < call->symbols[0]; ++i)
    ((float *)call->outputs[0])[i] = ((const float *)call->inputs[0])[i] + what;
  return 0;
}
static int32_t add1(const vae_abi_call *call) { return add(call, 1); }
static int32_t add2(const vae_abi_call *call) { return add(call, 2); }
static int32_t add3(const vae_abi_call *call) { return add(call, 3); }

static const vae_abi_symbol symbols[] = {{"batch", 1, 1, 0, 0}};
static const vae_abi_dim dims[] = {{0, 0, 1, 0}};
#define TENSOR(name, role)                                                     \
  {name, role, VAE_DTYPE_F32, 1, 0, dims, "N", 0, 0, 1, 0, {0, 0, 0, 0}}
static const vae_abi_tensor x[] = {TENSOR("x", VAE_ROLE_INPUT)};
static const vae_abi_tensor z[] = {TENSOR("z", VAE_ROLE_LATENT)};
#define ENTRY(run) {"encode", 1, 1, x, z, none, none, run, 0, 0, 0, 0, 0}
static const vae_abi_entry entries1[] = {ENTRY(add1)};
static const vae_abi_entry entries2[] = {ENTRY(add2)};
static const vae_abi_entry entries3[] = {ENTRY(add3)};

static const vae_abi_version versions[];
#define MODEL(features, entries)                                               \
  {VAE_ABI_VERSION,                                                            \
   sizeof(vae_abi_model),                                                      \
   "versions",                                                                 \
   "by hand",                                                                  \
   "",                                                                         \
   features,                                                                   \
   "f32",                                                                      \
   "",                                                                         \
   "",                                                                         \
   1,                                                                          \
   1,                                                                          \
   symbols,                                                                    \
   entries,                                                                    \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   versions,                                                                   \
   3,                                                                          \
   0,                                                                          \
   "f32",                                                                      \
   {0, 0, 0, 0}}
static const vae_abi_model models[] = {MODEL("", entries1), MODEL("", entries2),
                                       MODEL("warp9", entries3)};
static const vae_abi_version versions[] = {{"plain", &models[0], {0, 0}},
                                           {"better", &models[1], {0, 0}},
                                           {"future", &models[2], {0, 0}}};

__attribute__((visibility("default"))) const vae_abi_model *
vae_model_query(uint32_t max_abi_version) {
  return max_abi_version >= VAE_ABI_VERSION ? &models[0] : 0;
}
