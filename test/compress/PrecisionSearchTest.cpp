// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/PrecisionSearch.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vae;

namespace {

constexpr PrecisionKind kBase = kBaseKind, kInt8 = PrecisionKind::Int8;

/// Layers of one choice, from (saving, drop).
std::vector<PrecisionChoices>
makeLayers(std::vector<std::pair<double, double>> layers) {
  std::vector<PrecisionChoices> result;
  for (auto [saving, drop] : layers)
    result.push_back({{kInt8, saving, drop}});
  return result;
}

/// What layers lose together if they lose it by themselves.
double sum(const std::vector<PrecisionChoices> &layers,
           const PrecisionAssignment &assignment) {
  double drop = 0;
  for (size_t i = 0; i < layers.size(); ++i)
    if (assignment[i] == kInt8)
      drop += layers[i][0].drop;
  return drop;
}

double getSaving(const std::vector<PrecisionChoices> &layers,
                 const PrecisionAssignment &assignment) {
  double saving = 0;
  for (size_t i = 0; i < layers.size(); ++i)
    if (assignment[i] == kInt8)
      saving += layers[i][0].saving;
  return saving;
}

PrecisionSearchResult search(const std::vector<PrecisionChoices> &layers,
                             double budget) {
  auto result = searchPrecisions(
      layers, budget, [&](const PrecisionAssignment &assignment) {
        return std::optional(sum(layers, assignment));
      });
  EXPECT_TRUE(result);
  return *result;
}

size_t getMostSteps(size_t layers) {
  return 2 * static_cast<size_t>(std::ceil(std::log2(layers + 1))) + 10;
}

TEST(PrecisionSearch, TakesAllThatPayWithinTheBudget) {
  auto layers = makeLayers({{1, 0.1}, {2, 0.2}, {3, 0.3}});
  auto result = search(layers, 0.7);
  EXPECT_TRUE(result.fits);
  EXPECT_EQ(result.assignment, PrecisionAssignment({kInt8, kInt8, kInt8}));
  EXPECT_EQ(result.steps.size(), 1u);
}

TEST(PrecisionSearch, TakesBackWhatLosesMostPerSaving) {
  // By drop alone, the second would go first.
  auto layers = makeLayers({{1, 0.4}, {10, 0.5}, {1, 0.1}});
  auto result = search(layers, 0.6);
  EXPECT_TRUE(result.fits);
  EXPECT_EQ(result.assignment, PrecisionAssignment({kBase, kInt8, kInt8}));
  EXPECT_DOUBLE_EQ(result.drop, 0.6);
}

TEST(PrecisionSearch, GivesBackSingleLayersThatFit) {
  // In the order, the first two go; then there is room for the first.
  auto layers = makeLayers({{1, 1}, {10, 9}, {10, 2}});
  auto result = search(layers, 3.5);
  EXPECT_EQ(result.assignment, PrecisionAssignment({kInt8, kBase, kInt8}));
  EXPECT_DOUBLE_EQ(result.drop, 3);
}

TEST(PrecisionSearch, ZeroIsKeptWithoutIntegers) {
  auto layers = makeLayers({{1, 0.1}, {2, 0.2}});
  auto result = search(layers, 0);
  EXPECT_TRUE(result.fits);
  EXPECT_EQ(result.assignment, PrecisionAssignment({kBase, kBase}));
}

TEST(PrecisionSearch, SaysThatNothingFits) {
  auto layers = makeLayers({{1, 0.1}, {2, 0.2}});
  auto result =
      searchPrecisions(layers, 0.5, [&](const PrecisionAssignment &assignment) {
        return std::optional(sum(layers, assignment) + 1);
      });
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->fits);
  EXPECT_EQ(result->assignment, PrecisionAssignment({kBase, kBase}));
  EXPECT_DOUBLE_EQ(result->drop, 1);
  EXPECT_EQ(result->steps.size(), 2u);
}

TEST(PrecisionSearch, NoLayers) {
  auto result = search({}, 0);
  EXPECT_TRUE(result.fits);
  EXPECT_TRUE(result.assignment.empty());
  EXPECT_EQ(result.steps.size(), 1u);
}

