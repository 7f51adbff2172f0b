// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers with weights.
#include "compiler/reference/Evaluate.h"
#include "dialects/vae/IR/VaeQuant.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

namespace {

/// What a layer multiplies: of integers and of quantized weights, what they
/// stand for but for scales that follow the sum.
struct Factors {
  Tensor x, weight;
};

/// y = activation(op(x) + bias + residual), rounded once; of a layer that
/// multiplies integers as VaeDialect.td has it, in f32.
struct Epilogue {
  const Tensor *bias = nullptr;
  const Tensor *residual = nullptr;
  ActivationAttr activation;
  /// Of an integer layer.
  std::vector<float> sumScales;
  std::optional<Quantization> residualNumbers, resultNumbers;

  float finish(double sum, int64_t unit, int64_t index) const {
    if (!sumScales.empty())
      return finishInteger(sum, unit, index);
    if (bias)
      sum += bias->data[unit];
    if (residual)
      sum += residual->data[index];
    return activation ? activate(activation, sum) : sum;
  }

private:
  /// `sum` is an integer, exactly.
  float finishInteger(double sum, int64_t unit, int64_t index) const {
    float y = std::fmaf(static_cast<float>(sum), sumScales[unit],
                        bias ? bias->data[unit] : 0.0f);
    if (residual) {
      float other = residual->data[index];
      y += residualNumbers
               ? residualNumbers->dequantize(static_cast<int32_t>(other))
               : other;
    }
    if (activation)
      y = static_cast<float>(activate(activation, y));
    return resultNumbers ? static_cast<float>(resultNumbers->quantize(y)) : y;
  }
};

} // namespace

static std::optional<Quantization> getNumbers(Value value) {
  auto type = value ? getQuantizedType(value) : nullptr;
  return type ? std::make_optional<Quantization>(type) : std::nullopt;
}

/// Sums of products of integers of 8 bits are exact in f64.
template <typename OpTy>
static Factors getFactors(OpTy op, const Operands &in) {
  Factors factors = {in[0], in[1]};
  auto numbers = getNumbers(op.getX());
  if (!numbers)
    return factors;
  for (float &value : factors.x.data)
    value -= static_cast<float>(numbers->zeroPoint);
  Tensor &weight = factors.weight;
  std::vector<int8_t> integers =
      quantizeWeight(weight.data, weight.shape, getWeightType(op));
  weight.data.assign(integers.begin(), integers.end());
  return factors;
}

template <typename OpTy>
static llvm::Expected<Epilogue> getEpilogue(OpTy op, const Operands &in,
                                            int64_t units, const Tensor &y) {
  Epilogue epilogue;
  epilogue.bias = in.find(op.getBias());
  epilogue.residual = in.find(op.getResidual());
  epilogue.activation = op.getActivationAttr();
  if (Error error = checkShape(op, epilogue.bias, "bias", {units}))
    return error;
  if (Error error = checkShape(op, epilogue.residual, "residual", y.shape))
    return error;
  if (isIntegerLayer(op)) {
    epilogue.sumScales = getSumScales(op);
    epilogue.residualNumbers = getNumbers(op.getResidual());
    epilogue.resultNumbers = getNumbers(op.getY());
  }
  return epilogue;
}

Error reference::evaluate(DenseOp op, const Operands &in, Results out) {
  Factors factors = getFactors(op, in);
  const Tensor &x = factors.x, &weight = factors.weight;
  Tensor &y = out[0];
  int64_t units = weight.shape[0], inputs = weight.shape[1];
  auto epilogue = getEpilogue(op, in, units, y);
  if (!epilogue)
    return epilogue.takeError();
  int64_t rows = countElements(x.shape) / inputs;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t unit = 0; unit < units; ++unit) {
      double sum = 0;
      for (int64_t k = 0; k < inputs; ++k)
        sum += double(x.data[row * inputs + k]) *
               double(weight.data[unit * inputs + k]);
      int64_t index = row * units + unit;
      y.data[index] = epilogue->finish(sum, unit, index);
    }
  return Error::success();
}

/// One element of a convolution before the epilogue.
static double convolve(Conv2dOp op, const Tensor &x, const Tensor &weight,
                       int64_t n, int64_t o, int64_t i, int64_t j) {
  int64_t groups = op.getGroups();
  int64_t outputsPerGroup = weight.shape[0] / groups;
  int64_t inputsPerGroup = weight.shape[1];
  int64_t firstInput = o / outputsPerGroup * inputsPerGroup;
  double sum = 0;
  for (int64_t c = 0; c < inputsPerGroup; ++c)
    for (int64_t a = 0; a < weight.shape[2]; ++a) {
      int64_t row = i * op.getStrides()[0] + a * op.getDilations()[0] -
                    op.getPadding()[0];
      if (row < 0 || row >= x.shape[2])
        continue;
      for (int64_t b = 0; b < weight.shape[3]; ++b) {
        int64_t column = j * op.getStrides()[1] + b * op.getDilations()[1] -
                         op.getPadding()[1];
        if (column < 0 || column >= x.shape[3])
          continue;
        sum += double(x.data[at(x, n, firstInput + c, row, column)]) *
               double(weight.data[at(weight, o, c, a, b)]);
      }
    }
  return sum;
}

