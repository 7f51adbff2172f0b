/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * vae_runtime.h - loads a compiled model and runs it.
 *
 *   vae_model_t *model = NULL;
 *   vae_session_t *session = NULL;
 *   vae_model_load("vae.so", &model, NULL, 0);
 *   vae_session_create(model, NULL, &session);
 *   vae_session_prepare_batch(session, "encode", 1);
 *   vae_session_encode(session, x, 1, mu, logvar);
 *   vae_session_release(session);
 *   vae_model_release(model);
 *
 * A model library is code: loading one from a source you do not trust is like
 * running a program from there. vae_model_read_note() reads what a library says
 * of itself without executing anything.
 *
 * Conventions. Fallible functions return a vae_status_t and give results
 * through trailing out_* arguments, which are written on success only. Nothing
 * aborts, exits, prints or throws. NULL where an object is needed is
 * VAE_INVALID_ARGUMENT; releasing NULL does nothing. Data is dense and
 * row-major, batch first, in the layout that the model declares.
 */
#ifndef VAE_RUNTIME_H
#define VAE_RUNTIME_H

#include "vae/vae_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(VAE_RUNTIME_STATIC)
#define VAE_API
#else
#define VAE_API __attribute__((visibility("default")))
#endif

/* Outcome of a call; see vae_status.def for the meanings. Since 0.1. */
typedef enum vae_status_t {
#define VAE_STATUS(NAME, VALUE, TEXT) VAE_##NAME = (VALUE),
#include "vae/vae_status.def"
  VAE_STATUS_FORCE_32_BITS = 0x7fffffff
} vae_status_t;

/* Name of a code ("VAE_OK") and its meaning; "unknown" for other numbers.
 * Ownership: static text. Thread safety: any thread. Since 0.1. */
VAE_API const char *vae_status_name(vae_status_t status);
VAE_API const char *vae_status_text(vae_status_t status);

/* Version of the runtime, "0.1.0". Ownership: static text.
 * Thread safety: any thread. Since 0.1. */
VAE_API const char *vae_runtime_version(void);

/*===------------------------------------------------------------------------===
 * Models
 *===------------------------------------------------------------------------===*/

/* A loaded library. Immutable. */
typedef struct vae_model_t vae_model_t;

/* Loads a model library.
 *
 * path: a file; a name without '/' means the current folder, never a search
 *   path. out_model: the model. message, message_size: buffer for a detail text
 *   in case of failure (always terminated; may be NULL, 0).
 * Ownership: the caller releases the model with vae_model_release.
 * A library with code for several CPUs runs the best that this machine can.
 * Errors: VAE_NOT_FOUND, VAE_IO_ERROR; VAE_INVALID_MODEL (no ELF file for this
 *   machine, no note, no table, or a table that contradicts itself);
 *   VAE_UNSUPPORTED_ABI; VAE_UNSUPPORTED_CPU. The note is checked before any
 *   code of the library is mapped executable, so an unsuitable one is refused
 *   and never crashes. A path may be loaded again after its file was replaced
 *   (by a rename, as vaec does): both models live side by side.
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_load(const char *path, vae_model_t **out_model,
                                    char *message, size_t message_size);

/* Options of loading. Zero means the default everywhere, and is the only value
 * that reserved fields may have. Since 0.1. */
typedef struct vae_load_options_t {
  uint32_t struct_size; /* sizeof(vae_load_options_t) */
  uint32_t flags;       /* 0 */
  /* Of a library with several versions of its code (vae_abi_version), the name
   * of the one to run. NULL: the last whose CPU features this machine has. */
  const char *version;
  uint64_t reserved[6];
} vae_load_options_t;

#define VAE_LOAD_OPTIONS_INIT                                                  \
  {sizeof(vae_load_options_t), 0, NULL, {0, 0, 0, 0, 0, 0}}