TEST(PrecisionSearch, LayersWithoutAChoiceStay) {
  auto layers = makeLayers({{1, 0.1}});
  layers.emplace_back();
  auto result = searchPrecisions(layers, 1, [&](const PrecisionAssignment &) {
    return std::optional(0.);
  });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->assignment, PrecisionAssignment({kInt8, kBase}));
}

TEST(PrecisionSearch, EndsWithTheMeasure) {
  auto layers = makeLayers({{1, 0.1}});
  EXPECT_FALSE(searchPrecisions(layers, 1, [](const PrecisionAssignment &) {
    return std::optional<double>();
  }));
}

TEST(PrecisionSearch, NotANumberDoesNotFit) {
  // The first layer makes NaN, by itself and in company.
  auto layers = makeLayers({{100, NAN}, {1, 0.1}, {1, 0.1}});
  auto result =
      searchPrecisions(layers, 1, [&](const PrecisionAssignment &assignment) {
        return std::optional(sum(layers, assignment));
      });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->fits);
  EXPECT_EQ(result->assignment, PrecisionAssignment({kBase, kInt8, kInt8}));
}

/// With a further kind, one layer goes by way of it, and one leaves it out: it
/// loses more there than by a part of the way.
TEST(PrecisionSearch, GoesThroughKinds) {
  auto other = PrecisionKind::W8;
  std::vector<PrecisionChoices> layers = {
      {{other, 6, 1}, {kInt8, 10, 5}},
      {{other, 1, 4}, {kInt8, 10, 5}},
  };
  auto measure = [&](const PrecisionAssignment &assignment) {
    double drop = 0;
    for (size_t i = 0; i < layers.size(); ++i)
      for (const PrecisionChoice &choice : layers[i])
        drop += choice.kind == assignment[i] ? choice.drop : 0;
    return std::optional(drop);
  };
  auto find = [&](double budget) {
    auto result = searchPrecisions(layers, budget, measure);
    EXPECT_TRUE(result && result->fits);
    return result->assignment;
  };
  EXPECT_EQ(find(10), PrecisionAssignment({kInt8, kInt8}));
  EXPECT_EQ(find(9), PrecisionAssignment({other, kInt8}));
  EXPECT_EQ(find(5.5), PrecisionAssignment({kInt8, kBase}));
  EXPECT_EQ(find(4), PrecisionAssignment({other, kBase}));
  EXPECT_EQ(find(0.5), PrecisionAssignment({kBase, kBase}));
}

/// Steps are of whole assignments; results keep the budget as they were
/// measured, whatever the layers do to each other.
TEST(PrecisionSearch, RandomLayers) {
  std::mt19937 random(0);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (unsigned round = 0; round < 300; ++round) {
    size_t count = 1 + random() % 40;
    std::vector<std::pair<double, double>> pairs(count);
    for (auto &[saving, drop] : pairs) {
      saving = uniform(random);
      drop = uniform(random) - 0.05;
    }
    auto layers = makeLayers(pairs);
    bool additive = round % 2 == 0;
    // Layers side by side disturb, or cancel, each other.
    auto measure = [&](const PrecisionAssignment &assignment) {
      double drop = sum(layers, assignment);
      for (size_t i = 1; i < count && !additive; ++i)
        if (assignment[i] == kInt8 && assignment[i - 1] == kInt8)
          drop += i % 3 ? 0.3 : -0.2;
      return std::optional(drop);
    };
    double budget = uniform(random) * static_cast<double>(count) / 3;
    auto result = searchPrecisions(layers, budget, measure);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->fits);
    EXPECT_EQ(result->drop, *measure(result->assignment));
    EXPECT_LE(result->drop, budget);
    EXPECT_LE(result->steps.size(), getMostSteps(count));
    if (!additive)
      continue;
    // The best that a knapsack could hold, if layers could be parted.
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; ++i)
      order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return pairs[a].second * pairs[b].first <
             pairs[b].second * pairs[a].first;
    });
    double room = budget, best = 0, largest = 0;
    for (size_t i : order) {
      auto [saving, drop] = pairs[i];
      double part = drop <= room ? 1 : std::max(room, 0.0) / drop;
      best += part * saving;
      room -= part * drop;
      largest = std::max(largest, saving);
    }
    EXPECT_GE(getSaving(layers, result->assignment), best - largest - 1e-9);
  }
}

} // namespace
