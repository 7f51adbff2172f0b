// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as integers with scales for output units, or for blocks of these.
#include "dialects/vae/IR/VaeQuant.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vae;

namespace {
/// The blocks of a tensor whose elements share a scale.
class Blocks {
public:
  Blocks(ArrayRef<int64_t> shape, ArrayRef<int64_t> sizes)
      : shape(shape), sizes(sizes), strides(shape.size(), 1),
        index(shape.size(), 0) {
    for (auto [extent, size] : llvm::zip_equal(shape, sizes))
      counts.push_back(llvm::divideCeil(extent, size));
    for (size_t axis = shape.size(); axis-- > 1;)
      strides[axis - 1] = strides[axis] * counts[axis];
  }

  ArrayRef<int64_t> getCounts() const { return counts; }

  /// The number of the block of the current element.
  int64_t getBlock() const {
    int64_t block = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      block += index[axis] / sizes[axis] * strides[axis];
    return block;
  }
  /// The next element in memory.
  void advance() {
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis])
        return;
      index[axis] = 0;
    }
  }

private:
  SmallVector<int64_t> shape, sizes, counts, strides, index;
};
} // namespace

static SmallVector<int64_t> getSizes(ArrayRef<int64_t> shape,
                                     quant::QuantizedType type) {
  SmallVector<int64_t> sizes(shape);
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    sizes[perAxis.getQuantizedDimension()] = 1;
  if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type))
    for (auto [axis, size] : blocks.getBlockSizeInfo())
      sizes[axis] = size;
  return sizes;
}

static std::vector<double> getScales(quant::QuantizedType type) {
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    return perAxis.getScales().vec();
  std::vector<double> result;
  auto blocks = cast<quant::UniformQuantizedSubChannelType>(type);
  for (const APFloat &scale : blocks.getScales().getValues<APFloat>())
    result.push_back(scale.convertToDouble());
  return result;
}

std::vector<double> vae::getWeightScales(ArrayRef<int64_t> shape,
                                         quant::QuantizedType type) {
  std::vector<double> scales = getScales(type);
  std::vector<double> result(ShapedType::getNumElements(shape));
  Blocks blocks(shape, getSizes(shape, type));
  for (double &scale : result) {
    scale = scales[blocks.getBlock()];
    blocks.advance();
  }
  return result;
}

