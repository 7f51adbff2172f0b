// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is allocated between the end of prepare and the end of a run: counted
// where all memory comes from. A program of its own, because it replaces
// malloc.
#include "test/runtime/Support.h"

#include <atomic>
#include <cerrno>
#include <thread>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#if __has_feature(thread_sanitizer)
#define SANITIZED
#define THREAD_SANITIZED
#endif
#endif

static std::atomic<int64_t> allocations{0};

#ifdef SANITIZED
// The sanitizers have malloc already; they tell us of every call.
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*malloc_hook)(const volatile void *, size_t),
    void (*free_hook)(const volatile void *));
static const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void *, size_t) { ++allocations; },
    [](const volatile void *) {});
#else
static const int installed = 1;
extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **memory, size_t alignment, size_t size) {
  ++allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
}
#endif

using namespace vae::test;

namespace {

/// How many allocations something makes, in all threads.
template <typename Function> int64_t count(Function function) {
  int64_t before = allocations;
  function();
  return allocations - before;
}

TEST(Allocation, IsCounted) {
  ASSERT_TRUE(installed);
  EXPECT_GT(count([] { Model model(getModelPath("toy")); }), 0);
  Model model(getModelPath("toy"));
  Session session(model);
  auto prepare = [&] {
    EXPECT_EQ(vae_session_prepare_batch(session, "score", 64), VAE_OK);
  };
#ifdef THREAD_SANITIZED // it does not tell of aligned memory
  prepare();
#else
  EXPECT_EQ(count(prepare), 2); // arena and noise
#endif
  EXPECT_EQ(count(prepare), 0);
}

TEST(Allocation, IsNoneInRuns) {
  Model model(getModelPath("toy"));
  constexpr int64_t kBatch = 3000; // also noise is shared among threads
  std::vector<float> x(4 * kBatch, 0.5f), y(4 * kBatch), mu(2 * kBatch),
      logvar(2 * kBatch), z(2 * kBatch), ll(kBatch), kl(kBatch), elbo(kBatch);
  for (uint32_t threads : {1u, 3u}) {
    Session session(model, threads);
    ASSERT_EQ(vae_session_prepare_batch(session, "score", kBatch), VAE_OK);
    ASSERT_EQ(vae_session_prepare_batch(session, "sample", kBatch), VAE_OK);
    int64_t found = count([&] {
      for (int64_t batch : {int64_t(1), int64_t(7), kBatch}) {
        if (vae_session_encode(session, x.data(), batch, mu.data(),
                               logvar.data()) ||
            vae_session_encode_sample(session, x.data(), batch, 1, mu.data(),
                                      logvar.data(), z.data()) ||
            vae_session_decode(session, z.data(), batch, y.data()) ||
            vae_session_reconstruct(session, x.data(), batch, y.data()) ||
            vae_session_reconstruct_sample(session, x.data(), batch, 1,
                                           y.data()) ||
            vae_session_sample(session, batch, 1, y.data()) ||
            vae_session_score(session, x.data(), batch, 1, ll.data(), kl.data(),
                              elbo.data()))
          std::abort(); // a message would allocate
      }
    });
    EXPECT_EQ(found, 0) << threads << " threads";
  }
}

TEST(Allocation, IsNoneInParts) {
  Model model(getModelPath("blur"));
  vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
  options.threads = 2;
  options.max_memory = 40000;
  Session session(model, options);
  const int64_t symbols[] = {2, 32, 32};
  std::vector<float> x(2 * 32 * 32), c(2), y(2 * x.size()), z(2 * 30 * 30);
  int64_t image[] = {2, 1, 32, 32}, number[] = {2, 1}, large[] = {2, 1, 64, 32},
          small[] = {2, 1, 30, 30};
  const vae_tensor_t in[] = {{x.data(), VAE_DTYPE_F32, 4, image},
                             {c.data(), VAE_DTYPE_F32, 2, number},
                             {nullptr, VAE_DTYPE_F32, 4, image}};
  const vae_tensor_t out[] = {{y.data(), VAE_DTYPE_F32, 4, large},
                              {z.data(), VAE_DTYPE_F32, 4, small}};
  ASSERT_EQ(vae_session_prepare(session, "encode", symbols, 3), VAE_OK)
      << session.message();
  int64_t found = count([&] {
    for (int i = 0; i < 3; ++i)
      if (vae_session_run(session, "encode", nullptr, in, 3, out, 2))
        std::abort();
  });
  EXPECT_EQ(found, 0);
}

TEST(Allocation, IsNoneInRunsThatFail) {
  Model model(getModelPath("toy"));
  Session session(model);
  int64_t dims[] = {2, 5};
  float data[10] = {};
  vae_tensor_t tensor = {data, VAE_DTYPE_F32, 2, dims};
  int64_t found = count([&] {
    if (!vae_session_run(session, "encode", nullptr, &tensor, 1, &tensor, 2) ||
        !vae_session_run(session, "nonsense", nullptr, &tensor, 1, &tensor,
                         1) ||
        !vae_session_run(session, "encode", nullptr, &tensor, 1, &tensor, 1) ||
        !vae_session_score(session, data, 1, 0, data, data, data) ||
        !vae_session_reconstruct(session, data, 1, data + 4))
      std::abort();
  });
  EXPECT_EQ(found, 0);
}

} // namespace
