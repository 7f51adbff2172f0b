// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constraint (G4): which tensors may be quantized.
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/IR/VaeQuantAttention.h"

using namespace mlir;
using namespace vae;

/// !quant.uniform<u8:f32, s:z>.
static bool isActivationType(quant::UniformQuantizedType type) {
  return !type.isSigned() && type.getStorageTypeIntegralWidth() == 8 &&
         type.getStorageTypeMin() == 0 && type.getStorageTypeMax() == 255 &&
         type.getExpressedType().isF32() && type.getZeroPoint() >= 0 &&
         type.getZeroPoint() <= 255;
}

static bool isQuantized(Type type) {
  return isa<quant::QuantizedType>(getElementTypeOrSelf(type));
}

static LogicalResult checkLayer(PrunableOpInterface layer) {
  Value data = layer.getDataOperand().get();
  Value residual;
  if (auto epilogue = dyn_cast<EpilogueOpInterface>(layer.getOperation()))
    residual = epilogue.getEpilogueResidual();
  for (Value operand : layer->getOperands())
    if (operand != data && operand != residual &&
        isQuantized(operand.getType()))
      return layer->emitOpError()
             << "(G4) weight and bias must be f32, found " << operand.getType();
  if (!isIntegerLayer(layer)) {
    if (isQuantized(layer->getResult(0).getType()) ||
        (residual && isQuantized(residual.getType())))
      return layer->emitOpError() << "(G4) residual and result are quantized "
                                     "only where x is";
    return success();
  }
  auto weight = dyn_cast_or_null<quant::UniformQuantizedPerAxisType>(
      getWeightType(layer));
  if (!weight || weight.getStorageTypeIntegralWidth() != 8 ||
      weight.getStorageTypeMin() != -kLargestWeight8 ||
      weight.getStorageTypeMax() != kLargestWeight8)
    return layer->emitOpError()
           << "(G4) a layer with quantized x needs '" << kWeightTypeAttr
           << "' of i8<-127:127> with a scale for each output unit";
  return success();
}

static LogicalResult checkAttention(AttentionOp op) {
  bool quantized = isQuantized(op.getQuery().getType());
  for (Value operand : op->getOperands())
    if (isQuantized(operand.getType()) != quantized)
      return op.emitOpError() << "(C6) query, key and value must all be "
                                 "quantized or none, found "
                              << op->getOperandTypes();
  if (!quantized)
    return op.emitOpError() << "(C6) the result is quantized only where query, "
                               "key and value are";
  StringRef obstacle = getIntegerObstacle(op);
  if (!obstacle.empty())
    return op.emitOpError() << "(C7) cannot multiply integers: " << obstacle;
  return success();
}

static LogicalResult checkConversion(ConvertLayoutOp op) {
  Type from = getElementTypeOrSelf(op.getX()), to = getElementTypeOrSelf(op);
  auto isFloat = [](Type type) { return type.isF32() || type.isF16(); };
  if (from == to || (isFloat(from) && isQuantized(to)) ||
      (isQuantized(from) && isFloat(to)))
    return success();
  return op.emitOpError() << "(G4) quantizes f32 or f16 or gives it, found "
                          << op.getX().getType() << " and " << op.getType();
}

/// Operands whose numbers, not only sizes, an operation reads.
static OperandRange getMoved(Operation *op) {
  return op->getOperands().take_front(
      isa<BatchToFramesOp>(op) ? 1 : op->getNumOperands());
}

LogicalResult vae::detail::checkQuantized(Operation *op) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  if (llvm::none_of(types, isQuantized))
    return success();
  for (Type type : types)
    if (isQuantized(type)) {
      auto uniform = getQuantizedType(type);
      if (!uniform || !isActivationType(uniform))
        return op->emitOpError() << "(G4) quantized tensors are of "
                                    "!quant.uniform<u8:f32, s:z>, found "
                                 << type;
    }
  if (auto layer = dyn_cast<PrunableOpInterface>(op))
    return checkLayer(layer);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return checkAttention(attention);
  if (auto conversion = dyn_cast<ConvertLayoutOp>(op))
    return checkConversion(conversion);
  if (!mayMoveIntegers(op))
    return op->emitOpError() << "(G4) has no form for quantized tensors";
  Type result = getElementTypeOrSelf(op->getResult(0));
  for (Value operand : getMoved(op))
    if (getElementTypeOrSelf(operand) != result)
      return op->emitOpError()
             << "(G4) operands and result must be quantized alike, found "
             << operand.getType() << " and " << op->getResult(0).getType();
  return success();
}
