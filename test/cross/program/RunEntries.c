/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs a model on files of raw f32, over the C API alone.
 *
 *   run-entries list MODEL.so [SIZE...]
 *       of a library with several versions "version" and the one that runs; a
 *       line for each symbol of the model: "symbol", its name, minimum and
 *       multiple; and for each tensor of each entry point: "in", "noise" or
 *       "out", the entry's name, the tensor's, the number of its elements.
 *   run-entries run MODEL.so FOLDER SEED [SIZE...]
 *       runs every entry point: reads FOLDER/ENTRY.INPUT.in, generates noise
 *       from the seed, writes FOLDER/ENTRY.OUTPUT.out.
 *   run-entries noise SEED STREAM FIRST COUNT FILE
 *       writes numbers of vae_noise_normal.
 *
 * SIZE: values of the model's symbols, the batch first; others are at their
 * minimum. Exit code: 0, or the status of the call that failed, or 2. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vae/vae_runtime.h>

enum { MAX_RANK = 16, MAX_SYMBOLS = 8, MAX_TENSORS = 64, USAGE = 2 };

static void fail(int code, const char *what, const char *detail) {
  fprintf(stderr, "run-entries: %s: %s\n", what, detail);
  exit(code);
}

static void check(vae_status_t status, const char *what, const char *detail) {
  if (status)
    fail((int)status, what, *detail ? detail : vae_status_name(status));
}

static uint64_t parse(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  if (!*text || *end)
    fail(USAGE, text, "is no number");
  return value;
}

static void *allocate(size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory)
    fail(USAGE, "malloc", "no memory");
  return memory;
}

/* Reads or writes `count` numbers, neither more nor fewer. */
static void transfer(const char *path, float *data, size_t count, int write) {
  FILE *file = fopen(path, write ? "wb" : "rb");
  if (!file)
    fail(USAGE, path, "cannot be opened");
  size_t done = write ? fwrite(data, sizeof(float), count, file)
                      : fread(data, sizeof(float), count, file);
  if (done != count || (!write && fgetc(file) != EOF))
    fail(USAGE, path, "has another size than the tensor");
  if (fclose(file))
    fail(USAGE, path, "cannot be written");
}

static vae_model_t *load(const char *path) {
  char message[1024];
  vae_model_t *model = NULL;
  check(vae_model_load(path, &model, message, sizeof(message)), path, message);
  return model;
}

static void readSymbols(const vae_model_t *model, int argc, char **argv,
                        int64_t symbols[MAX_SYMBOLS]) {
  const vae_abi_model *table = vae_model_table(model);
  if (table->num_symbols > MAX_SYMBOLS || argc > (int)table->num_symbols)
    fail(USAGE, table->name, "has another number of symbols");
  for (uint32_t i = 0; i < table->num_symbols; ++i)
    symbols[i] =
        (int)i < argc ? (int64_t)parse(argv[i]) : table->symbols[i].minimum;
}

/* Fills in everything but the data; returns the number of elements. */
static size_t describe(const vae_model_t *model, const vae_abi_tensor *tensor,
                       const int64_t *symbols, int64_t dims[MAX_RANK],
                       vae_tensor_t *out) {
  if (tensor->rank > MAX_RANK)
    fail(USAGE, tensor->name, "has too many axes");
  check(vae_model_tensor_dims(model, tensor, symbols, dims), tensor->name, "");
  size_t count = 1;
  for (uint32_t i = 0; i < tensor->rank; ++i)
    count *= (size_t)dims[i];
  out->data = NULL;
  out->dtype = tensor->dtype;
  out->rank = tensor->rank;
  out->dims = dims;
  return count;
}