/* vae_model_load with options; NULL for the defaults.
 *
 * Errors: those of vae_model_load; VAE_NOT_FOUND also if the library has no
 * such version, VAE_UNSUPPORTED_CPU if this machine cannot run it;
 *   VAE_INVALID_ARGUMENT (unknown size or flag, or a reserved field is not 0).
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_load_with(const char *path,
                                         const vae_load_options_t *options,
                                         vae_model_t **out_model, char *message,
                                         size_t message_size);

/* Which version of a library's code vae_model_load_with would run, without
 * loading it: from its note.
 *
 * out_version: its name; NULL if the library has one version only. Ownership:
 *   the caller frees it with vae_string_free.
 * Errors: as of vae_model_load_with, as far as the note tells.
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_choose_version(const char *path,
                                              const vae_load_options_t *options,
                                              char **out_version, char *message,
                                              size_t message_size);

/* Releases a model. Its sessions must have been released before; NULL is fine.
 * Thread safety: any thread, once. Since 0.1. */
VAE_API void vae_model_release(vae_model_t *model);

/* The library's table: names, entry points, tensors, symbols. NULL for NULL.
 * Ownership: the model's. Thread safety: any thread. Since 0.1. */
VAE_API const vae_abi_model *vae_model_table(const vae_model_t *model);

/* The name of the version of the code that runs, "x86-64-v4"; NULL if the
 * library has one only, and for NULL. The table is that version's, and lists
 * all. Ownership: the model's. Thread safety: any thread. Since 0.1. */
VAE_API const char *vae_model_version(const vae_model_t *model);

/* Finds an entry point by name.
 *
 * out_entry: the entry, owned by the model.
 * Errors: VAE_NOT_FOUND. Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_find_entry(const vae_model_t *model,
                                          const char *name,
                                          const vae_abi_entry **out_entry);

/* The shape of a tensor for given values of the model's symbols.
 *
 * symbols: one value per symbol of the model. out_dims: room for tensor->rank
 *   numbers.
 * Errors: VAE_INVALID_ARGUMENT: a value is below its minimum or no multiple, or
 *   a product overflows. Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_tensor_dims(const vae_model_t *model,
                                           const vae_abi_tensor *tensor,
                                           const int64_t *symbols,
                                           int64_t *out_dims);

/* Scaled latents: what models that work on latents, such as diffusion models,
 * take and give in place of the latent z of this one. With the numbers of the
 * table's latent_scaling, one for all channels or one for each,
 *
 *   vae_model_scale_latent:    scaled = (z - shift) * scale
 *   vae_model_unscale_latent:  z = scaled / scale + shift
 *
 * z being a LATENT or MU. A LOGVAR becomes that of the scaled latent: 2
 * ln(scale) is added, or subtracted again. The entry points know nothing of it:
 * encode gives z, decode takes z. Computed in f64, rounded once.
 *
 * tensor: a LATENT, MU or LOGVAR of an entry point. dims: tensor->rank sizes,
 *   the batch first. in, out: as many numbers as these say; may be the same.
 * Errors: VAE_NOT_FOUND: the model declares no scaling. VAE_INVALID_ARGUMENT: a
 *   tensor of another role or type, sizes with other channels, a NULL.
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_scale_latent(const vae_model_t *model,
                                            const vae_abi_tensor *tensor,
                                            const int64_t *dims,
                                            const float *in, float *out);
VAE_API vae_status_t vae_model_unscale_latent(const vae_model_t *model,
                                              const vae_abi_tensor *tensor,
                                              const int64_t *dims,
                                              const float *in, float *out);

/* How a run is done within a limit of memory. Sizes in bytes; arena, noise,
 * copies, scratch and outputs together are what it takes at most. Since 0.1. */
typedef struct vae_run_plan_t {
  uint32_t struct_size; /* sizeof(vae_run_plan_t) */
  uint32_t segments;    /* of the entry point, run one after the other */
  int64_t parts;        /* calls of the library's code; 1: the run is not cut */
  /* The segment that takes most memory, the entry point itself if there is one
   * only: the next two are its. Owned by the model. */
  const vae_abi_entry *largest;
  int64_t arena_bytes;
  /* The inputs and outputs of a part, and the whole tensors that the segment
   * has from the one before and gives to the next. */
  int64_t copy_bytes;
  int64_t noise_bytes;
  int64_t output_bytes;  /* the caller's */
  double flops;          /* of all parts together */
  int64_t scratch_bytes; /* of tasks that run at the same time */
  /* Set before: the threads of the session, 0: one per available CPU. */
  uint32_t threads;
  uint32_t reserved32;
  int64_t reserved[6];
} vae_run_plan_t;