/// One element of a 3-D convolution before the epilogue.
static double convolve(Conv3dOp op, const Tensor &x, const Tensor &weight,
                       int64_t n, int64_t o, llvm::ArrayRef<int64_t> position) {
  int64_t outputsPerGroup =
      weight.shape[0] / static_cast<int64_t>(op.getGroups());
  int64_t inputsPerGroup = weight.shape[1];
  int64_t firstInput = o / outputsPerGroup * inputsPerGroup;
  auto inputAt = [&](int axis, int64_t tap) {
    return position[axis] * op.getStrides()[axis] +
           tap * op.getDilations()[axis] - op.getPadding()[axis];
  };
  auto outside = [&](int axis, int64_t index) {
    return index < 0 || index >= x.shape[2 + axis];
  };
  double sum = 0;
  for (int64_t c = 0; c < inputsPerGroup; ++c)
    for (int64_t f = 0; f < weight.shape[2]; ++f)
      for (int64_t a = 0; a < weight.shape[3]; ++a)
        for (int64_t b = 0; b < weight.shape[4]; ++b) {
          int64_t frame = inputAt(0, f), row = inputAt(1, a),
                  column = inputAt(2, b);
          if (outside(0, frame) || outside(1, row) || outside(2, column))
            continue;
          sum += double(x.data[at(x, n, firstInput + c, frame, row, column)]) *
                 double(weight.data[at(weight, o, c, f, a, b)]);
        }
  return sum;
}

/// One element of a transposed convolution before the epilogue: the sum over
/// all input elements that conv2d, of which this is the adjoint, would compute
/// from element (i, j).
static double convolve(ConvTranspose2dOp op, const Tensor &x,
                       const Tensor &weight, int64_t n, int64_t o, int64_t i,
                       int64_t j) {
  int64_t groups = op.getGroups();
  int64_t inputsPerGroup = weight.shape[0] / groups;
  int64_t outputsPerGroup = weight.shape[1];
  int64_t firstInput = o / outputsPerGroup * inputsPerGroup;
  double sum = 0;
  for (int64_t c = firstInput; c < firstInput + inputsPerGroup; ++c)
    for (int64_t a = 0; a < weight.shape[2]; ++a) {
      int64_t top = i + op.getPadding()[0] - a * op.getDilations()[0];
      int64_t row = top / op.getStrides()[0];
      if (top < 0 || top % op.getStrides()[0] || row >= x.shape[2])
        continue;
      for (int64_t b = 0; b < weight.shape[3]; ++b) {
        int64_t left = j + op.getPadding()[1] - b * op.getDilations()[1];
        int64_t column = left / op.getStrides()[1];
        if (left < 0 || left % op.getStrides()[1] || column >= x.shape[3])
          continue;
        sum += double(x.data[at(x, n, c, row, column)]) *
               double(weight.data[at(weight, c, o % outputsPerGroup, a, b)]);
      }
    }
  return sum;
}

template <typename OpTy>
static Error evaluateConvolution(OpTy op, const Operands &in, Tensor &y) {
  Factors factors = getFactors(op, in);
  auto epilogue = getEpilogue(op, in, y.shape[1], y);
  if (!epilogue)
    return epilogue.takeError();
  for (int64_t n = 0; n < y.shape[0]; ++n)
    for (int64_t o = 0; o < y.shape[1]; ++o)
      for (int64_t i = 0; i < y.shape[2]; ++i)
        for (int64_t j = 0; j < y.shape[3]; ++j) {
          int64_t index = at(y, n, o, i, j);
          double sum = convolve(op, factors.x, factors.weight, n, o, i, j);
          y.data[index] = epilogue->finish(sum, o, index);
        }
  return Error::success();
}

Error reference::evaluate(Conv2dOp op, const Operands &in, Results out) {
  return evaluateConvolution(op, in, out[0]);
}

Error reference::evaluate(ConvTranspose2dOp op, const Operands &in,
                          Results out) {
  return evaluateConvolution(op, in, out[0]);
}

Error reference::evaluate(Conv3dOp op, const Operands &in, Results out) {
  Tensor &y = out[0];
  Factors factors = getFactors(op, in);
  auto epilogue = getEpilogue(op, in, y.shape[1], y);
  if (!epilogue)
    return epilogue.takeError();
  for (int64_t n = 0; n < y.shape[0]; ++n)
    for (int64_t o = 0; o < y.shape[1]; ++o)
      for (int64_t t = 0; t < y.shape[2]; ++t)
        for (int64_t i = 0; i < y.shape[3]; ++i)
          for (int64_t j = 0; j < y.shape[4]; ++j) {
            int64_t index = at(y, n, o, t, i, j);
            double sum =
                convolve(op, factors.x, factors.weight, n, o, {t, i, j});
            y.data[index] = epilogue->finish(sum, o, index);
          }
  return Error::success();
}
