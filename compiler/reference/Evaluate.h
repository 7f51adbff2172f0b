// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function per operation: operands in, results out. Private to the
// reference interpreter and to compiler/gradient, which differentiates it.
#ifndef COMPILER_REFERENCE_EVALUATE_H
#define COMPILER_REFERENCE_EVALUATE_H

#include "compiler/reference/Interpreter.h"
#include "dialects/vae/IR/Vae.h"

namespace vae::reference {

/// An error at the place and layer of an operation.
llvm::Error makeError(mlir::Operation *op, const llvm::Twine &message);

/// The tensors of an operation's operands.
class Operands {
public:
  Operands(mlir::Operation *op, llvm::ArrayRef<const Tensor *> tensors)
      : op(op), tensors(tensors) {}

  const Tensor &operator[](size_t index) const { return *tensors[index]; }
  size_t size() const { return tensors.size(); }

  /// The tensor of an operand; null for an optional operand that is absent.
  const Tensor *find(mlir::Value operand) const {
    for (auto [index, value] : llvm::enumerate(op->getOperands()))
      if (operand && value == operand)
        return tensors[index];
    return nullptr;
  }

private:
  mlir::Operation *op;
  llvm::ArrayRef<const Tensor *> tensors;
};

/// The results of an operation: shapes are set, data is zero.
using Results = llvm::MutableArrayRef<Tensor>;

/// Product of the dimensions.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

/// A shape seen from one axis: element (o, i, k) lies at
/// (o * size + i) * inner + k.
struct AxisView {
  int64_t outer, size, inner;
  AxisView(llvm::ArrayRef<int64_t> shape, int64_t axis)
      : outer(countElements(shape.take_front(axis))), size(shape[axis]),
        inner(countElements(shape.drop_front(axis + 1))) {}
  int64_t at(int64_t o, int64_t i, int64_t k) const {
    return (o * size + i) * inner + k;
  }
};

/// Position in a tensor of four axes.
inline int64_t at(const Tensor &tensor, int64_t n, int64_t c, int64_t i,
                  int64_t j) {
  const auto &shape = tensor.shape;
  return ((n * shape[1] + c) * shape[2] + i) * shape[3] + j;
}

/// Position in a tensor of five axes.
inline int64_t at(const Tensor &tensor, int64_t n, int64_t c, int64_t t,
                  int64_t i, int64_t j) {
  const auto &shape = tensor.shape;
  return (((n * shape[1] + c) * shape[2] + t) * shape[3] + i) * shape[4] + j;
}

/// Checks the shape of a parameter; an absent one passes.
llvm::Error checkShape(mlir::Operation *op, const Tensor *tensor,
                       llvm::StringRef what, llvm::ArrayRef<int64_t> shape);

/// log(1 + exp(x)) without overflow.
double softplus(double x);

/// f(x) of the table in VaeAttrs.td.
double activate(ActivationAttr function, double x);

// Layers.cpp
llvm::Error evaluate(DenseOp op, const Operands &in, Results out);
llvm::Error evaluate(Conv2dOp op, const Operands &in, Results out);
llvm::Error evaluate(ConvTranspose2dOp op, const Operands &in, Results out);
llvm::Error evaluate(Conv3dOp op, const Operands &in, Results out);
// Norms.cpp
llvm::Error evaluate(BatchNormOp op, const Operands &in, Results out);
llvm::Error evaluate(GroupNormOp op, const Operands &in, Results out);
llvm::Error evaluate(LayerNormOp op, const Operands &in, Results out);
llvm::Error evaluate(RmsNormOp op, const Operands &in, Results out);
llvm::Error evaluate(ChannelAffineOp op, const Operands &in, Results out);
// Elementwise.cpp
llvm::Error evaluate(ActivationOp op, const Operands &in, Results out);
llvm::Error evaluate(PreluOp op, const Operands &in, Results out);
llvm::Error evaluate(AddOp op, const Operands &in, Results out);
llvm::Error evaluate(SubOp op, const Operands &in, Results out);
llvm::Error evaluate(MulOp op, const Operands &in, Results out);
llvm::Error evaluate(GluOp op, const Operands &in, Results out);
llvm::Error evaluate(SoftmaxOp op, const Operands &in, Results out);
// Attention.cpp
llvm::Error evaluate(AttentionOp op, const Operands &in, Results out);
llvm::Error evaluate(LinearAttentionOp op, const Operands &in, Results out);
llvm::Error evaluate(NearestCodebookOp op, const Operands &in, Results out);
llvm::Error evaluate(EmbeddingOp op, const Operands &in, Results out);
// Resampling.cpp
llvm::Error evaluate(ResizeOp op, const Operands &in, Results out);
llvm::Error evaluate(UpsampleOp op, const Operands &in, Results out);
llvm::Error evaluate(Pool2dOp op, const Operands &in, Results out);
llvm::Error evaluate(GlobalPoolOp op, const Operands &in, Results out);
// Movement.cpp
llvm::Error evaluate(ConcatOp op, const Operands &in, Results out);
llvm::Error evaluate(SplitOp op, const Operands &in, Results out);
llvm::Error evaluate(SliceOp op, const Operands &in, Results out);
llvm::Error evaluate(CropOp op, const Operands &in, Results out);
llvm::Error evaluate(PadOp op, const Operands &in, Results out);
llvm::Error evaluate(TransposeOp op, const Operands &in, Results out);
llvm::Error evaluate(ReshapeOp op, const Operands &in, Results out);
llvm::Error evaluate(DropoutOp op, const Operands &in, Results out);
llvm::Error evaluate(ConvertLayoutOp op, const Operands &in, Results out);
llvm::Error evaluate(PixelShuffleOp op, const Operands &in, Results out);
llvm::Error evaluate(PixelUnshuffleOp op, const Operands &in, Results out);
llvm::Error evaluate(RepeatChannelsOp op, const Operands &in, Results out);
llvm::Error evaluate(MeanChannelsOp op, const Operands &in, Results out);
// Video.cpp
llvm::Error evaluate(FramesToBatchOp op, const Operands &in, Results out);
llvm::Error evaluate(BatchToFramesOp op, const Operands &in, Results out);
llvm::Error evaluate(ChannelsToFramesOp op, const Operands &in, Results out);
llvm::Error evaluate(FramesToChannelsOp op, const Operands &in, Results out);
// Vae.cpp
llvm::Error evaluate(ReparameterizeOp op, const Operands &in, Results out);
llvm::Error evaluate(KlOp op, const Operands &in, Results out);
llvm::Error evaluate(LogLikelihoodOp op, const Operands &in, Results out);

} // namespace vae::reference

#endif // COMPILER_REFERENCE_EVALUATE_H