#define VAE_RUN_PLAN_INIT                                                      \
  {sizeof(vae_run_plan_t), 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0,                 \
   {0, 0, 0, 0, 0, 0}}

/* Plans a run of an entry point as a session with that max_memory does.
 *
 * symbols: one value per symbol of the model ("batch" first). max_memory:
 *   bytes, 0: no limit. out_plan: its struct_size and threads are set before.
 * out_part: room for num_symbols values, those of the largest part of the
 * segment that takes most memory, or NULL. message, message_size: as in
 * vae_model_load. Errors: VAE_NOT_FOUND, VAE_INVALID_ARGUMENT;
 * VAE_OUT_OF_MEMORY (the limit is too low; the message gives the least that is
 * possible). Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_plan_run(
    const vae_model_t *model, const char *entry, const int64_t *symbols,
    uint32_t num_symbols, uint64_t max_memory, vae_run_plan_t *out_plan,
    int64_t *out_part, char *message, size_t message_size);

/* Reads a library's ELF note (JSON, docs/c-api.md) without loading it.
 *
 * out_json: terminated UTF-8 text. message, message_size: as in vae_model_load.
 * Ownership: the caller frees out_json with vae_string_free.
 * Errors: VAE_NOT_FOUND, VAE_IO_ERROR, VAE_INVALID_MODEL, VAE_OUT_OF_MEMORY.
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_model_read_note(const char *path, char **out_json,
                                         char *message, size_t message_size);
VAE_API void vae_string_free(char *text);

/*===------------------------------------------------------------------------===
 * Sessions
 *===------------------------------------------------------------------------===*/

/* What runs a model: memory and threads. Belongs to one thread at a time; many
 * sessions may share one model. */
typedef struct vae_session_t vae_session_t;

/* Runs task(arg, begin, end) over a partition of [0, count) and returns when
 * all parts are done; no part is smaller than grain items unless count is. */
typedef void (*vae_parallel_for_fn)(void *ctx, int64_t count, int64_t grain,
                                    vae_abi_task task, void *arg);
/* Memory of `size` bytes aligned to `alignment`, or NULL; and its end. */
typedef void *(*vae_allocate_fn)(void *ctx, size_t size, size_t alignment);
typedef void (*vae_deallocate_fn)(void *ctx, void *memory, size_t size,
                                  size_t alignment);
/* Called on the session's thread before each parallel step (about one a layer,
 * and one for noise); done counts the steps of this run that are done. A result
 * other than 0 ends the run with VAE_CANCELLED, its outputs undefined. */
typedef int (*vae_progress_fn)(void *ctx, uint64_t done);

enum { VAE_DEVICE_CPU = 0 };

/* Options of a session. Zero means the default everywhere, and is the only
 * value that reserved fields may have. Since 0.1. */
typedef struct vae_session_options_t {
  uint32_t struct_size; /* sizeof(vae_session_options_t) */
  uint32_t threads;     /* including the caller's; 0: one per available CPU */
  int32_t device;       /* VAE_DEVICE_CPU */
  uint32_t flags;       /* 0 */
  /* The caller's own pool, instead of `threads` threads of ours. There is
   * scratch for `threads` of its tasks; more wait for each other. */
  vae_parallel_for_fn parallel_for;
  void *parallel_ctx;
  vae_allocate_fn allocate; /* both or neither; NULL: the C library's */
  vae_deallocate_fn deallocate;
  void *allocator_ctx;
  vae_progress_fn progress; /* may be NULL */
  void *progress_ctx;
  /* Bytes that a run may take: arena, noise and outputs; 0: as many as it
   * takes. More is avoided by running in parts, one after the other, which
   * gives the same bits (docs/c-api.md). */
  uint64_t max_memory;
  uint64_t reserved[7];
} vae_session_options_t;

#define VAE_SESSION_OPTIONS_INIT                                               \
  {sizeof(vae_session_options_t),                                              \
   0,                                                                          \
   VAE_DEVICE_CPU,                                                             \
   0,                                                                          \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   0,                                                                          \
   {0, 0, 0, 0, 0, 0, 0}}

