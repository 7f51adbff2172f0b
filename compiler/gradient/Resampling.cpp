// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upsampling, pooling and means.
#include "compiler/gradient/Vjp.h"

#include <limits>

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

template <typename OpTy>
static Error passNearest(OpTy op, const Cotangents &c) {
  if (op.getMode() == ResizeMode::Bilinear)
    return makeError(op, "no gradient is known of bilinear interpolation");
  return passToSources(op, c);
}

Error gradient::vjp(UpsampleOp op, const Cotangents &c) {
  return passNearest(op, c);
}
Error gradient::vjp(ResizeOp op, const Cotangents &c) {
  return passNearest(op, c);
}

/// Hands the gradient of a result to the elements that it is the maximum or the
/// mean of: to the first maximum, or to all, divided.
static void passToWindow(PoolKind kind, ArrayRef<int64_t> window,
                         int64_t divisor, double gradient, const Tensor &x,
                         std::vector<double> &sums) {
  if (kind == PoolKind::Avg) {
    for (int64_t index : window)
      sums[index] += gradient / double(divisor);
    return;
  }
  double largest = -std::numeric_limits<double>::infinity();
  int64_t found = window.front();
  for (int64_t index : window)
    if (x.data[index] > largest) {
      largest = x.data[index];
      found = index;
    }
  sums[found] += gradient;
}

Error gradient::vjp(Pool2dOp op, const Cotangents &c) {
  const Tensor &x = c.in[0], &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  auto kernel = op.getKernel(), strides = op.getStrides(),
       padding = op.getPadding();
  std::vector<double> sums(x.data.size());
  llvm::SmallVector<int64_t> window;
  auto pass = [&](int64_t n, int64_t channel, int64_t i, int64_t j) {
    window.clear();
    for (int64_t a = 0; a < kernel[0]; ++a)
      for (int64_t b = 0; b < kernel[1]; ++b) {
        int64_t row = i * strides[0] + a - padding[0];
        int64_t column = j * strides[1] + b - padding[1];
        if (row >= 0 && row < x.shape[2] && column >= 0 && column < x.shape[3])
          window.push_back(at(x, n, channel, row, column));
      }
    if (window.empty())
      return;
    int64_t divisor = op.getCountIncludePad() ? kernel[0] * kernel[1]
                                              : int64_t(window.size());
    passToWindow(op.getKind(), window, divisor,
                 dy.data[at(dy, n, channel, i, j)], x, sums);
  };
  for (int64_t n = 0; n < dy.shape[0]; ++n)
    for (int64_t channel = 0; channel < dy.shape[1]; ++channel)
      for (int64_t i = 0; i < dy.shape[2]; ++i)
        for (int64_t j = 0; j < dy.shape[3]; ++j)
          pass(n, channel, i, j);
  storeAll(dx, sums);
  return Error::success();
}

Error gradient::vjp(GlobalPoolOp op, const Cotangents &c) {
  const Tensor &x = c.in[0], &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  int64_t pixels = x.shape[2] * x.shape[3];
  std::vector<double> sums(x.data.size());
  std::vector<int64_t> window(pixels);
  for (size_t channel = 0; channel < dy.data.size(); ++channel) {
    for (int64_t k = 0; k < pixels; ++k)
      window[k] = int64_t(channel) * pixels + k;
    passToWindow(op.getKind(), window, pixels, dy.data[channel], x, sums);
  }
  storeAll(dx, sums);
  return Error::success();
}

Error gradient::vjp(MeanChannelsOp op, const Cotangents &c) {
  const Tensor &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  AxisView to(dx->shape, 1), from(dy.shape, 1);
  int64_t group = op.getGroup();
  for (int64_t n = 0; n < to.outer; ++n)
    for (int64_t i = 0; i < to.size; ++i)
      for (int64_t k = 0; k < to.inner; ++k)
        dx->data[to.at(n, i, k)] = static_cast<float>(
            dy.data[from.at(n, i / group, k)] / double(group));
  return Error::success();
}
