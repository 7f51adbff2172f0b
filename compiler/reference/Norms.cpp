// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalization.
#include "compiler/reference/Evaluate.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

/// Checks per-channel parameters, one value for each index of axis 1.
static Error checkChannels(
    Operation *op, const Tensor &x,
    llvm::ArrayRef<std::pair<llvm::StringRef, const Tensor *>> parameters) {
  for (auto [name, tensor] : parameters)
    if (Error error = checkShape(op, tensor, name, {x.shape[1]}))
      return error;
  return Error::success();
}

static double valueOr(const Tensor *tensor, int64_t index, double value) {
  return tensor ? double(tensor->data[index]) : value;
}

/// Calls f(position, channel) for every element.
static void forEachElement(const Tensor &x,
                           llvm::function_ref<void(int64_t, int64_t)> f) {
  AxisView view(x.shape, 1);
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t c = 0; c < view.size; ++c)
      for (int64_t k = 0; k < view.inner; ++k)
        f(view.at(n, c, k), c);
}

Error reference::evaluate(BatchNormOp op, const Operands &in, Results out) {
  const Tensor &x = in[0], &mean = in[1], &variance = in[2];
  const Tensor *weight = in.find(op.getWeight());
  const Tensor *bias = in.find(op.getBias());
  if (Error error = checkChannels(op, x,
                                  {{"mean", &mean},
                                   {"variance", &variance},
                                   {"weight", weight},
                                   {"bias", bias}}))
    return error;
  double epsilon = op.getEpsilon().convertToDouble();
  forEachElement(x, [&](int64_t index, int64_t c) {
    double normalized = (double(x.data[index]) - mean.data[c]) /
                        std::sqrt(variance.data[c] + epsilon);
    out[0].data[index] =
        normalized * valueOr(weight, c, 1) + valueOr(bias, c, 0);
  });
  return Error::success();
}

Error reference::evaluate(ChannelAffineOp op, const Operands &in, Results out) {
  const Tensor &x = in[0], &scale = in[1], &offset = in[2];
  if (Error error =
          checkChannels(op, x, {{"scale", &scale}, {"offset", &offset}}))
    return error;
  forEachElement(x, [&](int64_t index, int64_t c) {
    out[0].data[index] =
        double(x.data[index]) * double(scale.data[c]) + double(offset.data[c]);
  });
  return Error::success();
}

namespace {
/// Mean and biased variance of a run of elements.
struct Statistics {
  double mean = 0, variance = 0;

  explicit Statistics(llvm::ArrayRef<float> values) {
    for (float value : values)
      mean += value;
    mean /= values.size();
    for (float value : values)
      variance += (value - mean) * (value - mean);
    variance /= values.size();
  }

  double normalize(double x, double epsilon) const {
    return (x - mean) / std::sqrt(variance + epsilon);
  }
};
} // namespace

/// act(value + residual).
template <typename OpTy>
static double finish(OpTy op, const Operands &in, int64_t index, double value) {
  value += valueOr(in.find(op.getResidual()), index, 0);
  return op.getActivation() ? activate(*op.getActivation(), value) : value;
}

Error reference::evaluate(GroupNormOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  const Tensor *weight = in.find(op.getWeight());
  const Tensor *bias = in.find(op.getBias());
  if (Error error = checkChannels(op, x, {{"weight", weight}, {"bias", bias}}))
    return error;
  AxisView view(x.shape, 1);
  int64_t groups = op.getGroups();
  int64_t groupSize = view.size / groups * view.inner;
  double epsilon = op.getEpsilon().convertToDouble();
  for (int64_t group = 0; group < view.outer * groups; ++group) {
    int64_t first = group * groupSize;
    Statistics statistics(
        llvm::ArrayRef<float>(x.data).slice(first, groupSize));
    for (int64_t index = first; index < first + groupSize; ++index) {
      int64_t c = index / view.inner % view.size;
      out[0].data[index] = finish(op, in, index,
                                  statistics.normalize(x.data[index], epsilon) *
                                          valueOr(weight, c, 1) +
                                      valueOr(bias, c, 0));
    }
  }
  return Error::success();
}

Error reference::evaluate(LayerNormOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  const Tensor *weight = in.find(op.getWeight());
  const Tensor *bias = in.find(op.getBias());
  llvm::ArrayRef<int64_t> normalized(x.shape);
  normalized = normalized.take_back(op.getAxes());
  if (Error error = checkShape(op, weight, "weight", normalized))
    return error;
  if (Error error = checkShape(op, bias, "bias", normalized))
    return error;
  int64_t size = countElements(normalized);
  int64_t count = countElements(x.shape);
  double epsilon = op.getEpsilon().convertToDouble();
  for (int64_t first = 0; first < count; first += size) {
    Statistics statistics(llvm::ArrayRef<float>(x.data).slice(first, size));
    for (int64_t k = 0; k < size; ++k)
      out[0].data[first + k] =
          statistics.normalize(x.data[first + k], epsilon) *
              valueOr(weight, k, 1) +
          valueOr(bias, k, 0);
  }
  return Error::success();
}

Error reference::evaluate(RmsNormOp op, const Operands &in, Results out) {
  const Tensor &x = in[0];
  const Tensor *weight = in.find(op.getWeight());
  const Tensor *bias = in.find(op.getBias());
  if (Error error = checkChannels(op, x, {{"weight", weight}, {"bias", bias}}))
    return error;
  AxisView view(x.shape, 1);
  double epsilon = op.getEpsilon().convertToDouble();
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t k = 0; k < view.inner; ++k) {
      double squares = 0;
      for (int64_t c = 0; c < view.size; ++c)
        squares += std::pow(double(x.data[view.at(n, c, k)]), 2);
      double factor = op.getL2() ? std::sqrt(double(view.size)) /
                                       std::max(std::sqrt(squares), epsilon)
                                 : 1 / std::sqrt(squares / view.size + epsilon);
      for (int64_t c = 0; c < view.size; ++c)
        out[0].data[view.at(n, c, k)] =
            finish(op, in, view.at(n, c, k),
                   x.data[view.at(n, c, k)] * factor * valueOr(weight, c, 1) +
                       valueOr(bias, c, 0));
    }
  return Error::success();
}
