// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise functions on vectors.
#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/conversion/kernels/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace vae;

std::string vae::nameOf(double value) {
  return llvm::utohexstr(llvm::bit_cast<uint64_t>(value), /*LowerCase=*/true);
}

std::string vae::nameOf(ActivationAttr activation) {
  std::string name = stringifyActivationKind(activation.getKind()).str();
  if (activation.getAlphaAttr() || activation.getBetaAttr())
    name += "_" + nameOf(activation.getAlpha()) + "_" +
            nameOf(activation.getBeta());
  return name;
}

std::string Epilogue::suffix() const {
  std::string name;
  if (bias)
    name += "_bias";
  if (residual)
    name += "_residual";
  if (activation)
    name += "_" + nameOf(activation);
  return name;
}

std::tuple<Value, Value, Value, Value, Value>
Epilogue::getBuffers(ValueRange buffers) const {
  unsigned next = 2;
  Value own = bias ? buffers[next++] : Value();
  Value added = residual ? buffers[next++] : Value();
  return {buffers[0], buffers[1], own, added, buffers[next]};
}

namespace {
/// Formulas for one activation; `x` may be a scalar or a vector.
struct ActivationEmitter {
  Emitter &e;
  Type type;
  Value c(double value) { return e.constant(type, value); }
  Value positive(Value x) {
    return arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OGT, x,
                                 c(0));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(e.b, e.loc, condition, x, y);
  }
  /// x, or a limit that it is beyond, so that NaN is kept: one instruction on
  /// x86, where e.maxf and e.minf take three.
  Value atLeast(Value x, double low) {
    Value below =
        arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, x, c(low));
    return select(below, c(low), x);
  }
  Value clamp(Value x, double low, double high) {
    Value inside = atLeast(x, low);
    Value above = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OGT,
                                        inside, c(high));
    return select(above, c(high), inside);
  }
  /// alpha * (exp(x) - 1) for x < 0, else x; times scale.
  Value elu(Value x, double alpha, double scale) {
    Value y = emitElu(e, x);
    if (alpha * scale == scale)
      return scale == 1 ? y : e.mulf(y, c(scale));
    Value negative =
        arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, x, c(0));
    return e.mulf(y, select(negative, c(alpha * scale), c(scale)));
  }
  Value emit(ActivationAttr activation, Value x);
};

Value ActivationEmitter::emit(ActivationAttr activation, Value x) {
  double alpha = activation.getAlpha(), beta = activation.getBeta();
  switch (activation.getKind()) {
  case ActivationKind::Relu:
    return atLeast(x, 0);
  case ActivationKind::LeakyRelu:
    return select(positive(x), x, e.mulf(x, c(alpha)));
  case ActivationKind::Sigmoid:
    return emitSigmoid(e, x);
  case ActivationKind::Tanh:
    return e.tanh(x);
  case ActivationKind::Silu:
    return emitSilu(e, x);
  case ActivationKind::Gelu:
    return emitGelu(e, x);
  case ActivationKind::GeluTanh:
    return emitGeluTanh(e, x);
  case ActivationKind::Mish:
    return emitMish(e, x);
  case ActivationKind::Softplus:
    return emitSoftplus(e, x);
  case ActivationKind::Selu:
    return elu(x, 1.67326324235437, 1.05070098735548);
  case ActivationKind::Elu:
    return elu(x, alpha, 1);
  case ActivationKind::HardSigmoid:
    return clamp(e.addf(e.mulf(x, c(alpha)), c(beta)), 0, 1);
  case ActivationKind::HardSwish:
    return e.mulf(x, clamp(e.addf(e.mulf(x, c(1.0 / 6)), c(0.5)), 0, 1));
  case ActivationKind::Relu6:
    return clamp(x, 0, 6);
  case ActivationKind::Exp:
    return e.exp(x);
  case ActivationKind::Clamp:
    return clamp(x, alpha, beta);
  case ActivationKind::Affine:
    return e.addf(e.mulf(x, c(alpha)), c(beta));
  }
  llvm_unreachable("all kinds are handled");
}
} // namespace

Value vae::emitActivation(Emitter &e, ActivationAttr activation, Value x) {
  return ActivationEmitter{e, x.getType()}.emit(activation, x);
}
