// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalization.
#include "compiler/gradient/Vjp.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

static double valueOr(const Tensor *tensor, int64_t index, double value) {
  return tensor ? double(tensor->data[index]) : value;
}

/// Calls f(position, channel) for every element.
template <typename FunctionTy>
static void forEachElement(const Tensor &x, FunctionTy f) {
  AxisView view(x.shape, 1);
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t c = 0; c < view.size; ++c)
      for (int64_t k = 0; k < view.inner; ++k)
        f(view.at(n, c, k), c);
}

Error gradient::vjp(BatchNormOp op, const Cotangents &c) {
  const Tensor &x = c.in[0], &mean = c.in[1], &variance = c.in[2];
  const Tensor *weight = c.in.find(op.getWeight());
  const Tensor &dy = c.getGradient();
  Tensor *dx = c.find(0);
  double epsilon = op.getEpsilon().convertToDouble();
  size_t channels = mean.data.size();
  std::vector<double> dmean(channels), dvariance(channels), dweight(channels),
      dbias(channels);
  forEachElement(x, [&](int64_t i, int64_t channel) {
    double factor = 1 / std::sqrt(variance.data[channel] + epsilon);
    double normalized = (x.data[i] - double(mean.data[channel])) * factor;
    double inner = dy.data[i] * valueOr(weight, channel, 1) * factor;
    if (dx)
      dx->data[i] = static_cast<float>(inner);
    dmean[channel] -= inner;
    dvariance[channel] -= inner * normalized * factor / 2;
    dweight[channel] += dy.data[i] * normalized;
    dbias[channel] += dy.data[i];
  });
  storeAll(c.find(1), dmean);
  storeAll(c.find(2), dvariance);
  storeAll(c.find(op.getWeightMutable()), dweight);
  storeAll(c.find(op.getBiasMutable()), dbias);
  return Error::success();
}

Error gradient::vjp(ChannelAffineOp, const Cotangents &c) {
  const Tensor &x = c.in[0], &scale = c.in[1], &dy = c.getGradient();
  Tensor *dx = c.find(0);
  std::vector<double> dscale(scale.data.size()), doffset(scale.data.size());
  forEachElement(x, [&](int64_t i, int64_t channel) {
    if (dx)
      dx->data[i] =
          static_cast<float>(dy.data[i] * double(scale.data[channel]));
    dscale[channel] += dy.data[i] * double(x.data[i]);
    doffset[channel] += dy.data[i];
  });
  storeAll(c.find(1), dscale);
  storeAll(c.find(2), doffset);
  return Error::success();
}

namespace {
/// Elements first, first + stride, .. of a tensor, which are normalized
/// together.
struct Run {
  int64_t first, size, stride;
  int64_t at(int64_t i) const { return first + i * stride; }
};

/// A run of x as it is normalized: (x - its mean, if centered) * factor.
struct Normalized {
  std::vector<double> values;
  double factor = 1;
  bool centered = false;
  /// The factor does not depend on x.
  bool constant = false;

  /// Makes the gradient of the values that of x.
  void passBack(std::vector<double> &d) const;
};
} // namespace

void Normalized::passBack(std::vector<double> &d) const {
  auto size = double(values.size());
  double mean = 0, product = 0;
  for (size_t i = 0; i < d.size(); ++i) {
    mean += centered ? d[i] / size : 0;
    product += constant ? 0 : d[i] * values[i] / size;
  }
  for (size_t i = 0; i < d.size(); ++i)
    d[i] = factor * (d[i] - mean - values[i] * product);
}

/// To mean 0 and variance 1.
static Normalized standardize(std::vector<double> x, double epsilon) {
  double mean = 0, variance = 0;
  for (double value : x)
    mean += value;
  mean /= double(x.size());
  for (double value : x)
    variance += (value - mean) * (value - mean);
  double factor = 1 / std::sqrt(variance / double(x.size()) + epsilon);
  for (double &value : x)
    value = (value - mean) * factor;
  return {std::move(x), factor, /*centered=*/true, /*constant=*/false};
}

/// To mean square 1.
static Normalized scale(std::vector<double> x, double epsilon, bool l2) {
  double squares = 0;
  for (double value : x)
    squares += value * value;
  auto size = double(x.size());
  double factor = l2 ? std::sqrt(size) / std::max(std::sqrt(squares), epsilon)
                     : 1 / std::sqrt(squares / size + epsilon);
  for (double &value : x)
    value *= factor;
  return {std::move(x), factor, /*centered=*/false,
          /*constant=*/l2 && std::sqrt(squares) <= epsilon};
}