std::vector<int8_t> vae::quantizeWeight(ArrayRef<float> values,
                                        ArrayRef<int64_t> shape,
                                        quant::QuantizedType type) {
  auto low = static_cast<double>(type.getStorageTypeMin());
  auto high = static_cast<double>(type.getStorageTypeMax());
  std::vector<double> scales = getWeightScales(shape, type);
  std::vector<int8_t> result(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<int8_t>(
        std::clamp(std::nearbyint(values[i] / scales[i]), low, high));
  return result;
}

std::vector<float> vae::dequantizeWeight(ArrayRef<float> values,
                                         ArrayRef<int64_t> shape,
                                         quant::QuantizedType type) {
  std::vector<int8_t> integers = quantizeWeight(values, shape, type);
  std::vector<double> scales = getWeightScales(shape, type);
  std::vector<float> result(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<float>(integers[i]) * static_cast<float>(scales[i]);
  return result;
}

//===----------------------------------------------------------------------===//
// 4 bits
//===----------------------------------------------------------------------===//

/// The least bf16 that is no less.
static float roundUpToBf16(double value) {
  constexpr uint32_t kDropped = 0xffff;
  auto rounded = static_cast<float>(value);
  if (rounded < value)
    rounded = std::nextafter(rounded, HUGE_VALF);
  auto bits = llvm::bit_cast<uint32_t>(rounded);
  return llvm::bit_cast<float>((bits + kDropped) & ~kDropped);
}

static bool isUsable(double scale) {
  return scale >= 0x1p-126 && scale <= 0x1p120;
}

quant::QuantizedType vae::getWeightType4(MLIRContext *context,
                                         ArrayRef<float> values,
                                         ArrayRef<int64_t> shape,
                                         int64_t inputAxis, int64_t group) {
  constexpr double kFactors[] = {1, 0.95, 0.9, 0.85, 0.8, 0.75};
  constexpr auto kLargest = static_cast<double>(kLargestWeight4);
  SmallVector<int64_t> sizes(shape.size(), 1);
  sizes[inputAxis] = group;
  Blocks blocks(shape, sizes);
  int64_t count = ShapedType::getNumElements(blocks.getCounts());
  std::vector<double> largest(count);
  std::vector<int64_t> blockOf(values.size());
  for (auto [value, block] : llvm::zip_equal(values, blockOf)) {
    block = blocks.getBlock();
    blocks.advance();
    largest[block] =
        std::max(largest[block], std::fabs(static_cast<double>(value)));
  }
  std::vector<float> scales(count);
  std::vector<double> least(count, HUGE_VAL);
  for (double factor : kFactors) {
    std::vector<double> errors(count);
    std::vector<float> candidates(count, 1);
    for (auto [candidate, most] : llvm::zip_equal(candidates, largest))
      if (isUsable(most / kLargest))
        candidate = roundUpToBf16(most * factor / kLargest);
    for (auto [value, block] : llvm::zip_equal(values, blockOf)) {
      double scale = candidates[block];
      double error = value - scale * std::clamp(std::nearbyint(value / scale),
                                                -kLargest, kLargest);
      errors[block] += error * error;
    }
    for (int64_t block = 0; block < count; ++block)
      if (factor == 1 || errors[block] < least[block]) {
        least[block] = errors[block];
        scales[block] = candidates[block];
      }
  }
  Type storage = IntegerType::get(context, 4), f32 = Float32Type::get(context);
  auto scaleType = RankedTensorType::get(blocks.getCounts(), f32);
  auto zeroType = RankedTensorType::get(blocks.getCounts(), storage);
  SmallVector<int32_t> axes(shape.size());
  for (auto [axis, value] : llvm::enumerate(axes))
    value = static_cast<int32_t>(axis);
  return quant::UniformQuantizedSubChannelType::get(
      quant::QuantizationFlags::Signed, storage, f32,
      DenseElementsAttr::get(scaleType, ArrayRef<float>(scales)),
      DenseElementsAttr::get(zeroType, APInt(4, 0)), axes, sizes,
      -kLargestWeight4, kLargestWeight4);
}

std::optional<int64_t> vae::getWeightGroup(quant::QuantizedType type,
                                           int64_t inputAxis) {
  auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type);
  if (!blocks || blocks.getStorageTypeIntegralWidth() != 4)
    return std::nullopt;
  std::optional<int64_t> group;
  for (auto [axis, size] : blocks.getBlockSizeInfo())
    if (axis == inputAxis)
      group = size;
    else if (size != 1)
      return std::nullopt;
  return group;
}

LogicalResult
vae::detail::verifyWeightBlocks(Operation *op,
                                quant::UniformQuantizedSubChannelType type) {
  auto layer = cast<PrunableOpInterface>(op);
  auto weight = dyn_cast<RankedTensorType>(
      op->getOperand(layer.getWeightIndex()).getType());
  if (!weight || weight.getRank() <= layer.getInputUnitAxis())
    return success(); // the layer's own verifier refuses it
  auto fail = [&]() -> InFlightDiagnostic {
    return op->emitError() << "'" << kWeightTypeAttr << "' ";
  };
  if (type.getStorageTypeIntegralWidth() != 4 ||
      !type.getExpressedType().isF32())
    return fail() << "of blocks must be of i4 and f32, found " << type;
  SmallVector<int64_t> sizes(weight.getRank(), 0);
  for (auto [axis, size] : type.getBlockSizeInfo()) {
    if (axis < 0 || axis >= weight.getRank())
      return fail() << "has no axis " << axis;
    sizes[axis] = size;
  }
  SmallVector<int64_t> counts;
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    bool isInput = static_cast<int64_t>(axis) == layer.getInputUnitAxis();
    if (size < 1 || (!isInput && size != 1))
      return fail() << "must have blocks of any size on axis "
                    << layer.getInputUnitAxis() << " and of 1 on all others";
    counts.push_back(llvm::divideCeil(weight.getDimSize(axis), size));
  }
  if (type.getScales().getType().getShape() != ArrayRef(counts))
    return fail() << "must have scales of shape [" << llvm::interleaved(counts)
                  << "]";
  for (const APFloat &scale : type.getScales().getValues<APFloat>())
    if (!scale.isFiniteNonZero() || scale.isNegative())
      return fail() << "must have positive, finite scales";
  if (llvm::any_of(type.getZeroPoints().getValues<APInt>(),
                   [](const APInt &zero) { return !zero.isZero(); }))
    return fail() << "must have zero points of 0";
  return success();
}
