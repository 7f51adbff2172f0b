// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers with weights: y = activation(linear(x, weight) + bias + residual).
#include "compiler/gradient/Contraction.h"
#include "compiler/gradient/Vjp.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using namespace vae::reference;
using llvm::Error;

//===----------------------------------------------------------------------===//
// Linear maps
//===----------------------------------------------------------------------===//

namespace {
struct DenseProduct {
  static void apply(const Tensor &x, const Tensor &weight, Tensor &y) {
    addDense(x, weight, y);
  }
  static void passToData(const Tensor &dy, const Tensor &weight, Tensor &dx) {
    addDenseData(dy, weight, dx);
  }
  static void passToWeight(const Tensor &x, const Tensor &dy, Tensor &dw) {
    addDenseWeight(x, dy, dw);
  }
};

struct Convolution {
  Contraction contraction;
  void apply(const Tensor &x, const Tensor &weight, Tensor &y) const {
    contraction.addMap(x, weight, y);
  }
  void passToData(const Tensor &dy, const Tensor &weight, Tensor &dx) const {
    contraction.addImage(dy, weight, dx);
  }
  void passToWeight(const Tensor &x, const Tensor &dy, Tensor &dw) const {
    contraction.addWeight(x, dy, dw);
  }
};

struct TransposedConvolution {
  Contraction contraction;
  void apply(const Tensor &x, const Tensor &weight, Tensor &y) const {
    contraction.addImage(x, weight, y);
  }
  void passToData(const Tensor &dy, const Tensor &weight, Tensor &dx) const {
    contraction.addMap(dy, weight, dx);
  }
  void passToWeight(const Tensor &x, const Tensor &dy, Tensor &dw) const {
    contraction.addWeight(dy, x, dw);
  }
};
} // namespace

template <typename OpTy>
static Contraction makeContraction(OpTy op, ArrayRef<int64_t> image,
                                   ArrayRef<int64_t> map,
                                   ArrayRef<int64_t> weight) {
  ArrayRef<int64_t> kernel = weight.drop_front(2);
  Window window(image.drop_front(2), map.drop_front(2), kernel, op.getStrides(),
                op.getDilations(), op.getPadding().take_front(kernel.size()));
  return Contraction(std::move(window), weight, op.getGroups());
}

static DenseProduct getMap(DenseOp, const Tensor &, const Tensor &,
                           const Tensor &) {
  return {};
}
static Convolution getMap(Conv2dOp op, const Tensor &x, const Tensor &weight,
                          const Tensor &y) {
  return {makeContraction(op, x.shape, y.shape, weight.shape)};
}
static Convolution getMap(Conv3dOp op, const Tensor &x, const Tensor &weight,
                          const Tensor &y) {
  return {makeContraction(op, x.shape, y.shape, weight.shape)};
}
static TransposedConvolution getMap(ConvTranspose2dOp op, const Tensor &x,
                                    const Tensor &weight, const Tensor &y) {
  return {makeContraction(op, y.shape, x.shape, weight.shape)};
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

/// The axis of output units.
static int64_t getUnitAxis(Operation *op, const Tensor &y) {
  return isa<DenseOp>(op) ? static_cast<int64_t>(y.shape.size()) - 1 : 1;
}

/// y = the sum before the activation.
template <typename OpTy>
static bool sum(OpTy op, ArrayRef<const Tensor *> operands, Tensor &y) {
  Operands in(op, operands);
  const Tensor *bias = in.find(op.getBias());
  const Tensor *residual = in.find(op.getResidual());
  AxisView view(y.shape, getUnitAxis(op, y));
  if ((bias && static_cast<int64_t>(bias->data.size()) != view.size) ||
      (residual && residual->data.size() != y.data.size()))
    return false;
  getMap(op, in[0], in[1], y).apply(in[0], in[1], y);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.size; ++i)
      for (int64_t k = 0; k < view.inner; ++k) {
        double value = y.data[view.at(o, i, k)];
        if (bias)
          value += bias->data[i];
        if (residual)
          value += residual->data[view.at(o, i, k)];
        y.data[view.at(o, i, k)] = static_cast<float>(value);
      }
  return true;
}

template <typename OpTy>
static bool evaluateLayerOp(OpTy op, ArrayRef<const Tensor *> operands,
                            Tensor &y) {
  if (!sum(op, operands, y))
    return false;
  if (ActivationAttr activation = op.getActivationAttr())
    for (float &value : y.data)
      value = static_cast<float>(activate(activation, value));
  return true;
}

static bool isF32(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isF32();
}

bool gradient::evaluateLayer(Operation *op, ArrayRef<const Tensor *> operands,
                             llvm::MutableArrayRef<Tensor> results) {
  if (!llvm::all_of(op->getOperandTypes(), isF32) ||
      !llvm::all_of(op->getResultTypes(), isF32) || hasF16Weights(op))
    return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<DenseOp, Conv2dOp, ConvTranspose2dOp, Conv3dOp>([&](auto layer) {
        return evaluateLayerOp(layer, operands, results[0]);
      })
      .Case<AttentionOp>([&](AttentionOp attention) {
        evaluateAttention(attention, operands, results[0]);
        return true;
      })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// Vector-Jacobian products
//===----------------------------------------------------------------------===//

/// The gradient of the sum before the activation.
template <typename OpTy>
static llvm::Expected<Tensor> passThroughActivation(OpTy op,
                                                    const Cotangents &c) {
  Tensor gradient = c.getGradient();
  ActivationAttr activation = op.getActivationAttr();
  if (!activation)
    return gradient;
  Tensor before = {gradient.shape, std::vector<float>(gradient.data.size())};
  if (!sum(op, c.getOperands(), before))
    return makeError(op, "the bias or the residual has another shape");
  for (auto [value, x] : llvm::zip(gradient.data, before.data))
    value = static_cast<float>(value * differentiate(activation, x));
  return gradient;
}

template <typename OpTy>
static Error passThroughLayer(OpTy op, const Cotangents &c) {
  auto gradient = passThroughActivation(op, c);
  if (!gradient)
    return gradient.takeError();
  const Tensor &x = c.in[0], &weight = c.in[1];
  auto map = getMap(op, x, weight, *gradient);
  if (Tensor *dx = c.find(0))
    map.passToData(*gradient, weight, *dx);
  if (Tensor *dw = c.find(1))
    map.passToWeight(x, *gradient, *dw);
  if (Tensor *residual = c.find(op.getResidualMutable()))
    residual->data = gradient->data;
  Tensor *bias = c.find(op.getBiasMutable());
  if (!bias)
    return Error::success();
  AxisView view(gradient->shape, getUnitAxis(op, *gradient));
  for (int64_t i = 0; i < view.size; ++i) {
    double sum = 0;
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t k = 0; k < view.inner; ++k)
        sum += gradient->data[view.at(o, i, k)];
    bias->data[i] = static_cast<float>(sum);
  }
  return Error::success();
}

Error gradient::vjp(DenseOp op, const Cotangents &c) {
  return passThroughLayer(op, c);
}
Error gradient::vjp(Conv2dOp op, const Cotangents &c) {
  return passThroughLayer(op, c);
}
Error gradient::vjp(ConvTranspose2dOp op, const Cotangents &c) {
  return passThroughLayer(op, c);
}
Error gradient::vjp(Conv3dOp op, const Cotangents &c) {
  return passThroughLayer(op, c);
}