namespace {
/// y = activation(normalized * weight + bias + residual), run by run.
class NormGradient {
public:
  NormGradient(const Cotangents &c, const Tensor *weight, const Tensor *bias,
               int64_t parameters)
      : c(c), weight(weight), bias(bias), dweight(parameters),
        dbias(parameters) {}
  void setEpilogue(const Tensor *addend, Tensor *gradient,
                   ActivationAttr function) {
    residual = addend;
    dresidual = gradient;
    activation = function;
  }

  /// `parameter` is the index of an element's weight and bias, `normalize`
  /// makes a run's values Normalized.
  template <typename ParameterFn, typename NormalizeFn>
  void add(const Run &run, ParameterFn parameter, NormalizeFn normalize) {
    std::vector<double> d(run.size);
    for (int64_t i = 0; i < run.size; ++i)
      d[i] = c.in[0].data[run.at(i)];
    Normalized normalized = normalize(d);
    for (int64_t i = 0; i < run.size; ++i)
      d[i] = passThroughSum(run.at(i), parameter(i), normalized.values[i]);
    normalized.passBack(d);
    if (Tensor *dx = c.find(0))
      for (int64_t i = 0; i < run.size; ++i)
        dx->data[run.at(i)] = static_cast<float>(d[i]);
  }

  void finish(Tensor *weightGradient, Tensor *biasGradient) const {
    storeAll(weightGradient, dweight);
    storeAll(biasGradient, dbias);
  }

private:
  /// The gradient of the normalized value of an element.
  double passThroughSum(int64_t index, int64_t parameter, double normalized) {
    double factor = valueOr(weight, parameter, 1);
    double d = c.getGradient().data[index];
    if (activation)
      d *= differentiate(activation, normalized * factor +
                                         valueOr(bias, parameter, 0) +
                                         valueOr(residual, index, 0));
    dweight[parameter] += d * normalized;
    dbias[parameter] += d;
    if (dresidual)
      dresidual->data[index] = static_cast<float>(d);
    return d * factor;
  }

  const Cotangents &c;
  const Tensor *weight, *bias, *residual = nullptr;
  Tensor *dresidual = nullptr;
  ActivationAttr activation;
  std::vector<double> dweight, dbias;
};
} // namespace

Error gradient::vjp(GroupNormOp op, const Cotangents &c) {
  const Tensor &x = c.in[0];
  AxisView view(x.shape, 1);
  int64_t groups = op.getGroups();
  int64_t channels = view.size / groups, size = channels * view.inner;
  double epsilon = op.getEpsilon().convertToDouble();
  NormGradient norm(c, c.in.find(op.getWeight()), c.in.find(op.getBias()),
                    view.size);
  norm.setEpilogue(c.in.find(op.getResidual()), c.find(op.getResidualMutable()),
                   op.getActivationAttr());
  for (int64_t group = 0; group < view.outer * groups; ++group)
    norm.add(
        {group * size, size, 1},
        [&](int64_t i) { return group % groups * channels + i / view.inner; },
        [&](auto values) { return standardize(values, epsilon); });
  norm.finish(c.find(op.getWeightMutable()), c.find(op.getBiasMutable()));
  return Error::success();
}

Error gradient::vjp(LayerNormOp op, const Cotangents &c) {
  const Tensor &x = c.in[0];
  int64_t size =
      countElements(ArrayRef<int64_t>(x.shape).take_back(op.getAxes()));
  double epsilon = op.getEpsilon().convertToDouble();
  NormGradient norm(c, c.in.find(op.getWeight()), c.in.find(op.getBias()),
                    size);
  for (int64_t first = 0; first < int64_t(x.data.size()); first += size)
    norm.add(
        {first, size, 1}, [](int64_t i) { return i; },
        [&](auto values) { return standardize(values, epsilon); });
  norm.finish(c.find(op.getWeightMutable()), c.find(op.getBiasMutable()));
  return Error::success();
}

Error gradient::vjp(RmsNormOp op, const Cotangents &c) {
  AxisView view(c.in[0].shape, 1);
  double epsilon = op.getEpsilon().convertToDouble();
  NormGradient norm(c, c.in.find(op.getWeight()), c.in.find(op.getBias()),
                    view.size);
  norm.setEpilogue(c.in.find(op.getResidual()), c.find(op.getResidualMutable()),
                   op.getActivationAttr());
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t k = 0; k < view.inner; ++k)
      norm.add(
          {view.at(n, 0, k), view.size, view.inner},
          [](int64_t i) { return i; },
          [&](auto values) { return scale(values, epsilon, op.getL2()); });
  norm.finish(c.find(op.getWeightMutable()), c.find(op.getBiasMutable()));
  return Error::success();
}
