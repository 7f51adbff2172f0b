// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activations, arithmetic and softmax.
#include "compiler/reference/Evaluate.h"

#include <cmath>
#include <functional>
#include <limits>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double reference::softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// min(max(x, low), high); NaN stays NaN.
static double clamp(double x, double low, double high) {
  return std::isnan(x) ? x : std::min(std::max(x, low), high);
}

static double geluTanh(double x) {
  const double sqrt2OverPi = 0.79788456080286535588;
  return x * (1 + std::tanh(sqrt2OverPi * (x + 0.044715 * x * x * x))) / 2;
}

double reference::activate(ActivationAttr function, double x) {
  // The formulas below propagate NaN, except where they compare.
  if (std::isnan(x))
    return x;
  double alpha = function.getAlpha(), beta = function.getBeta();
  switch (function.getKind()) {
  case ActivationKind::Relu:
    return std::max(x, 0.0);
  case ActivationKind::LeakyRelu:
    return x >= 0 ? x : alpha * x;
  case ActivationKind::Sigmoid:
    return sigmoid(x);
  case ActivationKind::Tanh:
    return std::tanh(x);
  case ActivationKind::Silu:
    return x * sigmoid(x);
  case ActivationKind::Gelu:
    // erfc(-t) = 1 + erf(t), exact also where erf(t) is close to -1.
    return x * std::erfc(-x * M_SQRT1_2) / 2;
  case ActivationKind::GeluTanh:
    return geluTanh(x);
  case ActivationKind::Mish:
    return x * std::tanh(softplus(x));
  case ActivationKind::Softplus:
    return softplus(x);
  case ActivationKind::Selu:
    return 1.05070098735548 * (x > 0 ? x : 1.67326324235437 * std::expm1(x));
  case ActivationKind::Elu:
    return x > 0 ? x : alpha * std::expm1(x);
  case ActivationKind::HardSigmoid:
    return clamp(alpha * x + beta, 0, 1);
  case ActivationKind::HardSwish:
    return x * clamp(x / 6 + 0.5, 0, 1);
  case ActivationKind::Relu6:
    return clamp(x, 0, 6);
  case ActivationKind::Exp:
    return std::exp(x);
  case ActivationKind::Clamp:
    return clamp(x, alpha, beta);
  case ActivationKind::Affine:
    return alpha * x + beta;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Error reference::evaluate(ActivationOp op, const Operands &in, Results out) {
  for (auto [x, y] : llvm::zip(in[0].data, out[0].data))
    y = activate(op.getFunction(), x);
  return Error::success();
}

Error reference::evaluate(PreluOp op, const Operands &in, Results out) {
  const Tensor &x = in[0], &slope = in[1];
  AxisView view(x.shape, 1);
  bool shared = slope.data.size() == 1;
  if (Error error = checkShape(op, &slope, "slope", {shared ? 1 : view.size}))
    return error;
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t c = 0; c < view.size; ++c)
      for (int64_t k = 0; k < view.inner; ++k) {
        double value = x.data[view.at(n, c, k)];
        double factor = value >= 0 ? 1 : slope.data[shared ? 0 : c];
        out[0].data[view.at(n, c, k)] = factor * value;
      }
  return Error::success();
}

/// y = f(lhs, rhs); shapes are equal.
template <typename F>
static Error evaluateBinary(const Operands &in, Tensor &y, F f) {
  for (size_t i = 0; i < y.data.size(); ++i)
    y.data[i] = f(double(in[0].data[i]), double(in[1].data[i]));
  return Error::success();
}

Error reference::evaluate(AddOp, const Operands &in, Results out) {
  return evaluateBinary(in, out[0], std::plus<double>());
}
Error reference::evaluate(SubOp, const Operands &in, Results out) {
  return evaluateBinary(in, out[0], std::minus<double>());
}
Error reference::evaluate(MulOp, const Operands &in, Results out) {
  return evaluateBinary(in, out[0], std::multiplies<double>());
}

Error reference::evaluate(GluOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  AxisView half(out[0].shape, 1), whole(x.shape, 1);
  for (int64_t n = 0; n < half.outer; ++n)
    for (int64_t c = 0; c < half.size; ++c)
      for (int64_t k = 0; k < half.inner; ++k)
        out[0].data[half.at(n, c, k)] =
            x.data[whole.at(n, c, k)] *
            activate(op.getGate(), x.data[whole.at(n, half.size + c, k)]);
  return Error::success();
}

Error reference::evaluate(SoftmaxOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  AxisView view(x.shape, op.getAxis());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t k = 0; k < view.inner; ++k) {
      double largest = -std::numeric_limits<double>::infinity();
      for (int64_t i = 0; i < view.size; ++i)
        largest = std::max<double>(largest, x.data[view.at(o, i, k)]);
      double sum = 0;
      for (int64_t i = 0; i < view.size; ++i)
        sum += std::exp(x.data[view.at(o, i, k)] - largest);
      for (int64_t i = 0; i < view.size; ++i)
        out[0].data[view.at(o, i, k)] =
            std::exp(x.data[view.at(o, i, k)] - largest) / sum;
    }
  return Error::success();
}
