// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/ThreadPool.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace vae::runtime;

// Long enough to bridge the gap between two steps of a run, short enough not
// to be seen in the CPU time of an idle process.
static constexpr int64_t kSpinNanoseconds = 30'000;
static constexpr uint32_t kCallerParked = uint32_t(1) << 31;
// As many pieces of a thread's part can be taken by others if it is slow: an
// eighth of a part is what a loop waits for at worst.
static constexpr int64_t kPieces = 8;

static_assert(std::atomic<uint32_t>::is_always_lock_free &&
                  sizeof(std::atomic<uint32_t>) == sizeof(uint32_t),
              "a futex is a plain 32-bit word");

unsigned vae::runtime::getNumAvailableCpus() {
  // A mask of 8192 CPUs; the kernel refuses one that is too small for it.
  cpu_set_t set[8192 / CPU_SETSIZE];
  CPU_ZERO_S(sizeof(set), set);
  int count = 0;
  if (sched_getaffinity(0, sizeof(set), set) == 0)
    count = CPU_COUNT_S(sizeof(set), set);
  else
    count = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  return std::max(count, 1);
}

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

static void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

static void futexWake(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

static int64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// Whether a condition came true within a time.
template <typename Condition>
static bool spin(int64_t nanoseconds, Condition condition) {
  if (condition())
    return true;
  if (nanoseconds <= 0)
    return false;
  int64_t end = 0;
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      if (condition())
        return true;
      relax();
    }
    int64_t time = now();
    if (!end)
      end = time + nanoseconds;
    else if (time >= end)
      return false;
  }
}

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

void ThreadPool::runPieces(unsigned part) {
  // The first count % total pieces have one item more.
  int64_t total = parts * pieces;
  int64_t size = count / total, longer = count % total;
  for (;;) {
    int64_t piece = cursors[part].next.fetch_add(1, std::memory_order_relaxed);
    if (piece >= pieces)
      return;
    piece += part * pieces;
    int64_t begin = piece * size + std::min<int64_t>(piece, longer);
    task(arg, begin, begin + size + (piece < longer ? 1 : 0));
  }
}

int64_t ThreadPool::getBegin(unsigned part) const {
  return part * (count / parts) + std::min<int64_t>(part, count % parts);
}

void ThreadPool::runPart(unsigned part) {
  for (unsigned i = 0; i < parts; ++i)
    runPieces((part + i) % parts);
}

void ThreadPool::waitForWork(Worker &worker) {
  auto ready = [&] {
    return worker.state.load(std::memory_order_acquire) >= Work;
  };
  while (!spin(spinNanoseconds, ready)) {
    uint32_t expected = Idle;
    if (!worker.state.compare_exchange_strong(expected, Parked,
                                              std::memory_order_acq_rel))
      return; // work came
    while (worker.state.load(std::memory_order_acquire) == Parked)
      futexWait(worker.state, Parked);
  }
}

bool ThreadPool::take(Worker &worker) {
  uint32_t expected = Work;
  return worker.state.compare_exchange_strong(expected, Idle,
                                              std::memory_order_acq_rel);
}

void ThreadPool::finishPart() {
  // After this the caller may go on, even free the pool once it has joined
  // this thread.
  if (pending.fetch_sub(1, std::memory_order_acq_rel) == (kCallerParked | 1))
    futexWake(pending);
}

void *ThreadPool::work(void *argument) {
  Worker &worker = *static_cast<Worker *>(argument);
  ThreadPool &pool = *worker.pool;
  pool.finishPart(); // of starting
  for (;;) {
    pool.waitForWork(worker);
    if (worker.state.load(std::memory_order_acquire) == Stop)
      return nullptr;
    if (!pool.take(worker))
      continue;
    if (worker.begin < worker.end)
      worker.task(worker.arg, worker.begin, worker.end);
    else
      pool.runPart(worker.index + 1);
    pool.finishPart();
  }
}

//===----------------------------------------------------------------------===//
// The session's thread
//===----------------------------------------------------------------------===//

void ThreadPool::signal(Worker &worker, State state) {
  if (worker.state.exchange(state, std::memory_order_acq_rel) == Parked)
    futexWake(worker.state);
}

void ThreadPool::waitForAll() {
  auto done = [&] { return !pending.load(std::memory_order_acquire); };
  if (spin(spinNanoseconds, done))
    return;
  uint32_t value = pending.fetch_or(kCallerParked, std::memory_order_acq_rel) |
                   kCallerParked;
  while (value != kCallerParked) {
    futexWait(pending, value);
    value = pending.load(std::memory_order_acquire);
  }
}

