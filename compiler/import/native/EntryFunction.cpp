// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Entries.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

static Dims permute(ArrayRef<AffineExpr> dims, ArrayRef<int64_t> order) {
  Dims result;
  for (int64_t axis : order)
    result.push_back(dims[axis]);
  return result;
}

Dims vae::toInternal(ArrayRef<AffineExpr> dims, StringRef layout) {
  if (layout == "NHWC" && dims.size() == 4)
    return permute(dims, {0, 3, 1, 2});
  return Dims(dims);
}

Dims vae::toExternal(ArrayRef<AffineExpr> dims, StringRef layout) {
  if (layout == "NHWC" && dims.size() == 4)
    return permute(dims, {0, 2, 3, 1});
  return Dims(dims);
}

EntryFunction::EntryFunction(Emitter &emitter, ModuleOp module, StringRef name,
                             JsonPosition position, std::vector<Port> ports)
    : emitter(emitter), loc(NameLoc::get(emitter.builder.getStringAttr(name),
                                         emitter.source.getLoc(position))),
      name(name), position(position), arguments(std::move(ports)) {
  SmallVector<Type> types;
  for (const Port &port : arguments)
    types.push_back(getTensorType(port.dims, emitter.builder.getF32Type()));
  OpBuilder &builder = emitter.builder;
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(builder, loc, name,
                                  builder.getFunctionType(types, {}));
  function->setAttr(kEntryAttr, builder.getUnitAttr());
  Block *block = function.addEntryBlock();
  for (auto [value, port] : zip(block->getArguments(), arguments))
    emitter.setDims(value, port.dims);
  builder.setInsertionPointToEnd(block);
}

Value EntryFunction::getArgument(unsigned index) const {
  func::FuncOp entry = function;
  return entry.getArgument(index);
}

Value EntryFunction::getInternal(unsigned index) {
  Value value = getArgument(index);
  if (arguments[index].layout != "NHWC")
    return value;
  return create<TransposeOp>(value, ArrayRef<int64_t>({0, 3, 1, 2}));
}

Value EntryFunction::getInternal(StringRef wanted) {
  for (auto [i, port] : enumerate(arguments))
    if (port.name == wanted)
      return getInternal(i);
  return {};
}

SmallVector<Value> EntryFunction::call(func::FuncOp callee,
                                       ArrayRef<Value> operands) {
  if (is_contained(operands, Value())) {
    good = false;
    return SmallVector<Value>(callee.getNumResults());
  }
  auto op = func::CallOp::create(emitter.builder, loc, callee, operands);
  Operation *end = callee.front().getTerminator();
  for (auto [result, inner] : zip(op.getResults(), end->getOperands()))
    emitter.setDims(result, emitter.getDims(inner));
  return SmallVector<Value>(op.result_begin(), op.result_end());
}

void EntryFunction::addInternal(Value value, Port port) {
  if (value && port.layout == "NHWC")
    value = create<TransposeOp>(value, ArrayRef<int64_t>({0, 2, 3, 1}));
  addExternal(value, std::move(port));
}

void EntryFunction::addExternal(Value value, Port port) {
  if (!value) {
    good = false;
    return;
  }
  port.dims = emitter.getDims(value);
  results.push_back(std::move(port));
  values.push_back(value);
}

DictionaryAttr EntryFunction::describe(const Port &port) {
  OpBuilder &builder = emitter.builder;
  for (AffineExpr dim : port.dims) {
    auto linear = emitter.getLinear(dim);
    if (!linear && good) {
      good = false;
      emitter.source.error(position)
          << "'" << port.name << "' of entry '" << name
          << "' has a height or width that is no linear function of the "
             "input's; enlarge \"multiple\" in \"dynamic\"";
    }
  }
  auto dims = AffineMap::get(0, emitter.symbols.size(), port.dims,
                             builder.getContext());
  SmallVector<NamedAttribute> attributes = {
      builder.getNamedAttr(kNameAttr, builder.getStringAttr(port.name)),
      builder.getNamedAttr(kRoleAttr, builder.getStringAttr(port.role)),
      builder.getNamedAttr(kLayoutAttr, builder.getStringAttr(port.layout)),
      builder.getNamedAttr(kDimsAttr, AffineMapAttr::get(dims))};
  if (port.range)
    attributes.push_back(builder.getNamedAttr(
        kRangeAttr,
        builder.getF32ArrayAttr({static_cast<float>(port.range->first),
                                 static_cast<float>(port.range->second)})));
  return builder.getDictionaryAttr(attributes);
}

LogicalResult EntryFunction::finish() {
  if (!good)
    return failure();
  func::ReturnOp::create(emitter.builder, loc, values);
  SmallVector<Type> types;
  for (Value value : values)
    types.push_back(value.getType());
  function.setFunctionType(emitter.builder.getFunctionType(
      function.getFunctionType().getInputs(), types));
  for (auto [i, port] : enumerate(arguments))
    function.setArgAttrs(i, describe(port));
  for (auto [i, port] : enumerate(results))
    function.setResultAttrs(i, describe(port));
  return success(good);
}
