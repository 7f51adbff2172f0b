// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/QuantizeTensors.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace vae;

/// The operation that moves a value, if the use is one; null if not. What
/// several values are joined by would want one type for all.
static Operation *getMover(OpOperand &use) {
  Operation *op = use.getOwner();
  return mayMoveIntegers(op) && !isa<ConcatOp>(op) &&
                 use.getOperandNumber() == 0
             ? op
             : nullptr;
}

/// Operations whose result has fewer numbers than their operand: it is cheaper
/// to make integers of what is left.
static bool leavesOut(Operation *mover) {
  return isa<Pool2dOp, SliceOp, CropOp>(mover);
}

Value vae::getQuantizedSource(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->getNumOperands() == 0 || !getMover(op->getOpOperand(0)))
      break;
    value = op->getOperand(0);
  }
  return value;
}

ConvertLayoutOp vae::findQuantizer(GroupNormOp norm) {
  Value y = norm.getY();
  if (!y.hasOneUse())
    return nullptr;
  auto convert = dyn_cast<ConvertLayoutOp>(*y.user_begin());
  auto layoutOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getEncoding();
  };
  return convert && getElementTypeOrSelf(y.getType()).isF32() &&
                 getQuantizedType(convert.getY()) &&
                 layoutOf(y) == layoutOf(convert.getY())
             ? convert
             : nullptr;
}

bool TensorQuantizer::isData(OpOperand &use) const {
  auto layer = dyn_cast<QuantizableOpInterface>(use.getOwner());
  return layer && layers.contains(layer) &&
         use.getOperandNumber() < layer.getNumData();
}

bool TensorQuantizer::isResidual(OpOperand &use) const {
  auto epilogue = dyn_cast<EpilogueOpInterface>(use.getOwner());
  return epilogue && layers.contains(epilogue) &&
         epilogue.getEpilogueResidual() == use.get() &&
         use.getOperandNumber() + 1 == epilogue->getNumOperands();
}

/// Whether nothing but layers that multiply integers reads a value, in the end,
/// and something does; with `residuals`, or adds it.
bool TensorQuantizer::wantsIntegers(Value value, bool residuals) const {
  return !value.use_empty() && llvm::all_of(value.getUses(), [&](auto &use) {
    if (isData(use) || (residuals && isResidual(use)))
      return true;
    Operation *mover = getMover(use);
    return mover && wantsIntegers(mover->getResult(0), residuals);
  });
}

/// The value and what moves it.
void TensorQuantizer::setType(Value value, quant::UniformQuantizedType type) {
  value.setType(cast<RankedTensorType>(value.getType()).clone(type));
  ++numTensors;
  for (OpOperand &use : value.getUses())
    if (Operation *mover = getMover(use))
      setType(mover->getResult(0), type);
}

/// One conversion for all that want integers of this value.
void TensorQuantizer::convertUses(Value value,
                                  quant::UniformQuantizedType type) {
  SmallVector<OpOperand *> uses;
  SmallVector<Value> below;
  for (OpOperand &use : value.getUses()) {
    Operation *mover = getMover(use);
    if (isData(use) ||
        (mover && !leavesOut(mover) &&
         wantsIntegers(mover->getResult(0), /*residuals=*/false)))
      uses.push_back(&use);
    else if (mover)
      below.push_back(mover->getResult(0));
  }
  for (Value moved : below)
    convertUses(moved, type);
  if (uses.empty())
    return;
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  auto convert = ConvertLayoutOp::create(
      builder, value.getLoc(),
      cast<RankedTensorType>(value.getType()).clone(type), value);
  ++numConversions;
  for (OpOperand *use : uses)
    use->set(convert.getY());
  setType(convert.getY(), type);
}

void TensorQuantizer::quantize(Value source) {
  quant::UniformQuantizedType type = getType(source);
  if (!type)
    return;
  Operation *op = source.getDefiningOp();
  if (op && layers.contains(op) && wantsIntegers(source, /*residuals=*/true))
    setType(source, type);
  else
    convertUses(source, type);
}

void TensorQuantizer::run(func::FuncOp entry) {
  llvm::SetVector<Value> sources;
  entry.walk([&](QuantizableOpInterface layer) {
    if (!layers.contains(layer))
      return;
    for (Value data : layer->getOperands().take_front(layer.getNumData()))
      sources.insert(getQuantizedSource(data));
    if (auto epilogue = dyn_cast<EpilogueOpInterface>(layer.getOperation()))
      if (Value residual = epilogue.getEpilogueResidual())
        sources.insert(getQuantizedSource(residual));
  });
  for (Value source : sources)
    quantize(source);
}
