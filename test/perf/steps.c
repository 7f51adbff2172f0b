// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What tools/dev/sweep measures with, over the C API: the shortest time that
// each step of an entry point has taken. For one thread at a time.
#include "vae/vae_runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A compiled model and its entry point. */
typedef struct vae_steps {
  vae_model_t *model;
  const vae_abi_entry *entry;
} vae_steps_t;

vae_steps_t *vae_steps_open(const char *path, const char *entry, char *message,
                            size_t message_size);
void vae_steps_close(vae_steps_t *steps);
uint32_t vae_steps_count(const vae_steps_t *steps);
const char *vae_steps_layer(const vae_steps_t *steps, uint32_t step);
const char *vae_steps_kernel(const vae_steps_t *steps, uint32_t step);
void vae_steps_costs(const vae_steps_t *steps, const int64_t *symbols,
                     int64_t *flops, int64_t *bytes);
int vae_steps_measure(const vae_steps_t *steps, const int64_t *symbols,
                      uint32_t num_symbols, uint32_t threads, double seconds,
                      int64_t *best, char *message, size_t message_size);

enum { kMaxRank = 8, kFewestCalls = 2 };

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

vae_steps_t *vae_steps_open(const char *path, const char *entry, char *message,
                            size_t message_size) {
  vae_steps_t *steps = calloc(1, sizeof(*steps));
  if (steps &&
      vae_model_load(path, &steps->model, message, message_size) == VAE_OK) {
    if (vae_model_find_entry(steps->model, entry, &steps->entry) == VAE_OK)
      return steps;
    snprintf(message, message_size, "%s has no '%s'", path, entry);
  }
  vae_steps_close(steps);
  return NULL;
}

void vae_steps_close(vae_steps_t *steps) {
  if (steps)
    vae_model_release(steps->model);
  free(steps);
}

uint32_t vae_steps_count(const vae_steps_t *steps) {
  return steps->entry->num_steps;
}

const char *vae_steps_layer(const vae_steps_t *steps, uint32_t step) {
  return steps->entry->steps[step].layer;
}

const char *vae_steps_kernel(const vae_steps_t *steps, uint32_t step) {
  return steps->entry->steps[step].kernel;
}

void vae_steps_costs(const vae_steps_t *steps, const int64_t *symbols,
                     int64_t *flops, int64_t *bytes) {
  steps->entry->step_costs(symbols, flops, bytes);
}

typedef struct times {
  uint32_t count; /* of steps */
  int64_t *begins;
} times_t;

static int on_step(void *context, uint64_t done) {
  times_t *times = context;
  if (done < times->count)
    times->begins[done] = now();
  return 0;
}

/* A tensor of one symbol's sizes; its memory is kept for the next one, since
 * new pages would be what is timed first. */
static int make_tensor(const vae_model_t *model, const vae_abi_tensor *known,
                       const int64_t *symbols, int64_t *dims,
                       vae_tensor_t *tensor, void **memory, size_t *capacity) {
  if (known->rank > kMaxRank ||
      vae_model_tensor_dims(model, known, symbols, dims) != VAE_OK)
    return 1;
  size_t count = 1;
  for (uint32_t i = 0; i < known->rank; ++i)
    count *= (size_t)dims[i];
  if (count > *capacity) {
    free(*memory);
    *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    *capacity = *memory ? count : 0;
    for (size_t i = 0; i < *capacity; ++i)
      ((float *)*memory)[i] = (float)(i % 7) - 3;
  }
  tensor->data = *memory;
  tensor->dtype = known->dtype;
  tensor->rank = known->rank;
  tensor->dims = dims;
  return !*memory;
}

/* Calls the entry point for that time, twice at least. best: nanoseconds of
 * each step, which are replaced by smaller ones. Returns 0, or 1 with a
 * message. */
int vae_steps_measure(const vae_steps_t *steps, const int64_t *symbols,
                      uint32_t num_symbols, uint32_t threads, double seconds,
                      int64_t *best, char *message, size_t message_size) {
  static void *memory[2];
  static size_t capacity[2];
  const vae_abi_entry *entry = steps->entry;
  int64_t dims[2][kMaxRank];
  vae_tensor_t tensors[2];
  snprintf(message, message_size, "%s: not one input, one output, and memory",
           entry->name);
  if (entry->num_inputs != 1 || entry->num_outputs != 1 ||
      make_tensor(steps->model, entry->inputs, symbols, dims[0], &tensors[0],
                  &memory[0], &capacity[0]) ||
      make_tensor(steps->model, entry->outputs, symbols, dims[1], &tensors[1],
                  &memory[1], &capacity[1]))
    return 1;
  times_t times = {entry->num_steps,
                   malloc((entry->num_steps + 1) * sizeof(int64_t))};
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.progress = on_step;
  options.progress_ctx = &times;
  vae_session_t *session = NULL;
  vae_status_t status = vae_session_create(steps->model, &options, &session);
  if (status == VAE_OK)
    status = vae_session_prepare(session, entry->name, symbols, num_symbols);
  int64_t end = now() + (int64_t)(seconds * 1e9);
  for (int call = 0; status == VAE_OK && (call < kFewestCalls || now() < end);
       ++call) {
    status = vae_session_run(session, entry->name, NULL, &tensors[0], 1,
                             &tensors[1], 1);
    times.begins[entry->num_steps] = now();
    for (uint32_t i = 0; status == VAE_OK && i < entry->num_steps; ++i) {
      int64_t time = times.begins[i + 1] - times.begins[i];
      if (time < best[i])
        best[i] = time;
    }
  }
  if (status != VAE_OK)
    snprintf(message, message_size, "%s",
             session ? vae_session_message(session) : "no session");
  vae_session_release(session);
  free(times.begins);
  return status != VAE_OK;
}
