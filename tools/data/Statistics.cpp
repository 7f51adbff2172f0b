// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Statistics.h"

using namespace vaedata;

Statistic vaedata::summarize(const std::vector<double> &values) {
  Statistic result;
  auto count = static_cast<double>(values.size());
  for (double value : values)
    result.mean += value / count;
  if (values.size() < 2)
    return result;
  double squares = 0;
  for (double value : values)
    squares += (value - result.mean) * (value - result.mean);
  result.error = std::sqrt(squares / (count - 1) / count);
  return result;
}

double vaedata::getMeanSquaredError(const float *x, const float *y,
                                    size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += (double(x[i]) - y[i]) * (double(x[i]) - y[i]);
  return sum / static_cast<double>(count);
}
