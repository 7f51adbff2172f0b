// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs in parts: the same bits as in one, within the memory that is allowed.
#include "test/runtime/Support.h"

#include <array>
#include <cmath>
#include <cstring>

using namespace vae::test;

namespace {

struct Blurred {
  std::vector<float> y, z;
  bool operator==(const Blurred &other) const {
    auto same = [](const std::vector<float> &a, const std::vector<float> &b) {
      return a.size() == b.size() &&
             std::memcmp(a.data(), b.data(), 4 * a.size()) == 0;
    };
    return same(y, other.y) && same(z, other.z);
  }
};

/// The model "blur" at one size.
struct Blur {
  Blur(int64_t batch, int64_t height, int64_t width)
      : symbols{batch, height, width}, x(batch * height * width), c(batch) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i * 2654435761u % 1000) / 7;
    for (size_t n = 0; n < c.size(); ++n)
      c[n] = 100.0f * static_cast<float>(n);
  }

  int64_t outputBytes() const {
    auto [n, h, w] = symbols;
    return 4 * n * (2 * h * w + (h - 2) * (w - 2));
  }

  vae_status_t prepare(vae_session_t *session, const char *entry = "encode") {
    return vae_session_prepare(session, entry, symbols.data(), 3);
  }

  vae_status_t run(vae_session_t *session, Blurred &result,
                   const char *entry = "encode") {
    auto [n, h, w] = symbols;
    int64_t image[] = {n, 1, h, w}, number[] = {n, 1},
            large[] = {n, 1, 2 * h, w}, small[] = {n, 1, h - 2, w - 2};
    result.y.assign(2 * n * h * w, NAN);
    result.z.assign(n * (h - 2) * (w - 2), NAN);
    const vae_tensor_t in[] = {{x.data(), VAE_DTYPE_F32, 4, image},
                               {c.data(), VAE_DTYPE_F32, 2, number},
                               {nullptr, VAE_DTYPE_F32, 4, image}};
    const vae_tensor_t out[] = {{result.y.data(), VAE_DTYPE_F32, 4, large},
                                {result.z.data(), VAE_DTYPE_F32, 4, small}};
    return vae_session_run(session, entry, nullptr, in, 3, out, 2);
  }

  std::array<int64_t, 3> symbols;
  std::vector<float> x, c;
};

/// Counts bytes, and the most that there were at a time.
struct Meter {
  int64_t now = 0, most = 0;
  /// Forgets what the session itself takes, which is no part of a plan.
  void start() { now = most = 0; }
  vae_session_options_t getOptions(uint64_t limit, uint32_t threads = 2) {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    options.threads = threads;
    options.max_memory = limit;
    options.allocator_ctx = this;
    options.allocate = [](void *self, size_t size, size_t alignment) {
      auto &meter = *static_cast<Meter *>(self);
      meter.now += static_cast<int64_t>(size);
      meter.most = std::max(meter.most, meter.now);
      return std::aligned_alloc(std::max(alignment, sizeof(void *)),
                                (size + alignment - 1) / alignment * alignment);
    };
    options.deallocate = [](void *self, void *memory, size_t size, size_t) {
      static_cast<Meter *>(self)->now -= static_cast<int64_t>(size);
      std::free(memory);
    };
    return options;
  }
};

/// The least limit that the model can be run in, from the message of a refusal.
uint64_t getLeast(const Model &model, Blur &blur) {
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.max_memory = 1;
  Session session(model, options);
  EXPECT_EQ(blur.prepare(session), VAE_OUT_OF_MEMORY);
  std::string message = session.message();
  const std::string before = "expected at least ";
  size_t at = message.find(before);
  EXPECT_NE(at, std::string::npos) << message;
  return std::stoull(message.substr(at + before.size()));
}

