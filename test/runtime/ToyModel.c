/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model library by hand, so that the runtime is tested without the compiler.
 * x and y have 4 numbers, z has 2:
 *
 *   mu[j] = x[2j] + x[2j+1]     logvar[j] = x[2j] - x[2j+1]
 *   y[k] = (k + 1) z[k / 2]     log p(x|z) = -sum (x - y)^2 / 2
 */
#include "ModelNote.h"
#include "vae/vae_abi.h"

#include <math.h>

#ifdef __aarch64__
#define MACHINE "aarch64"
#else
#define MACHINE "x86_64"
#endif

VAE_TEST_NOTE(
    "{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"name\\\":\\\"toy\\\","
    "\\\"compiler\\\":\\\"by hand\\\",\\\"target\\\":\\\"" MACHINE
    "-unknown-linux-gnu\\\",\\\"features\\\":[                ],"
    "\\\"quantization\\\":\\\"f32\\\"}");

enum { X = 4, Z = 2 };

/* What a parallel loop over the examples of a batch works on. */
struct work {
  const vae_abi_call *call;
  const float *x, *z, *noise;
  float *mu, *logvar, *out;
};

static void encode_task(void *arg, int64_t begin, int64_t end) {
  const struct work *w = (const struct work *)arg;
  for (int64_t i = begin * Z; i < end * Z; ++i) {
    w->mu[i] = w->x[2 * i] + w->x[2 * i + 1];
    w->logvar[i] = w->x[2 * i] - w->x[2 * i + 1];
  }
}

static void sample_task(void *arg, int64_t begin, int64_t end) {
  const struct work *w = (const struct work *)arg;
  for (int64_t i = begin * Z; i < end * Z; ++i)
    w->out[i] = w->mu[i] + expf(w->logvar[i] / 2) * w->noise[i];
}

static void decode_task(void *arg, int64_t begin, int64_t end) {
  const struct work *w = (const struct work *)arg;
  for (int64_t n = begin; n < end; ++n)
    for (int k = 0; k < X; ++k)
      w->out[n * X + k] = (float)(k + 1) * w->z[n * Z + k / 2];
}

static void each(const vae_abi_call *call, vae_abi_task task, struct work *w) {
  w->call = call;
  call->parallel_for(call->parallel_ctx, call->symbols[0], 1, task, w);
}

/* Room for 2 + 2 + 2 + 4 numbers an example. */
static int64_t arena_size(const int64_t *symbols) {
  return symbols[0] * (3 * Z + X) * (int64_t)sizeof(float);
}
static int64_t no_arena(const int64_t *symbols) {
  (void)symbols;
  return 0;
}
static int64_t flops(const int64_t *symbols) { return symbols[0] * (Z + X); }

static int32_t encode(const vae_abi_call *call) {
  struct work w = {0};
  w.x = (const float *)call->inputs[0];
  w.mu = (float *)call->outputs[0];
  w.logvar = (float *)call->outputs[1];
  each(call, encode_task, &w);
  return 0;
}

static int32_t encode_sample(const vae_abi_call *call) {
  struct work w = {0};
  encode(call);
  w.noise = (const float *)call->inputs[1];
  w.mu = (float *)call->outputs[0];
  w.logvar = (float *)call->outputs[1];
  w.out = (float *)call->outputs[2];
  each(call, sample_task, &w);
  return 0;
}

/* As if what is decoded were stored as f16. */
static int32_t decode(const vae_abi_call *call) {
  struct work w = {0};
  w.z = (const float *)call->inputs[0];
  if (w.z[0] > 65504 && call->clamped && !*call->clamped)
    *call->clamped = "wide";
  w.out = (float *)call->outputs[0];
  each(call, decode_task, &w);
  return 0;
}

/* Encodes into the arena: mu, logvar and z (mu itself without noise). */
static struct work through_arena(const vae_abi_call *call, int sampled) {
  struct work w = {0};
  float *arena = (float *)call->arena;
  int64_t size = call->symbols[0] * Z;
  w.x = (const float *)call->inputs[0];
  w.mu = arena;
  w.logvar = arena + size;
  each(call, encode_task, &w);
  w.z = w.mu;
  if (sampled) {
    w.noise = (const float *)call->inputs[1];
    w.out = arena + 2 * size;
    each(call, sample_task, &w);
    w.z = w.out;
  }
  return w;
}

