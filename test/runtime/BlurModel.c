/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model by hand that runs in parts. With x [batch, 1, height, width], height
 * a multiple of 2, and s(i, j) the sum of the 3 x 3 pixels around x[i, j] that
 * the image has, noise and one number c an example:
 *
 *   encode: y [batch, 1, 2*height, width] = s(i/2, j) + c + noise[i/2, j]
 *           z [batch, 1, height-2, width-2] = s(i+1, j+1)
 *   whole:  the same, said to depend on the whole image
 *   silent: the same, of a library that does not say
 *
 * The arena has 16 bytes a pixel, all of which are overwritten.
 */
#include "ModelNote.h"
#include "vae/vae_abi.h"

#include <string.h>

VAE_TEST_NOTE("{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[]}");

static int64_t pixels(const int64_t *symbols) {
  return symbols[0] * symbols[1] * symbols[2];
}
static int64_t arena(const int64_t *symbols) { return 16 * pixels(symbols); }
static int64_t flops(const int64_t *symbols) { return 9 * pixels(symbols); }

static void run_row(void *arg, int64_t begin, int64_t end) {
  const vae_abi_call *call = (const vae_abi_call *)arg;
  const float *x = (const float *)call->inputs[0];
  const float *c = (const float *)call->inputs[1];
  const float *noise = (const float *)call->inputs[2];
  float *y = (float *)call->outputs[0], *z = (float *)call->outputs[1];
  int64_t h = call->symbols[1], w = call->symbols[2];
  for (int64_t row = begin; row < end; ++row) {
    int64_t n = row / h, i = row % h;
    for (int64_t j = 0; j < w; ++j) {
      float sum = 0;
      for (int64_t a = i - 1; a <= i + 1; ++a)
        for (int64_t b = j - 1; b <= j + 1; ++b)
          if (a >= 0 && a < h && b >= 0 && b < w)
            sum += x[(n * h + a) * w + b];
      for (int k = 0; k < 2; ++k)
        y[((n * h + i) * 2 + k) * w + j] = sum + c[n] + noise[row * w + j];
      if (i > 0 && i < h - 1 && j > 0 && j < w - 1)
        z[(n * (h - 2) + i - 1) * (w - 2) + j - 1] = sum;
    }
  }
}

static int32_t run(const vae_abi_call *call) {
  memset(call->arena, 1, (size_t)arena(call->symbols));
  call->parallel_for(call->parallel_ctx, call->symbols[0] * call->symbols[1], 1,
                     run_row, (void *)call);
  return 0;
}

static const vae_abi_symbol symbols[] = {
    {"batch", 1, 1, 0, 0}, {"height", 4, 2, 0, 0}, {"width", 5, 1, 0, 0}};
#define BATCH {0, 0, 1, 0}
#define ONE {-1, 0, 0, 1}
static const vae_abi_dim image[] = {BATCH, ONE, {1, 0, 2, 0}, {2, 0, 1, 0}};
static const vae_abi_dim number[] = {BATCH, ONE};
static const vae_abi_dim large[] = {BATCH, ONE, {1, 0, 4, 0}, {2, 0, 1, 0}};
static const vae_abi_dim small[] = {BATCH, ONE, {1, 0, 2, -2}, {2, 0, 1, -2}};
#define TENSOR(name, role, rank, dims, layout)                                 \
  {name, role, VAE_DTYPE_F32, rank, 0, dims, layout, 0, 0, 1, 0, {0, 0, 0, 0}}
static const vae_abi_tensor in[] = {
    TENSOR("x", VAE_ROLE_INPUT, 4, image, "NCHW"),
    TENSOR("c", VAE_ROLE_CONDITION, 2, number, "NC"),
    TENSOR("noise", VAE_ROLE_NOISE, 4, image, "NCHW")};
static const vae_abi_tensor out[] = {
    TENSOR("y", VAE_ROLE_OUTPUT, 4, large, "NCHW"),
    TENSOR("z", VAE_ROLE_LATENT, 4, small, "NCHW")};
static const vae_abi_halo halos[] = {{0, 0, 0, 0}, {2, 2, 2, 0}, {1, 2, 1, 0}};
static const vae_abi_tiling tiles = {halos, 0, 0, 0, 0, 0};
static const vae_abi_tiling none = {0, "norm", "group_norm", 0, 0, 0};
#define ENTRY(name, tiling)                                                    \
  {name, 3, 2, in, out, arena, flops, run, 0, 0, 0, 0, tiling}
static const vae_abi_entry entries[] = {
    ENTRY("encode", &tiles), ENTRY("whole", &none), ENTRY("silent", 0)};
static const vae_abi_model model = {VAE_ABI_VERSION,
                                    sizeof(vae_abi_model),
                                    "blur",
                                    "by hand",
                                    "",
                                    "",
                                    "f32",
                                    "",
                                    "",
                                    3,
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
