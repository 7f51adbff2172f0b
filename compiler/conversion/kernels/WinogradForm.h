// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd's minimal filtering (Winograd, Arithmetic Complexity of
// Computations, SIAM 1980; Lavin and Gray, "Fast algorithms for convolutional
// neural networks", CVPR 2016, eq. 8): m neighbouring outputs of a window of r
// taps, y = A^T ((G g) * (B^T d)), from m + r - 1 products instead of m r.
#ifndef COMPILER_CONVERSION_KERNELS_WINOGRADFORM_H
#define COMPILER_CONVERSION_KERNELS_WINOGRADFORM_H

#include "compiler/conversion/kernels/LinearMap.h"

namespace vae {

/// F(outputs, taps) along one axis.
struct WinogradAxis {
  int64_t outputs = 0, taps = 0;
  int64_t size() const { return outputs + taps - 1; }
  bool operator==(const WinogradAxis &other) const {
    return outputs == other.outputs && taps == other.taps;
  }
};

/// The three matrices of F(m, r), n = m + r - 1.
struct WinogradMatrices {
  Matrix output; // A^T, m x n
  Matrix weight; // G, n x r
  Matrix input;  // B^T, n x n
};

/// By the Cook-Toom construction on points for which products are exact to a
/// few units in the last place: 0, +-1/sqrt(2), +-sqrt(2) and infinity for n =
/// 6 (Barabasz et al., "Error analysis and improving the accuracy of Winograd
/// convolution for deep neural networks", ACM TOMS 2020, on why points matter).
WinogradMatrices getWinogradMatrices(const WinogradAxis &axis);

/// For each row, the sum of its magnitudes.
std::vector<double> getRowNorms(const Matrix &matrix);

/// Whether there are points for that size.
bool hasWinogradPoints(const WinogradAxis &axis);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_WINOGRADFORM_H
