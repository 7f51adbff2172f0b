// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector-Jacobian products, one function per operation: of y = f(x) and dL/dy,
// dL/dx. Data is f32, every element is computed in f64 and rounded once.
// Private to this library.
#ifndef COMPILER_GRADIENT_VJP_H
#define COMPILER_GRADIENT_VJP_H

#include "compiler/gradient/Tape.h"
#include "compiler/reference/Evaluate.h"

namespace vae::gradient {

/// What goes in and out of an operation that gradients flow back through.
class Cotangents {
public:
  Cotangents(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands,
             llvm::ArrayRef<const Tensor *> results,
             llvm::ArrayRef<const Tensor *> outer,
             llvm::MutableArrayRef<Tensor> inner)
      : in(op, operands), operands(operands), results(results), outer(outer),
        inner(inner) {}

  /// The operands.
  const reference::Operands in;

  llvm::ArrayRef<const Tensor *> getOperands() const { return operands; }
  const Tensor &getResult(size_t index = 0) const { return *results[index]; }
  /// The gradient of a result.
  const Tensor &getGradient(size_t index = 0) const { return *outer[index]; }
  size_t getNumResults() const { return outer.size(); }

  /// Where the gradient of an operand goes: zeros of its shape. Null if nobody
  /// asks for it.
  Tensor *find(size_t operand) const {
    return inner[operand].data.empty() ? nullptr : &inner[operand];
  }
  /// The same of an operand that may be absent.
  Tensor *find(mlir::MutableOperandRange operand) const {
    return operand.empty() ? nullptr
                           : find(operand.begin()->getOperandNumber());
  }

private:
  llvm::ArrayRef<const Tensor *> operands, results, outer;
  llvm::MutableArrayRef<Tensor> inner;
};

/// Rounds the elements of a gradient, if somebody asks for it.
inline void storeAll(Tensor *gradient, llvm::ArrayRef<double> values) {
  if (gradient)
    llvm::transform(values, gradient->data.begin(),
                    [](double value) { return static_cast<float>(value); });
}

/// f'(x) of the table in VaeAttrs.td; where there is none, one of the limits:
/// that of constant pieces.
double differentiate(ActivationAttr function, double x);

// Layers.cpp
llvm::Error vjp(DenseOp op, const Cotangents &c);
llvm::Error vjp(Conv2dOp op, const Cotangents &c);
llvm::Error vjp(ConvTranspose2dOp op, const Cotangents &c);
llvm::Error vjp(Conv3dOp op, const Cotangents &c);
/// Computes a layer with weights or attention of f32 as the interpreter does,
/// but faster; false if it is neither, or shapes do not match.
bool evaluateLayer(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands,
                   llvm::MutableArrayRef<Tensor> results);
// Attention.cpp
llvm::Error vjp(AttentionOp op, const Cotangents &c);
void evaluateAttention(AttentionOp op, llvm::ArrayRef<const Tensor *> operands,
                       Tensor &y);
// Norms.cpp
llvm::Error vjp(BatchNormOp op, const Cotangents &c);
llvm::Error vjp(GroupNormOp op, const Cotangents &c);
llvm::Error vjp(LayerNormOp op, const Cotangents &c);
llvm::Error vjp(RmsNormOp op, const Cotangents &c);
llvm::Error vjp(ChannelAffineOp op, const Cotangents &c);
// Elementwise.cpp
llvm::Error vjp(ActivationOp op, const Cotangents &c);
llvm::Error vjp(PreluOp op, const Cotangents &c);
llvm::Error vjp(AddOp op, const Cotangents &c);
llvm::Error vjp(SubOp op, const Cotangents &c);
llvm::Error vjp(MulOp op, const Cotangents &c);
llvm::Error vjp(GluOp op, const Cotangents &c);
llvm::Error vjp(SoftmaxOp op, const Cotangents &c);
// Resampling.cpp
llvm::Error vjp(UpsampleOp op, const Cotangents &c);
llvm::Error vjp(ResizeOp op, const Cotangents &c);
llvm::Error vjp(Pool2dOp op, const Cotangents &c);
llvm::Error vjp(GlobalPoolOp op, const Cotangents &c);
llvm::Error vjp(MeanChannelsOp op, const Cotangents &c);
// Movement.cpp
llvm::Error vjp(PadOp op, const Cotangents &c);
/// Of an operation each element of whose results is one of its operands.
llvm::Error passToSources(mlir::Operation *op, const Cotangents &c);
// Vae.cpp
llvm::Error vjp(ReparameterizeOp op, const Cotangents &c);
llvm::Error vjp(KlOp op, const Cotangents &c);
llvm::Error vjp(LogLikelihoodOp op, const Cotangents &c);

} // namespace vae::gradient

#endif // COMPILER_GRADIENT_VJP_H
