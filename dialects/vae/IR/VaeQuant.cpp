// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeQuant.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vae;

quant::UniformQuantizedType vae::getQuantizedType(Type tensor) {
  return dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(tensor));
}
quant::UniformQuantizedType vae::getQuantizedType(Value tensor) {
  return getQuantizedType(tensor.getType());
}

quant::UniformQuantizedType vae::getActivationType(MLIRContext *context,
                                                   double low, double high) {
  constexpr int64_t kHighest = 255;
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  double scale = (high - low) / kHighest;
  // Its inverse must be a number, too.
  if (!(scale >= 0x1p-126 && scale <= 0x1p126))
    scale = 1;
  auto zeroPoint = std::clamp<int64_t>(std::llround(-low / scale), 0, kHighest);
  return quant::UniformQuantizedType::get(
      /*flags=*/0, IntegerType::get(context, 8), Float32Type::get(context),
      scale, zeroPoint, 0, kHighest);
}

int64_t vae::getElementBytes(Type tensor) {
  Type element = getElementTypeOrSelf(tensor);
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    element = quantized.getStorageType();
  return element.getIntOrFloatBitWidth() / 8;
}

quant::QuantizedType vae::getWeightType(Operation *layer) {
  auto attribute = layer->getAttrOfType<TypeAttr>(kWeightTypeAttr);
  return attribute ? dyn_cast<quant::QuantizedType>(attribute.getValue())
                   : quant::QuantizedType();
}

bool vae::isIntegerLayer(Operation *layer) {
  return isa<QuantizableOpInterface>(layer) &&
         getQuantizedType(layer->getOperand(0));
}

bool vae::mayMoveIntegers(Operation *op) {
  if (auto pad = dyn_cast<PadOp>(op))
    return pad.getValue().isZero();
  if (auto pool = dyn_cast<Pool2dOp>(op))
    return pool.getKind() == PoolKind::Max;
  if (auto upsample = dyn_cast<UpsampleOp>(op))
    return upsample.getMode() == ResizeMode::Nearest;
  return isa<ReshapeOp, TransposeOp, ConvertLayoutOp, DropoutOp, ConcatOp,
             SliceOp, CropOp, PixelShuffleOp, PixelUnshuffleOp,
             RepeatChannelsOp, FramesToBatchOp, BatchToFramesOp,
             ChannelsToFramesOp, FramesToChannelsOp>(op);
}

bool vae::isWeightOnlyLayer(Operation *layer) {
  return getWeightType(layer) && !isIntegerLayer(layer);
}

Quantization::Quantization(quant::UniformQuantizedType type)
    : scale(static_cast<float>(type.getScale())),
      inverse(static_cast<float>(1 / type.getScale())),
      zeroPoint(static_cast<int32_t>(type.getZeroPoint())),
      lowest(static_cast<int32_t>(type.getStorageTypeMin())),
      highest(static_cast<int32_t>(type.getStorageTypeMax())) {}

int32_t Quantization::quantize(float x) const {
  float product = x * inverse;
  float low = static_cast<float>(lowest - zeroPoint);
  float high = static_cast<float>(highest - zeroPoint);
  product = product > low ? product : low; // NaN, too
  product = product < high ? product : high;
  return static_cast<int32_t>(std::nearbyintf(product)) + zeroPoint;
}

std::vector<float> vae::getSumScales(Operation *layer) {
  auto prunable = cast<PrunableOpInterface>(layer);
  double data = getQuantizedType(prunable.getDataOperand().get()).getScale();
  auto scales = cast<quant::UniformQuantizedPerAxisType>(getWeightType(layer))
                    .getScales();
  int64_t units = cast<RankedTensorType>(layer->getResult(0).getType())
                      .getDimSize(prunable.getUnitAxis());
  std::vector<float> result;
  for (int64_t unit = 0; unit < units; ++unit)
    result.push_back(static_cast<float>(data * scales[unit % scales.size()]));
  return result;
}

quant::QuantizedType vae::getWeightType8(MLIRContext *context,
                                         ArrayRef<float> values,
                                         ArrayRef<int64_t> shape,
                                         int64_t axis) {
  int64_t inner = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  std::vector<double> scales(shape[axis]);
  for (size_t i = 0; i < values.size(); ++i) {
    double &largest = scales[static_cast<int64_t>(i) / inner % shape[axis]];
    largest = std::max(largest, std::fabs(static_cast<double>(values[i])));
  }
  for (double &scale : scales) {
    scale /= kLargestWeight8;
    if (!(scale >= 0x1p-126 && scale <= 0x1p120))
      scale = 1;
  }
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 8),
      Float32Type::get(context), scales, SmallVector<int64_t>(scales.size(), 0),
      static_cast<int32_t>(axis), -kLargestWeight8, kLargestWeight8);
}
