// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAE_RUN_STEPTIMER_H
#define TOOLS_VAE_RUN_STEPTIMER_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vaerun {

/// When the parallel steps of each call of an entry point began. The session
/// calls it through its option `progress`, on the thread that runs the call;
/// what is timed therefore includes one look at the clock a step.
class StepTimer {
public:
  /// Calls that are kept: enough for a median.
  static constexpr size_t kMostCalls = 10000;

  /// For vae_session_options_t: `timer` is a StepTimer.
  static int onStep(void *timer, uint64_t done);

  void beginCall();
  /// Keeps the call; of very many calls only the last. Fails if it had other
  /// steps than those before.
  void endCall();
  /// Forgets all calls.
  void clear();

  size_t getNumCalls() const { return stride ? times.size() / stride : 0; }
  /// Steps of every call: those of the entry point, after those of generated
  /// noise.
  size_t getNumSteps() const { return stride - 2; }
  /// Nanoseconds on one clock: the begin of a call, of each of its steps, and
  /// the end of the call. The oldest call is number 0.
  const int64_t *getCall(size_t index) const;

private:
  std::vector<int64_t> current; // of the call that runs
  std::vector<int64_t> times;   // a ring of calls, `stride` numbers each
  size_t stride = 0;
  size_t oldest = 0;
};

} // namespace vaerun

#endif // TOOLS_VAE_RUN_STEPTIMER_H
