// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Built with -O2 -ffp-contract=fast whatever the build type: x * a + b below is
// one instruction where the target has it.
#include "tools/vae-run/FmaPeak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace vaerun;

/// Runs shorter than a time slice, so that some go undisturbed on a busy
/// machine; together long enough for the CPU to reach its frequency.
static constexpr int kRuns = 200;
static constexpr double kSecondsPerRun = 0.001;
/// Rounds between two looks at the clock.
static constexpr int64_t kRounds = 1024;

namespace {
/// Computes kRounds rounds on all chains; returns a value that depends on them
/// all. The operands come from outside, so that nothing is known of them.
using Loop = float (*)(float a, float b);
} // namespace

/// Independent chains: at least the latency times the units of any CPU we know
/// (5 * 2, AArch64 4 * 4); with two operands they fit into the registers (16,
/// AArch64 32).
// NOLINTBEGIN(bugprone-macro-parentheses): a sum's terms
#define VAE_TEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define VAE_TWELVE(X) VAE_TEN(X) X(10) X(11)
#define VAE_SIX_MORE(X) X(12) X(13) X(14) X(15) X(16) X(17)
#if defined(__aarch64__)
#define VAE_CHAINS(X) VAE_TWELVE(X) VAE_SIX_MORE(X)
#else
#define VAE_CHAINS(X) VAE_TWELVE(X)
#endif
#define VAE_COUNT(I) +1
static constexpr int64_t kChains = VAE_CHAINS(VAE_COUNT);
#undef VAE_COUNT

#define VAE_START(I) Vector x##I = m + float(I);
#define VAE_STEP(I) x##I = x##I * m + n;
#define VAE_SUM(I) +x##I
// NOLINTEND(bugprone-macro-parentheses)
/// A function per width: only a function as a whole can have a target.
#define VAE_FMA_LOOP(NAME, LANES, TARGET)                                      \
  TARGET static float NAME(float a, float b) {                                 \
    typedef float Vector __attribute__((vector_size(4 * (LANES))));            \
    Vector m = Vector{} + a, n = Vector{} + b;                                 \
    VAE_CHAINS(VAE_START)                                                      \
    for (int64_t i = 0; i < kRounds; ++i) {                                    \
      VAE_CHAINS(VAE_STEP)                                                     \
    }                                                                          \
    Vector sum = VAE_CHAINS(VAE_SUM);                                          \
    float result = 0;                                                          \
    for (int lane = 0; lane < (LANES); ++lane)                                 \
      result += sum[lane];                                                     \
    return result;                                                             \
  }

#if defined(__x86_64__)
VAE_FMA_LOOP(runAvx512, 16, __attribute__((target("avx512f"))))
VAE_FMA_LOOP(runAvx2, 8, __attribute__((target("avx2,fma"))))
#endif
VAE_FMA_LOOP(runBaseline, 4, )
#undef VAE_FMA_LOOP
#undef VAE_SUM
#undef VAE_STEP
#undef VAE_START
#undef VAE_CHAINS
#undef VAE_SIX_MORE
#undef VAE_TWELVE
#undef VAE_TEN

namespace {
struct Level {
  const char *name;
  int64_t lanes;
  Loop loop;
};
} // namespace

static Level chooseLevel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return {"AVX-512", 16, runAvx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"AVX2", 8, runAvx2};
  return {"SSE2", 4, runBaseline};
#elif defined(__aarch64__)
  return {"NEON", 4, runBaseline};
#else
  return {"baseline", 4, runBaseline};
#endif
}

/// Rounds a second of one thread. `running` counts the threads that have come;
/// runs begin when all have, and end when the first is done with its own.
static double measureRounds(Loop loop, uint32_t threads,
                            std::atomic<uint32_t> &running,
                            std::atomic<bool> &done) {
  using Clock = std::chrono::steady_clock;
  // Read and written at run time: neither is known, and the work is needed.
  volatile float a = 0.5F, b = 0.25F, sink = 0;
  double best = 0;
  ++running;
  while (running < threads)
    std::this_thread::yield();
  for (int run = 0; run < kRuns; ++run) {
    int64_t rounds = 0;
    double seconds = 0;
    for (auto start = Clock::now(); seconds < kSecondsPerRun;
         rounds += kRounds) {
      sink = loop(a, b);
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    // One at least, however late this thread is.
    if (done && best > 0)
      break;
    best = std::max(best, static_cast<double>(rounds) / seconds);
  }
  done = true;
  (void)sink;
  return best;
}

FmaPeak vaerun::measureFmaPeak(uint32_t threads) {
  const Level level = chooseLevel();
  std::atomic<uint32_t> running = 0;
  std::atomic<bool> done = false;
  std::vector<double> rates(threads);
  auto measure = [&](uint32_t thread) {
    rates[thread] = measureRounds(level.loop, threads, running, done);
  };
  std::vector<std::thread> others;
  for (uint32_t thread = 1; thread < threads; ++thread)
    others.emplace_back(measure, thread);
  measure(0);
  double rounds = rates[0];
  for (uint32_t thread = 1; thread < threads; ++thread) {
    others[thread - 1].join();
    rounds += rates[thread];
  }
  return {level.name, rounds * 2 * static_cast<double>(kChains) *
                          static_cast<double>(level.lanes)};
}
