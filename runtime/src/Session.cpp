// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Making, preparing and releasing sessions.
#include "runtime/src/Session.h"

#include "runtime/src/Model.h"
#include "runtime/src/Options.h"
#include "runtime/src/Run.h"
#include "runtime/src/Table.h"

#include <algorithm>

using namespace vae::runtime;

vae_session_t::vae_session_t(const vae_abi_model &table,
                             const vae_session_options_t &options)
    : table(table), options(options),
      allocator{options.allocate, options.deallocate, options.allocator_ctx} {}

void vae_session_t::parallelFor(int64_t count, int64_t grain, vae_abi_task task,
                                void *arg) {
  if (inStep) { // from within a task
    if (count > 0)
      task(arg, 0, count);
    return;
  }
  if (cancelled)
    return;
  if (options.progress && options.progress(options.progress_ctx, steps)) {
    cancelled = true;
    return;
  }
  ++steps;
  if (count <= 0)
    return;
  inStep = true;
  if (pool)
    pool->parallelFor(count, grain, task, arg);
  else
    options.parallel_for(options.parallel_ctx, count, grain, task, arg);
  inStep = false;
}

void vae_session_t::setPlan(const vae_abi_entry &entry, const int64_t *symbols,
                            const RunPlan &plan) {
  this->plan = plan;
  planned = &entry;
  std::copy(symbols, symbols + table.num_symbols, plannedSymbols);
}

bool vae_session_t::isPlanned(const vae_abi_entry &entry,
                              const int64_t *symbols,
                              const Limits &limits) const {
  return planned == &entry && plan.fits(limits) &&
         std::equal(symbols, symbols + table.num_symbols, plannedSymbols);
}

static bool isUsable(const vae_session_options_t &options) {
  return options.threads <= kMaxThreads && options.device == VAE_DEVICE_CPU &&
         options.flags == 0 && !options.allocate == !options.deallocate;
}

/// Memory for the pointers of any run.
static bool makeScratch(vae_session_t &session) {
  size_t inputs = 0, outputs = 0;
  const vae_abi_model &table = session.table;
  for (uint32_t i = 0; i < table.num_entries; ++i) {
    inputs = std::max<size_t>(inputs, table.entries[i].num_inputs);
    outputs = std::max<size_t>(outputs, table.entries[i].num_outputs);
  }
  size_t size = 3 * (inputs + outputs) * sizeof(void *) +
                (inputs + outputs) * sizeof(Extent) +
                2 * table.num_symbols * sizeof(int64_t);
  session.scratch = session.allocator.allocate(size, alignof(int64_t));
  if (!session.scratch)
    return false;
  session.scratchSize = size;
  auto **pointers = static_cast<void **>(session.scratch);
  auto take = [&](size_t count) {
    void **taken = pointers;
    pointers += count;
    return taken;
  };
  session.inputs = const_cast<const void **>(take(inputs));
  session.segmentInputs = const_cast<const void **>(take(inputs));
  session.partInputs = const_cast<const void **>(take(inputs));
  session.outputs = take(outputs);
  session.segmentOutputs = take(outputs);
  session.partOutputs = take(outputs);
  session.extents = reinterpret_cast<Extent *>(pointers);
  session.symbols =
      reinterpret_cast<int64_t *>(session.extents + inputs + outputs);
  session.plannedSymbols = session.symbols + table.num_symbols;
  return true;
}

vae_status_t vae_session_create(const vae_model_t *model,
                                const vae_session_options_t *options,
                                vae_session_t **out_session) {
  if (!model || !out_session)
    return VAE_INVALID_ARGUMENT;
  vae_session_options_t wanted;
  if (!readOptions(options, wanted) || !isUsable(wanted))
    return VAE_INVALID_ARGUMENT;
  Allocator allocator = {wanted.allocate, wanted.deallocate,
                         wanted.allocator_ctx};
  auto *session = allocator.make<vae_session_t>(*model->table, wanted);
  if (!session)
    return VAE_OUT_OF_MEMORY;
  bool complete = makeScratch(*session);
  if (complete && !wanted.parallel_for) {
    session->pool =
        ThreadPool::create(getNumThreads(wanted.threads), allocator);
    complete = session->pool != nullptr;
  }
  if (!complete) {
    vae_session_release(session);
    return VAE_OUT_OF_MEMORY;
  }
  *out_session = session;
  return VAE_OK;
}

