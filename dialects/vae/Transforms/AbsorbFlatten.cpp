// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeLayout.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_ABSORBFLATTENPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// Operations that see the order of an image's elements: they would need them
/// back in the order of [C, H, W].
bool seesOrder(Operation *op) {
  return isa<ReshapeOp, TransposeOp, LayerNormOp, DenseOp, func::ReturnOp>(op);
}

/// Whether [N, C, H, W] has a known shape in which channels last is another
/// order.
bool isReordered(RankedTensorType type) {
  if (type.getRank() != 4)
    return false;
  ArrayRef<int64_t> image = type.getShape().drop_front();
  return !ShapedType::isDynamicShape(image) && image[0] > 1 &&
         image[1] * image[2] > 1;
}

/// The elements of a constant whose axis 0 (`rows`) or 1 runs over [C, H, W],
/// in the order of [H, W, C].
std::vector<float> reorder(ArrayRef<float> values, ArrayRef<int64_t> image,
                           bool rows) {
  int64_t channels = image[0], pixels = image[1] * image[2];
  int64_t units = channels * pixels, size = values.size();
  int64_t before = rows ? 1 : size / units, after = size / units / before;
  std::vector<float> result(size);
  for (int64_t b = 0; b < before; ++b)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < pixels; ++p) {
        const float *from = &values[(b * units + c * pixels + p) * after];
        std::copy(from, from + after,
                  &result[(b * units + p * channels + c) * after]);
      }
  return result;
}

struct AbsorbFlattenPass : vae::impl::AbsorbFlattenPassBase<AbsorbFlattenPass> {
  using Base::Base;

  void runOnOperation() override {
    if (!absorb)
      return;
    reordered.clear();
    SmallVector<ReshapeOp> reshapes;
    getOperation().walk([&](ReshapeOp op) { reshapes.push_back(op); });
    for (ReshapeOp reshape : reshapes)
      if (!flattensIntoDense(reshape))
        unflattensDense(reshape);
  }

private:
  /// An image that becomes a vector for dense layers.
  bool flattensIntoDense(ReshapeOp reshape) {
    auto image = cast<RankedTensorType>(reshape.getX().getType());
    auto flat = cast<RankedTensorType>(reshape.getY().getType());
    Operation *producer = reshape.getX().getDefiningOp();
    if (flat.getRank() != 2 || !isReordered(image) || !producer ||
        seesOrder(producer))
      return false;
    SmallVector<DenseOp> layers;
    for (OpOperand &use : reshape.getY().getUses()) {
      auto layer = dyn_cast<DenseOp>(use.getOwner());
      if (!layer || use.get() != layer.getX() ||
          layer.getResidual() == use.get() || !isKnown(layer.getWeight()))
        return false;
      layers.push_back(layer);
    }
    OpBuilder builder(reshape);
    Value pixels = TransposeOp::create(builder, reshape.getLoc(),
                                       reshape.getX(), kToChannelsLast);
    reshape.getXMutable().assign(pixels);
    ArrayRef<int64_t> shape = image.getShape().drop_front();
    for (DenseOp layer : layers) {
      replaceConstant(layer.getWeightMutable(), shape, /*rows=*/false);
      countEvent(*this, numFlattened, "flattened", layer);
    }
    return true;
  }

  /// A dense layer whose result becomes an image.
  void unflattensDense(ReshapeOp reshape) {
    auto image = cast<RankedTensorType>(reshape.getY().getType());
    auto layer = reshape.getX().getDefiningOp<DenseOp>();
    if (!layer || !layer->hasOneUse() || layer.getResidual() ||
        layer.getType().getRank() != 2 || !isReordered(image) ||
        !isKnown(layer.getWeight()) ||
        (layer.getBias() && !isKnown(layer.getBias())) ||
        llvm::any_of(reshape->getUsers(), seesOrder))
      return;
    ArrayRef<int64_t> shape = image.getShape().drop_front();
    replaceConstant(layer.getWeightMutable(), shape, /*rows=*/true);
    if (layer.getBias())
      replaceConstant(*layer.getBiasMutable().begin(), shape, /*rows=*/true);
    OpBuilder builder(reshape);
    Value pixels =
        ReshapeOp::create(builder, reshape.getLoc(), reshape.getX(),
                          ArrayRef<int64_t>{shape[1], shape[2], shape[0]});
    Value result = TransposeOp::create(builder, reshape.getLoc(), pixels,
                                       kToChannelsFirst);
    reshape.replaceAllUsesWith(result);
    reshape.erase();
    countEvent(*this, numUnflattened, "unflattened", layer);
  }

  static bool isKnown(Value value) {
    std::vector<float> storage;
    ConstantOp constant = getConstant(value);
    return constant && !getFloats(constant.getValue(), storage).empty();
  }

  void replaceConstant(OpOperand &operand, ArrayRef<int64_t> image, bool rows) {
    ConstantOp constant = getConstant(operand.get());
    ElementsAttr old = constant.getValue();
    // Entry points share their weights.
    int64_t order[] = {rows, image[0], image[1] * image[2]};
    ElementsAttr &known =
        reordered[{old, DenseI64ArrayAttr::get(&getContext(), order)}];
    if (!known) {
      std::vector<float> storage;
      std::vector<float> values = reorder(getFloats(old, storage), image, rows);
      known = makeWeightLike(old, getWeightName(old),
                             old.getShapedType().getShape(), std::move(values));
    }
    OpBuilder builder(operand.getOwner());
    operand.set(ConstantOp::create(builder, constant.getLoc(), known));
    if (constant->use_empty())
      constant->erase();
  }

  DenseMap<std::pair<Attribute, Attribute>, ElementsAttr> reordered;
};

} // namespace
