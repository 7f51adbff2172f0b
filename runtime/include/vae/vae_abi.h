/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * vae_abi.h - the contract between a compiled model library and whoever loads
 * it. Needs stdint.h and stddef.h only. Most programs want vae_runtime.h, which
 * checks everything this header leaves to the caller.
 *
 * A model library exports one symbol, vae_model_query. Everything reachable
 * from the table it returns is constant and lives as long as the library is
 * loaded. Structs only ever grow at their end: `struct_size` says how much of a
 * struct the producer knew, and reserved fields are zero.
 */
#ifndef VAE_ABI_H
#define VAE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this contract. A loader refuses a table with a newer one. */
#define VAE_ABI_VERSION 1u

/* Name of the one exported symbol. */
#define VAE_MODEL_QUERY_SYMBOL "vae_model_query"

/* Alignment of the arena, in bytes. Inputs and outputs need only the alignment
 * of their element type. */
#define VAE_ARENA_ALIGNMENT 64

/* ELF note that describes the model without executing it: section
 * `.note.vae`, owner "vae", type 1, descriptor = UTF-8 JSON (docs/c-api.md). */
#define VAE_NOTE_OWNER "vae"
#define VAE_NOTE_TYPE 1u

/* Element types. */
enum {
  VAE_DTYPE_F32 = 1,
  VAE_DTYPE_F16 = 2,
  VAE_DTYPE_BF16 = 3,
  VAE_DTYPE_I8 = 4,
  VAE_DTYPE_U8 = 5,
  VAE_DTYPE_I32 = 6,
  VAE_DTYPE_I64 = 7
};

/* What a tensor of an entry point means. */
enum {
  VAE_ROLE_INPUT = 0,          /* the data, x */
  VAE_ROLE_CONDITION = 1,      /* a further input, for example a label */
  VAE_ROLE_NOISE = 2,          /* standard normal noise, shape of mu */
  VAE_ROLE_LATENT = 3,         /* a latent z (sampled, or a plain code) */
  VAE_ROLE_MU = 4,             /* mean of q(z|x) */
  VAE_ROLE_LOGVAR = 5,         /* log-variance of q(z|x) */
  VAE_ROLE_OUTPUT = 6,         /* the decoder's own output (logits stay so) */
  VAE_ROLE_OUTPUT_LOGVAR = 7,  /* learned log-variance of p(x|z) */
  VAE_ROLE_MEAN = 8,           /* mean of p(x|z) */
  VAE_ROLE_LOG_LIKELIHOOD = 9, /* log p(x|z), nats, one value per example */
  VAE_ROLE_KL = 10,            /* KL(q(z|x) || p(z)), nats, one per example */
  VAE_ROLE_ELBO = 11,          /* log-likelihood minus KL, nats */
  VAE_ROLE_LAYER = 12          /* what a layer gives */
};

/* A run-time dimension shared by the tensors of a model: "batch", "height", ...
 * A value v is valid when v >= minimum and v % multiple == remainder. Symbol 0
 * is always the batch, whose remainder is 0. */
typedef struct vae_abi_symbol {
  const char *name;
  int64_t minimum;
  int64_t multiple;
  int64_t remainder;
  int64_t flags; /* VAE_SYMBOL_... */
} vae_abi_symbol;

/* Of the batch: its examples are not independent, they are the frames of one
 * clip. What is computed of a part of them is not the part of what is computed
 * of all. */
#define VAE_SYMBOL_WHOLE 1

/* One dimension of a tensor. symbol < 0: fixed, its size is `offset`.
 * Otherwise its size is scale * (v / multiple) + offset, where v is the value
 * and `multiple` the multiple of that symbol. */
typedef struct vae_abi_dim {
  int32_t symbol;
  int32_t reserved;
  int64_t scale;
  int64_t offset;
} vae_abi_dim;

/* An input or output. Data is dense and row-major, batch first. */
typedef struct vae_abi_tensor {
  const char *name;
  int32_t role;  /* VAE_ROLE_* */
  int32_t dtype; /* VAE_DTYPE_* */
  uint32_t rank;
  uint32_t has_range; /* 1: values lie in [range_min, range_max] */
  const vae_abi_dim *dims;
  const char *layout; /* "NCHW", "NHWC", "NC", ...: one letter a dimension */
  float range_min;
  float range_max;
  float scale; /* quantized types: real = scale * (q - zero_point) */
  int32_t zero_point;
  int64_t reserved[4];
} vae_abi_tensor;