static int32_t reconstruct(const vae_abi_call *call) {
  struct work w = through_arena(call, 0);
  w.out = (float *)call->outputs[0];
  each(call, decode_task, &w);
  return 0;
}

static int32_t reconstruct_sample(const vae_abi_call *call) {
  struct work w = through_arena(call, 1);
  w.out = (float *)call->outputs[0];
  each(call, decode_task, &w);
  return 0;
}

static int32_t score(const vae_abi_call *call) {
  struct work w = through_arena(call, 1);
  float *likelihood = (float *)call->outputs[0];
  float *kl = (float *)call->outputs[1];
  float *elbo = (float *)call->outputs[2];
  w.out = (float *)call->arena + 3 * call->symbols[0] * Z;
  each(call, decode_task, &w);
  for (int64_t n = 0; n < call->symbols[0]; ++n) {
    likelihood[n] = kl[n] = 0;
    for (int64_t i = n * X; i < (n + 1) * X; ++i)
      likelihood[n] -= (w.x[i] - w.out[i]) * (w.x[i] - w.out[i]) / 2;
    for (int64_t i = n * Z; i < (n + 1) * Z; ++i)
      kl[n] += (expf(w.logvar[i]) + w.mu[i] * w.mu[i] - 1 - w.logvar[i]) / 2;
    elbo[n] = likelihood[n] - kl[n];
  }
  return 0;
}

/* Three NOISE inputs of 1, 2 and 1 numbers an example, copied to the output. */
static int32_t noises(const vae_abi_call *call) {
  float *out = (float *)call->outputs[0];
  for (int64_t n = 0; n < call->symbols[0]; ++n) {
    out[4 * n] = ((const float *)call->inputs[0])[n];
    out[4 * n + 1] = ((const float *)call->inputs[1])[2 * n];
    out[4 * n + 2] = ((const float *)call->inputs[1])[2 * n + 1];
    out[4 * n + 3] = ((const float *)call->inputs[2])[n];
  }
  return 0;
}

static int32_t fail(const vae_abi_call *call) {
  (void)call;
  return 7;
}

static void count_task(void *arg, int64_t begin, int64_t end) {
  float *out = (float *)arg;
  for (int64_t i = begin; i < end; ++i)
    out[i] += 1;
}

static void nesting_task(void *arg, int64_t begin, int64_t end) {
  const struct work *w = (const struct work *)arg;
  for (int64_t n = begin; n < end; ++n)
    w->call->parallel_for(w->call->parallel_ctx, X, 1, count_task,
                          w->out + n * X);
}

/* Adds 1 to every number of y, four times, from within tasks. */
static int32_t nested(const vae_abi_call *call) {
  struct work w = {0};
  w.out = (float *)call->outputs[0];
  for (int64_t i = 0; i < call->symbols[0] * X; ++i)
    w.out[i] = 0;
  for (int step = 0; step < 4; ++step)
    each(call, nesting_task, &w);
  return 0;
}

/* A condition of another type, and a decoder that has learned its variance. */
static int32_t labelled(const vae_abi_call *call) {
  const int64_t *label = (const int64_t *)call->inputs[1];
  for (int64_t i = 0; i < call->symbols[0]; ++i) {
    ((float *)call->outputs[0])[i] = (float)label[i];
    ((uint8_t *)call->outputs[1])[i] = (uint8_t)label[i];
  }
  return 0;
}

static const vae_abi_symbol symbols[] = {{"batch", 1, 1, 0, 0}};
static const vae_abi_dim one[] = {{0, 0, 1, 0}};
static const vae_abi_dim by1[] = {{0, 0, 1, 0}, {-1, 0, 0, 1}};
static const vae_abi_dim by2[] = {{0, 0, 1, 0}, {-1, 0, 0, Z}};
static const vae_abi_dim by4[] = {{0, 0, 1, 0}, {-1, 0, 0, X}};

#define TENSOR(name, role, dtype, rank, dims, layout)                          \
  {name, role, dtype, rank, 0, dims, layout, 0, 0, 1, 0, {0, 0, 0, 0}}
