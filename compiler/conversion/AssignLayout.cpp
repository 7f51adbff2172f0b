// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeLayout.h"

namespace vae {
#define GEN_PASS_DEF_ASSIGNLAYOUTPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// Whether a tensor's order of elements in memory is its logical shape's.
bool needsRowMajor(Operation *op) {
  return isa<DenseOp, ReshapeOp, LayerNormOp, func::ReturnOp>(op);
}

/// A transpose is row-major, but N, H, W, C and the channels-last form of N, C,
/// H, W are the same bytes: between these two it moves nothing.
bool needsRowMajorOperand(Operation *op) {
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return transpose.getPermutation() != ArrayRef(kToChannelsLast);
  return needsRowMajor(op);
}
bool needsRowMajorResult(Operation *op) {
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return transpose.getPermutation() != ArrayRef(kToChannelsFirst);
  return needsRowMajor(op);
}

/// Images or videos.
bool isImages(RankedTensorType type) {
  return type && (type.getRank() == 4 || type.getRank() == 5);
}

bool isWeight(OpOperand &operand) {
  auto layer = dyn_cast<PrunableOpInterface>(operand.getOwner());
  return layer && operand.getOperandNumber() == layer.getWeightIndex();
}

struct AssignLayoutPass : vae::impl::AssignLayoutPassBase<AssignLayoutPass> {
  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    converted.clear();
    channelsLast = LayoutAttr::get(&getContext(), LayoutKind::ChannelsLast);
    for (Operation &op : llvm::make_early_inc_range(
             getOperation().getBody().front().getOperations()))
      visit(&op);
  }

  void visit(Operation *op) {
    if (isa<ConstantOp, ConvertLayoutOp>(op))
      return;
    Attribute operands = needsRowMajorOperand(op) ? Attribute() : channelsLast;
    Attribute results = needsRowMajorResult(op) ? Attribute() : channelsLast;
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (isImages(type) && !isWeight(operand))
        operand.set(convert(op, operand.get(), type, operands));
    }
    for (Value result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (isImages(type))
        result.setType(type.cloneWithEncoding(results));
    }
  }

  Value convert(Operation *user, Value value, RankedTensorType type,
                Attribute wanted) {
    if (type.getEncoding() == wanted)
      return value;
    Value &known = converted[{value, wanted}];
    if (!known) {
      OpBuilder builder(user);
      known = ConvertLayoutOp::create(builder, value.getLoc(),
                                      type.cloneWithEncoding(wanted), value);
      ++numConversions;
    }
    return known;
  }

  Attribute channelsLast;
  DenseMap<std::pair<Value, Attribute>, Value> converted;
};

} // namespace