void ThreadPool::parallelFor(int64_t total, int64_t grain,
                             vae_abi_task function, void *argument) {
  if (total <= 0)
    return;
  // `running` is the session's thread's own; tasks only read it.
  unsigned wanted = static_cast<unsigned>(
      std::min<int64_t>(total / std::max<int64_t>(grain, 1), getNumThreads()));
  if (wanted <= 1 || running) {
    function(argument, 0, total);
    return;
  }
  running = true;
  task = function;
  arg = argument;
  count = total;
  parts = wanted;
  pieces = std::min<int64_t>(
      std::max<int64_t>(total / std::max<int64_t>(grain, 1) / wanted, 1),
      kPieces);
  if (pieces == 1) {
    runWholeParts();
  } else {
    for (unsigned i = 0; i < wanted; ++i)
      cursors[i].next.store(0, std::memory_order_relaxed);
    for (unsigned i = 0; i + 1 < wanted; ++i)
      workers[i].begin = workers[i].end = 0;
    callWorkers();
    runPart(0);
    // Nothing is left for those who have not come.
    for (unsigned i = wanted - 1; i-- > 0;)
      if (take(workers[i]))
        pending.fetch_sub(1, std::memory_order_relaxed);
  }
  waitForAll();
  running = false;
}

void ThreadPool::callWorkers() {
  pending.store(parts - 1, std::memory_order_relaxed);
  for (unsigned i = 0; i + 1 < parts; ++i)
    signal(workers[i], Work);
}

void ThreadPool::runWholeParts() {
  for (unsigned i = 0; i + 1 < parts; ++i) {
    Worker &worker = workers[i];
    worker.task = task;
    worker.arg = arg;
    worker.begin = getBegin(i + 1);
    worker.end = getBegin(i + 2);
  }
  callWorkers();
  task(arg, 0, getBegin(1));
  for (unsigned i = parts - 1; i-- > 0;)
    if (take(workers[i])) {
      task(arg, getBegin(i + 1), getBegin(i + 2));
      pending.fetch_sub(1, std::memory_order_relaxed);
    }
}

bool ThreadPool::start(unsigned wanted) {
  cursors = static_cast<Cursor *>(
      allocator.allocate((wanted + 1) * sizeof(Cursor), alignof(Cursor)));
  if (!cursors)
    return false;
  numCursors = wanted + 1;
  for (unsigned i = 0; i < numCursors; ++i)
    new (&cursors[i]) Cursor();
  workers = static_cast<Worker *>(
      allocator.allocate(wanted * sizeof(Worker), alignof(Worker)));
  if (!workers)
    return false;
  for (unsigned i = 0; i < wanted; ++i)
    new (&workers[i]) Worker();
  numAllocated = wanted;
  pending.store(wanted, std::memory_order_relaxed);
  // Signals are for the program's own threads.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  while (numWorkers < wanted) {
    Worker &worker = workers[numWorkers];
    worker.index = numWorkers;
    worker.pool = this;
    if (pthread_create(&worker.thread, nullptr, work, &worker) != 0)
      break;
    pthread_setname_np(worker.thread, "vae-worker");
    ++numWorkers;
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  // The first run finds threads that are there, and pays for none of it.
  pending.fetch_sub(wanted - numWorkers, std::memory_order_acq_rel);
  waitForAll();
  return numWorkers == wanted;
}

ThreadPool *ThreadPool::create(unsigned threads, const Allocator &allocator) {
  void *memory = allocator.allocate(sizeof(ThreadPool), alignof(ThreadPool));
  if (!memory)
    return nullptr;
  auto *pool = new (memory) ThreadPool(allocator);
  // Spinning threads that outnumber the CPUs keep each other from working.
  pool->spinNanoseconds =
      threads <= getNumAvailableCpus() ? kSpinNanoseconds : 0;
  if (threads <= 1 || pool->start(threads - 1))
    return pool;
  destroy(pool);
  return nullptr;
}

void ThreadPool::destroy(ThreadPool *pool) {
  if (!pool)
    return;
  for (unsigned i = 0; i < pool->numWorkers; ++i)
    pool->signal(pool->workers[i], Stop);
  for (unsigned i = 0; i < pool->numWorkers; ++i)
    pthread_join(pool->workers[i].thread, nullptr);
  Allocator allocator = pool->allocator;
  for (unsigned i = 0; i < pool->numAllocated; ++i)
    pool->workers[i].~Worker();
  allocator.deallocate(pool->workers, pool->numAllocated * sizeof(Worker),
                       alignof(Worker));
  allocator.deallocate(pool->cursors, pool->numCursors * sizeof(Cursor),
                       alignof(Cursor));
  pool->~ThreadPool();
  allocator.deallocate(pool, sizeof(ThreadPool), alignof(ThreadPool));
}