#define F32(name, role, dims) TENSOR(name, role, VAE_DTYPE_F32, 2, dims, "NC")
#define EACH(name, role) TENSOR(name, role, VAE_DTYPE_F32, 1, one, "N")

static const vae_abi_tensor x[] = {F32("x", VAE_ROLE_INPUT, by4)};
static const vae_abi_tensor x_noise[] = {F32("x", VAE_ROLE_INPUT, by4),
                                         F32("noise", VAE_ROLE_NOISE, by2)};
static const vae_abi_tensor z[] = {F32("z", VAE_ROLE_LATENT, by2)};
static const vae_abi_tensor noise[] = {F32("noise", VAE_ROLE_NOISE, by2)};
static const vae_abi_tensor three[] = {F32("n0", VAE_ROLE_NOISE, by1),
                                       F32("n1", VAE_ROLE_NOISE, by2),
                                       F32("n2", VAE_ROLE_NOISE, by1)};
static const vae_abi_tensor heads[] = {F32("mu", VAE_ROLE_MU, by2),
                                       F32("logvar", VAE_ROLE_LOGVAR, by2),
                                       F32("z", VAE_ROLE_LATENT, by2)};
static const vae_abi_tensor output[] = {F32("y", VAE_ROLE_OUTPUT, by4)};
static const vae_abi_tensor mean[] = {F32("y", VAE_ROLE_MEAN, by4)};
static const vae_abi_tensor scores[] = {
    EACH("log_likelihood", VAE_ROLE_LOG_LIKELIHOOD), EACH("kl", VAE_ROLE_KL),
    EACH("elbo", VAE_ROLE_ELBO)};
static const vae_abi_tensor x_label[] = {
    F32("x", VAE_ROLE_INPUT, by4),
    TENSOR("label", VAE_ROLE_CONDITION, VAE_DTYPE_I64, 1, one, "N")};
static const vae_abi_tensor both[] = {
    EACH("y", VAE_ROLE_OUTPUT),
    TENSOR("q", VAE_ROLE_OUTPUT_LOGVAR, VAE_DTYPE_U8, 1, one, "N")};

#define ENTRY(name, ni, in, no, out, arena, run)                               \
  {name, ni, no, in, out, arena, flops, run, 0, 0, 0, 0, 0}

static const vae_abi_entry entries[] = {
    ENTRY("encode", 1, x, 2, heads, no_arena, encode),
    ENTRY("encode_sample", 2, x_noise, 3, heads, no_arena, encode_sample),
    ENTRY("decode", 1, z, 1, output, no_arena, decode),
    ENTRY("reconstruct", 1, x, 1, mean, arena_size, reconstruct),
    ENTRY("reconstruct_sample", 2, x_noise, 1, mean, arena_size,
          reconstruct_sample),
    ENTRY("sample", 1, noise, 1, mean, no_arena, decode),
    ENTRY("score", 2, x_noise, 3, scores, arena_size, score),
    ENTRY("noises", 3, three, 1, mean, no_arena, noises),
    ENTRY("fail", 1, x, 1, mean, no_arena, fail),
    ENTRY("nested", 1, x, 1, mean, no_arena, nested),
    ENTRY("labelled", 2, x_label, 2, both, no_arena, labelled)};

static const double scale[] = {2, 4}, shift[] = {0.5, -1};
static const vae_abi_scaling scaling = {Z, 0, scale, shift, {0, 0}};

static const vae_abi_model model = {VAE_ABI_VERSION,
                                    sizeof(vae_abi_model),
                                    "toy",
                                    "by hand",
                                    MACHINE "-unknown-linux-gnu",
                                    "",
                                    "f32",
                                    "gaussian",
                                    "standard_normal",
                                    sizeof(symbols) / sizeof(symbols[0]),
                                    sizeof(entries) / sizeof(entries[0]),
                                    symbols,
                                    entries,
                                    0,
                                    0,
                                    0,
                                    &scaling,
                                    0,
                                    0,
                                    0,
                                    "f32",
                                    {0, 0, 0, 0}};

__attribute__((visibility("default"))) const vae_abi_model *
vae_model_query(uint32_t max_abi_version) {
  return max_abi_version >= VAE_ABI_VERSION ? &model : 0;
}
