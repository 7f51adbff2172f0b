// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Making and preparing sessions, their memory and their threads.
#include "test/runtime/Support.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace vae::test;

namespace {

TEST(Session, ArgumentsAreChecked) {
  Model model(getModelPath("toy"));
  vae_session_t *session = nullptr;
  EXPECT_EQ(vae_session_create(nullptr, nullptr, &session),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_session_create(model, nullptr, nullptr), VAE_INVALID_ARGUMENT);
  vae_session_release(nullptr);
  EXPECT_STREQ(vae_session_message(nullptr), "");
  EXPECT_EQ(vae_session_threads(nullptr), 0u);
  EXPECT_EQ(vae_session_clamped(nullptr), nullptr);
  EXPECT_EQ(vae_session_memory(nullptr), 0);
  EXPECT_EQ(vae_session_prepare_batch(nullptr, "encode", 1),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_session_encode(nullptr, nullptr, 1, nullptr, nullptr),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_session_run(nullptr, "encode", nullptr, nullptr, 0, nullptr, 0),
            VAE_INVALID_ARGUMENT);
}

TEST(Session, OptionsAreChecked) {
  Model model(getModelPath("toy"));
  auto status = [&](auto change) {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    change(options);
    vae_session_t *session = nullptr;
    vae_status_t result = vae_session_create(model, &options, &session);
    EXPECT_EQ(session != nullptr, result == VAE_OK);
    vae_session_release(session);
    return result;
  };
  EXPECT_EQ(status([](auto &) {}), VAE_OK);
  EXPECT_EQ(status([](auto &o) { o.struct_size = 0; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.struct_size -= 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.threads = 1025; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.device = 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.flags = 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.reserved[6] = 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) {
              o.allocate = [](void *, size_t, size_t) -> void * {
                return nullptr;
              };
            }),
            VAE_INVALID_ARGUMENT);
}

// A program that was built with a later header, and uses nothing of it.
TEST(Session, LaterOptionsAreAcceptedIfTheyAreZero) {
  Model model(getModelPath("toy"));
  struct {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    uint64_t later = 0;
  } larger;
  larger.options.struct_size = sizeof(larger);
  vae_session_t *session = nullptr;
  EXPECT_EQ(vae_session_create(model, &larger.options, &session), VAE_OK);
  vae_session_release(session);
  larger.later = 1;
  EXPECT_EQ(vae_session_create(model, &larger.options, &session),
            VAE_INVALID_ARGUMENT);
}

TEST(Session, HasTheThreadsAskedFor) {
  Model model(getModelPath("toy"));
  for (uint32_t threads : {1u, 2u, 7u})
    EXPECT_EQ(vae_session_threads(Session(model, threads)), threads);
  EXPECT_GE(vae_session_threads(Session(model, 0)), 1u);
  EXPECT_LE(vae_session_threads(Session(model, 0)),
            std::max(1u, std::thread::hardware_concurrency()));
}

TEST(Session, PrepareSaysWhatIsWrong) {
  Model model(getModelPath("toy")), spatial(getModelPath("spatial"));
  Session session(model);
  EXPECT_EQ(session.message(), "");
  EXPECT_EQ(vae_session_prepare_batch(session, "enc", 1), VAE_NOT_FOUND);
  EXPECT_EQ(session.message(),
            "no entry point 'enc'; the library has encode, encode_sample, "
            "decode, reconstruct, reconstruct_sample, sample, score, noises, "
            "fail, nested, labelled");
  EXPECT_EQ(vae_session_prepare_batch(session, nullptr, 1),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(), "the name of the entry point is NULL");
  for (int64_t batch : {int64_t(0), int64_t(-1), INT64_MIN}) {
    EXPECT_EQ(vae_session_prepare_batch(session, "encode", batch),
              VAE_INVALID_ARGUMENT);
    EXPECT_EQ(session.message(),
              "batch: expected at least 1, found " + std::to_string(batch));
  }
  EXPECT_EQ(vae_session_prepare_batch(session, "encode", INT64_MAX),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(),
            "entry 'encode': input 'x' of shape [batch, 4] has no size, or one "
            "beyond 63 bits, for batch = 9223372036854775807");
  EXPECT_EQ(vae_session_prepare(session, "encode", nullptr, 1),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(),
            "expected the values of 1 symbols (batch), found NULL");

  Session other(spatial);
  EXPECT_EQ(vae_session_prepare_batch(other, "encode", 1),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(other.message(),
            "expected the values of 3 symbols (batch, height, width), found 1");
  int64_t symbols[] = {1, 8, 4};
  EXPECT_EQ(vae_session_prepare(other, "encode", symbols, 3),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(other.message(),
            "height: expected at least 9 and a multiple of 8, found 8");
  symbols[1] = 16;
  EXPECT_EQ(vae_session_prepare(other, "encode", symbols, 3), VAE_OK);
  EXPECT_EQ(other.message(), "");
}

TEST(Session, MemoryGrowsAndIsKept) {
  Model model(getModelPath("toy"));
  Session session(model);
  EXPECT_EQ(vae_session_memory(session), 0);
  ASSERT_EQ(vae_session_prepare_batch(session, "encode", 100), VAE_OK);
  EXPECT_EQ(vae_session_memory(session), 0); // no arena, no noise
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct", 16), VAE_OK);
  EXPECT_EQ(vae_session_memory(session), 16 * 10 * 4);
  ASSERT_EQ(vae_session_prepare_batch(session, "score", 8), VAE_OK);
  EXPECT_EQ(vae_session_memory(session), 16 * 10 * 4 + 8 * 2 * 4);
  ASSERT_EQ(vae_session_prepare_batch(session, "score", 1), VAE_OK);
  EXPECT_EQ(vae_session_memory(session), 16 * 10 * 4 + 8 * 2 * 4);
  // Noise is padded to a multiple of 64 bytes, each input for itself.
  ASSERT_EQ(vae_session_prepare_batch(session, "noises", 1), VAE_OK);
  EXPECT_EQ(vae_session_memory(session), 16 * 10 * 4 + 3 * 64);
}

TEST(Session, RunsOnlyWhatIsPrepared) {
  Model model(getModelPath("toy"));
  Session session(model);
  Tensor<> x({3, 4}), y({3, 4}, -1);
  EXPECT_EQ(run(session, "reconstruct", {x}, {y}), VAE_NOT_PREPARED);
  EXPECT_EQ(
      session.message(),
      "entry 'reconstruct' needs an arena of 120 bytes and 0 bytes of "
      "noise, the session has 0 and 0; call vae_session_prepare for these "
      "sizes first");
  EXPECT_EQ(y.data[0], -1);
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct", 2), VAE_OK);
  EXPECT_EQ(run(session, "reconstruct", {x}, {y}), VAE_NOT_PREPARED);
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct", 4), VAE_OK);
  EXPECT_EQ(run(session, "reconstruct", {x}, {y}), VAE_OK);
  EXPECT_EQ(session.message(), "");
  // The arena is there, the noise is not; it is not needed if it is given.
  Tensor<> noise({3, 2});
  EXPECT_EQ(run(session, "reconstruct_sample", {x, generated()}, {y}),
            VAE_NOT_PREPARED);
  EXPECT_EQ(run(session, "reconstruct_sample", {x, noise}, {y}), VAE_OK);
}

//===----------------------------------------------------------------------===//
// The caller's allocator
//===----------------------------------------------------------------------===//

/// Counts, checks that memory comes back as it went, and fails on demand.
struct CountingAllocator {
  struct Block {
    size_t size, alignment;
  };
  std::map<void *, Block> live;
  int calls = 0;
  int failAt = -1;

  static void *allocate(void *ctx, size_t size, size_t alignment) {
    auto &self = *static_cast<CountingAllocator *>(ctx);
    if (self.calls++ == self.failAt)
      return nullptr;
    size_t padded = (size + alignment - 1) / alignment * alignment;
    void *memory = std::aligned_alloc(alignment, padded);
    self.live[memory] = {size, alignment};
    return memory;
  }
  static void deallocate(void *ctx, void *memory, size_t size,
                         size_t alignment) {
    auto &self = *static_cast<CountingAllocator *>(ctx);
    auto found = self.live.find(memory);
    ASSERT_NE(found, self.live.end());
    EXPECT_EQ(found->second.size, size);
    EXPECT_EQ(found->second.alignment, alignment);
    self.live.erase(found);
    std::free(memory);
  }
  vae_session_options_t options() {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    options.threads = 2;
    options.allocate = allocate;
    options.deallocate = deallocate;
    options.allocator_ctx = this;
    return options;
  }
};

TEST(Session, UsesTheCallersAllocator) {
  Model model(getModelPath("toy"));
  CountingAllocator allocator;
  {
    Session session(model, allocator.options());
    ASSERT_EQ(vae_session_prepare_batch(session, "score", 4), VAE_OK);
    ASSERT_EQ(vae_session_prepare_batch(session, "score", 64), VAE_OK);
    EXPECT_GE(allocator.live.size(), 4u);
    int calls = allocator.calls;
    Tensor<> x({64, 4}, 0.5f), y({64, 4}), a({64}), b({64}), c({64});
    EXPECT_EQ(run(session, "score", {x, generated()}, {a, b, c}), VAE_OK);
    EXPECT_EQ(run(session, "score", {x}, {a}), VAE_INVALID_ARGUMENT);
    EXPECT_EQ(allocator.calls, calls);
  }
  EXPECT_EQ(allocator.live.size(), 0u);
}

TEST(Session, EveryFailureToAllocateIsReported) {
  Model model(getModelPath("toy"));
  int failures = 0;
  for (int failAt = 0;; ++failAt) {
    CountingAllocator allocator;
    allocator.failAt = failAt;
    vae_session_options_t options = allocator.options();
    vae_session_t *session = nullptr;
    vae_status_t status = vae_session_create(model, &options, &session);
    if (!status) {
      status = vae_session_prepare_batch(session, "score", 4);
      if (status) {
        EXPECT_STREQ(vae_session_message(session),
                     "out of memory: entry 'score' needs an arena of 160 bytes "
                     "and 64 bytes of noise for these sizes");
        EXPECT_EQ(vae_session_prepare_batch(session, "score", 4), VAE_OK);
      }
    } else {
      EXPECT_EQ(session, nullptr);
    }
    vae_session_release(session);
    EXPECT_EQ(allocator.live.size(), 0u);
    if (!status)
      break;
    EXPECT_EQ(status, VAE_OUT_OF_MEMORY);
    ++failures;
  }
  EXPECT_GE(failures, 5);
}

TEST(Session, AFailedPrepareKeepsWhatWasThere) {
  Model model(getModelPath("toy"));
  CountingAllocator allocator;
  Session session(model, allocator.options());
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct", 4), VAE_OK);
  allocator.failAt = allocator.calls;
  EXPECT_EQ(vae_session_prepare_batch(session, "reconstruct", 400),
            VAE_OUT_OF_MEMORY);
  Tensor<> x({4, 4}), y({4, 4});
  EXPECT_EQ(run(session, "reconstruct", {x}, {y}), VAE_OK);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// What a run gave, for comparison with others.
std::vector<float> score(const Model &model, uint32_t threads, uint64_t seed) {
  Session session(model, threads);
  EXPECT_EQ(vae_session_prepare_batch(session, "score", 33), VAE_OK);
  Tensor<> x({33, 4}), a({33}), b({33}), c({33});
  for (size_t i = 0; i < x.data.size(); ++i)
    x.data[i] = 0.01f * static_cast<float>(i % 37);
  EXPECT_EQ(vae_session_score(session, x.data.data(), 33, seed, a.data.data(),
                              b.data.data(), c.data.data()),
            VAE_OK);
  std::vector<float> all = a.data;
  all.insert(all.end(), b.data.begin(), b.data.end());
  all.insert(all.end(), c.data.begin(), c.data.end());
  return all;
}

TEST(Session, ResultsDoNotDependOnThreads) {
  Model model(getModelPath("toy"));
  std::vector<float> one = score(model, 1, 5);
  for (uint32_t threads : {2u, 3u, 8u})
    EXPECT_EQ(score(model, threads, 5), one);
  EXPECT_NE(score(model, 1, 6), one);
}

TEST(Session, EightOfOneModelInEightThreads) {
  Model model(getModelPath("toy"));
  std::vector<std::vector<float>> expected;
  for (uint64_t seed = 0; seed < 8; ++seed)
    expected.push_back(score(model, 1, seed));
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 8; ++seed)
    threads.emplace_back([&, seed] {
      for (int repeat = 0; repeat < 5; ++repeat)
        EXPECT_EQ(score(model, 2, seed), expected[seed]);
    });
  for (std::thread &thread : threads)
    thread.join();
}

/// A pool of the caller: new threads for every loop, slow and simple.
struct CallersPool {
  std::atomic<int> loops{0}, threads{0};
  std::mutex mutex;
  std::set<std::thread::id> ids;

  static void parallelFor(void *ctx, int64_t count, int64_t grain,
                          vae_abi_task task, void *arg) {
    auto &self = *static_cast<CallersPool *>(ctx);
    ++self.loops;
    std::vector<std::thread> threads;
    for (int64_t begin = 0; begin < count; begin += grain)
      threads.emplace_back([&self, task, arg, begin, count, grain] {
        ++self.threads;
        task(arg, begin, std::min(begin + grain, count));
      });
    for (std::thread &thread : threads)
      thread.join();
  }
};

TEST(Session, RunsOnTheCallersPool) {
  Model model(getModelPath("toy"));
  CallersPool pool;
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = 5; // of no meaning here
  options.parallel_for = CallersPool::parallelFor;
  options.parallel_ctx = &pool;
  Session session(model, options);
  EXPECT_EQ(vae_session_threads(session), 0u);
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct_sample", 6),
            VAE_OK);
  Tensor<> x({6, 4}, 0.25f), y({6, 4});
  EXPECT_EQ(vae_session_reconstruct_sample(session, x.data.data(), 6, 3,
                                           y.data.data()),
            VAE_OK);
  EXPECT_EQ(pool.loops, 4); // noise, encode, sample, decode
  EXPECT_EQ(pool.threads, 1 + 6 + 6 + 6);
  Session own(model, 2);
  Tensor<> expected({6, 4});
  ASSERT_EQ(vae_session_prepare_batch(own, "reconstruct_sample", 6), VAE_OK);
  EXPECT_EQ(vae_session_reconstruct_sample(own, x.data.data(), 6, 3,
                                           expected.data.data()),
            VAE_OK);
  EXPECT_EQ(y.data, expected.data);
  // Loops within tasks do not come back to the pool.
  pool.loops = 0;
  EXPECT_EQ(run(session, "nested", {x}, {y}), VAE_OK);
  EXPECT_EQ(pool.loops, 4);
  EXPECT_EQ(y.data, std::vector<float>(24, 4));
}

TEST(Session, LoopsWithinTasksRunInPlace) {
  Model model(getModelPath("toy"));
  Session session(model, 3);
  Tensor<> x({7, 4}), y({7, 4});
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(run(session, "nested", {x}, {y}), VAE_OK);
  EXPECT_EQ(y.data, std::vector<float>(28, 4));
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

struct Progress {
  std::vector<uint64_t> calls;
  uint64_t stopAt = ~0ull;
  std::thread::id thread;

  static int report(void *ctx, uint64_t done) {
    auto &self = *static_cast<Progress *>(ctx);
    self.calls.push_back(done);
    self.thread = std::this_thread::get_id();
    return done == self.stopAt;
  }
  vae_session_options_t options() {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    options.threads = 2;
    options.progress = report;
    options.progress_ctx = this;
    return options;
  }
};

TEST(Session, ReportsProgressAndCanBeCancelled) {
  Model model(getModelPath("toy"));
  Progress progress;
  Session session(model, progress.options());
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct_sample", 6),
            VAE_OK);
  Tensor<> x({6, 4}, 0.25f), y({6, 4}, -1);
  auto reconstruct = [&] {
    progress.calls.clear();
    return vae_session_reconstruct_sample(session, x.data.data(), 6, 3,
                                          y.data.data());
  };
  EXPECT_EQ(reconstruct(), VAE_OK);
  EXPECT_EQ(progress.calls, (std::vector<uint64_t>{0, 1, 2, 3}));
  EXPECT_EQ(progress.thread, std::this_thread::get_id());
  std::vector<float> expected = y.data;
  for (uint64_t step = 0; step < 4; ++step) {
    progress.stopAt = step;
    y.data.assign(24, -1);
    EXPECT_EQ(reconstruct(), VAE_CANCELLED);
    EXPECT_EQ(progress.calls.size(), step + 1); // not asked again
    EXPECT_EQ(y.data[0], -1); // only the last step writes the output
    EXPECT_EQ(session.message(),
              "entry 'reconstruct_sample': cancelled by the progress callback "
              "before step " +
                  std::to_string(step));
  }
  progress.stopAt = ~0ull;
  EXPECT_EQ(reconstruct(), VAE_OK);
  EXPECT_EQ(y.data, expected);
  EXPECT_EQ(session.message(), "");
}

TEST(Session, RefusesToBeCalledByItsOwnRun) {
  Model model(getModelPath("toy"));
  struct State {
    vae_session_t *session;
    vae_status_t run, prepare;
    std::string message;
  } state = {};
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.progress_ctx = &state;
  options.progress = [](void *ctx, uint64_t) {
    auto &state = *static_cast<State *>(ctx);
    Tensor<> x({1, 4}), y({1, 4});
    state.run = run(state.session, "reconstruct", {x}, {y});
    state.message = vae_session_message(state.session);
    state.prepare = vae_session_prepare_batch(state.session, "score", 1000);
    return 0;
  };
  Session session(model, options);
  state.session = session;
  ASSERT_EQ(vae_session_prepare_batch(session, "reconstruct", 1), VAE_OK);
  Tensor<> x({1, 4}, 1), y({1, 4});
  EXPECT_EQ(run(session, "reconstruct", {x}, {y}), VAE_OK);
  EXPECT_EQ(y.data, (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(state.run, VAE_INVALID_ARGUMENT);
  EXPECT_EQ(state.prepare, VAE_INVALID_ARGUMENT);
  EXPECT_EQ(state.message,
            "the session is running; call it again when it is done");
}

TEST(Session, LoopsWithinTasksAreNoSteps) {
  Model model(getModelPath("toy"));
  Progress progress;
  Session session(model, progress.options());
  Tensor<> x({6, 4}), y({6, 4});
  EXPECT_EQ(run(session, "nested", {x}, {y}), VAE_OK);
  EXPECT_EQ(progress.calls, (std::vector<uint64_t>{0, 1, 2, 3}));
}

} // namespace
