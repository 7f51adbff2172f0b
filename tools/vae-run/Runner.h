// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an entry point over any number of examples, some at a time.
#ifndef TOOLS_VAE_RUN_RUNNER_H
#define TOOLS_VAE_RUN_RUNNER_H

#include "tools/data/Progress.h"
#include "tools/vae-run/Limit.h"

namespace vaerun {

using namespace vaedata;

/// Everything that an entry point needs for a number of examples.
struct Job {
  const vae_abi_entry *entry = nullptr;
  /// In the order of the entry's tensors. One example where there are more
  /// stands for all of them; none means noise that the session generates.
  std::vector<Data> inputs;
  /// All symbols, the number of examples first.
  Sizes sizes;
  uint64_t seed = 0;

  int64_t getExamples() const { return sizes[0]; }
};

/// The numbers of a tensor for all examples of a job. Fails if they do not fit
/// in memory.
size_t countFitting(const vae_abi_model &table, const vae_abi_tensor &tensor,
                    const Job &job);

/// An output with all examples.
struct Output {
  const vae_abi_tensor *tensor = nullptr;
  Shape shape;
  std::vector<float> values;
};

class Runner {
public:
  /// threads: 0 for one per CPU. chunk: examples at a time; none: 64, or
  /// fewer where their arena exceeds 1 GiB, or where so many fit into maxMemory
  /// in one part. maxMemory: bytes for arena and the outputs of all examples;
  /// 0: no limit.
  Runner(const Model &model, uint32_t threads, std::optional<int64_t> chunk,
         uint64_t maxMemory)
      : model(model), threads(threads), chunk(chunk), maxMemory(maxMemory) {}

  /// Runs the job with draw `stream` of the noise. What comes out does not
  /// depend on the chunk, as noise is indexed by element.
  std::vector<Output> run(const Job &job, uint64_t stream, Progress &progress);

  /// Of the last run.
  const Session &getSession() const { return *session; }
  /// Gives back its memory, for what comes after the last run.
  void endSession() { session.reset(); }
  /// How its chunks are cut; nothing without a limit.
  const std::optional<Plan> &getPlan() const { return plan; }
  /// Time spent in the model, without preparation.
  double getSeconds() const { return seconds; }

private:
  int64_t chooseChunk(const Job &job) const;
  uint64_t getLimit(const Job &job, int64_t size) const;

  const Model &model;
  uint32_t threads;
  std::optional<int64_t> chunk;
  uint64_t maxMemory;
  std::optional<Session> session;
  std::optional<Plan> plan;
  double seconds = 0;
};

} // namespace vaerun

#endif // TOOLS_VAE_RUN_RUNNER_H
