// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_FUSEUPSAMPLEPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// The pass's formula. Along one axis, upsampling by s is u[j] = x[j / s], and
/// the convolution y[j] = sum_a w[a] u[j + a - p]. Of the a that meet x[i],
/// i*s <= j + a - p < (i+1)*s, y[j] gets the sum of their w[a]. The transposed
/// convolution gives y[i*s + t - P] the term x[i] W[t]; with P = k-1-p,
/// j = i*s + t - P turns the range into k-1-t <= a < k-1-t + s.
class TransposedKernel {
public:
  /// `kernel` and `scale` along height and width.
  TransposedKernel(ArrayRef<int64_t> kernel, ArrayRef<int64_t> scale)
      : kernel(kernel), scale(scale) {}

  int64_t getSize(int axis) const { return kernel[axis] + scale[axis] - 1; }

  /// Sums the values of one filter, kernel[0] x kernel[1], into getSize(0) x
  /// getSize(1).
  void sum(ArrayRef<float> filter, MutableArrayRef<double> result) const {
    for (int64_t ty = 0; ty < getSize(0); ++ty)
      for (int64_t tx = 0; tx < getSize(1); ++tx) {
        auto [firstY, lastY] = getRange(0, ty);
        auto [firstX, lastX] = getRange(1, tx);
        double total = 0;
        for (int64_t y = firstY; y <= lastY; ++y)
          for (int64_t x = firstX; x <= lastX; ++x)
            total += filter[y * kernel[1] + x];
        result[ty * getSize(1) + tx] = total;
      }
  }

private:
  std::pair<int64_t, int64_t> getRange(int axis, int64_t t) const {
    int64_t first = kernel[axis] - 1 - t;
    return {std::max<int64_t>(first, 0),
            std::min(first + scale[axis] - 1, kernel[axis] - 1)};
  }

  ArrayRef<int64_t> kernel, scale;
};

/// The weight of the transposed convolution, [C, O/groups, KH', KW'], for one
/// of a convolution, [O, C/groups, KH, KW]. Null if the values are not known or
/// a sum is not finite.
ElementsAttr sumWeight(ElementsAttr weight, ArrayRef<int64_t> scale,
                       int64_t groups) {
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(weight, storage);
  if (values.empty())
    return {};
  ArrayRef<int64_t> shape = weight.getShapedType().getShape();
  int64_t outputs = shape[0] / groups, inputs = shape[1];
  TransposedKernel kernel(shape.take_back(2), scale);
  int64_t filter = shape[2] * shape[3];
  int64_t result = kernel.getSize(0) * kernel.getSize(1);
  std::vector<double> sums(shape[0] * inputs * result);
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t o = 0; o < outputs; ++o)
      for (int64_t c = 0; c < inputs; ++c) {
        int64_t from = (g * outputs + o) * inputs + c;
        int64_t to = (g * inputs + c) * outputs + o;
        kernel.sum(values.slice(from * filter, filter),
                   MutableArrayRef<double>(sums).slice(to * result, result));
      }
  return makeWeightLike(
      weight, getWeightName(weight),
      {inputs * groups, outputs, kernel.getSize(0), kernel.getSize(1)}, sums);
}

ArrayRef<int64_t> getKernel(Conv2dOp conv) {
  return cast<RankedTensorType>(conv.getWeight().getType())
      .getShape()
      .take_back(2);
}

/// Whether the formula applies: stride and dilation 1, padding < kernel.
bool isDense(Conv2dOp conv) {
  for (int axis : {0, 1}) {
    int64_t most = getKernel(conv)[axis] - 1;
    // Dilation means nothing to a kernel of one element.
    if (conv.getStrides()[axis] != 1 ||
        (most > 0 && conv.getDilations()[axis] != 1) ||
        conv.getPadding()[axis] > most || conv.getPadding()[axis + 2] > most)
      return false;
  }
  return true;
}

/// Whether every element depends on the one element below it.
bool isPointwise(Conv2dOp conv) {
  return getKernel(conv)[0] == 1 && getKernel(conv)[1] == 1 &&
         !conv.getResidual();
}

