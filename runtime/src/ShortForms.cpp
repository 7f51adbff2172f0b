// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The short forms: tensors by their role, sizes from the batch.
#include "runtime/src/Run.h"
#include "runtime/src/Table.h"

#include <cstring>

using namespace vae::runtime;

static constexpr uint32_t kMaxSlots = 4;

namespace {

/// A pointer of the caller for the tensor of one role.
struct Slot {
  int32_t role;
  const char *name;
  const float *data;
};

/// The tensors of one call.
struct Tensors {
  vae_tensor_t tensors[kMaxSlots];
  int64_t dims[kMaxSlots][kMaxRank];
};

class ShortForm {
public:
  ShortForm(vae_session_t &session, const vae_abi_entry &entry, int64_t batch)
      : session(session), entry(entry), batch(batch),
        message(session.newMessage()) {}

  vae_status_t run(const Slot *inputs, uint32_t numInputs, const Slot *outputs,
                   uint32_t numOutputs, const vae_run_options_t *options);

private:
  vae_status_t bind(const char *kind, const vae_abi_tensor *tensors,
                    uint32_t count, const Slot *slots, uint32_t numSlots,
                    Tensors &bound);
  vae_status_t unfit(const char *why) {
    message.add("entry '%s' %s; call vae_session_run", entry.name, why);
    return VAE_INVALID_ARGUMENT;
  }

  vae_session_t &session;
  const vae_abi_entry &entry;
  int64_t batch;
  Text message;
};

} // namespace

vae_status_t ShortForm::bind(const char *kind, const vae_abi_tensor *tensors,
                             uint32_t count, const Slot *slots,
                             uint32_t numSlots, Tensors &bound) {
  if (count > kMaxSlots)
    return unfit("has tensors that the short form does not know");
  bool used[kMaxSlots] = {};
  for (uint32_t i = 0; i < count; ++i) {
    const vae_abi_tensor &tensor = tensors[i];
    uint32_t s = 0;
    while (s < numSlots && (used[s] || slots[s].role != tensor.role))
      ++s;
    if (s == numSlots)
      return unfit("has tensors that the short form does not know");
    used[s] = true;
    if (tensor.dtype != VAE_DTYPE_F32)
      return unfit("has tensors of another type than f32");
    for (uint32_t d = 0; d < tensor.rank; ++d)
      bound.dims[i][d] = getDim(session.table, tensor.dims[d], &batch);
    bound.tensors[i] = {const_cast<float *>(slots[s].data), VAE_DTYPE_F32,
                        tensor.rank, bound.dims[i]};
  }
  for (uint32_t s = 0; s < numSlots; ++s)
    if (!used[s] && slots[s].data) {
      message.add("entry '%s' has no %s '%s': expected NULL", entry.name, kind,
                  slots[s].name);
      return VAE_INVALID_ARGUMENT;
    }
  return VAE_OK;
}

vae_status_t ShortForm::run(const Slot *inputs, uint32_t numInputs,
                            const Slot *outputs, uint32_t numOutputs,
                            const vae_run_options_t *options) {
  if (session.table.num_symbols != 1)
    return unfit("has more dynamic dimensions than the batch");
  if (vae_status_t status = checkSymbols(session.table, &batch, message))
    return status;
  if (vae_status_t status = checkSizes(session.table, entry, &batch, message))
    return status;
  Tensors in, out;
  if (vae_status_t status =
          bind("input", entry.inputs, entry.num_inputs, inputs, numInputs, in))
    return status;
  if (vae_status_t status = bind("output", entry.outputs, entry.num_outputs,
                                 outputs, numOutputs, out))
    return status;
  return vae_session_run(&session, entry.name, options, in.tensors,
                         entry.num_inputs, out.tensors, entry.num_outputs);
}

template <uint32_t NumInputs, uint32_t NumOutputs>
static vae_status_t run(vae_session_t *session, const char *name, int64_t batch,
                        uint64_t seed, const Slot (&inputs)[NumInputs],
                        const Slot (&outputs)[NumOutputs]) {
  static_assert(NumInputs <= kMaxSlots && NumOutputs <= kMaxSlots);
  if (!session)
    return VAE_INVALID_ARGUMENT;
  Text message = session->newMessage();
  const vae_abi_entry *entry = nullptr;
  if (vae_status_t status = getEntry(session->table, name, entry, message))
    return status;
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = seed;
  return ShortForm(*session, *entry, batch)
      .run(inputs, NumInputs, outputs, NumOutputs, &options);
}

/// Slots that name a tensor without data: noise is generated.
static constexpr Slot kNoise = {VAE_ROLE_NOISE, "noise", nullptr};

static Slot input(const float *x) { return {VAE_ROLE_INPUT, "x", x}; }

/// Whether an encoder gives a plain code and no distribution.
static bool hasPlainCode(const vae_session_t *session, const char *name) {
  const vae_abi_entry *entry =
      session ? findEntry(session->table, name) : nullptr;
  for (uint32_t i = 0; entry && i < entry->num_outputs; ++i)
    if (entry->outputs[i].role == VAE_ROLE_MU)
      return false;
  return entry != nullptr;
}

vae_status_t vae_session_encode(vae_session_t *session, const float *x,
                                int64_t batch, float *mu, float *logvar) {
  int32_t role =
      hasPlainCode(session, "encode") ? VAE_ROLE_LATENT : VAE_ROLE_MU;
  return run(session, "encode", batch, 0, {input(x)},
             {{role, "mu", mu}, {VAE_ROLE_LOGVAR, "logvar", logvar}});
}

vae_status_t vae_session_encode_sample(vae_session_t *session, const float *x,
                                       int64_t batch, uint64_t seed, float *mu,
                                       float *logvar, float *z) {
  return run(session, "encode_sample", batch, seed, {input(x), kNoise},
             {{VAE_ROLE_MU, "mu", mu},
              {VAE_ROLE_LOGVAR, "logvar", logvar},
              {VAE_ROLE_LATENT, "z", z}});
}

vae_status_t vae_session_decode(vae_session_t *session, const float *z,
                                int64_t batch, float *y) {
  return run(session, "decode", batch, 0, {{VAE_ROLE_LATENT, "z", z}},
             {{VAE_ROLE_OUTPUT, "y", y}});
}

vae_status_t vae_session_reconstruct(vae_session_t *session, const float *x,
                                     int64_t batch, float *y) {
  return run(session, "reconstruct", batch, 0, {input(x)},
             {{VAE_ROLE_MEAN, "y", y}});
}

vae_status_t vae_session_reconstruct_sample(vae_session_t *session,
                                            const float *x, int64_t batch,
                                            uint64_t seed, float *y) {
  return run(session, "reconstruct_sample", batch, seed, {input(x), kNoise},
             {{VAE_ROLE_MEAN, "y", y}});
}

vae_status_t vae_session_sample(vae_session_t *session, int64_t n,
                                uint64_t seed, float *y) {
  return run(session, "sample", n, seed, {kNoise}, {{VAE_ROLE_MEAN, "y", y}});
}

vae_status_t vae_session_score(vae_session_t *session, const float *x,
                               int64_t batch, uint64_t seed,
                               float *log_likelihood, float *kl, float *elbo) {
  return run(session, "score", batch, seed, {input(x), kNoise},
             {{VAE_ROLE_LOG_LIKELIHOOD, "log_likelihood", log_likelihood},
              {VAE_ROLE_KL, "kl", kl},
              {VAE_ROLE_ELBO, "elbo", elbo}});
}
