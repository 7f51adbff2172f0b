// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A contender for the benchmark harness (tools/dev/bench) over the C API: opens
// the library $BENCH_W.so beside itself and runs one batch of $BENCH_B.
// The entry point is the first that the library has of "reconstruct", "decode"
// and "encode", of which it gives the first output, mu.
#define _GNU_SOURCE // dladdr
#include "vae/vae_runtime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vae_init(int threads);
int vae_run(const float *in, float *out);

enum { kMaxRank = 8, kMaxOutputs = 4 };

static vae_session_t *session;
static const char *entry_name;
static vae_tensor_t input, outputs[kMaxOutputs];
static uint32_t num_outputs;
static int64_t input_dims[kMaxRank], output_dims[kMaxOutputs][kMaxRank];

static int describe(const vae_model_t *model, const vae_abi_tensor *tensor,
                    const int64_t *symbols, int64_t *dims, vae_tensor_t *out) {
  if (tensor->rank > kMaxRank ||
      vae_model_tensor_dims(model, tensor, symbols, dims) != VAE_OK)
    return 1;
  out->dtype = tensor->dtype;
  out->rank = tensor->rank;
  out->dims = dims;
  return 0;
}

static int fail(const char *what, const char *message) {
  fprintf(stderr, "bench adapter: %s: %s\n", what, message);
  return 1;
}

/* Outputs after the first go to memory of their own. */
static int describe_outputs(const vae_model_t *model,
                            const vae_abi_entry *entry,
                            const int64_t *symbols) {
  num_outputs = entry->num_outputs;
  if (num_outputs > kMaxOutputs)
    return fail(entry_name, "too many outputs");
  for (uint32_t i = 0; i < num_outputs; ++i) {
    if (describe(model, &entry->outputs[i], symbols, output_dims[i],
                 &outputs[i]))
      return fail(entry_name, "an output's shape");
    size_t bytes = sizeof(float);
    for (int32_t axis = 0; axis < (int32_t)outputs[i].rank; ++axis)
      bytes *= (size_t)output_dims[i][axis];
    if (i > 0 && !(outputs[i].data = malloc(bytes)))
      return fail(entry_name, "no memory");
  }
  return 0;
}

int vae_init(int threads) {
  const char *workload = getenv("BENCH_W"), *batch_text = getenv("BENCH_B");
  if (!workload || !batch_text)
    return fail("environment", "BENCH_W or BENCH_B missing");
  Dl_info own;
  if (!dladdr((void *)&session, &own))
    return fail("dladdr", "no path of this library");
  const char *slash = strrchr(own.dli_fname, '/');
  int folder = slash ? (int)(slash - own.dli_fname) : 0;
  char path[4096], message[512];
  snprintf(path, sizeof(path), "%.*s/%s.so", folder, own.dli_fname, workload);
  vae_model_t *model = NULL;
  if (vae_model_load(path, &model, message, sizeof(message)) != VAE_OK)
    return fail(path, message);
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = (uint32_t)threads;
  if (vae_session_create(model, &options, &session) != VAE_OK)
    return fail(path, "no session");
  const vae_abi_entry *entry = NULL;
  const char *names[] = {"reconstruct", "decode", "encode"};
  for (int i = 0; i < 3 && !entry; ++i) {
    entry_name = names[i];
    if (vae_model_find_entry(model, entry_name, &entry) != VAE_OK)
      entry = NULL;
  }
  if (!entry)
    return fail(path, "no entry point");
  int64_t batch = strtoll(batch_text, NULL, 10);
  if (vae_session_prepare_batch(session, entry_name, batch) != VAE_OK)
    return fail(path, vae_session_message(session));
  return describe(model, &entry->inputs[0], &batch, input_dims, &input) ||
         describe_outputs(model, entry, &batch);
}

int vae_run(const float *in, float *out) {
  input.data = (void *)in;
  outputs[0].data = out;
  return vae_session_run(session, entry_name, NULL, &input, 1, outputs,
                         num_outputs);
}