/* Half-open range [begin, end) of a parallel loop. */
typedef void (*vae_abi_task)(void *arg, int64_t begin, int64_t end);

/* Everything one call of an entry point needs. The library allocates nothing,
 * keeps nothing and writes only to `outputs` and `arena`. */
typedef struct vae_abi_call {
  uint32_t struct_size;
  uint32_t flags;            /* zero */
  const void *const *inputs; /* in the order of the entry's tensors */
  void *const *outputs;
  const int64_t *symbols; /* one value per symbol of the model */
  void *arena;            /* arena_size() bytes, 64-byte aligned */
  /* Runs task(arg, b, e) over a partition of [0, count), on any threads, and
   * returns when all are done. No part is smaller than `grain` items unless
   * count is. Must not be NULL. */
  void (*parallel_for)(void *ctx, int64_t count, int64_t grain,
                       vae_abi_task task, void *arg);
  void *parallel_ctx;
  /* Memory of a task while it runs: scratch_size bytes of the entry, 64-byte
   * aligned, its content undefined; never NULL. Called from within tasks with
   * parallel_ctx; a task gives it back before it ends. */
  void *(*take_scratch)(void *ctx);
  void (*give_scratch)(void *ctx, void *scratch);
  /* Where the name of a layer goes, of the first one that had finite numbers
   * beyond what its storage holds, and stored the largest instead; the library
   * owns it. What is there already stays. NULL: nobody asks. */
  const char **clamped;
} vae_abi_call;

/* A step of an entry point: one parallel loop of its run. */
typedef struct vae_abi_step {
  const char *layer;  /* the layer it computes, "" if there is none */
  const char *kernel; /* its code: what it computes, and for which sizes */
  /* The time that the producer predicts, in thousandths of the time that its
   * operations take at the peak of a core; 0: none. */
  int64_t predicted;
  int64_t reserved;
} vae_abi_step;

/* What parts of an image must be for a run of them to give the elements that a
 * run of the whole gives, bit for bit. A part is a range [begin, end) of values
 * of a symbol: begin and end are multiples of `multiple`, except for the end of
 * the whole, and end - begin is a value that the symbol may have. Along its
 * symbol an input's part is its elements from scale * (begin / m) on, m being
 * the symbol's multiple, as many as the size end - begin gives. Right are the
 * elements of an output from scale * ((begin + before) / m) to
 * scale * ((end - after) / m); those at an end of the whole are right, too. */
typedef struct vae_abi_halo {
  int64_t before; /* multiples of `multiple` */
  int64_t after;
  int64_t multiple; /* 0: the symbol has one value for all parts */
  int64_t reserved;
} vae_abi_halo;

/* Whether an entry point can be run in parts of images, or of the batch.
 *
 * Overlap grows with what is run in one go. So an entry point may have points
 * at which one tensor is all that the rest needs: num_points, its begin and its
 * end among them. The segment from point i to a later point j is an entry point
 * of its own. It has the inputs of the whole from point 0 on, and gives the
 * outputs of the whole at the last point; otherwise it has one input, one
 * output, that tensor: the output of each segment that ends at a point has the
 * shape of the input of each that begins there. Segments have halos and no
 * segments. */
struct vae_abi_entry;
typedef struct vae_abi_tiling {
  const vae_abi_halo *halos; /* one per symbol of the model; NULL: it cannot */
  /* If it cannot, what depends on the whole of an image: a layer, and what that
   * computes ("group_norm"). NULL if it can. */
  const char *layer;
  const char *operation;
  /* From point 0 to 1, 2, .., then from 1 to 2, ..; the whole among them. NULL
   * if num_points is 0. */
  const struct vae_abi_entry *segments;
  uint32_t num_points; /* 0, or at least 3 */
  uint32_t reserved32;
} vae_abi_tiling;

/* An entry point. `run` returns 0; 1: the call's struct_size is too small, its
 * caller older than the library; other values are reserved. */
typedef struct vae_abi_entry {
  const char *name; /* "encode", "decode", "reconstruct", ... */
  uint32_t num_inputs;
  uint32_t num_outputs;
  const vae_abi_tensor *inputs;
  const vae_abi_tensor *outputs;
  int64_t (*arena_size)(const int64_t *symbols); /* bytes */
  int64_t (*flops)(const int64_t *symbols); /* multiply and add count as two */
  int32_t (*run)(const vae_abi_call *call);
  /* The calls of parallel_for in a run, in their order. 0: the producer did not
   * say, and `steps` and `step_costs` are NULL. */
  uint32_t num_steps;
  uint32_t scratch_size; /* bytes of what take_scratch gives */
  const vae_abi_step *steps;
  /* Writes num_steps numbers to each array: the floating-point operations of a
   * step (as `flops`, whose sum they are), and the bytes that it reads and
   * writes, each element of a buffer counted once. */
  void (*step_costs)(const int64_t *symbols, int64_t *flops, int64_t *bytes);
  /* NULL: all sizes are fixed but for the batch, or the producer did not say.
   */
  const vae_abi_tiling *tiling;
} vae_abi_entry;

