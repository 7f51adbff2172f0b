// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/LeastSquares.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vae;

namespace {

RealMatrix makeMatrix(std::mt19937_64 &random, int64_t rows, int64_t columns) {
  RealMatrix matrix(rows, columns);
  for (int64_t i = 0; i < matrix.size(); ++i)
    matrix.data()[i] = double(random() % 2001) / 1000 - 1;
  return matrix;
}

struct Problem {
  std::mt19937_64 random{5};
  RealMatrix x = makeMatrix(random, 60, 7), weight = makeMatrix(random, 7, 3);
  Eigen::VectorXd bias = makeMatrix(random, 3, 1).col(0);
  RealMatrix y = (x * weight).rowwise() + bias.transpose();
};

TEST(LeastSquares, FindsTheWeightsThatMadeTheData) {
  Problem p;
  LeastSquares squares(7, 3);
  // In parts, as batches come.
  squares.add(p.x.topRows(20), p.y.topRows(20));
  squares.add(p.x.bottomRows(40), p.y.bottomRows(40));
  EXPECT_EQ(squares.getRows(), 60);
  auto fit = squares.solve(RealMatrix::Zero(7, 3), Eigen::VectorXd::Zero(3),
                           /*fitBias=*/true, /*ridge=*/1e-14);
  EXPECT_LT((fit.weight - p.weight).norm(), 1e-9);
  EXPECT_LT((fit.bias - p.bias).norm(), 1e-9);
  EXPECT_GT(fit.errorBefore, 0.9);
  EXPECT_LT(fit.errorAfter, 1e-12);
}

TEST(LeastSquares, ErrorsAreThoseOfTheRows) {
  Problem p;
  RealMatrix x = p.x.leftCols(4), weight = p.weight.topRows(4);
  LeastSquares squares(4, 3);
  squares.add(x, p.y);
  auto fit = squares.solve(weight, p.bias, true, 1e-6);
  auto getError = [&](const RealMatrix &w, const Eigen::VectorXd &b) {
    RealMatrix centered = p.y.rowwise() - p.y.colwise().mean();
    RealMatrix difference = p.y - ((x * w).rowwise() + b.transpose());
    return difference.squaredNorm() / centered.squaredNorm();
  };
  EXPECT_NEAR(fit.errorBefore, getError(weight, p.bias), 1e-12);
  EXPECT_NEAR(fit.errorAfter, getError(fit.weight, fit.bias), 1e-12);
  EXPECT_LT(fit.errorAfter, fit.errorBefore);
  // No other weights are better.
  for (int64_t i = 0; i < fit.weight.size(); ++i)
    for (double step : {-1e-3, 1e-3}) {
      RealMatrix other = fit.weight;
      other.data()[i] += step;
      EXPECT_GT(getError(other, fit.bias), fit.errorAfter);
    }
}

TEST(LeastSquares, TakesTheWorkOfAnInputThatIsGone) {
  // Input 6 is twice input 5.
  Problem p;
  p.x.col(6) = 2 * p.x.col(5);
  p.y = (p.x * p.weight).rowwise() + p.bias.transpose();
  LeastSquares squares(6, 3);
  squares.add(p.x.leftCols(6), p.y);
  auto fit = squares.solve(p.weight.topRows(6), p.bias, true, 1e-12);
  EXPECT_LT(fit.errorAfter, 1e-10);
  EXPECT_LT((fit.weight.row(5) - p.weight.row(5) - 2 * p.weight.row(6)).norm(),
            1e-6);
}

TEST(LeastSquares, RidgeHoldsOnToTheWeights) {
  Problem p;
  RealMatrix old = p.weight + 0.1 * makeMatrix(p.random, 7, 3);
  LeastSquares squares(7, 3);
  squares.add(p.x, p.y);
  double before = (old - p.weight).norm(), last = 0;
  for (double ridge : {1e-9, 1e-2, 1.0, 1e6}) {
    auto fit = squares.solve(old, p.bias, true, ridge);
    double distance = (fit.weight - p.weight).norm();
    EXPECT_GE(distance, last);
    EXPECT_LE(distance, before * 1.0001);
    last = distance;
  }
  EXPECT_NEAR(last, before, 1e-5);
}

TEST(LeastSquares, WhatIsNeverSeenStays) {
  Problem p;
  p.x.col(2).setZero();
  LeastSquares squares(7, 3);
  squares.add(p.x, p.y);
  RealMatrix old = makeMatrix(p.random, 7, 3);
  auto fit = squares.solve(old, p.bias, true, 1e-6);
  EXPECT_LT((fit.weight.row(2) - old.row(2)).norm(), 1e-9);
}

TEST(LeastSquares, WithoutBias) {
  Problem p;
  p.y = p.x * p.weight;
  LeastSquares squares(7, 3);
  squares.add(p.x, p.y);
  auto fit = squares.solve(RealMatrix::Zero(7, 3), Eigen::VectorXd::Zero(3),
                           /*fitBias=*/false, 1e-14);
  EXPECT_EQ(fit.bias.norm(), 0);
  EXPECT_LT((fit.weight - p.weight).norm(), 1e-9);
}

TEST(LeastSquares, WithinAMask) {
  Problem p;
  LeastSquares squares(7, 3);
  squares.add(p.x, p.y);
  RealMatrix mask = RealMatrix::Ones(7, 3);
  mask(2, 0) = mask(6, 0) = mask(0, 1) = 0; // all of the last column stays
  RealMatrix start = p.weight.cwiseProduct(mask);
  auto fit = squares.solve(start, p.bias, true, 1e-12, &mask);
  EXPECT_EQ(fit.weight(2, 0), 0);
  EXPECT_EQ(fit.weight(6, 0), 0);
  EXPECT_EQ(fit.weight(0, 1), 0);
  EXPECT_LT((fit.weight.col(2) - p.weight.col(2)).norm(), 1e-6);
  EXPECT_LT(fit.errorAfter, fit.errorBefore);
  // No other weights in the mask have a smaller error: the fit of the first
  // column is that of a problem without the inputs that are masked.
  RealMatrix rest(p.x.rows(), 5);
  int64_t at = 0;
  for (int64_t k : {0, 1, 3, 4, 5})
    rest.col(at++) = p.x.col(k);
  LeastSquares smaller(5, 1);
  smaller.add(rest, p.y.leftCols(1));
  auto other = smaller.solve(RealMatrix::Zero(5, 1), Eigen::VectorXd::Zero(1),
                             true, 1e-12);
  at = 0;
  for (int64_t k : {0, 1, 3, 4, 5})
    EXPECT_NEAR(fit.weight(k, 0), other.weight(at++, 0), 1e-6);
}

TEST(LeastSquares, NaNIsNoFit) {
  Problem p;
  p.x(3, 3) = std::nan("");
  LeastSquares squares(7, 3);
  squares.add(p.x, p.y);
  auto fit = squares.solve(p.weight, p.bias, true, 1e-3);
  EXPECT_FALSE(std::isfinite(fit.errorAfter));
}

} // namespace
