// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_DATA_STATISTICS_H
#define TOOLS_DATA_STATISTICS_H

#include <cmath>
#include <cstddef>
#include <vector>

namespace vaedata {

/// Mean over examples, and the standard error of that mean: NaN of fewer than
/// two.
struct Statistic {
  double mean = 0, error = NAN;
};

Statistic summarize(const std::vector<double> &values);

/// Mean over `count` elements of (x - y)^2.
double getMeanSquaredError(const float *x, const float *y, size_t count);

} // namespace vaedata

#endif // TOOLS_DATA_STATISTICS_H
