// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sampling, KL divergence and likelihoods.
#include "compiler/reference/Evaluate.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

Error reference::evaluate(ReparameterizeOp, const Operands &in, Results out) {
  const Tensor &mu = in[0], &logvar = in[1], &noise = in[2];
  for (size_t i = 0; i < mu.data.size(); ++i)
    out[0].data[i] =
        mu.data[i] + std::exp(logvar.data[i] / 2.0) * double(noise.data[i]);
  return Error::success();
}

/// out[n] = sum of f(index) over the elements of example n.
static void sumExamples(const Tensor &x, Tensor &out,
                        llvm::function_ref<double(int64_t)> f) {
  AxisView view(x.shape, 0);
  for (int64_t n = 0; n < view.size; ++n) {
    double sum = 0;
    for (int64_t k = 0; k < view.inner; ++k)
      sum += f(view.at(0, n, k));
    out.data[n] = sum;
  }
}

Error reference::evaluate(KlOp op, const Operands &in, Results out) {
  const Tensor &mu = in[0], &logvar = in[1];
  const Tensor *mean = in.find(op.getPriorMean());
  const Tensor *deviation = in.find(op.getPriorStd());
  int64_t channels = 1, inner = 1;
  if (mean) { // the verifier has seen a rank >= 2 and the deviation
    AxisView view(mu.shape, 1);
    channels = view.size;
    inner = view.inner;
  }
  if (Error error = checkShape(op, mean, "prior mean", {channels}))
    return error;
  if (Error error = checkShape(op, deviation, "prior std", {channels}))
    return error;
  sumExamples(mu, out[0], [&](int64_t index) {
    int64_t c = index / inner % channels;
    double m = mean ? mean->data[c] : 0;
    double s = deviation ? deviation->data[c] : 1;
    double distance = (mu.data[index] - m) / s;
    // Of the variance's ratio to the prior's.
    double logRatio = logvar.data[index] - 2 * std::log(s);
    // expm1: near 0, where the terms cancel, exp(x) - 1 has few digits.
    return (distance * distance + std::expm1(logRatio) - logRatio) / 2;
  });
  return Error::success();
}

/// log(x), not below -100; NaN stays NaN.
static double clampedLog(double x) {
  double value = std::log(x);
  return value < -100 ? -100 : value;
}

static double logLikelihood(Likelihood likelihood, double x, double y,
                            double scale, const float *logvar) {
  switch (likelihood) {
  case Likelihood::BernoulliLogits:
    return x * y - softplus(y);
  case Likelihood::Bernoulli:
    return x * clampedLog(y) + (1 - x) * clampedLog(1 - y);
  case Likelihood::Gaussian: {
    double logVariance = logvar ? double(*logvar) : 2 * std::log(scale);
    return -(x - y) * (x - y) / (2 * std::exp(logVariance)) -
           (std::log(2 * M_PI) + logVariance) / 2;
  }
  case Likelihood::Laplace:
    return -std::abs(x - y) / scale - std::log(2 * scale);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Error reference::evaluate(LogLikelihoodOp op, const Operands &in, Results out) {
  const Tensor &x = in[0], &y = in[1];
  const Tensor *logvar = in.find(op.getLogvar());
  double scale = op.getScale().convertToDouble();
  sumExamples(x, out[0], [&](int64_t index) {
    return logLikelihood(op.getLikelihood(), x.data[index], y.data[index],
                         scale, logvar ? &logvar->data[index] : nullptr);
  });
  return Error::success();
}