TEST(Parts, GiveTheBitsOfTheWholeAtEveryLimit) {
  Model model(getModelPath("blur"));
  for (auto [n, h, w] : {std::array<int64_t, 3>{1, 30, 41},
                         {3, 8, 60},
                         {2, 50, 5},
                         {1, 4, 200},
                         {5, 16, 16}}) {
    Blur blur(n, h, w);
    Session whole(model);
    ASSERT_EQ(blur.prepare(whole), VAE_OK);
    Blurred expected, found;
    ASSERT_EQ(blur.run(whole, expected), VAE_OK) << whole.message();
    uint64_t least = getLeast(model, blur);
    int64_t most = blur.outputBytes() + vae_session_memory(whole);
    ASSERT_LT(least, static_cast<uint64_t>(most));
    for (int step = 0; step <= 20; ++step) {
      uint64_t limit = least + (most - least) * step / 20;
      for (uint32_t threads : {1u, 3u}) {
        Meter meter;
        Session session(model, meter.getOptions(limit, threads));
        meter.start();
        ASSERT_EQ(blur.prepare(session), VAE_OK) << session.message();
        ASSERT_EQ(blur.run(session, found), VAE_OK) << session.message();
        EXPECT_TRUE(found == expected)
            << n << " " << h << " " << w << " " << limit;
        // What was planned, what was taken, and what is allowed.
        vae_run_plan_t plan = VAE_RUN_PLAN_INIT;
        ASSERT_EQ(vae_model_plan_run(model, "encode", blur.symbols.data(), 3,
                                     limit, &plan, nullptr, nullptr, 0),
                  VAE_OK);
        EXPECT_EQ(plan.output_bytes, blur.outputBytes());
        EXPECT_EQ(plan.arena_bytes + plan.noise_bytes + plan.copy_bytes,
                  meter.most);
        EXPECT_LE(meter.most + plan.output_bytes, static_cast<int64_t>(limit));
        EXPECT_EQ(plan.parts == 1, limit == static_cast<uint64_t>(most))
            << step;
      }
    }
    Meter meter;
    Session session(model, meter.getOptions(least - 1));
    meter.start();
    EXPECT_EQ(blur.prepare(session), VAE_OUT_OF_MEMORY);
    EXPECT_EQ(meter.most, 0);
  }
}

TEST(Parts, AreExamplesFirst) {
  Model model(getModelPath("blur"));
  Blur one(1, 16, 16), five(5, 16, 16);
  vae_run_plan_t plan = VAE_RUN_PLAN_INIT;
  int64_t part[3];
  uint64_t limit =
      five.outputBytes() + 5 * 16 * 16 * 4 + 2 * 16 * 16 * 16 + 200;
  ASSERT_EQ(vae_model_plan_run(model, "encode", five.symbols.data(), 3, limit,
                               &plan, part, nullptr, 0),
            VAE_OK);
  EXPECT_EQ(plan.parts, 3);
  EXPECT_EQ(part[0], 2);
  EXPECT_EQ(part[1], 16);
  EXPECT_EQ(plan.copy_bytes, 0);
  EXPECT_EQ(plan.flops, 5 * 9 * 16 * 16);
}

TEST(Parts, CountWhatIsComputedTwice) {
  Model model(getModelPath("blur"));
  Blur blur(1, 40, 6); // hardly wider than the least
  vae_run_plan_t plan = VAE_RUN_PLAN_INIT;
  int64_t part[3];
  // One byte less than the arena of 3840 bytes and the noise of 960.
  uint64_t limit = blur.outputBytes() + 3840 + 960 - 1;
  ASSERT_EQ(vae_model_plan_run(model, "encode", blur.symbols.data(), 3, limit,
                               &plan, part, nullptr, 0),
            VAE_OK);
  // 14 rows, 14 and 12, with 2 more at each end inside.
  EXPECT_EQ(plan.parts, 3);
  EXPECT_EQ(part[1], 18);
  EXPECT_EQ(part[2], 6);
  EXPECT_EQ(plan.flops, 9 * 48 * 6);
}

TEST(Parts, AreRefusedWithTheLeastThatIsPossible) {
  Model model(getModelPath("blur"));
  Blur blur(2, 20, 20);
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.max_memory = 20000;
  Session session(model, options);
  EXPECT_EQ(blur.prepare(session, "whole"), VAE_OUT_OF_MEMORY);
  EXPECT_EQ(
      session.message(),
      "entry 'whole': at most 20000 bytes may be taken, expected at least "
      "24992 bytes (outputs 8992, noise 3200, all between 12800); it "
      "cannot run in parts because layer 'norm' (group_norm) depends on "
      "the whole image. Allow more, or take smaller images or fewer at a "
      "time");
  EXPECT_EQ(blur.prepare(session, "silent"), VAE_OUT_OF_MEMORY);
  EXPECT_NE(session.message().find("compile the model again"),
            std::string::npos)
      << session.message();
  EXPECT_EQ(blur.prepare(session), VAE_OK) << session.message();
  options.max_memory = 25000;
  Session enough(model, options);
  EXPECT_EQ(blur.prepare(enough, "whole"), VAE_OK);
}

