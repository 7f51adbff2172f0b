// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads of one session.
#ifndef VAE_RUNTIME_THREADPOOL_H
#define VAE_RUNTIME_THREADPOOL_H

#include "runtime/src/Memory.h"

#include <atomic>
#include <pthread.h>

namespace vae::runtime {

/// Number of CPUs that this process may run on.
unsigned getNumAvailableCpus();

constexpr uint32_t kMaxThreads = 1024;
/// Threads of a session that wants so many; 0: one per available CPU.
inline uint32_t getNumThreads(uint32_t wanted) {
  uint32_t threads = wanted ? wanted : getNumAvailableCpus();
  return threads < kMaxThreads ? threads : kMaxThreads;
}

/// Waits for work spinning for a moment, then parked in the kernel. One thread
/// at a time hands out work and takes part in it. Each thread has a part of its
/// own, side by side for the sake of caches, and takes pieces of others' when
/// it is done: a busy machine or a thread that is slow to wake makes nobody
/// wait for long.
class ThreadPool {
public:
  /// A pool of `threads` threads, the caller's included; nullptr if memory or
  /// threads run out.
  static ThreadPool *create(unsigned threads, const Allocator &allocator);
  /// Stops the threads and frees the pool.
  static void destroy(ThreadPool *pool);

  /// Runs task(arg, begin, end) over an even partition of [0, count) into
  /// pieces of at least `grain` items (unless count is smaller), and returns
  /// when all are done. Wakes no more threads than there are further pieces. A
  /// call from within a task runs in that thread.
  void parallelFor(int64_t count, int64_t grain, vae_abi_task task, void *arg);

  unsigned getNumThreads() const { return numWorkers + 1; }

private:
  /// What a worker's word says. Work becomes Idle when the worker comes, or
  /// when the session's thread has no work for it any more, which alone writes
  /// Work and Stop.
  enum State : uint32_t { Idle, Parked, Work, Stop };

  struct alignas(64) Worker {
    std::atomic<uint32_t> state{Idle};
    unsigned index = 0;
    ThreadPool *pool = nullptr;
    pthread_t thread = {};
    // A part in one piece, beside the word that announces it: all that the
    // worker needs comes with one line of the cache. Empty: see the pool.
    vae_abi_task task = nullptr;
    void *arg = nullptr;
    int64_t begin = 0, end = 0;
  };

  /// The next piece of a part.
  struct alignas(64) Cursor {
    std::atomic<int64_t> next{0};
  };

  ThreadPool(const Allocator &allocator) : allocator(allocator) {}
  ~ThreadPool() = default;
  friend struct Allocator;

  bool start(unsigned count);
  static void *work(void *worker);
  void waitForWork(Worker &worker);
  bool take(Worker &worker);
  /// Parts in pieces; the thread's own comes first, then what is left of the
  /// others'.
  void runPart(unsigned part);
  /// Parts in one piece each; those whose worker has not come are the caller's.
  void runWholeParts();
  /// The first item of a part.
  int64_t getBegin(unsigned part) const;
  void callWorkers();
  void runPieces(unsigned part);
  void signal(Worker &worker, State state);
  void finishPart();
  void waitForAll();

  const Allocator allocator;
  Worker *workers = nullptr;
  unsigned numWorkers = 0; // started
  unsigned numAllocated = 0;
  Cursor *cursors = nullptr; // of the caller, then the workers
  unsigned numCursors = 0;
  int64_t spinNanoseconds = 0;

  // The current job: written before the workers' words, read after them.
  vae_abi_task task = nullptr;
  void *arg = nullptr;
  int64_t count = 0;
  unsigned parts = 1; // one for each thread that takes part
  int64_t pieces = 1; // of each part
  bool running = false;

  // Workers that have not finished; the top bit: the caller is parked.
  alignas(64) std::atomic<uint32_t> pending{0};
};

} // namespace vae::runtime

#endif // VAE_RUNTIME_THREADPOOL_H
