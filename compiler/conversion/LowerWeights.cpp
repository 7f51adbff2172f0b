// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are stored as integers.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace vae;

/// Whether scales of f32 are numbers of bf16.
static bool areShort(quant::UniformQuantizedSubChannelType type) {
  return llvm::all_of(type.getScales().getValues<float>(), [](float scale) {
    constexpr uint32_t kLower = 0xffff;
    return (llvm::bit_cast<uint32_t>(scale) & kLower) == 0;
  });
}

WeightForm vae::getWeightForm(Operation *op) {
  WeightForm form;
  auto layer = cast<PrunableOpInterface>(op);
  // Weights that are transformed by the compiler are f32.
  if (getAlgorithm(op).stored)
    return form;
  quant::QuantizedType type = getWeightType(op);
  if (isa<quant::UniformQuantizedPerAxisType>(type)) {
    form.bits = 8;
    return form;
  }
  int64_t axis = layer.getInputUnitAxis();
  auto group = getWeightGroup(type, axis);
  if (!group)
    return form;
  // Of transposed convolutions, the axis runs over the inputs of all groups.
  auto weight =
      cast<RankedTensorType>(op->getOperand(layer.getWeightIndex()).getType());
  int64_t groups = isa<ConvTranspose2dOp>(op) ? layer.getUnitGroups() : 1;
  if (groups > 1 && weight.getDimSize(axis) / groups % *group)
    return form;
  form.bits = 4;
  form.group = std::min(*group, weight.getDimSize(axis) / groups);
  form.shortScales =
      areShort(cast<quant::UniformQuantizedSubChannelType>(type));
  return form;
}

ElementsAttr
Lowering::packIntegers(Operation *op, ElementsAttr source, StringRef name,
                       const Contraction &shape,
                       function_ref<float(ArrayRef<float>, int64_t, int64_t,
                                          int64_t, int64_t, int64_t)>
                           weight) {
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(source, storage);
  ArrayRef<int64_t> dims = source.getShapedType().getShape();
  quant::QuantizedType type = getWeightType(op);
  std::vector<int8_t> bytes = quantizeWeight(values, dims, type);
  std::vector<double> each = getWeightScales(dims, type);
  const std::vector<float> integers(bytes.begin(), bytes.end());
  const std::vector<float> scales(each.begin(), each.end());
  std::vector<int8_t> packed = packIntegerWeight(
      shape,
      [&](int64_t g, int64_t o, int64_t i, int64_t ky, int64_t kx) {
        return weight(integers, g, o, i, ky, kx);
      },
      [&](int64_t g, int64_t o, int64_t i, int64_t ky, int64_t kx) {
        return weight(scales, g, o, i, ky, kx);
      });
  op->getContext()->getLoadedDialect<VaeDialect>()->getMappedFiles().countRead(
      values.size() * sizeof(float));
  auto size = static_cast<int64_t>(packed.size());
  return makeInt8Weight(name, {size}, std::move(packed), op->getContext());
}