void vae_session_release(vae_session_t *session) {
  if (!session)
    return;
  ThreadPool::destroy(session->pool);
  session->block.release(session->allocator);
  session->noise.release(session->allocator);
  session->allocator.deallocate(session->scratch, session->scratchSize,
                                alignof(int64_t));
  Allocator allocator = session->allocator;
  allocator.destroy(session);
}

const char *vae_session_message(const vae_session_t *session) {
  return session ? session->message : "";
}

const char *vae_session_clamped(const vae_session_t *session) {
  return session ? session->clamped : nullptr;
}

uint32_t vae_session_threads(const vae_session_t *session) {
  return session && session->pool ? session->pool->getNumThreads() : 0;
}

int64_t vae_session_memory(const vae_session_t *session) {
  return session ? session->block.getSize() + session->noise.getSize() : 0;
}

static vae_status_t prepare(vae_session_t &session, const vae_abi_entry &entry,
                            const int64_t *symbols, Text &message) {
  if (vae_status_t status = checkSymbols(session.table, symbols, message))
    return status;
  if (vae_status_t status = checkSizes(session.table, entry, symbols, message))
    return status;
  RunPlan plan;
  Limits limits = session.getLimits();
  if (vae_status_t status =
          planRun(session.table, entry, symbols, limits, plan, message))
    return status;
  Buffer *buffers[] = {&session.block, &session.noise};
  const int64_t sizes[] = {plan.getBlock(), plan.noise};
  if (session.options.max_memory) {
    // What is reserved stays, but not over the limit, not even for a moment.
    int64_t total = plan.outputs;
    for (int b : {0, 1})
      if (__builtin_add_overflow(
              total, std::max(buffers[b]->getSize(), sizes[b]), &total))
        total = INT64_MAX;
    for (int b : {0, 1})
      if (total > limits.total || buffers[b]->getSize() < sizes[b])
        buffers[b]->release(session.allocator);
  }
  if (session.block.reserve(session.allocator, sizes[0]) &&
      session.noise.reserve(session.allocator, sizes[1])) {
    session.setPlan(entry, symbols, plan);
    return VAE_OK;
  }
  message.add("out of memory: entry '%s' needs an arena of %lld bytes and %lld "
              "bytes of noise for these sizes",
              entry.name, static_cast<long long>(sizes[0]),
              static_cast<long long>(sizes[1]));
  return VAE_OUT_OF_MEMORY;
}

vae_status_t vae_session_prepare(vae_session_t *session, const char *entry,
                                 const int64_t *symbols, uint32_t num_symbols) {
  if (!session)
    return VAE_INVALID_ARGUMENT;
  Text message = session->newMessage();
  if (vae_status_t status = session->checkIdle(message))
    return status;
  const vae_abi_entry *found = nullptr;
  if (vae_status_t status = getEntry(session->table, entry, found, message))
    return status;
  if (!symbols || num_symbols != session->table.num_symbols) {
    message.add("expected the values of %u symbols (",
                session->table.num_symbols);
    for (uint32_t s = 0; s < session->table.num_symbols; ++s)
      message.add("%s%s", s ? ", " : "", session->table.symbols[s].name);
    if (symbols)
      message.add("), found %u", num_symbols);
    else
      message.add("), found NULL");
    return VAE_INVALID_ARGUMENT;
  }
  return prepare(*session, *found, symbols, message);
}

vae_status_t vae_session_prepare_batch(vae_session_t *session,
                                       const char *entry, int64_t batch) {
  return vae_session_prepare(session, entry, &batch, 1);
}