TEST(Parts, SmallerSizesNeedNoFurtherPreparation) {
  Model model(getModelPath("blur"));
  Blur large(2, 60, 60);
  Meter meter;
  Session session(model, meter.getOptions(large.outputBytes() + 60000));
  ASSERT_EQ(large.prepare(session), VAE_OK) << session.message();
  Blurred result, expected;
  for (int64_t size : {4, 12, 20, 36, 58}) {
    Blur small(1, size, size + 1);
    ASSERT_EQ(small.run(session, result), VAE_OK) << session.message();
    Session whole(model);
    ASSERT_EQ(small.prepare(whole), VAE_OK);
    ASSERT_EQ(small.run(whole, expected), VAE_OK);
    EXPECT_TRUE(result == expected) << size;
  }
  Blur larger(3, 200, 60);
  EXPECT_EQ(larger.run(session, result), VAE_OUT_OF_MEMORY);
}

TEST(Parts, NeedPreparation) {
  Model model(getModelPath("blur"));
  Blur blur(1, 20, 20);
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.max_memory = blur.outputBytes() + 6000;
  Session session(model, options);
  Blurred result;
  EXPECT_EQ(blur.run(session, result), VAE_NOT_PREPARED);
  // Without a limit nothing is cut, also where memory was reserved for less.
  Session unlimited(model);
  ASSERT_EQ(blur.prepare(unlimited), VAE_OK);
  Blur two(2, 20, 20);
  EXPECT_EQ(two.run(unlimited, result), VAE_NOT_PREPARED);
}

TEST(Parts, KeepTheLimitOverSeveralPreparations) {
  Model model(getModelPath("blur"));
  Blur small(1, 20, 20), large(4, 40, 40);
  uint64_t limit = large.outputBytes() + 40000;
  Meter meter;
  Session session(model, meter.getOptions(limit));
  meter.start();
  for (int i = 0; i < 3; ++i)
    for (Blur *blur : {&small, &large}) {
      ASSERT_EQ(blur->prepare(session), VAE_OK) << session.message();
      EXPECT_LE(meter.now + blur->outputBytes(), static_cast<int64_t>(limit));
      EXPECT_EQ(meter.now, vae_session_memory(session));
    }
  EXPECT_LE(meter.most, static_cast<int64_t>(limit));
}

TEST(Parts, CanBeCancelledBetweenThem) {
  Model model(getModelPath("blur"));
  Blur blur(3, 20, 20);
  struct Steps {
    uint64_t done = 0, stop = UINT64_MAX;
  } steps;
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.max_memory = blur.outputBytes() + 3 * 20 * 20 * 4 + 8000;
  options.progress_ctx = &steps;
  options.progress = [](void *context, uint64_t done) {
    auto &steps = *static_cast<Steps *>(context);
    steps.done = done;
    return done >= steps.stop ? 1 : 0;
  };
  Session session(model, options);
  ASSERT_EQ(blur.prepare(session), VAE_OK) << session.message();
  Blurred result;
  ASSERT_EQ(blur.run(session, result), VAE_OK);
  EXPECT_GE(steps.done, 3u); // noise, and at least three parts
  steps.stop = 2;
  EXPECT_EQ(blur.run(session, result), VAE_CANCELLED);
  EXPECT_EQ(steps.done, 2u);
}

TEST(Parts, PlansRefuseBadArguments) {
  Model model(getModelPath("blur"));
  Blur blur(1, 20, 20);
  vae_run_plan_t plan = VAE_RUN_PLAN_INIT;
  char message[256];
  auto find = [&](const vae_model_t *m, const char *entry, uint32_t symbols,
                  vae_run_plan_t *out) {
    return vae_model_plan_run(m, entry, blur.symbols.data(), symbols, 0, out,
                              nullptr, message, sizeof(message));
  };
  EXPECT_EQ(find(model, "encode", 3, &plan), VAE_OK);
  EXPECT_EQ(plan.parts, 1);
  EXPECT_EQ(find(nullptr, "encode", 3, &plan), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(find(model, "encode", 2, &plan), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(find(model, "encode", 3, nullptr), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(find(model, "decode", 3, &plan), VAE_NOT_FOUND);
  blur.symbols[1] = 7;
  EXPECT_EQ(find(model, "encode", 3, &plan), VAE_INVALID_ARGUMENT);
  EXPECT_STREQ(message,
               "height: expected at least 4 and a multiple of 2, found 7");
  plan.struct_size = 8;
  EXPECT_EQ(find(model, "encode", 3, &plan), VAE_INVALID_ARGUMENT);
}

} // namespace
