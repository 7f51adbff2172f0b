// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized tensors and weights, in the types of MLIR's quant dialect, and what
// their integers mean: the one definition that the interpreter, the passes and
// the kernels follow.
#ifndef DIALECTS_VAE_IR_VAEQUANT_H
#define DIALECTS_VAE_IR_VAEQUANT_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

#include <vector>

namespace vae {

/// On a layer with weights: the type of the integers that these are multiplied
/// as (symmetric, one scale an output unit; or one for each group of inputs of
/// a unit). The operand itself stays f32.
inline constexpr llvm::StringLiteral kWeightTypeAttr = "vae.weight_type";

/// On a layer: why it does not multiply integers although it should
/// (vae-quantize).
inline constexpr llvm::StringLiteral kQuantizeNoteAttr = "vae.quantize_note";

/// The largest magnitude of an integer of a weight of 8 bits.
inline constexpr int64_t kLargestWeight8 = 127;
/// And of one of 4 bits.
inline constexpr int64_t kLargestWeight4 = 7;

/// The quantized elements of a tensor; null if it has others.
mlir::quant::UniformQuantizedType getQuantizedType(mlir::Type tensor);
mlir::quant::UniformQuantizedType getQuantizedType(mlir::Value tensor);

/// u8 with the scale and zero point that represent [low, high] and 0, which is
/// an integer exactly. Ends that are no numbers or equal give scale 1.
mlir::quant::UniformQuantizedType getActivationType(mlir::MLIRContext *context,
                                                    double low, double high);

/// Bytes of an element in memory.
int64_t getElementBytes(mlir::Type tensor);

/// What the attribute of a layer says; null without it.
mlir::quant::QuantizedType getWeightType(mlir::Operation *layer);

/// Whether a layer multiplies integers: its data are quantized. Its weight
/// type, if it has weights, is then i8 with one scale an output unit.
bool isIntegerLayer(mlir::Operation *layer);

/// Whether an operation that is no layer may have quantized tensors: it only
/// moves numbers or takes the largest, which integers of one type do as well.
bool mayMoveIntegers(mlir::Operation *op);

/// Numbers x as f32 become min(max(rint(x * inverse), low), high) + zeroPoint,
/// the product rounded to f32, ties to even; NaN becomes the lowest. Integers q
/// become (q - zeroPoint) * scale.
struct Quantization {
  float scale = 1, inverse = 1;
  int32_t zeroPoint = 0;
  int32_t lowest = 0, highest = 255; // of the integers

  explicit Quantization(mlir::quant::UniformQuantizedType type);
  int32_t quantize(float x) const;
  float dequantize(int32_t q) const {
    return static_cast<float>(q - zeroPoint) * scale;
  }
};

/// Whether a layer multiplies f32, but weights that are integers times scales.
bool isWeightOnlyLayer(mlir::Operation *layer);

/// The scale of each element of a weight of that type, in its order.
std::vector<double> getWeightScales(llvm::ArrayRef<int64_t> shape,
                                    mlir::quant::QuantizedType type);

/// The integers of a layer's weight in the order of the tensor: of each,
/// rint(w / scale) within the storage type's ends, computed in f64. The type is
/// of scales for output units, or for blocks of a unit's inputs.
std::vector<int8_t> quantizeWeight(llvm::ArrayRef<float> values,
                                   llvm::ArrayRef<int64_t> shape,
                                   mlir::quant::QuantizedType type);

/// These times their scales, as f32: what a layer multiplies that
/// isWeightOnlyLayer.
std::vector<float> dequantizeWeight(llvm::ArrayRef<float> values,
                                    llvm::ArrayRef<int64_t> shape,
                                    mlir::quant::QuantizedType type);

/// Of an integer layer, for each output unit the f32 nearest to the product of
/// the scales of data and weight: y = fma(f32(sum), scale, bias), where sum is
/// that of (x - zero point of x) * weight.
std::vector<float> getSumScales(mlir::Operation *layer);

/// i8 with one scale an output unit, the largest magnitude over 127 (1 where
/// all are 0); `axis`: of output units, of all groups.
mlir::quant::QuantizedType getWeightType8(mlir::MLIRContext *context,
                                          llvm::ArrayRef<float> values,
                                          llvm::ArrayRef<int64_t> shape,
                                          int64_t axis);

/// i4 with one scale for `group` inputs of an output unit and tap: a block of
/// the type has that size on the axis of inputs, and 1 on all others; the last
/// one may reach beyond the inputs. A scale is a bf16, and of those from 75% of
/// the largest magnitude over 7 to all of it the one with the least squared
/// error.
mlir::quant::QuantizedType getWeightType4(mlir::MLIRContext *context,
                                          llvm::ArrayRef<float> values,
                                          llvm::ArrayRef<int64_t> shape,
                                          int64_t inputAxis, int64_t group);

/// Of getWeightType4's, inputs of a block; nothing if the type has other blocks
/// or integers.
std::optional<int64_t> getWeightGroup(mlir::quant::QuantizedType type,
                                      int64_t inputAxis);

namespace detail {
/// Whether a type of scales for blocks is one for that layer.
llvm::LogicalResult
verifyWeightBlocks(mlir::Operation *layer,
                   mlir::quant::UniformQuantizedSubChannelType type);
} // namespace detail

} // namespace vae

#endif // DIALECTS_VAE_IR_VAEQUANT_H
