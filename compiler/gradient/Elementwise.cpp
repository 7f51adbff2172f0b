// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activations, arithmetic and softmax.
#include "compiler/gradient/Vjp.h"

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

/// dx[i] = f(i), if somebody asks for dx.
template <typename FunctionTy> static void fill(Tensor *dx, FunctionTy f) {
  if (dx)
    for (size_t i = 0; i < dx->data.size(); ++i)
      dx->data[i] = static_cast<float>(f(i));
}

Error gradient::vjp(ActivationOp op, const Cotangents &c) {
  const std::vector<float> &x = c.in[0].data, &dy = c.getGradient().data;
  fill(c.find(0),
       [&](size_t i) { return dy[i] * differentiate(op.getFunction(), x[i]); });
  return Error::success();
}

Error gradient::vjp(PreluOp, const Cotangents &c) {
  const Tensor &x = c.in[0], &slope = c.in[1], &dy = c.getGradient();
  AxisView view(x.shape, 1);
  bool shared = slope.data.size() == 1;
  std::vector<double> sums(slope.data.size());
  Tensor *dx = c.find(0), *dslope = c.find(1);
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t i = 0; i < view.size; ++i)
      for (int64_t k = 0; k < view.inner; ++k) {
        int64_t at = view.at(n, i, k), channel = shared ? 0 : i;
        bool negative = x.data[at] < 0;
        double factor = negative ? slope.data[channel] : 1;
        if (dx)
          dx->data[at] = static_cast<float>(dy.data[at] * factor);
        if (negative)
          sums[channel] += double(dy.data[at]) * x.data[at];
      }
  fill(dslope, [&](size_t i) { return sums[i]; });
  return Error::success();
}

Error gradient::vjp(AddOp, const Cotangents &c) {
  for (size_t operand : {0, 1})
    fill(c.find(operand), [&](size_t i) { return c.getGradient().data[i]; });
  return Error::success();
}

Error gradient::vjp(SubOp, const Cotangents &c) {
  fill(c.find(0), [&](size_t i) { return c.getGradient().data[i]; });
  fill(c.find(1), [&](size_t i) { return -c.getGradient().data[i]; });
  return Error::success();
}

Error gradient::vjp(MulOp, const Cotangents &c) {
  const std::vector<float> &dy = c.getGradient().data;
  for (size_t operand : {0, 1})
    fill(c.find(operand),
         [&](size_t i) { return double(dy[i]) * c.in[1 - operand].data[i]; });
  return Error::success();
}

Error gradient::vjp(GluOp op, const Cotangents &c) {
  const Tensor &x = c.in[0], &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  AxisView half(dy.shape, 1), whole(x.shape, 1);
  for (int64_t n = 0; n < half.outer; ++n)
    for (int64_t i = 0; i < half.size; ++i)
      for (int64_t k = 0; k < half.inner; ++k) {
        int64_t a = whole.at(n, i, k), b = whole.at(n, half.size + i, k);
        double gradient = dy.data[half.at(n, i, k)];
        dx->data[a] =
            static_cast<float>(gradient * activate(op.getGate(), x.data[b]));
        dx->data[b] = static_cast<float>(
            gradient * x.data[a] * differentiate(op.getGate(), x.data[b]));
      }
  return Error::success();
}

Error gradient::vjp(SoftmaxOp op, const Cotangents &c) {
  const Tensor &y = c.getResult(), &dy = c.getGradient();
  Tensor *dx = c.find(0);
  if (!dx)
    return Error::success();
  AxisView view(y.shape, op.getAxis());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t k = 0; k < view.inner; ++k) {
      double mean = 0;
      for (int64_t i = 0; i < view.size; ++i)
        mean += double(y.data[view.at(o, i, k)]) * dy.data[view.at(o, i, k)];
      for (int64_t i = 0; i < view.size; ++i) {
        int64_t at = view.at(o, i, k);
        dx->data[at] = static_cast<float>(y.data[at] * (dy.data[at] - mean));
      }
    }
  return Error::success();
}