/// conv(upsample(x)) -> upsample(conv(x))
void moveBefore(UpsampleOp upsample, Conv2dOp conv) {
  auto small = cast<RankedTensorType>(upsample.getX().getType());
  auto large = cast<RankedTensorType>(conv.getY().getType());
  SmallVector<int64_t> shape(small.getShape());
  shape[1] = large.getDimSize(1);
  OpBuilder builder(conv->getContext());
  builder.setInsertionPointAfter(conv);
  auto after = UpsampleOp::create(
      builder, upsample.getLoc(), large, conv.getY(), upsample.getScaleAttr(),
      upsample.getModeAttr(), upsample.getAlignCornersAttr());
  conv.getY().replaceAllUsesExcept(after.getY(), after);
  conv.getXMutable().assign(upsample.getX());
  conv.getY().setType(RankedTensorType::get(shape, small.getElementType(),
                                            small.getEncoding()));
}

struct FuseUpsamplePass : vae::impl::FuseUpsamplePassBase<FuseUpsamplePass> {
  using Base::Base;

  void runOnOperation() override {
    sums.clear();
    SmallVector<Conv2dOp> convs;
    getOperation().walk([&](Conv2dOp conv) { convs.push_back(conv); });
    for (Conv2dOp conv : convs) {
      auto upsample = conv.getX().getDefiningOp<UpsampleOp>();
      if (!upsample || !isWanted(upsample) || !isDense(conv))
        continue;
      if (isPointwise(conv)) {
        moveBefore(upsample, conv);
        countEvent(*this, numMoved, "moved", conv);
      } else if (ConvTranspose2dOp fused = fuse(upsample, conv)) {
        countEvent(*this, numFused, "fused", fused);
      }
      if (upsample->use_empty())
        upsample.erase();
    }
  }

  bool isWanted(UpsampleOp op) const {
    return op.getMode() == ResizeMode::Nearest &&
           llvm::all_of(op.getScale(),
                        [&](int64_t s) { return s <= maxFactor; }) &&
           llvm::any_of(op.getScale(), [](int64_t s) { return s > 1; });
  }

  /// conv_transpose2d(x) for conv(upsample(x)); null if nothing happened.
  ConvTranspose2dOp fuse(UpsampleOp upsample, Conv2dOp conv) {
    ConstantOp old = getConstant(conv.getWeight());
    if (!old)
      return {};
    ElementsAttr weight = getSum(old.getValue(), upsample.getScale(),
                                 static_cast<int64_t>(conv.getGroups()));
    if (!weight)
      return {};
    SmallVector<int64_t> padding;
    for (int side : {0, 1, 2, 3})
      padding.push_back(getKernel(conv)[side % 2] - 1 -
                        conv.getPadding()[side]);
    OpBuilder builder(conv);
    auto constant = ConstantOp::create(builder, old.getLoc(), weight);
    auto fused = ConvTranspose2dOp::create(
        builder, builder.getFusedLoc({conv.getLoc(), upsample.getLoc()}),
        conv.getY().getType(), upsample.getX(), constant, conv.getBias(),
        conv.getResidual(), builder.getDenseI64ArrayAttr(upsample.getScale()),
        builder.getDenseI64ArrayAttr(padding),
        builder.getDenseI64ArrayAttr({0, 0}),
        builder.getDenseI64ArrayAttr({1, 1}), conv.getGroupsAttr(),
        conv.getActivationAttr());
    conv.getY().replaceAllUsesWith(fused.getY());
    conv.erase();
    if (old->use_empty())
      old.erase();
    return fused;
  }

  /// sumWeight, once for entry points that share a layer.
  ElementsAttr getSum(ElementsAttr weight, ArrayRef<int64_t> scale,
                      int64_t groups) {
    auto [known, isNew] =
        sums.try_emplace({weight, scale[0], scale[1], groups});
    if (isNew)
      known->second = sumWeight(weight, scale, groups);
    return known->second;
  }

  DenseMap<std::tuple<Attribute, int64_t, int64_t, int64_t>, ElementsAttr> sums;
};

} // namespace
