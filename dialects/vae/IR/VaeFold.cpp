// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folders and canonicalizations.
#include "dialects/vae/IR/Vae.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace vae;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

/// x, if it has the very type of the result.
template <typename OpTy> static Value sameTypeOperand(OpTy op, Value x) {
  return x.getType() == op.getResult().getType() ? x : Value();
}

OpFoldResult DropoutOp::fold(FoldAdaptor) {
  return sameTypeOperand(*this, getX());
}

OpFoldResult ActivationOp::fold(FoldAdaptor) {
  ActivationAttr function = getFunction();
  if (function.getKind() == ActivationKind::Affine &&
      function.getAlpha() == 1 && function.getBeta() == 0)
    return sameTypeOperand(*this, getX());
  // relu(relu(x)) = relu(x)
  if (auto inner = getX().getDefiningOp<ActivationOp>())
    if (inner.getFunction() == function &&
        function.getKind() == ActivationKind::Relu)
      return sameTypeOperand(*this, getX());
  return {};
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 ? sameTypeOperand(*this, getInputs()[0])
                                 : Value();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getStride() == 1 ? sameTypeOperand(*this, getX()) : Value();
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  bool none = llvm::all_of(getPadding(), [](int64_t p) { return p == 0; });
  return none ? sameTypeOperand(*this, getX()) : Value();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getX().getType());
  // The batch stays. With at most one further dynamic dimension equal types
  // mean equal shapes, because the number of elements stays.
  auto inner = type.getShape().drop_front();
  if (llvm::count_if(inner, ShapedType::isDynamic) <= 1)
    if (Value x = sameTypeOperand(*this, getX()))
      return x;
  auto producer = getX().getDefiningOp<ReshapeOp>();
  if (!producer || producer == *this)
    return {};
  getXMutable().assign(producer.getX());
  return getResult();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  bool identity = true;
  for (auto [i, axis] : llvm::enumerate(getPermutation()))
    identity &= static_cast<int64_t>(i) == axis;
  if (identity)
    return sameTypeOperand(*this, getX());
  auto inner = getX().getDefiningOp<TransposeOp>();
  if (!inner || inner == *this)
    return {};
  SmallVector<int64_t> composed;
  for (int64_t axis : getPermutation())
    composed.push_back(inner.getPermutation()[axis]);
  setPermutation(composed);
  getXMutable().assign(inner.getX());
  return getResult();
}

OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (Value x = sameTypeOperand(*this, getX()))
    return x;
  if (auto inner = getX().getDefiningOp<ConvertLayoutOp>())
    return sameTypeOperand(*this, inner.getX());
  return {};
}

//===----------------------------------------------------------------------===//
// Split: slices, so that passes know one op that takes parts.
//===----------------------------------------------------------------------===//

namespace {
struct SplitToSlices : OpRewritePattern<SplitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SplitOp op,
                                PatternRewriter &rewriter) const override {
    // The part's type may be declared with less than is known.
    auto whole = cast<RankedTensorType>(op.getX().getType());
    int64_t sections = op.getSections();
    int64_t size = whole.getDimSize(op.getAxis()) / sections;
    SmallVector<Value> parts;
    for (auto [k, part] : llvm::enumerate(op.getParts())) {
      auto type = cast<RankedTensorType>(part.getType());
      int64_t begin = op.getInterleaved() ? k : k * size;
      parts.push_back(SliceOp::create(rewriter, op.getLoc(), type, op.getX(),
                                      op.getAxis(), begin, size,
                                      op.getInterleaved() ? sections : 1));
    }
    rewriter.replaceOp(op, parts);
    return success();
  }
};
} // namespace

void SplitOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<SplitToSlices>(context);
}

//===----------------------------------------------------------------------===//
// Epilogue fusion
//===----------------------------------------------------------------------===//

bool ActivationOp::canFuseInto(EpilogueOpInterface producer) {
  return !producer.getEpilogueActivation();
}
void ActivationOp::fuseInto(EpilogueOpInterface producer) {
  producer.setEpilogueActivation(getFunction());
}

bool AddOp::canFuseInto(EpilogueOpInterface producer) {
  if (producer.getEpilogueActivation() || producer.getEpilogueResidual())
    return false;
  return getLhs() != getRhs();
}
void AddOp::fuseInto(EpilogueOpInterface producer) {
  Value result = producer->getResult(0);
  producer.setEpilogueResidual(getLhs() == result ? getRhs() : getLhs());
}
