// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folders and canonicalizations.
#include "dialects/vae/IR/VaeConstants.h"

#include "mlir/IR/PatternMatch.h"

#include <cmath>

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
  auto type = cast<RankedTensorType>(getX().getType());
  bool whole = getBegin() == 0 && getStride() == 1 &&
               (!getSize() || !type.isDynamicDim(getAxis()));
  return whole ? sameTypeOperand(*this, getX()) : Value();
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

OpFoldResult UpsampleOp::fold(FoldAdaptor) {
  bool same = llvm::all_of(getScale(), [](int64_t s) { return s == 1; });
  if (!same || getMode() != ResizeMode::Nearest)
    return {};
  return sameTypeOperand(*this, getX());
}

OpFoldResult ResizeOp::fold(FoldAdaptor) {
  // All modes keep an image that has the size already; "?" may be two sizes.
  auto shape = cast<RankedTensorType>(getX().getType()).getShape();
  if (llvm::any_of(shape.drop_front(2), ShapedType::isDynamic))
    return {};
  return sameTypeOperand(*this, getX());
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
  // Not through f16, which rounds.
  if (auto inner = getX().getDefiningOp<ConvertLayoutOp>();
      inner &&
      getElementTypeOrSelf(inner.getType()) == getElementTypeOrSelf(getType()))
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
                                      op.getAxis(), begin,
                                      rewriter.getI64IntegerAttr(size),
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
// Movement: elementwise operations go before it, chains become short.
//===----------------------------------------------------------------------===//

/// Whether every element of the result is one of the operand, and every one of
/// the operand is in the result.
static bool isMovement(Operation *op) {
  if (auto upsample = dyn_cast<UpsampleOp>(op))
    return upsample.getMode() == ResizeMode::Nearest;
  return isa<ReshapeOp, TransposeOp>(op);
}

static bool isSameMovement(Operation *a, Operation *b) {
  // Two reshapes may say the same shape in different words.
  return a->getName() == b->getName() &&
         a->getOperand(0).getType() == b->getOperand(0).getType() &&
         a->getResult(0).getType() == b->getResult(0).getType() &&
         (isa<ReshapeOp>(a) ||
          a->getPropertiesAsAttribute() == b->getPropertiesAsAttribute());
}

namespace {
/// f(move(x), move(y)) -> move(f(x, y)) for elementwise f: movements meet, and
/// f meets the layer that it can be fused into.
template <typename OpTy> struct MoveElementwiseUp : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Operation *first = nullptr;
    SmallVector<Value> sources;
    for (Value operand : op->getOperands()) {
      Operation *movement = operand.getDefiningOp();
      if (!movement || !isMovement(movement) || !operand.hasOneUse() ||
          (first && !isSameMovement(first, movement)))
        return failure();
      first = first ? first : movement;
      sources.push_back(movement->getOperand(0));
    }
    Operation *inner = rewriter.clone(*op);
    inner->setOperands(sources);
    inner->getResult(0).setType(sources.front().getType());
    Operation *outer = rewriter.clone(*first);
    outer->setOperand(0, inner->getResult(0));
    outer->getResult(0).setType(op.getType());
    rewriter.replaceOp(op, outer);
    return success();
  }
};

/// A transpose that moves dimensions of size 1 only is a reshape.
struct TransposeToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto from = cast<RankedTensorType>(op.getX().getType());
    auto to = cast<RankedTensorType>(op.getY().getType());
    if (from.getEncoding() || to.getEncoding())
      return failure();
    SmallVector<int64_t> shape;
    int64_t last = 0;
    for (int64_t axis : op.getPermutation().drop_front()) {
      int64_t size = from.getDimSize(axis);
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
      if (size == 1)
        continue;
      if (axis < last)
        return failure();
      last = axis;
    }
    if (llvm::count(shape, -1) > 1)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, to, op.getX(), shape);
    return success();
  }
};

/// A convolution pads with zeros itself.
struct PadIntoConv : OpRewritePattern<Conv2dOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(Conv2dOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    if (!pad || !pad.getValue().isZero())
      return failure();
    SmallVector<int64_t> padding(op.getPadding());
    for (auto [sum, more] : llvm::zip(padding, pad.getPadding())) {
      sum += more;
      if (sum > vae::detail::kMaxNumber)
        return failure();
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.setPadding(padding);
      op.getXMutable().assign(pad.getX());
    });
    return success();
  }
};
} // namespace

void ActivationOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<MoveElementwiseUp<ActivationOp>>(context);
}
void AddOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<MoveElementwiseUp<AddOp>>(context);
}
void SubOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<MoveElementwiseUp<SubOp>>(context);
}
void MulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<MoveElementwiseUp<MulOp>>(context);
}
void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<TransposeToReshape>(context);
}
void Conv2dOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<PadIntoConv>(context);
}

//===----------------------------------------------------------------------===//
// Epilogue fusion
//===----------------------------------------------------------------------===//

EpiloguePart ActivationOp::getEpiloguePart() {
  return EpiloguePart::Activation;
}
bool ActivationOp::canFuseInto(EpilogueOpInterface producer) {
  return !producer.getEpilogueActivation();
}
void ActivationOp::fuseInto(EpilogueOpInterface producer) {
  producer.setEpilogueActivation(getFunction());
}

EpiloguePart AddOp::getEpiloguePart() { return EpiloguePart::Residual; }
bool AddOp::canFuseInto(EpilogueOpInterface producer) {
  if (producer.getEpilogueActivation() || producer.getEpilogueResidual())
    return false;
  return getLhs() != getRhs();
}
void AddOp::fuseInto(EpilogueOpInterface producer) {
  Value result = producer->getResult(0);
  producer.setEpilogueResidual(getLhs() == result ? getRhs() : getLhs());
}

/// The producer's bias, if it has one, plus the offset; null if they are not
/// known.
static ElementsAttr addToBias(ChannelAffineOp op, Value bias) {
  auto sum = getConstantVector(op.getOffset());
  if (!sum)
    return {};
  if (bias) {
    auto old = getConstantVector(bias);
    if (!old || old->size() != sum->size())
      return {};
    for (auto [value, other] : llvm::zip(*sum, *old))
      value += other;
  }
  ElementsAttr form =
      getConstant(bias ? bias : Value(op.getOffset())).getValue();
  return makeWeightLike(form, getWeightName(form),
                        {static_cast<int64_t>(sum->size())}, *sum);
}

EpiloguePart ChannelAffineOp::getEpiloguePart() { return EpiloguePart::Bias; }
bool ChannelAffineOp::canFuseInto(EpilogueOpInterface producer) {
  auto layer = dyn_cast<PrunableOpInterface>(producer.getOperation());
  if (!layer || layer.getUnitAxis() != 1 || producer.getEpilogueActivation() ||
      producer.getEpilogueResidual() || producer->getResult(0) != getX())
    return false;
  auto scale = getConstantVector(getScale());
  return scale && llvm::all_of(*scale, [](double s) { return s == 1; }) &&
         addToBias(*this, layer.getBiasValue());
}
void ChannelAffineOp::fuseInto(EpilogueOpInterface producer) {
  auto layer = cast<PrunableOpInterface>(producer.getOperation());
  OpBuilder builder(producer);
  layer.setBiasValue(ConstantOp::create(
      builder, getLoc(), addToBias(*this, layer.getBiasValue())));
}

//===----------------------------------------------------------------------===//
// y = x * scale[c] + offset[c]
//===----------------------------------------------------------------------===//

bool BatchNormOp::getConstantAffine(SmallVectorImpl<double> &scale,
                                    SmallVectorImpl<double> &offset) {
  auto mean = getConstantVector(getMean());
  auto variance = getConstantVector(getVariance());
  auto weight = getConstantVector(getWeight());
  auto bias = getConstantVector(getBias());
  if (!mean || !variance || (getWeight() && !weight) || (getBias() && !bias))
    return false;
  for (size_t c = 0; c < mean->size(); ++c) {
    double s = 1 / std::sqrt((*variance)[c] + getEpsilon().convertToDouble());
    s *= weight ? (*weight)[c] : 1;
    scale.push_back(s);
    offset.push_back((bias ? (*bias)[c] : 0) - (*mean)[c] * s);
  }
  return true;
}

bool ChannelAffineOp::getConstantAffine(SmallVectorImpl<double> &scale,
                                        SmallVectorImpl<double> &offset) {
  auto scales = getConstantVector(getScale());
  auto offsets = getConstantVector(getOffset());
  if (!scales || !offsets)
    return false;
  scale.append(scales->begin(), scales->end());
  offset.append(offsets->begin(), offsets->end());
  return true;
}

bool ActivationOp::getConstantAffine(SmallVectorImpl<double> &scale,
                                     SmallVectorImpl<double> &offset) {
  auto type = cast<RankedTensorType>(getX().getType());
  if (getFunction().getKind() != ActivationKind::Affine || type.getRank() < 2 ||
      type.isDynamicDim(1))
    return false;
  scale.assign(type.getDimSize(1), getFunction().getAlpha());
  offset.assign(type.getDimSize(1), getFunction().getBeta());
  return true;
}