/* Makes a session.
 *
 * options: NULL for the defaults; copied. Ownership: the caller releases the
 *   session with vae_session_release, before the model.
 * Errors: VAE_INVALID_ARGUMENT (unknown size, flag or device; a reserved field
 *   that is not 0; half an allocator; over 1024 threads), VAE_OUT_OF_MEMORY
 *   (memory or threads).
 * Thread safety: any thread; the session belongs to one at a time. A session
 *   does not survive fork() in the child: its threads stay with the parent.
 *   Since 0.1. */
VAE_API vae_status_t vae_session_create(const vae_model_t *model,
                                        const vae_session_options_t *options,
                                        vae_session_t **out_session);
VAE_API void vae_session_release(vae_session_t *session);

/* Detail of the session's last failure, "" if there was none.
 * Ownership: the session's, until its next call. Thread safety: the session's
 * thread. Since 0.1. */
VAE_API const char *vae_session_message(const vae_session_t *session);

/* The first layer of the session's last run that had finite numbers beyond what
 * its storage holds, and stored the largest instead (+-65504 of f16); NULL if
 * there was none. Only libraries with f16 storage have such layers.
 * Ownership: the model's. Thread safety: the session's thread. Since 0.1. */
VAE_API const char *vae_session_clamped(const vae_session_t *session);

/* Number of threads the session uses, the caller's included; 0 with the
 * caller's own pool. Thread safety: the session's thread. Since 0.1. */
VAE_API uint32_t vae_session_threads(const vae_session_t *session);

/* Reserves the memory that an entry point needs for some sizes, and for all
 * smaller ones; memory already reserved is kept. This is the only call that
 * allocates. NOISE inputs that the session generates are included.
 *
 * With max_memory, what was reserved for another entry point or other sizes is
 * given back if both together and the outputs would be more: call it again
 * before those are run.
 *
 * symbols: one value per symbol of the model ("batch" first).
 * Errors: VAE_NOT_FOUND, VAE_INVALID_ARGUMENT, VAE_OUT_OF_MEMORY (there is no
 *   memory, or max_memory is too low; the message gives the least that is
 *   possible).
 * Thread safety: the session's thread. Since 0.1. */
VAE_API vae_status_t vae_session_prepare(vae_session_t *session,
                                         const char *entry,
                                         const int64_t *symbols,
                                         uint32_t num_symbols);
/* The same for a model whose only symbol is the batch. */
VAE_API vae_status_t vae_session_prepare_batch(vae_session_t *session,
                                               const char *entry,
                                               int64_t batch);

/* Bytes that the session holds for arena, noise and parts.
 * Thread safety: the session's thread. Since 0.1. */
VAE_API int64_t vae_session_memory(const vae_session_t *session);

/* A caller's tensor. The caller owns data and dims. */
typedef struct vae_tensor_t {
  void *data;    /* NULL for a NOISE input: generated from the seed */
  int32_t dtype; /* VAE_DTYPE_* */
  uint32_t rank;
  /* rank sizes, the batch first. NULL is allowed for generated noise if the
   * other inputs tell all sizes. */
  const int64_t *dims;
} vae_tensor_t;

/* Options of one run. Zero means the default everywhere, and is the only value
 * that reserved fields may have. Since 0.1. */
typedef struct vae_run_options_t {
  uint32_t struct_size; /* sizeof(vae_run_options_t) */
  uint32_t flags;       /* 0 */
  uint64_t seed;        /* of generated noise */
  /* Which draw of the noise: draw k of a seed is independent of draw j. */
  uint64_t stream;
  /* Index of this batch's first example in a larger batch that was split: its
   * noise is that of examples first_example, first_example + 1, .. */
  uint64_t first_example;
  uint64_t reserved[8];
} vae_run_options_t;

#define VAE_RUN_OPTIONS_INIT                                                   \
  {sizeof(vae_run_options_t), 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}}

/* Runs an entry point. Sizes follow from the dims of the inputs; every tensor
 * is checked against them. Values are not (a NaN stays one).
 *
 * Generated noise is vae_noise_normal of the seed and stream. Where an example
 * takes n numbers, those of example e of the batch are elements (first_example
 * + e) * n .. (first_example + e) * n + n - 1, modulo 2^64, whatever the batch.
 * An entry with several NOISE inputs divides them among these in their order.
 *
 * entry: "encode", "decode", "reconstruct", ... options: may be NULL. inputs,
 *   outputs: in the order of the entry's tensors, data aligned to its element
 *   type. Outputs must not overlap inputs or each other.
 * Ownership: the caller's; nothing is kept. Nothing is allocated.
 * Errors: VAE_NOT_FOUND, VAE_INVALID_ARGUMENT (the message names tensor,
 *   expected and found shape), VAE_NOT_PREPARED, VAE_CANCELLED, VAE_INTERNAL.
 *   Outputs are untouched unless the status is one of the last two.
 * Thread safety: the session's thread. Since 0.1. */
