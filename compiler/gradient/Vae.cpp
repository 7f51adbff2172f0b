// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sampling, KL divergence and likelihoods.
#include "compiler/gradient/Vjp.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

static void store(Tensor *tensor, int64_t index, double value) {
  if (tensor)
    tensor->data[index] = static_cast<float>(value);
}

Error gradient::vjp(ReparameterizeOp, const Cotangents &c) {
  const Tensor &logvar = c.in[1], &noise = c.in[2], &dz = c.getGradient();
  for (size_t i = 0; i < dz.data.size(); ++i) {
    double deviation = std::exp(logvar.data[i] / 2.0), gradient = dz.data[i];
    store(c.find(0), i, gradient);
    store(c.find(1), i, gradient * deviation * noise.data[i] / 2);
    store(c.find(2), i, gradient * deviation);
  }
  return Error::success();
}

Error gradient::vjp(KlOp op, const Cotangents &c) {
  const Tensor &mu = c.in[0], &logvar = c.in[1], &dkl = c.getGradient();
  const Tensor *mean = c.in.find(op.getPriorMean());
  const Tensor *deviation = c.in.find(op.getPriorStd());
  AxisView example(mu.shape, 0);
  int64_t channels = mean ? mu.shape[1] : 1;
  int64_t inner = mean ? AxisView(mu.shape, 1).inner : 1;
  std::vector<double> dmean(channels), ddeviation(channels);
  for (size_t i = 0; i < mu.data.size(); ++i) {
    auto channel = static_cast<int64_t>(i) / inner % channels;
    double m = mean ? mean->data[channel] : 0;
    double s = deviation ? deviation->data[channel] : 1;
    double gradient = dkl.data[i / example.inner];
    double distance = (mu.data[i] - m) / s;
    double excess = std::expm1(logvar.data[i] - 2 * std::log(s));
    store(c.find(0), i, gradient * distance / s);
    store(c.find(1), i, gradient * excess / 2);
    dmean[channel] -= gradient * distance / s;
    ddeviation[channel] -= gradient * (distance * distance + excess) / s;
  }
  for (int64_t channel = 0; channel < channels; ++channel) {
    store(c.find(op.getPriorMeanMutable()), channel, dmean[channel]);
    store(c.find(op.getPriorStdMutable()), channel, ddeviation[channel]);
  }
  return Error::success();
}

namespace {
/// Derivatives of log p(x|y) of an element.
struct LikelihoodGradient {
  double x = 0, y = 0, logvar = 0;
};
} // namespace

/// Of max(log(p), -100), and the logarithm.
static double differentiateLog(double p, double &value) {
  value = std::log(p);
  if (!(value < -100))
    return 1 / p;
  value = -100;
  return 0;
}

static LikelihoodGradient differentiate(Likelihood likelihood, double x,
                                        double y, double scale,
                                        const float *logvar) {
  switch (likelihood) {
  case Likelihood::BernoulliLogits:
    return {y, x - 1 / (1 + std::exp(-y)), 0};
  case Likelihood::Bernoulli: {
    double one, zero;
    double ofOne = differentiateLog(y, one);
    double ofZero = differentiateLog(1 - y, zero);
    return {one - zero, x * ofOne - (1 - x) * ofZero, 0};
  }
  case Likelihood::Gaussian: {
    double variance = logvar ? std::exp(double(*logvar)) : scale * scale;
    double slope = (x - y) / variance;
    return {-slope, slope, ((x - y) * slope - 1) / 2};
  }
  case Likelihood::Laplace: {
    double slope = (double(x > y) - double(x < y)) / scale;
    return {-slope, slope, 0};
  }
  }
  return {NAN, NAN, NAN};
}

Error gradient::vjp(LogLikelihoodOp op, const Cotangents &c) {
  const Tensor &x = c.in[0], &y = c.in[1], &dvalue = c.getGradient();
  const Tensor *logvar = c.in.find(op.getLogvar());
  double scale = op.getScale().convertToDouble();
  AxisView example(x.shape, 0);
  for (size_t i = 0; i < x.data.size(); ++i) {
    LikelihoodGradient slopes =
        ::differentiate(op.getLikelihood(), x.data[i], y.data[i], scale,
                        logvar ? &logvar->data[i] : nullptr);
    double gradient = dvalue.data[i / example.inner];
    store(c.find(0), i, gradient * slopes.x);
    store(c.find(1), i, gradient * slopes.y);
    store(c.find(op.getLogvarMutable()), i, gradient * slopes.logvar);
  }
  return Error::success();
}
