// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/LeastSquares.h"

#include "Eigen/Cholesky"

#include <limits>

using namespace vae;

LeastSquares::LeastSquares(int64_t inputs, int64_t outputs)
    : inputs(inputs), gram(RealMatrix::Zero(inputs + 1, inputs + 1)),
      cross(RealMatrix::Zero(inputs + 1, outputs)),
      squares(Eigen::VectorXd::Zero(outputs)),
      sums(Eigen::VectorXd::Zero(outputs)) {}

void LeastSquares::add(const RealMatrix &x, const RealMatrix &y) {
  RealMatrix extended(x.rows(), inputs + 1);
  extended.leftCols(inputs) = x;
  extended.col(inputs).setOnes();
  gram.selfadjointView<Eigen::Lower>().rankUpdate(extended.transpose());
  cross.noalias() += extended.transpose() * y;
  squares += y.colwise().squaredNorm().transpose();
  sums += y.colwise().sum().transpose();
  rows += x.rows();
}

/// sum |Y - X W|^2 = sum |Y|^2 - 2 <W, X'Y> + <W, X'X W>.
double LeastSquares::getError(const RealMatrix &weight,
                              const Eigen::VectorXd &bias) const {
  RealMatrix all(inputs + 1, weight.cols());
  all.topRows(inputs) = weight;
  all.row(inputs) = bias.transpose();
  RealMatrix product = gram.selfadjointView<Eigen::Lower>() * all;
  double error = squares.sum() + all.cwiseProduct(product - 2.0 * cross).sum();
  double variance = squares.sum() - sums.squaredNorm() / double(rows);
  // Rounding may leave less than nothing of an error that is none.
  return variance > 0 ? std::max(error, 0.0) / variance : 0;
}

bool LeastSquares::solveMasked(const RealMatrix &system,
                               const RealMatrix &right, const RealMatrix &mask,
                               Fit &fit) const {
  for (int64_t u = 0; u < right.cols(); ++u) {
    std::vector<int64_t> kept;
    for (int64_t k = 0; k < system.rows(); ++k)
      if (k >= inputs || mask(k, u) != 0) // the bias is no weight
        kept.push_back(k);
    auto size = static_cast<int64_t>(kept.size());
    RealMatrix part(size, size);
    Eigen::VectorXd wanted(size);
    for (int64_t a = 0; a < size; ++a) {
      wanted[a] = right(kept[a], u);
      for (int64_t b = 0; b <= a; ++b)
        part(a, b) = system(kept[a], kept[b]);
    }
    Eigen::LLT<Eigen::Ref<RealMatrix>, Eigen::Lower> cholesky(part);
    if (cholesky.info() != Eigen::Success)
      return false;
    Eigen::VectorXd solution = cholesky.solve(wanted);
    fit.weight.col(u).setZero();
    for (int64_t a = 0; a < size; ++a)
      (kept[a] < inputs ? fit.weight(kept[a], u) : fit.bias[u]) = solution[a];
  }
  return true;
}

LeastSquares::Fit LeastSquares::solve(const RealMatrix &weight,
                                      const Eigen::VectorXd &bias, bool fitBias,
                                      double ridge,
                                      const RealMatrix *mask) const {
  int64_t size = fitBias ? inputs + 1 : inputs;
  double lambda = ridge * gram.diagonal().head(inputs).sum() / double(inputs);
  // Inputs that are all zero leave their weights as they are.
  lambda = std::max(lambda, std::numeric_limits<double>::min());
  RealMatrix system = gram.topLeftCorner(size, size);
  system.diagonal().head(inputs).array() += lambda;
  RealMatrix right = cross.topRows(size);
  right.topRows(inputs) += lambda * weight;
  Fit fit;
  fit.weight = weight;
  fit.bias = bias;
  fit.errorBefore = fit.errorAfter = getError(weight, bias);
  if (mask) {
    Fit masked = fit;
    if (!solveMasked(system, right, *mask, masked))
      return fit;
    masked.errorAfter = getError(masked.weight, masked.bias);
    return masked;
  }
  Eigen::LLT<Eigen::Ref<RealMatrix>, Eigen::Lower> cholesky(system);
  if (cholesky.info() != Eigen::Success)
    return fit;
  RealMatrix solution = cholesky.solve(right);
  fit.weight = solution.topRows(inputs);
  if (fitBias)
    fit.bias = solution.row(inputs).transpose();
  fit.errorAfter = getError(fit.weight, fit.bias);
  return fit;
}
