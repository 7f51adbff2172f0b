// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/StepTimer.h"

#include "tools/vae-run/Error.h"

#include <algorithm>
#include <chrono>

using namespace vaerun;

static int64_t getNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int StepTimer::onStep(void *timer, uint64_t) {
  static_cast<StepTimer *>(timer)->current.push_back(getNanoseconds());
  return 0;
}

void StepTimer::beginCall() {
  current.clear();
  current.push_back(getNanoseconds());
}

void StepTimer::endCall() {
  current.push_back(getNanoseconds());
  if (!stride)
    stride = current.size();
  if (current.size() != stride)
    throw std::runtime_error(concat("a call had ", current.size() - 2,
                                    " steps, those before it ", stride - 2));
  if (getNumCalls() < kMostCalls) {
    times.insert(times.end(), current.begin(), current.end());
    return;
  }
  std::copy(current.begin(), current.end(),
            times.begin() + static_cast<std::ptrdiff_t>(oldest * stride));
  oldest = (oldest + 1) % kMostCalls;
}

void StepTimer::clear() {
  times.clear();
  stride = oldest = 0;
}

const int64_t *StepTimer::getCall(size_t index) const {
  return times.data() + (oldest + index) % getNumCalls() * stride;
}