/* How models that work on latents, such as diffusion models, take the latent z
 * of this one: scaled = (z - shift) * scale. */
typedef struct vae_abi_scaling {
  uint32_t count; /* 1: the same for all channels; else one number for each */
  uint32_t reserved32;
  const double *scale; /* count numbers above 0 */
  const double *shift; /* count numbers */
  int64_t reserved[2];
} vae_abi_scaling;

/* A library may hold its code several times, for CPUs with more and more
 * features; all versions have the same entry points and weights. The table that
 * vae_model_query returns is that of the least demanding one, so that a loader
 * may leave it at that. */
struct vae_abi_model;
typedef struct vae_abi_version {
  const char *name; /* an LLVM CPU, "x86-64-v4"; no other version has it */
  /* The table of a library with this version only, but for `versions`, which
   * all tables share; its `cpu_features` say what the version needs. */
  const struct vae_abi_model *table;
  int64_t reserved[2];
} vae_abi_version;

/* The table. */
typedef struct vae_abi_model {
  uint32_t abi_version; /* VAE_ABI_VERSION of the producer */
  uint32_t struct_size; /* sizeof(vae_abi_model) of the producer */
  const char *name;
  const char *compiler_version;
  const char *target_triple;
  /* Comma-separated LLVM feature names that the code needs ("avx2,fma,..."). */
  const char *cpu_features;
  const char *quantization; /* of layers: "f32", "bf16", "bfp16", "int8" */
  const char *likelihood;   /* "bernoulli", "gaussian", ...; "" if none */
  const char *prior;        /* "standard_normal", ...; "" if none */
  uint32_t num_symbols;
  uint32_t num_entries;
  const vae_abi_symbol *symbols;
  const vae_abi_entry *entries;
  const void *weights; /* embedded weights */
  int64_t weights_size;
  int64_t num_parameters;
  const vae_abi_scaling *latent_scaling; /* NULL: the model declares none */
  /* From the least demanding version, whose table this is: the last whose
   * features a CPU has is the best for it. NULL: there is only this one. */
  const vae_abi_version *versions;
  uint32_t num_versions; /* 0, or at least 2 */
  uint32_t reserved32;
  /* What lies in memory as f16: "f32", nothing; "f16-weights"; "f16", weights
   * and what passes between layers. NULL: the producer did not say. */
  const char *storage;
  int64_t reserved[4];
} vae_abi_model;

/* The exported function. Returns NULL when the library cannot speak a version
 * up to max_abi_version. Thread safety: safe from any thread. */
typedef const vae_abi_model *(*vae_model_query_fn)(uint32_t max_abi_version);

#if defined(__cplusplus)
#define VAE_ABI_ASSERT(e) static_assert(e, #e)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define VAE_ABI_ASSERT(e) _Static_assert(e, #e)
#else
#define VAE_ABI_ASSERT(e) extern int vae_abi_assert_unused
#endif
#if UINTPTR_MAX == 0xffffffffffffffffu
VAE_ABI_ASSERT(sizeof(vae_abi_symbol) == 40);
VAE_ABI_ASSERT(sizeof(vae_abi_dim) == 24);
VAE_ABI_ASSERT(sizeof(vae_abi_tensor) == 88);
VAE_ABI_ASSERT(sizeof(vae_abi_call) == 80);
VAE_ABI_ASSERT(sizeof(vae_abi_step) == 32);
VAE_ABI_ASSERT(sizeof(vae_abi_halo) == 32);
VAE_ABI_ASSERT(sizeof(vae_abi_tiling) == 40);
VAE_ABI_ASSERT(sizeof(vae_abi_entry) == 88);
VAE_ABI_ASSERT(sizeof(vae_abi_scaling) == 40);
VAE_ABI_ASSERT(sizeof(vae_abi_version) == 32);
VAE_ABI_ASSERT(sizeof(vae_abi_model) == 176);
#endif

#ifdef __cplusplus
}
#endif
#endif /* VAE_ABI_H */
