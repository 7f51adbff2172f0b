// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/WinogradForm.h"

#include <cmath>

using namespace mlir;
using namespace vae;

/// The finite points; infinity is one more.
static std::vector<double> getPoints(int64_t size) {
  const double half = std::sqrt(0.5), two = std::sqrt(2.0);
  switch (size) {
  case 3:
    return {0, 1};
  case 4:
    return {0, 1, -1};
  case 5:
    return {0.5, -0.5, 1.5, -1.5};
  case 6:
    return {0, half, -half, two, -two};
  case 8:
    return {0, 1, -1, 2, -2, 0.5, -0.5};
  default:
    return {};
  }
}

std::vector<double> vae::getRowNorms(const Matrix &matrix) {
  std::vector<double> norms;
  for (const std::vector<double> &row : matrix) {
    double sum = 0;
    for (double value : row)
      sum += std::abs(value);
    norms.push_back(sum);
  }
  return norms;
}

bool vae::hasWinogradPoints(const WinogradAxis &axis) {
  return axis.outputs > 0 && axis.taps > 0 && !getPoints(axis.size()).empty();
}

/// Coefficients of the product of x - p, the constant first. Products of +p and
/// -p are formed first, so that odd coefficients are exactly 0.
static std::vector<double> expand(std::vector<double> roots) {
  std::vector<double> result = {1};
  auto multiply = [&](ArrayRef<double> factor) {
    std::vector<double> product(result.size() + factor.size() - 1, 0);
    for (size_t i = 0; i < result.size(); ++i)
      for (size_t j = 0; j < factor.size(); ++j)
        product[i + j] += result[i] * factor[j];
    result = std::move(product);
  };
  while (!roots.empty()) {
    double root = roots.back();
    roots.pop_back();
    auto opposite = llvm::find(roots, -root);
    if (root == 0 || opposite == roots.end()) {
      multiply({-root, 1});
      continue;
    }
    // Squares of the points are short numbers.
    multiply({-std::round(root * root * 1024) / 1024, 0, 1});
    roots.erase(opposite);
  }
  return result;
}

/// The product of the distances to other points, the same for p and -p but for
/// its sign.
static double getProduct(double point, ArrayRef<double> others) {
  std::vector<double> distances;
  for (double other : others)
    distances.push_back(point - other);
  llvm::sort(distances,
             [](double a, double b) { return std::abs(a) < std::abs(b); });
  double product = 1;
  for (double distance : distances)
    product *= distance;
  return product;
}

WinogradMatrices vae::getWinogradMatrices(const WinogradAxis &axis) {
  std::vector<double> points = getPoints(axis.size());
  size_t last = points.size();
  WinogradMatrices result;
  result.output.assign(axis.outputs, std::vector<double>(axis.size(), 0));
  result.weight.assign(axis.size(), std::vector<double>(axis.taps, 0));
  for (size_t j = 0; j < last; ++j) {
    std::vector<double> others = points;
    others.erase(others.begin() + j);
    double norm = getProduct(points[j], others);
    for (int64_t i = 0; i < axis.outputs; ++i)
      result.output[i][j] = std::pow(points[j], i);
    for (int64_t k = 0; k < axis.taps; ++k)
      result.weight[j][k] = std::pow(points[j], k) / norm;
    std::vector<double> row = expand(others);
    row.resize(axis.size(), 0);
    result.input.push_back(row);
  }
  result.output.back().back() = 1;
  result.weight.back().back() = 1;
  result.input.push_back(expand(points));
  return result;
}
