// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/ThreadPool.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <dirent.h>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace vae::runtime;

namespace {

struct Destroy {
  void operator()(ThreadPool *pool) const { ThreadPool::destroy(pool); }
};
using Pool = std::unique_ptr<ThreadPool, Destroy>;

Pool makePool(unsigned threads) {
  Pool pool(ThreadPool::create(threads, Allocator()));
  EXPECT_NE(pool, nullptr);
  return pool;
}

void pauseFor(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// What a loop did.
struct Record {
  std::mutex mutex;
  std::vector<std::pair<int64_t, int64_t>> parts;
  std::set<std::thread::id> threads;

  static void task(void *arg, int64_t begin, int64_t end) {
    auto &self = *static_cast<Record *>(arg);
    std::lock_guard<std::mutex> lock(self.mutex);
    self.parts.emplace_back(begin, end);
    self.threads.insert(std::this_thread::get_id());
  }
};

/// A loop whose parts, all of one item, wait for each other: each has a thread.
struct Meeting {
  explicit Meeting(int64_t parts) : missing(parts) {}
  std::atomic<int64_t> missing;
  Record record;

  static void task(void *arg, int64_t begin, int64_t end) {
    auto &self = *static_cast<Meeting *>(arg);
    Record::task(&self.record, begin, end);
    --self.missing;
    while (self.missing > 0)
      std::this_thread::yield();
  }
};

/// Adds 1 to every number of its part, without a lock: TSan sees an item that
/// two threads have, or a loop that returns too early.
struct Counters {
  explicit Counters(size_t size) : values(size) {}
  std::vector<int> values;

  static void task(void *arg, int64_t begin, int64_t end) {
    auto &self = *static_cast<Counters *>(arg);
    for (int64_t i = begin; i < end; ++i)
      ++self.values[i];
  }
  bool all(int value) const {
    for (int found : values)
      if (found != value)
        return false;
    return true;
  }
};

/// How often the threads of all pools were put to sleep, by the kernel's count.
int64_t countSleeps() {
  int64_t sleeps = 0;
  DIR *folder = opendir("/proc/self/task");
  while (dirent *task = readdir(folder)) {
    std::string path = std::string("/proc/self/task/") + task->d_name;
    std::string name, line;
    std::ifstream(path + "/comm") >> name;
    if (name != "vae-worker")
      continue;
    std::ifstream status(path + "/status");
    const std::string key = "voluntary_ctxt_switches:";
    while (std::getline(status, line))
      if (line.compare(0, key.size(), key) == 0)
        sleeps += std::stoll(line.substr(key.size()));
  }
  closedir(folder);
  return sleeps;
}

/// Eight pieces a thread, fewer where they had less than `grain` items; all in
/// one for one thread.
int64_t countPieces(unsigned threads, int64_t count, int64_t grain) {
  int64_t most = count / std::max<int64_t>(grain, 1);
  int64_t parts = std::min<int64_t>(threads, most);
  return parts <= 1 ? 1 : parts * std::min<int64_t>(8, most / parts);
}

TEST(ThreadPool, CoversEveryItemOnceInEvenParts) {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    Pool pool = makePool(threads);
    EXPECT_EQ(pool->getNumThreads(), threads);
    for (int64_t count : {0, 1, 2, 7, 8, 9, 64, 1000})
      for (int64_t grain : {-1, 0, 1, 2, 3, 16, 999, 1000, 1001}) {
        Record record;
        pool->parallelFor(count, grain, Record::task, &record);
        std::sort(record.parts.begin(), record.parts.end());
        int64_t next = 0, smallest = count, largest = 0;
        for (auto [begin, end] : record.parts) {
          EXPECT_EQ(begin, next);
          next = end;
          smallest = std::min(smallest, end - begin);
          largest = std::max(largest, end - begin);
        }
        EXPECT_EQ(next, count);
        if (record.parts.empty())
          continue;
        EXPECT_LE(largest - smallest, 1);
        EXPECT_GE(smallest, std::min(count, std::max<int64_t>(grain, 1)));
        EXPECT_EQ(static_cast<int64_t>(record.parts.size()),
                  countPieces(threads, count, grain));
      }
  }
}

TEST(ThreadPool, CountsThatOverflowSmallProductsAreSplitRight) {
  Pool pool = makePool(3);
  Record record;
  pool->parallelFor(INT64_MAX, 1, Record::task, &record);
  std::sort(record.parts.begin(), record.parts.end());
  ASSERT_EQ(record.parts.size(), 24u);
  int64_t next = 0;
  for (auto [begin, end] : record.parts) {
    EXPECT_EQ(begin, next);
    EXPECT_GE(end - begin, INT64_MAX / 24);
    next = end;
  }
  EXPECT_EQ(next, INT64_MAX);
}

/// The item 0 ends when all others are done.
struct Straggler {
  std::atomic<int64_t> done{0};
  int64_t count = 0;
  std::set<std::thread::id> threads;
  std::mutex mutex;

