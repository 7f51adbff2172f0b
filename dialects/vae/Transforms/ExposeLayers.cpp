// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Dims.h"
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/ExposedLayers.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace vae {
#define GEN_PASS_DEF_EXPOSELAYERSPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// The same tensor in another memory layout; null if it has none.
static Value getSource(Value value) {
  auto convert = value.getDefiningOp<ConvertLayoutOp>();
  return convert ? convert.getX() : Value();
}

FailureOr<SmallVector<Value>> vae::findHiddenLayers(func::FuncOp entry) {
  DenseMap<Value, Dims> dims;
  SmallVector<Value> values;
  Block &block = entry.front();
  SmallPtrSet<Value, 8> returned;
  for (Value value : block.getTerminator()->getOperands())
    for (; value; value = getSource(value))
      returned.insert(value);
  AffineExpr batch;
  for (BlockArgument argument : block.getArguments()) {
    dims[argument] = getArgumentDims(entry, argument.getArgNumber());
    if (!batch)
      batch = dims[argument].front();
  }
  for (Operation &op : block.without_terminator()) {
    if (failed(vae::inferDims(op, dims)))
      return failure();
    if (isa<ConstantOp, ConvertLayoutOp>(op))
      continue;
    for (Value result : op.getResults())
      if (!returned.contains(result) && isLinear(dims.lookup(result)) &&
          dims.lookup(result).front() == batch)
        values.push_back(result);
  }
  return values;
}

namespace {

struct ExposeLayersPass : vae::impl::ExposeLayersPassBase<ExposeLayersPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!expose || function.isDeclaration() || !function->hasAttr(kEntryAttr))
      return;
    auto values = findHiddenLayers(function);
    if (failed(values))
      return signalPassFailure();
    append(function, *values);
  }

  void append(func::FuncOp function, ArrayRef<Value> values) {
    auto end = cast<func::ReturnOp>(function.front().getTerminator());
    std::vector<std::string> names = chooseNames(function, values);
    OpBuilder builder(end);
    for (auto [value, name] : llvm::zip(values, names)) {
      Value output = value;
      auto type = cast<RankedTensorType>(value.getType());
      DictionaryAttr attributes = builder.getDictionaryAttr(
          {builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)),
           builder.getNamedAttr(kRoleAttr, builder.getStringAttr("layer")),
           builder.getNamedAttr(
               kLayoutAttr,
               builder.getStringAttr(getLogicalLayout(type.getRank())))});
      countEvent(*this, numExposed, "exposed", value.getDefiningOp());
      auto given = RankedTensorType::get(type.getShape(), builder.getF32Type());
      // Integers become numbers before they are moved.
      if (getQuantizedType(type)) {
        type = type.clone(builder.getF32Type());
        output = ConvertLayoutOp::create(builder, value.getLoc(), type, output);
      }
      if (type != given) {
        type = given;
        output = ConvertLayoutOp::create(builder, value.getLoc(), type, output);
      }
      (void)function.insertResult(function.getNumResults(), type, attributes);
      end.getOperandsMutable().append(output);
    }
  }

  /// A name of its own for each value: what is computed last for a layer has
  /// the layer's name, the steps before have "#1", "#2" behind it.
  static std::vector<std::string> chooseNames(func::FuncOp function,
                                              ArrayRef<Value> values) {
    llvm::StringSet<> taken;
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      if (auto name = function.getResultAttrOfType<StringAttr>(i, kNameAttr))
        taken.insert(name.getValue());
    std::vector<std::string> names;
    for (Value value : llvm::reverse(values)) {
      std::string base = getLayerNames(value.getDefiningOp()), name = base;
      for (unsigned step = 1; !taken.insert(name).second; ++step)
        name = base + "#" + std::to_string(step);
      names.push_back(name);
    }
    std::reverse(names.begin(), names.end());
    return names;
  }
};

} // namespace
