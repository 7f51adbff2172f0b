// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_DATA_PROGRESS_H
#define TOOLS_DATA_PROGRESS_H

#include <chrono>
#include <cstdint>

namespace vaedata {

/// A bar on stderr, if that is a terminal, once the work has lasted for two
/// seconds. It disappears with the object.
class Progress {
public:
  /// total: units of work, of any kind.
  explicit Progress(int64_t total);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void advance(int64_t units);
  /// Takes the bar away, before anything else is printed.
  void finish();

private:
  using Clock = std::chrono::steady_clock;
  int64_t total, done = 0;
  bool terminal, drawn = false;
  Clock::time_point start, next;
};

} // namespace vaedata

#endif // TOOLS_DATA_PROGRESS_H