VAE_API vae_status_t vae_session_run(vae_session_t *session, const char *entry,
                                     const vae_run_options_t *options,
                                     const vae_tensor_t *inputs,
                                     uint32_t num_inputs,
                                     const vae_tensor_t *outputs,
                                     uint32_t num_outputs);

/* Short forms for f32 models whose only symbol is the batch and that take no
 * conditions and give no layers; others: vae_session_run. Pointers are to batch
 * * (elements per example) floats; none may be NULL, except for what the model
 * does not have: a deterministic autoencoder has no logvar, KL and ELBO, and
 * there NULL is the only value. Errors and thread safety as vae_session_run.
 * Since 0.1.
 *
 * encode:             x -> mu, logvar (deterministic autoencoders: mu is the
 *                     code)
 * encode_sample:      x -> mu, logvar, z = mu + exp(logvar / 2) * noise
 * decode:             z -> y, the decoder's own output (logits stay logits)
 * reconstruct:        x -> y, the mean of p(x|z) at z = mu
 * reconstruct_sample: the same at a sampled z
 * sample:             y, the mean of p(x|z) at z ~ p(z), for n examples
 * score:              x -> log-likelihood, KL, ELBO, nats per example */
VAE_API vae_status_t vae_session_encode(vae_session_t *session, const float *x,
                                        int64_t batch, float *mu,
                                        float *logvar);
VAE_API vae_status_t vae_session_encode_sample(vae_session_t *session,
                                               const float *x, int64_t batch,
                                               uint64_t seed, float *mu,
                                               float *logvar, float *z);
VAE_API vae_status_t vae_session_decode(vae_session_t *session, const float *z,
                                        int64_t batch, float *y);
VAE_API vae_status_t vae_session_reconstruct(vae_session_t *session,
                                             const float *x, int64_t batch,
                                             float *y);
VAE_API vae_status_t vae_session_reconstruct_sample(vae_session_t *session,
                                                    const float *x,
                                                    int64_t batch,
                                                    uint64_t seed, float *y);
VAE_API vae_status_t vae_session_sample(vae_session_t *session, int64_t n,
                                        uint64_t seed, float *y);
VAE_API vae_status_t vae_session_score(vae_session_t *session, const float *x,
                                       int64_t batch, uint64_t seed,
                                       float *log_likelihood, float *kl,
                                       float *elbo);

/*===------------------------------------------------------------------------===
 * Random numbers
 *===------------------------------------------------------------------------===*/

/* Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011): 128 random bits of a counter and a key. Does nothing
 * if a pointer is NULL. Thread safety: any thread. Since 0.1. */
VAE_API void vae_philox4x32_10(const uint32_t counter[4], const uint32_t key[2],
                               uint32_t out[4]);

/* Standard normal numbers of elements first .. first + count - 1.
 *
 * Element i has counter (i mod 2^32, i div 2^32, stream mod 2^32, stream div
 * 2^32) and key (seed mod 2^32, seed div 2^32), and is the Box-Muller
 * transform sqrt(-2 ln u) * cos(2 pi v) (Box and Muller 1958) of u = (w + 1) /
 * 2^64 and v = w' / 2^64, w and w' being the first and last two words of the
 * block, the lower word first. It is computed in IEEE f64 with our own ln and
 * cos and rounded to f32 once: the same bits on every machine.
 *
 * Errors: VAE_INVALID_ARGUMENT (out is NULL and count is not 0).
 * Thread safety: any thread. Since 0.1. */
VAE_API vae_status_t vae_noise_normal(uint64_t seed, uint64_t stream,
                                      uint64_t first, uint64_t count,
                                      float *out);

#ifdef __cplusplus
}
#endif
#endif /* VAE_RUNTIME_H */
