// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/StepTimer.h"

#include "gtest/gtest.h"

#include <stdexcept>

using namespace vaerun;

namespace {

void makeCall(StepTimer &timer, int steps) {
  timer.beginCall();
  for (int step = 0; step < steps; ++step)
    EXPECT_EQ(StepTimer::onStep(&timer, static_cast<uint64_t>(step)), 0);
  timer.endCall();
}

TEST(StepTimer, KeepsTheTimesOfEveryCallInOrder) {
  StepTimer timer;
  EXPECT_EQ(timer.getNumCalls(), 0U);
  for (int call = 0; call < 3; ++call)
    makeCall(timer, 2);
  ASSERT_EQ(timer.getNumCalls(), 3U);
  ASSERT_EQ(timer.getNumSteps(), 2U);
  int64_t last = 0;
  for (size_t call = 0; call < 3; ++call)
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_GE(timer.getCall(call)[i], last);
      last = timer.getCall(call)[i];
    }
}

TEST(StepTimer, OfVeryManyCallsTheLastAreKept) {
  StepTimer timer;
  for (size_t call = 0; call < StepTimer::kMostCalls; ++call)
    makeCall(timer, 1);
  const int64_t second = timer.getCall(1)[0];
  makeCall(timer, 1);
  ASSERT_EQ(timer.getNumCalls(), StepTimer::kMostCalls);
  EXPECT_EQ(timer.getCall(0)[0], second);
  for (size_t call = 1; call < timer.getNumCalls(); ++call)
    ASSERT_GE(timer.getCall(call)[0], timer.getCall(call - 1)[2]) << call;
}

TEST(StepTimer, CallsMustHaveTheSameSteps) {
  StepTimer timer;
  makeCall(timer, 2);
  timer.beginCall();
  EXPECT_THROW(timer.endCall(), std::runtime_error);
  timer.clear();
  makeCall(timer, 1);
  EXPECT_EQ(timer.getNumSteps(), 1U);
}

} // namespace