static void listEntries(const vae_model_t *model, const int64_t *symbols) {
  const vae_abi_model *table = vae_model_table(model);
  int64_t dims[MAX_RANK];
  vae_tensor_t described;
  if (vae_model_version(model))
    printf("version %s\n", vae_model_version(model));
  for (uint32_t i = 0; i < table->num_symbols; ++i)
    printf("symbol %s %" PRId64 " %" PRId64 "\n", table->symbols[i].name,
           table->symbols[i].minimum, table->symbols[i].multiple);
  for (uint32_t e = 0; e < table->num_entries; ++e) {
    const vae_abi_entry *entry = &table->entries[e];
    for (uint32_t i = 0; i < entry->num_inputs + entry->num_outputs; ++i) {
      int input = i < entry->num_inputs;
      const vae_abi_tensor *tensor =
          input ? &entry->inputs[i] : &entry->outputs[i - entry->num_inputs];
      const char *kind = !input                           ? "out"
                         : tensor->role == VAE_ROLE_NOISE ? "noise"
                                                          : "in";
      printf("%s %s %s %zu\n", kind, entry->name, tensor->name,
             describe(model, tensor, symbols, dims, &described));
    }
  }
}

static void runEntry(const vae_model_t *model, vae_session_t *session,
                     const vae_abi_entry *entry, const int64_t *symbols,
                     const char *folder, uint64_t seed) {
  static int64_t dims[MAX_TENSORS][MAX_RANK];
  static vae_tensor_t tensors[MAX_TENSORS];
  char path[4096];
  uint32_t inputs = entry->num_inputs, all = inputs + entry->num_outputs;
  if (all > MAX_TENSORS)
    fail(USAGE, entry->name, "has too many tensors");
  for (uint32_t i = 0; i < all; ++i) {
    const vae_abi_tensor *tensor =
        i < inputs ? &entry->inputs[i] : &entry->outputs[i - inputs];
    size_t count = describe(model, tensor, symbols, dims[i], &tensors[i]);
    if (i < inputs && tensor->role == VAE_ROLE_NOISE)
      continue;
    tensors[i].data = allocate(count * sizeof(float));
    if (i >= inputs)
      continue;
    snprintf(path, sizeof(path), "%s/%s.%s.in", folder, entry->name,
             tensor->name);
    transfer(path, tensors[i].data, count, 0);
  }
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = seed;
  uint32_t numSymbols = vae_model_table(model)->num_symbols;
  check(vae_session_prepare(session, entry->name, symbols, numSymbols),
        entry->name, vae_session_message(session));
  check(vae_session_run(session, entry->name, &options, tensors, inputs,
                        tensors + inputs, entry->num_outputs),
        entry->name, vae_session_message(session));
  for (uint32_t i = 0; i < all; ++i) {
    if (i >= inputs) {
      size_t count = 1;
      for (uint32_t axis = 0; axis < tensors[i].rank; ++axis)
        count *= (size_t)dims[i][axis];
      snprintf(path, sizeof(path), "%s/%s.%s.out", folder, entry->name,
               entry->outputs[i - inputs].name);
      transfer(path, tensors[i].data, count, 1);
    }
    free(tensors[i].data);
  }
}

static void runEntries(const vae_model_t *model, const int64_t *symbols,
                       const char *folder, uint64_t seed) {
  const vae_abi_model *table = vae_model_table(model);
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = 2;
  vae_session_t *session = NULL;
  check(vae_session_create(model, &options, &session), "session", "");
  for (uint32_t e = 0; e < table->num_entries; ++e)
    runEntry(model, session, &table->entries[e], symbols, folder, seed);
  vae_session_release(session);
}

int main(int argc, char **argv) {
  int64_t symbols[MAX_SYMBOLS];
  if (argc == 7 && !strcmp(argv[1], "noise")) {
    size_t count = (size_t)parse(argv[5]);
    float *noise = allocate(count * sizeof(float));
    check(vae_noise_normal(parse(argv[2]), parse(argv[3]), parse(argv[4]),
                           count, noise),
          "noise", "");
    transfer(argv[6], noise, count, 1);
    free(noise);
    return 0;
  }
  int run = argc >= 5 && !strcmp(argv[1], "run");
  if (!run && (argc < 3 || strcmp(argv[1], "list")))
    fail(USAGE, "usage",
         "list MODEL [SIZE...], run MODEL FOLDER SEED "
         "[SIZE...], noise SEED STREAM FIRST COUNT FILE");
  vae_model_t *model = load(argv[2]);
  int skip = run ? 5 : 3;
  readSymbols(model, argc - skip, argv + skip, symbols);
  if (run)
    runEntries(model, symbols, argv[3], parse(argv[4]));
  else
    listEntries(model, symbols);
  vae_model_release(model);
  return 0;
}
