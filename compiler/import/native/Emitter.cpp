// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Emitter.h"

#include "compiler/import/Weights.h"
#include "mlir/IR/Verifier.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

Dims Emitter::getDims(Value value) const {
  auto it = known.find(value);
  if (it != known.end())
    return it->second;
  unsigned nextSymbol = symbols.size();
  return ::vae::getDims(cast<RankedTensorType>(value.getType()), nextSymbol);
}

std::optional<LinearDim> Emitter::getLinear(AffineExpr expr) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return LinearDim{-1, 0, constant.getValue()};
  LinearDim linear{-1, 1, 0};
  if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
      sum && sum.getKind() == AffineExprKind::Add) {
    auto offset = dyn_cast<AffineConstantExpr>(sum.getRHS());
    if (!offset)
      return std::nullopt;
    linear.offset = offset.getValue();
    expr = sum.getLHS();
  }
  if (auto product = dyn_cast<AffineBinaryOpExpr>(expr);
      product && product.getKind() == AffineExprKind::Mul) {
    auto scale = dyn_cast<AffineConstantExpr>(product.getRHS());
    if (!scale)
      return std::nullopt;
    linear.scale = scale.getValue();
    expr = product.getLHS();
  }
  auto symbol = dyn_cast<AffineSymbolExpr>(expr);
  if (!symbol || symbol.getPosition() >= symbols.size())
    return std::nullopt;
  linear.symbol = symbol.getPosition();
  return linear;
}

std::string Emitter::formatDims(ArrayRef<AffineExpr> dims) const {
  std::string text = "[";
  for (auto [axis, dim] : enumerate(dims)) {
    if (axis)
      text += ", ";
    auto linear = getLinear(dim);
    if (linear && linear->symbol == 0)
      text += "N";
    else if (linear && linear->symbol < 0)
      text += std::to_string(linear->offset);
    else if (linear) {
      const DynamicDim &symbol = symbols[linear->symbol];
      int64_t offset = linear->offset;
      if (linear->scale != symbol.multiple)
        text += std::to_string(linear->scale) + "*";
      else
        offset -= symbol.remainder;
      text += symbol.name;
      if (linear->scale != symbol.multiple && symbol.multiple != 1)
        text += "/" + std::to_string(symbol.multiple);
      if (offset)
        text += (offset > 0 ? "+" : "") + std::to_string(offset);
    } else {
      text += "?";
    }
  }
  return text + "]";
}

/// Sizes stay small enough for the arithmetic of the next operation, and
/// positive at the smallest dynamic dimensions. Of the shortest video nothing
/// may be left.
LogicalResult Emitter::checkResults(Operation *op, ArrayRef<Dims> results) {
  SmallVector<AffineExpr> smallest;
  for (const DynamicDim &symbol : symbols)
    smallest.push_back(getAffineConstantExpr(symbol.minimum / symbol.multiple,
                                             op->getContext()));
  for (const Dims &dims : results) {
    int64_t elements = 1;
    for (auto [axis, dim] :
         enumerate(ArrayRef<AffineExpr>(dims).drop_front())) {
      int64_t size = getStaticDim(dim.replaceSymbols(smallest));
      auto linear = getLinear(dim);
      if (ShapedType::isDynamic(size))
        continue;
      bool isFrames = dims.size() == 5 && axis == 1;
      if (size < (isFrames && !isa<AffineConstantExpr>(dim) ? 0 : 1))
        return op->emitOpError()
               << "the result would be " << formatDims(dims)
               << ", with nothing left at the smallest height and width";
      if (size > kMaxDim || (linear && (linear->scale > kMaxDim ||
                                        std::abs(linear->offset) > kMaxDim)))
        return op->emitOpError() << "the result would be " << formatDims(dims)
                                 << ", a dimension over 2^31";
      if (size > kMaxElements / elements)
        return op->emitOpError() << "the result would be " << formatDims(dims)
                                 << ", more than 2^40 elements";
      elements *= std::max<int64_t>(size, 1);
    }
  }
  return success();
}

Operation *Emitter::finish(OperationState &state, StringRef subject,
                           InferFn infer) {
  MLIRContext *context = builder.getContext();
  std::string message;
  Operation *op = nullptr;
  {
    // The engine calls only the newest handler that accepts a diagnostic.
    ScopedDiagnosticHandler capture(context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
          message.empty())
        message = diagnostic.str();
      return success();
    });
    state.types.clear();
    if (succeeded(infer(context, state.location, state.operands,
                        state.attributes.getDictionary(context),
                        state.getRawProperties(), state.regions,
                        state.types))) {
      op = builder.create(state);
      SmallVector<Dims> operands, results;
      for (Value operand : op->getOperands())
        operands.push_back(getDims(operand));
      if (failed(verify(op, /*verifyRecursively=*/false)) ||
          failed(cast<SymbolicShapeOpInterface>(op).inferSymbolicDims(
              operands, results)) ||
          failed(checkResults(op, results))) {
        op->erase();
        op = nullptr;
      }
      if (op)
        for (auto [result, dims] : zip(op->getResults(), results))
          known[result] = dims;
    }
  }
  if (op)
    return op;
  // "'vae.conv2d' op (C6) text": the user knows layers, not operations.
  StringRef text = message;
  if (text.consume_front("'"))
    text = text.split("' op ").second;
  if (text.starts_with("(C") || text.starts_with("(G"))
    text = text.split(") ").second;
  Location loc = state.location;
  if (auto name = dyn_cast<NameLoc>(loc))
    loc = name.getChildLoc();
  emitError(loc) << subject << ": "
                 << (text.empty() ? StringRef("invalid operation") : text);
  return nullptr;
}
