// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of the table in VaeAttrs.td.
#include "compiler/gradient/Vjp.h"

#include <cmath>
#include <limits>

using namespace vae;

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

static double differentiateSilu(double x) {
  double s = sigmoid(x);
  return s * (1 + x * (1 - s));
}

/// Of x * (1 + erf(x / sqrt(2))) / 2: the distribution function of the normal
/// distribution, and x times its density.
static double differentiateGelu(double x) {
  const double sqrt2Pi = 2.50662827463100050242;
  return std::erfc(-x * M_SQRT1_2) / 2 + x * std::exp(-x * x / 2) / sqrt2Pi;
}

static double differentiateGeluTanh(double x) {
  const double sqrt2OverPi = 0.79788456080286535588, cubic = 0.044715;
  double t = std::tanh(sqrt2OverPi * (x + cubic * x * x * x));
  double inner = sqrt2OverPi * (1 + 3 * cubic * x * x);
  return (1 + t + x * (1 - t * t) * inner) / 2;
}

static double differentiateMish(double x) {
  double t = std::tanh(reference::softplus(x));
  return t + x * (1 - t * t) * sigmoid(x);
}

/// Of min(max(x, low), high).
static double isBetween(double x, double low, double high) {
  return x > low && x < high ? 1 : 0;
}

double gradient::differentiate(ActivationAttr function, double x) {
  if (std::isnan(x))
    return x;
  double alpha = function.getAlpha(), beta = function.getBeta();
  switch (function.getKind()) {
  case ActivationKind::Relu:
    return x > 0 ? 1 : 0;
  case ActivationKind::LeakyRelu:
    return x >= 0 ? 1 : alpha;
  case ActivationKind::Sigmoid:
    return sigmoid(x) * sigmoid(-x);
  case ActivationKind::Tanh: {
    double t = std::tanh(x);
    return 1 - t * t;
  }
  case ActivationKind::Silu:
    return differentiateSilu(x);
  case ActivationKind::Gelu:
    return differentiateGelu(x);
  case ActivationKind::GeluTanh:
    return differentiateGeluTanh(x);
  case ActivationKind::Mish:
    return differentiateMish(x);
  case ActivationKind::Softplus:
    return sigmoid(x);
  case ActivationKind::Selu:
    return 1.05070098735548 * (x > 0 ? 1 : 1.67326324235437 * std::exp(x));
  case ActivationKind::Elu:
    return x > 0 ? 1 : alpha * std::exp(x);
  case ActivationKind::HardSigmoid:
    return alpha * isBetween(alpha * x + beta, 0, 1);
  case ActivationKind::HardSwish: {
    double gate = x / 6 + 0.5;
    return std::min(std::max(gate, 0.0), 1.0) + x / 6 * isBetween(gate, 0, 1);
  }
  case ActivationKind::Relu6:
    return isBetween(x, 0, 6);
  case ActivationKind::Exp:
    return std::exp(x);
  case ActivationKind::Clamp:
    return isBetween(x, alpha, beta);
  case ActivationKind::Affine:
    return alpha;
  }
  return std::numeric_limits<double>::quiet_NaN();
}
