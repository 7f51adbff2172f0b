// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are stored without zeros.
#include "compiler/conversion/Lowering.h"

#include "compiler/conversion/kernels/SparseWeights.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/LayerEnds.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace vae;

Sparsity vae::getSparsity(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kSparsityAttr);
  return llvm::StringSwitch<Sparsity>(name ? name.getValue() : "")
      .Case("rows", Sparsity::Rows)
      .Case("bitmap", Sparsity::Bitmap)
      .Default(Sparsity::None);
}

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

static constexpr int64_t kFloatBytes = 4, kPlaceBytes = 2, kStartBytes = 4;

int64_t ZeroCount::getDenseBytes() const {
  return rows * kChannelBlock * kFloatBytes;
}

int64_t ZeroCount::getBytes(Sparsity sparsity) const {
  switch (sparsity) {
  case Sparsity::None:
    break;
  case Sparsity::Bitmap:
    return blocks * kStartBytes + rows * kPlaceBytes +
           (weights - zeros) * kFloatBytes;
  case Sparsity::Rows:
    return blocks * taps * kStartBytes +
           (rows - zeroRows) * (kChannelBlock * kFloatBytes + kPlaceBytes);
  }
  return getDenseBytes();
}

std::optional<ZeroCount> vae::countZeros(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  ConstantOp weight = getConstant(op->getOperand(layer.getWeightIndex()));
  std::vector<float> storage;
  ArrayRef<float> values;
  if (weight && weight.getValue().getElementType().isF32())
    values = getFloats(weight.getValue(), storage);
  if (values.empty())
    return std::nullopt;
  auto [inputs, outputs] = getUnitsOfGroup(op);
  ArrayRef<int64_t> shape = weight.getValue().getShapedType().getShape();
  int64_t axis = layer.getOutputUnitAxis();
  int64_t stride = ShapedType::getNumElements(shape.drop_front(axis + 1));
  ZeroCount count;
  count.weights = static_cast<int64_t>(values.size());
  count.taps = count.weights / (inputs * outputs * layer.getUnitGroups());
  count.blocks =
      layer.getUnitGroups() * llvm::divideCeil(outputs, kChannelBlock);
  for (int64_t i = 0; i < count.weights; ++i) {
    count.finite &= std::isfinite(values[i]);
    int64_t output = i / stride % shape[axis] % outputs;
    if (output % kChannelBlock)
      continue;
    int64_t size = std::min(kChannelBlock, outputs - output), zeros = 0;
    for (int64_t o = 0; o < size; ++o)
      zeros += values[i + o * stride] == 0; // or -0
    count.zeros += zeros;
    ++count.rows;
    count.zeroRows += zeros == size;
  }
  op->getContext()->getLoadedDialect<VaeDialect>()->getMappedFiles().countRead(
      count.weights * kFloatBytes);
  return count;
}

//===----------------------------------------------------------------------===//
// Expansion
//===----------------------------------------------------------------------===//

void Lowering::expandWeight(Operation *op, Contraction &shape, bool transforms,
                            AffineExpr positions,
                            SmallVectorImpl<Value> &inputs) {
  if (shape.weights.sparsity != Sparsity::Bitmap)
    return;
  bool decodes = !transforms && decodesBitmap(target, shape);
  Value bitmap = inputs[1];
  SparseLayout layout(shape);
  AffineExpr elements = expr(layout.blocks * layout.rows() * kChannelBlock);
  const Dims dims = {elements};
  auto type = scratchType(dims);
  constexpr int64_t alone = int64_t(1) << 20; // operations worth a thread
  auto kernel = getExpandWeightsKernel(
      module, op->getLoc(), getTarget(bitmap, type), shape,
      decodes ? chooseTile(target, shape).positions : 0);
  Value expanded =
      launch(op->getLoc(), kernel, bitmap, {positions}, alone, type, dims, {},
             {expr(0), countRead(bitmap), elements});
  if (decodes) {
    inputs.push_back(expanded);
    return;
  }
  inputs[1] = expanded;
  shape.weights = {};
}