  static void task(void *arg, int64_t begin, int64_t end) {
    auto &self = *static_cast<Straggler *>(arg);
    {
      std::lock_guard<std::mutex> lock(self.mutex);
      self.threads.insert(std::this_thread::get_id());
    }
    // The other items of its piece are waited for by nobody.
    if (begin == 0)
      while (self.done < self.count - end)
        std::this_thread::yield();
    else
      self.done += end - begin;
  }
};

TEST(ThreadPool, NobodyWaitsForASlowThreadsPart) {
  Pool pool = makePool(2);
  Straggler straggler;
  straggler.count = 1000;
  pool->parallelFor(straggler.count, 1, Straggler::task, &straggler);
  EXPECT_EQ(straggler.threads.size(), 2u);
}

TEST(ThreadPool, UsesAsManyThreadsAsThereAreParts) {
  Pool pool = makePool(4);
  for (int64_t parts : {4, 2, 3}) {
    Meeting meeting(parts);
    pool->parallelFor(parts, 1, Meeting::task, &meeting);
    EXPECT_EQ(meeting.record.threads.size(), static_cast<size_t>(parts));
    EXPECT_EQ(meeting.record.threads.count(std::this_thread::get_id()), 1u);
  }
}

TEST(ThreadPool, TakesBackWhatNobodyHasBegun) {
  // A thread that is parked is rarely there before the caller has done a part
  // of nothing: then the caller does both.
  Pool pool = makePool(2);
  int alone = 0;
  for (int i = 0; i < 200; ++i) {
    pauseFor(1);
    Record record;
    pool->parallelFor(2, 1, Record::task, &record);
    alone += record.threads.size() == 1;
    std::sort(record.parts.begin(), record.parts.end());
    ASSERT_EQ(record.parts.size(), 2u);
    EXPECT_EQ(record.parts[0], (std::pair<int64_t, int64_t>{0, 1}));
    EXPECT_EQ(record.parts[1], (std::pair<int64_t, int64_t>{1, 2}));
  }
  EXPECT_GT(alone, 0);
}

TEST(ThreadPool, SmallLoopsRunInTheCallerAndWakeNobody) {
  Pool pool = makePool(3);
  pauseFor(20); // all are parked now
  int64_t before = countSleeps();
  EXPECT_GE(before, 2);
  Record record;
  for (int i = 0; i < 1000; ++i)
    pool->parallelFor(7, 7, Record::task, &record);
  pauseFor(20);
  EXPECT_EQ(countSleeps(), before);
  EXPECT_EQ(record.threads,
            std::set<std::thread::id>{std::this_thread::get_id()});
  // Two parts wake one thread of the two, and it goes back to sleep.
  Meeting meeting(2);
  pool->parallelFor(2, 1, Meeting::task, &meeting);
  pauseFor(20);
  EXPECT_GT(countSleeps(), before);
}

TEST(ThreadPool, ManyShortLoopsInARow) {
  for (unsigned threads : {2u, 5u}) {
    Pool pool = makePool(threads);
    Counters counters(5);
    constexpr int kLoops = 20'000;
    for (int i = 0; i < kLoops; ++i)
      pool->parallelFor(5, 1, Counters::task, &counters);
    EXPECT_TRUE(counters.all(kLoops));
  }
}

TEST(ThreadPool, WakesThreadsThatAreParked) {
  Pool pool = makePool(3);
  Counters counters(9);
  for (int i = 1; i <= 50; ++i) {
    pauseFor(1);
    pool->parallelFor(9, 1, Counters::task, &counters);
    EXPECT_TRUE(counters.all(i));
  }
}

TEST(ThreadPool, TheCallerParksForSlowParts) {
  Pool pool = makePool(3);
  Counters counters(3);
  auto slow = [](void *arg, int64_t begin, int64_t end) {
    if (begin)
      pauseFor(begin);
    Counters::task(arg, begin, end);
  };
  for (int i = 1; i <= 20; ++i) {
    pool->parallelFor(3, 1, slow, &counters);
    EXPECT_TRUE(counters.all(i));
  }
}

TEST(ThreadPool, ANestedLoopRunsInTheThreadOfItsTask) {
  Pool pool = makePool(3);
  struct Outer {
    ThreadPool *pool;
    Counters counters{12};
  } outer = {pool.get()};
  auto task = [](void *arg, int64_t begin, int64_t end) {
    auto &self = *static_cast<Outer *>(arg);
    struct Inner {
      Outer &outer;
      int64_t row;
      std::thread::id thread;
      int calls;
    };
    for (int64_t row = begin; row < end; ++row) {
      Inner inner = {self, row, std::this_thread::get_id(), 0};
      self.pool->parallelFor(
          4, 1,
          [](void *arg, int64_t begin, int64_t end) {
            auto &inner = *static_cast<Inner *>(arg);
            EXPECT_EQ(inner.thread, std::this_thread::get_id());
            EXPECT_EQ(++inner.calls, 1);
            Counters::task(&inner.outer.counters, inner.row * 4 + begin,
                           inner.row * 4 + end);
          },
          &inner);
    }
  };
  pool->parallelFor(3, 1, task, &outer);
  EXPECT_TRUE(outer.counters.all(1));
  // And the next loop is parallel again.
  Record record;
  pool->parallelFor(3, 1, Record::task, &record);
  EXPECT_EQ(record.parts.size(), 3u);
}

TEST(ThreadPool, PoolsOfManyThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> owners;
  for (int owner = 0; owner < 4; ++owner)
    owners.emplace_back([] {
      Pool pool = makePool(3);
      Counters counters(3);
      for (int i = 0; i < 2000; ++i)
        pool->parallelFor(3, 1, Counters::task, &counters);
      EXPECT_TRUE(counters.all(2000));
    });
  for (std::thread &owner : owners)
    owner.join();
}

TEST(ThreadPool, ComesAndGoesInAnyState) {
  for (int i = 0; i < 200; ++i) {
    Pool pool = makePool(1 + i % 4);
    Counters counters(4);
    if (i % 3)
      pool->parallelFor(4, 1, Counters::task, &counters);
    if (i % 5 == 0)
      pauseFor(1);
  }
  ThreadPool::destroy(nullptr);
}

TEST(ThreadPool, AFailingAllocatorMakesNoPoolAndLeaksNothing) {
  struct State {
    int allowed, live = 0;
  };
  for (int allowed = 0; allowed < 2; ++allowed) {
    State state = {allowed};
    Allocator allocator = {
        [](void *ctx, size_t size, size_t alignment) -> void * {
          auto &state = *static_cast<State *>(ctx);
          if (state.allowed-- <= 0)
            return nullptr;
          ++state.live;
          return aligned_alloc(alignment,
                               (size + alignment - 1) / alignment * alignment);
        },
        [](void *ctx, void *memory, size_t, size_t) {
          --static_cast<State *>(ctx)->live;
          free(memory);
        },
        &state};
    EXPECT_EQ(ThreadPool::create(4, allocator), nullptr);
    EXPECT_EQ(state.live, 0);
  }
}

TEST(ThreadPool, SeesTheCpusOfThisProcess) {
  EXPECT_GE(getNumAvailableCpus(), 1u);
  EXPECT_LE(getNumAvailableCpus(), 8192u);
}

} // namespace
