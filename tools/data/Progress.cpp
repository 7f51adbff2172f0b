// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Progress.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace vaedata;
using namespace std::chrono_literals;

static constexpr int kWidth = 40;

Progress::Progress(int64_t total)
    : total(std::max<int64_t>(total, 1)), terminal(isatty(STDERR_FILENO)),
      start(Clock::now()), next(start + 2s) {}

Progress::~Progress() { finish(); }

void Progress::finish() {
  if (drawn)
    std::fputs("\r\x1b[K", stderr); // erase the line
  drawn = false;
}

void Progress::advance(int64_t units) {
  done = std::min(done + units, total);
  Clock::time_point now = Clock::now();
  if (!terminal || now < next)
    return;
  next = now + 200ms;
  drawn = true;
  double part = static_cast<double>(done) / static_cast<double>(total);
  std::string bar(static_cast<size_t>(part * kWidth), '#');
  bar.resize(kWidth, '.');
  double seconds = std::chrono::duration<double>(now - start).count();
  double left = part > 0 ? seconds / part - seconds : 0;
  std::fprintf(stderr, "\r[%s] %3.0f %%, %.0f s left\x1b[K", bar.c_str(),
               100 * part, left);
  std::fflush(stderr);
}
