// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upsampling and pooling.
#include "compiler/reference/Evaluate.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

/// Calls f(n, c, i, j) for every element of a tensor of four axes.
static void
forEachPixel(const Tensor &y,
             llvm::function_ref<void(int64_t, int64_t, int64_t, int64_t)> f) {
  for (int64_t n = 0; n < y.shape[0]; ++n)
    for (int64_t c = 0; c < y.shape[1]; ++c)
      for (int64_t i = 0; i < y.shape[2]; ++i)
        for (int64_t j = 0; j < y.shape[3]; ++j)
          f(n, c, i, j);
}

namespace {
/// Between which two rows (or columns) of the input a row of the result lies.
struct Sample {
  int64_t low, high;
  double weight; // of high

  /// `size` elements become `newSize`.
  Sample(int64_t index, int64_t size, int64_t newSize, bool alignCorners) {
    double position;
    if (alignCorners)
      position = newSize == 1 ? 0 : double(index) * (size - 1) / (newSize - 1);
    else
      position = std::max((index + 0.5) * size / newSize - 0.5, 0.0);
    low = std::min<int64_t>(std::floor(position), size - 1);
    high = std::min(low + 1, size - 1);
    weight = position - low;
  }
};
} // namespace

/// Samples each element of y between rows and columns of x.
static void interpolate(const Tensor &x, Tensor &y, bool alignCorners) {
  forEachPixel(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    Sample row(i, x.shape[2], y.shape[2], alignCorners);
    Sample column(j, x.shape[3], y.shape[3], alignCorners);
    auto interpolate = [&](int64_t line) {
      double left = x.data[at(x, n, c, line, column.low)];
      double right = x.data[at(x, n, c, line, column.high)];
      return left * (1 - column.weight) + right * column.weight;
    };
    y.data[at(y, n, c, i, j)] = interpolate(row.low) * (1 - row.weight) +
                                interpolate(row.high) * row.weight;
  });
}

Error reference::evaluate(UpsampleOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  Tensor &y = out[0];
  auto scale = op.getScale();
  if (op.getMode() == ResizeMode::Bilinear) {
    interpolate(x, y, op.getAlignCorners());
    return Error::success();
  }
  forEachPixel(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    y.data[at(y, n, c, i, j)] = x.data[at(x, n, c, i / scale[0], j / scale[1])];
  });
  return Error::success();
}

/// The row of `size` from which row `index` of `newSize` comes, in f32.
static int64_t nearest(int64_t index, int64_t size, int64_t newSize,
                       bool exact) {
  float ratio = float(size) / float(newSize);
  float position = (float(index) + (exact ? 0.5f : 0.0f)) * ratio;
  return std::min<int64_t>(std::floor(position), size - 1);
}

Error reference::evaluate(ResizeOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  Tensor &y = out[0];
  if (op.getMode() == ResizeMode::Bilinear) {
    interpolate(x, y, op.getAlignCorners());
    return Error::success();
  }
  bool exact = op.getMode() == ResizeMode::NearestExact;
  forEachPixel(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    y.data[at(y, n, c, i, j)] =
        x.data[at(x, n, c, nearest(i, x.shape[2], y.shape[2], exact),
                  nearest(j, x.shape[3], y.shape[3], exact))];
  });
  return Error::success();
}

namespace {
/// Maximum or sum of elements.
struct Reduction {
  PoolKind kind;
  double value;
  int64_t count = 0;

  explicit Reduction(PoolKind kind)
      : kind(kind),
        value(kind == PoolKind::Max ? -std::numeric_limits<double>::infinity()
                                    : 0) {}

  void add(double x) {
    ++count;
    if (kind == PoolKind::Avg)
      value += x;
    else if (x > value || std::isnan(x)) // and once NaN, always NaN
      value = x;
  }

  /// The maximum, or the sum over `divisor`.
  double finish(int64_t divisor) const {
    return kind == PoolKind::Avg ? value / divisor : value;
  }
};
} // namespace

Error reference::evaluate(Pool2dOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  Tensor &y = out[0];
  auto kernel = op.getKernel(), strides = op.getStrides(),
       padding = op.getPadding();
  forEachPixel(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    Reduction reduction(op.getKind());
    for (int64_t a = 0; a < kernel[0]; ++a)
      for (int64_t b = 0; b < kernel[1]; ++b) {
        int64_t row = i * strides[0] + a - padding[0];
        int64_t column = j * strides[1] + b - padding[1];
        if (row >= 0 && row < x.shape[2] && column >= 0 && column < x.shape[3])
          reduction.add(x.data[at(x, n, c, row, column)]);
      }
    int64_t divisor =
        op.getCountIncludePad() ? kernel[0] * kernel[1] : reduction.count;
    y.data[at(y, n, c, i, j)] = reduction.finish(divisor);
  });
  return Error::success();
}

Error reference::evaluate(GlobalPoolOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  int64_t pixels = x.shape[2] * x.shape[3];
  for (int64_t channel = 0; channel < x.shape[0] * x.shape[1]; ++channel) {
    Reduction reduction(op.getKind());
    for (int64_t k = 0; k < pixels; ++k)
      reduction.add(x.data[channel * pixels + k]);
    out[0].data[channel] = reduction.finish(pixels);
  }
  return Error::success();
}
