// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_SESSION_H
#define VAE_RUNTIME_SESSION_H

#include "runtime/src/Memory.h"
#include "runtime/src/Plan.h"
#include "runtime/src/Scratch.h"
#include "runtime/src/Text.h"
#include "runtime/src/ThreadPool.h"
#include "vae/vae_runtime.h"

namespace vae::runtime {

/// The bytes of a caller's tensor.
struct Extent {
  uintptr_t begin = 0, end = 0;
};

} // namespace vae::runtime

struct vae_session_t {
  vae_session_t(const vae_abi_model &table,
                const vae_session_options_t &options);

  /// Refuses a call from within a run: from the progress callback or a task.
  vae_status_t checkIdle(vae::runtime::Text &text) const {
    if (!running)
      return VAE_OK;
    text.add("the session is running; call it again when it is done");
    return VAE_INVALID_ARGUMENT;
  }

  /// Forgets the last message and starts a new one.
  vae::runtime::Text newMessage() {
    return vae::runtime::Text(message, sizeof(message));
  }

  /// One parallel step of a run. Counts, asks the caller whether to go on, and
  /// does nothing once it said no.
  void parallelFor(int64_t count, int64_t grain, vae_abi_task task, void *arg);

  /// The memory that the caller allows.
  vae::runtime::Limits getLimits() const {
    vae::runtime::Limits limits;
    if (options.max_memory && options.max_memory < INT64_MAX)
      limits.total = static_cast<int64_t>(options.max_memory);
    limits.threads = vae::runtime::getNumThreads(options.threads);
    return limits;
  }

  /// Keeps a plan, and whether it is of an entry point, of these sizes, and
  /// within the limits.
  void setPlan(const vae_abi_entry &entry, const int64_t *symbols,
               const vae::runtime::RunPlan &plan);
  bool isPlanned(const vae_abi_entry &entry, const int64_t *symbols,
                 const vae::runtime::Limits &limits) const;

  const vae_abi_model &table;
  const vae_session_options_t options;
  const vae::runtime::Allocator allocator;
  vae::runtime::ThreadPool *pool = nullptr; // none with the caller's own
  vae::runtime::Buffer noise;
  vae::runtime::Buffer block; // the arena, and what parts need beside it
  vae::runtime::RunPlan plan;
  const vae_abi_entry *planned = nullptr; // the entry point of the plan
  vae::runtime::Scratch tasks;            // the first bytes of the block

  // Room for the arguments of a run, enough for any entry point.
  void *scratch = nullptr;
  size_t scratchSize = 0;
  const void **inputs = nullptr;
  void **outputs = nullptr;
  vae::runtime::Extent *extents = nullptr;
  int64_t *symbols = nullptr;
  int64_t *plannedSymbols = nullptr;
  // And for those of a segment, and of one of its parts.
  const void **segmentInputs = nullptr, **partInputs = nullptr;
  void **segmentOutputs = nullptr, **partOutputs = nullptr;

  // The current run. Tasks in other threads read inStep, between the events
  // that start and end them.
  bool running = false;
  uint64_t steps = 0;
  bool inStep = false;
  bool cancelled = false;
  const char *clamped = nullptr; // a layer, by its library

  char message[1024] = "";
};

#endif // VAE_RUNTIME_SESSION_H
