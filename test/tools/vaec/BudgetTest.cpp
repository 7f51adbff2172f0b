// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Budget.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vae::tool;

namespace {

Budget parse(const std::string &text) {
  Budget budget;
  EXPECT_EQ(Budget::parse(text, budget), "");
  return budget;
}

TEST(Budget, Reads) {
  Budget budget = parse("elbo:0.1nat");
  EXPECT_EQ(budget.measure, BudgetMeasure::Elbo);
  EXPECT_EQ(budget.most, 0.1);
  EXPECT_FALSE(budget.percent);
  EXPECT_TRUE(parse("mse:1%").percent);
  EXPECT_EQ(parse("mse:1e-4").most, 1e-4);
  EXPECT_EQ(parse("psnr:0.5 dB").measure, BudgetMeasure::Psnr);
}

TEST(Budget, Refuses) {
  Budget budget;
  for (const char *text : {"", "elbo", "elbo:", "elbo:1", "elbo:nat", "kl:1nat",
                           "psnr:1", "psnr:1%", "mse:1dB", "elbo:-1nat",
                           "elbo:infnat", "elbo:nannat", "mse:1%%"})
    EXPECT_NE(Budget::parse(text, budget), "") << text;
}

// Two examples with -10 and -20 nats, that lose 1 and 2.
TEST(Budget, Elbo) {
  auto drop = parse("elbo:1nat").getDrop({-10, -20}, {-11, -22});
  EXPECT_DOUBLE_EQ(drop.mean, 1.5);
  EXPECT_DOUBLE_EQ(drop.error, 0.5); // sqrt(0.5 / 2)
  auto part = parse("elbo:1%").getDrop({-10, -20}, {-11, -22});
  EXPECT_DOUBLE_EQ(part.mean, 10);
  EXPECT_NEAR(part.error, 0, 1e-12); // each loses a tenth
  // Likelihoods of densities can be above 1.
  EXPECT_DOUBLE_EQ(parse("elbo:1%").getDrop({10, 30}, {9, 29}).mean, 5);
  EXPECT_LT(parse("elbo:1%").getDrop({-10}, {-9}).mean, 0);
}

TEST(Budget, Errors) {
  EXPECT_DOUBLE_EQ(parse("mse:1").getDrop({1, 3}, {2, 3}).mean, 0.5);
  EXPECT_DOUBLE_EQ(parse("mse:1%").getDrop({1, 3}, {2, 3}).mean, 25);
  auto drop = parse("psnr:1dB").getDrop({1, 3}, {10, 30});
  EXPECT_DOUBLE_EQ(drop.mean, 10);
  EXPECT_NEAR(drop.error, 0, 1e-12);
}

TEST(Budget, NothingLostIsZero) {
  for (const char *text : {"elbo:1nat", "elbo:1%", "mse:1%", "psnr:1dB"}) {
    auto drop = parse(text).getDrop({2, 3}, {2, 3});
    EXPECT_EQ(drop.mean, 0) << text;
    EXPECT_FALSE(std::signbit(drop.mean)) << text;
    EXPECT_EQ(drop.error, 0) << text;
  }
}

} // namespace
