// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of a layer that give, of other inputs, what it gave before: the
// least-squares reconstruction of channel pruning.
#ifndef COMPILER_COMPRESS_LEASTSQUARES_H
#define COMPILER_COMPRESS_LEASTSQUARES_H

#include "Eigen/Core"

#include <vector>

namespace vae {

/// Row-major, as weights and activations lie in memory.
using RealMatrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What a layer's K inputs and U outputs were on some rows: positions of
/// examples. Memory: (K + 1)^2 + (K + 1) * U numbers.
///
/// With X the inputs, a row of K numbers each, and Y the outputs that are
/// wanted,
///
///   W', b' = argmin sum_rows |Y - X W - b|^2 + lambda |W - W0|^2
///
/// (Y. He et al., Channel pruning for accelerating very deep neural networks,
/// 1707.06168, section 3.1, step (ii); J.-H. Luo et al., ThiNet, 1707.06342,
/// section 3.2.3, with the bias and the ridge towards the weights W0 that are
/// there, without which few rows would leave W open). lambda is `ridge` times
/// the mean square of an input, times the number of rows.
class LeastSquares {
public:
  LeastSquares(int64_t inputs, int64_t outputs);

  /// Adds rows: X is [rows, K], Y is [rows, U].
  void add(const RealMatrix &x, const RealMatrix &y);
  int64_t getRows() const { return rows; }

  struct Fit {
    /// [K, U], [U].
    RealMatrix weight;
    Eigen::VectorXd bias;
    /// Mean squared error of W0 and of the fit, relative to the variance of the
    /// columns of Y; 0 where these are constant.
    double errorBefore = 0, errorAfter = 0;
  };
  /// The bias stays zero if `fitBias` is false. Numbers that are not finite
  /// give a fit that is not, either. With a mask, [K, U], a weight is fitted
  /// only where that is not zero, and is zero elsewhere: a system for each
  /// column.
  Fit solve(const RealMatrix &weight, const Eigen::VectorXd &bias, bool fitBias,
            double ridge, const RealMatrix *mask = nullptr) const;

private:
  /// Fits the columns of `fit`, of which `mask` says which weights; false if a
  /// system has no solution.
  bool solveMasked(const RealMatrix &system, const RealMatrix &right,
                   const RealMatrix &mask, Fit &fit) const;
  double getError(const RealMatrix &weight, const Eigen::VectorXd &bias) const;

  int64_t inputs, rows = 0;
  /// Of X with a column of ones behind it: its products with itself (the lower
  /// triangle) and with Y.
  RealMatrix gram, cross;
  Eigen::VectorXd squares, sums; // of Y
};

} // namespace vae

#endif // COMPILER_COMPRESS_LEASTSQUARES_H
