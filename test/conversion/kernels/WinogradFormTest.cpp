// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/WinogradForm.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace vae;

namespace {

std::vector<double> multiply(const Matrix &matrix,
                             const std::vector<double> &x) {
  std::vector<double> y;
  for (const std::vector<double> &row : matrix) {
    double sum = 0;
    for (size_t i = 0; i < row.size(); ++i)
      sum += row[i] * x[i];
    y.push_back(sum);
  }
  return y;
}

class WinogradForms : public testing::TestWithParam<WinogradAxis> {};

TEST_P(WinogradForms, GivesTheOutputsOfTheWindow) {
  WinogradAxis axis = GetParam();
  ASSERT_TRUE(hasWinogradPoints(axis));
  WinogradMatrices matrices = getWinogradMatrices(axis);
  std::vector<double> data, filter;
  for (int64_t i = 0; i < axis.size(); ++i)
    data.push_back(std::sin(1.0 + 3.0 * i));
  for (int64_t i = 0; i < axis.taps; ++i)
    filter.push_back(std::cos(2.0 + 5.0 * i));
  std::vector<double> inputs = multiply(matrices.input, data);
  std::vector<double> weights = multiply(matrices.weight, filter);
  ASSERT_EQ(inputs.size(), static_cast<size_t>(axis.size()));
  for (size_t i = 0; i < inputs.size(); ++i)
    inputs[i] *= weights[i];
  std::vector<double> outputs = multiply(matrices.output, inputs);
  ASSERT_EQ(outputs.size(), static_cast<size_t>(axis.outputs));
  for (int64_t i = 0; i < axis.outputs; ++i) {
    double expected = 0;
    for (int64_t k = 0; k < axis.taps; ++k)
      expected += data[i + k] * filter[k];
    EXPECT_NEAR(outputs[i], expected, 1e-13) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, WinogradForms,
                         testing::Values(WinogradAxis{2, 2}, WinogradAxis{4, 2},
                                         WinogradAxis{2, 3}, WinogradAxis{4, 3},
                                         WinogradAxis{6, 3}),
                         [](const auto &info) {
                           return "F" + std::to_string(info.param.outputs) +
                                  "x" + std::to_string(info.param.taps);
                         });

TEST(WinogradForm, HasNoPointsForOtherSizes) {
  EXPECT_FALSE(hasWinogradPoints({6, 2}));
  EXPECT_FALSE(hasWinogradPoints({9, 3}));
}

// Rows of opposite points share their work: as many groups as points without
// their signs, and infinity.
TEST(WinogradForm, PairsOppositePoints) {
  LinearMap map(getWinogradMatrices({4, 3}).input);
  EXPECT_EQ(map.getRowGroups().size(), 4u);
  EXPECT_TRUE(map.uses(map.getRowGroups()[0], 0));
  EXPECT_FALSE(map.uses(map.getRowGroups()[0], 1));
}

} // namespace
