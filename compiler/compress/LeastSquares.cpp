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

LeastSquares::Fit LeastSquares::solve(const RealMatrix &weight,
                                      const Eigen::VectorXd &bias, bool fitBias,
                                      double ridge) const {
  int64_t size = fitBias ? inputs + 1 : inputs;
  double lambda = ridge * gram.diagonal().head(inputs).sum() / double(inputs);
  // Inputs that are all zero leave their weights as they are.
  lambda = std::max(lambda, std::numeric_limits<double>::min());
  RealMatrix system = gram.topLeftCorner(size, size);
  system.diagonal().head(inputs).array() += lambda;
  RealMatrix right = cross.topRows(size);
  right.topRows(inputs) += lambda * weight;
  Eigen::LLT<Eigen::Ref<RealMatrix>, Eigen::Lower> cholesky(system);
  Fit fit;
  fit.weight = weight;
  fit.bias = bias;
  fit.errorBefore = fit.errorAfter = getError(weight, bias);
  if (cholesky.info() != Eigen::Success)
    return fit;
  RealMatrix solution = cholesky.solve(right);
  fit.weight = solution.topRows(inputs);
  if (fitBias)
    fit.bias = solution.row(inputs).transpose();
  fit.errorAfter = getError(fit.weight, fit.bias);
  return fit;
}
