// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entry points become functions over vae_abi_call.
#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Versions.h"

#include "dialects/kernel/IR/Kernel.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AsmState.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"
#include "llvm/Support/xxhash.h"

namespace vae {
#define GEN_PASS_DEF_CONVERTKERNELTOLLVMPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// Offsets of weights, equal bytes stored once.
class WeightLayout {
public:
  /// Null offset: the constant has no bytes.
  FailureOr<int64_t> offsetOf(ElementsAttr value) {
    ArrayRef<char> bytes = getBytes(value);
    if (bytes.empty())
      return failure();
    uint64_t hash = llvm::xxh3_64bits(ArrayRef<uint8_t>(
        reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
    for (auto [known, offset] : byHash[hash])
      if (getBytes(known) == bytes)
        return offset;
    int64_t offset = size;
    byHash[hash].push_back({value, offset});
    order.push_back({value, offset});
    size = llvm::alignTo(size + bytes.size(), kWeightAlignment);
    return offset;
  }

  Attribute toAttr(Builder &builder) const {
    SmallVector<Attribute> entries;
    for (auto [value, offset] : order)
      entries.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("offset", builder.getI64IntegerAttr(offset)),
           builder.getNamedAttr("value", value)}));
    return builder.getArrayAttr(entries);
  }

private:
  DenseMap<uint64_t, SmallVector<std::pair<ElementsAttr, int64_t>, 1>> byHash;
  SmallVector<std::pair<ElementsAttr, int64_t>> order;
  int64_t size = 0;
};

/// Emits the functions of one entry point.
class EntryEmitter {
public:
  EntryEmitter(func::FuncOp source, WeightLayout &weights)
      : source(source), module(source->getParentOfType<ModuleOp>()),
        version(getVersionName(source)), weights(weights),
        b(source.getContext()), loc(source.getLoc()),
        pointer(LLVM::LLVMPointerType::get(source.getContext())) {
    for (Attribute symbol : module->getAttrOfType<ArrayAttr>(kSymbolsAttr))
      multiples.push_back(
          cast<DictionaryAttr>(symbol).getAs<IntegerAttr>("multiple").getInt());
  }

  LogicalResult emit();
  DictionaryAttr describe();

private:
  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  }
  Value toI64(Value index) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  }
  Value toIndex(Value integer) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
  }
  Value at(Value base, int64_t bytes) {
    return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
  }
  Value loadField(Type type, Value base, int64_t bytes) {
    return LLVM::LoadOp::create(b, loc, type, at(base, bytes));
  }

  /// Values of the symbols: the batch; others in units of their multiple.
  SmallVector<Value> loadSymbols(Value symbols);
  Value evaluate(AffineExpr expr, ValueRange symbols) {
    return affine::expandAffineExpr(b, loc, expr, {}, symbols);
  }
  /// Offset of every slot; the last value is the size of the arena.
  SmallVector<Value> emitPlan(ValueRange symbols);
  void emitSizeFunction(StringRef suffix,
                        function_ref<Value(ValueRange symbols)> body);
  void emitCostFunction();
  LogicalResult emitBody();
  LogicalResult emitLaunch(kernel::LaunchOp launch, ValueRange symbols,
                           Value arguments);
  LogicalResult bindConstants();
  func::FuncOp getTask(func::FuncOp kernel, unsigned numBuffers);
  Value makeBuffer(Type type, Value data);
  Value callAddress(Value address, Type result, ValueRange arguments);
  int64_t getScratchSize();
  bool isGuarded();
  Value nameLayer(kernel::LaunchOp launch);
  func::FuncOp getNoteFunction();
  void refuseOlderCallers(func::FuncOp function);
  std::string symbolName() { return (kEntryPrefix + source.getName()).str(); }
  /// Buffers, sizes, what gives and takes back scratch, and the guard, if the
  /// kernel has any.
  static int64_t slotsOf(kernel::LaunchOp launch) {
    return launch.getInputs().size() + 1 + launch.getSizes().getNumResults() +
           kScratchSlots + 1;
  }
  static constexpr unsigned kScratchSlots = 3;

  /// A function of the source's version, at the end of the module.
  func::FuncOp makeFunction(const Twine &name, TypeRange inputs,
                            TypeRange results) {
    b.setInsertionPointToEnd(module.getBody());
    auto function = func::FuncOp::create(b, loc, name.str(),
                                         b.getFunctionType(inputs, results));
    if (!version.empty())
      function->setAttr(kVersionAttr, b.getStringAttr(version));
    return function;
  }

  func::FuncOp source;
  ModuleOp module;
  StringRef version; // empty if there is one only
  WeightLayout &weights;
  OpBuilder b;
  Location loc;
  Type pointer;
  SmallVector<int64_t> multiples;
  DenseMap<Value, Value> pointers; // tensor -> its buffer
  Value call, arena;
  Value guard; // an i32 on the stack; null if no kernel has one
  SmallVector<Value> offsets;
};

SmallVector<Value> EntryEmitter::loadSymbols(Value symbols) {
  SmallVector<Value> units;
  for (auto [i, multiple] : llvm::enumerate(multiples)) {
    Value value = loadField(b.getI64Type(), symbols, 8 * i);
    if (multiple != 1)
      value = arith::DivUIOp::create(b, loc, value, i64(multiple));
    units.push_back(toIndex(value));
  }
  return units;
}

SmallVector<Value> EntryEmitter::emitPlan(ValueRange symbols) {
  SmallVector<Value> starts, ends;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value total = zero;
  for (Attribute entry : source->getAttrOfType<ArrayAttr>(kernel::kPlanAttr)) {
    auto slot = cast<DictionaryAttr>(entry);
    Value start = zero;
    for (int64_t below : slot.getAs<DenseI64ArrayAttr>("above").asArrayRef())
      start = arith::MaxSIOp::create(b, loc, start, ends[below]);
    AffineMap bytes = slot.getAs<AffineMapAttr>("bytes").getValue();
    Value end = arith::AddIOp::create(b, loc, start,
                                      evaluate(bytes.getResult(0), symbols));
    starts.push_back(start);
    ends.push_back(end);
    total = arith::MaxSIOp::create(b, loc, total, end);
  }
  starts.push_back(total);
  return starts;
}

void EntryEmitter::emitSizeFunction(StringRef suffix,
                                    function_ref<Value(ValueRange)> body) {
  func::FuncOp function =
      makeFunction(symbolName() + suffix, {pointer}, {b.getI64Type()});
  b.setInsertionPointToStart(function.addEntryBlock());
  Value result = body(loadSymbols(function.getArgument(0)));
  func::ReturnOp::create(b, loc, toI64(result));
}

/// vae_abi_entry::step_costs.
void EntryEmitter::emitCostFunction() {
  func::FuncOp function =
      makeFunction(symbolName() + ".costs", {pointer, pointer, pointer}, {});
  b.setInsertionPointToStart(function.addEntryBlock());
  SmallVector<Value> symbols = loadSymbols(function.getArgument(0));
  int64_t step = 0;
  for (auto launch : source.getOps<kernel::LaunchOp>()) {
    for (unsigned which : {0, 1}) {
      Value cost = toI64(evaluate(launch.getCost().getResult(which), symbols));
      LLVM::StoreOp::create(b, loc, cost,
                            at(function.getArgument(1 + which), 8 * step));
    }
    ++step;
  }
  func::ReturnOp::create(b, loc);
}

LogicalResult EntryEmitter::bindConstants() {
  Value base = LLVM::AddressOfOp::create(b, loc, pointer, kWeightsSymbol);
  for (auto constant : source.getOps<ConstantOp>()) {
    ElementsAttr value = constant.getValue();
    // A splat stores one element only.
    if (auto dense = dyn_cast<DenseElementsAttr>(value);
        dense && dense.isSplat()) {
      std::vector<float> storage;
      ArrayRef<float> values = getFloats(dense, storage);
      value = makeWeight("splat", dense.getType().getShape(), values.vec(),
                         module.getContext());
    }
    FailureOr<int64_t> offset = weights.offsetOf(value);
    if (failed(offset))
      return constant.emitError() << "the constant has no data";
    pointers[constant.getResult()] = LLVM::GEPOp::create(
        b, loc, pointer, b.getI8Type(), base, ValueRange{i64(*offset)});
  }
  return success();
}

/// A flat memref.
Value EntryEmitter::makeBuffer(Type type, Value data) {
  Type i64Type = b.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64Type, 1);
  auto descriptor = LLVM::LLVMStructType::getLiteral(
      b.getContext(), {pointer, pointer, i64Type, array, array});
  Value value = LLVM::PoisonOp::create(b, loc, descriptor);
  auto set = [&](Value field, ArrayRef<int64_t> position) {
    value = LLVM::InsertValueOp::create(b, loc, value, field, position);
  };
  set(data, {0});
  set(data, {1});
  set(i64(0), {2});
  set(i64(INT64_MAX), {3, 0});
  set(i64(1), {4, 0});
  return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0);
}

/// Calls what a pointer points to. A null type: it returns nothing.
Value EntryEmitter::callAddress(Value address, Type result,
                                ValueRange arguments) {
  auto type = LLVM::LLVMFunctionType::get(
      result ? result : LLVM::LLVMVoidType::get(b.getContext()),
      llvm::to_vector(arguments.getTypes()));
  SmallVector<Value> operands = {address};
  llvm::append_range(operands, arguments);
  auto call = LLVM::CallOp::create(b, loc, type, operands);
  return result ? call.getResult() : Value();
}

/// Wraps a kernel as a vae_abi_task: its arguments come in an array of 8-byte
/// slots, buffers first.
func::FuncOp EntryEmitter::getTask(func::FuncOp kernel, unsigned numBuffers) {
  std::string name = (kernel.getName() + ".task").str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder::InsertionGuard guard(b);
  llvm::SaveAndRestore place(loc, kernel.getLoc());
  Type i64Type = b.getI64Type();
  func::FuncOp task = makeFunction(name, {pointer, i64Type, i64Type}, {});
  task.setPrivate();
  b.setInsertionPointToStart(task.addEntryBlock());
  bool hasScratch = kernel->hasAttr(kernel::kScratchAttr);
  bool hasGuard = kernel->hasAttr(kernel::kGuardAttr);
  unsigned numSlots = kernel.getNumArguments() - 2 - hasScratch - hasGuard;
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < numSlots; ++i) {
    if (i < numBuffers)
      arguments.push_back(
          makeBuffer(kernel.getArgument(i).getType(),
                     loadField(pointer, task.getArgument(0), 8 * i)));
    else
      arguments.push_back(
          toIndex(loadField(i64Type, task.getArgument(0), 8 * i)));
  }
  arguments.push_back(toIndex(task.getArgument(1)));
  arguments.push_back(toIndex(task.getArgument(2)));
  auto slot = [&](unsigned i) {
    return loadField(pointer, task.getArgument(0), 8 * (numSlots + i));
  };
  auto pushBuffer = [&](Value data) {
    Type type = kernel.getArgument(arguments.size()).getType();
    arguments.push_back(makeBuffer(type, data));
  };
  Value context, scratch;
  if (hasScratch) {
    context = slot(2);
    scratch = callAddress(slot(0), pointer, {context});
    pushBuffer(scratch);
  }
  if (hasGuard)
    pushBuffer(slot(hasScratch ? kScratchSlots : 0));
  func::CallOp::create(b, loc, kernel, arguments);
  if (hasScratch)
    callAddress(slot(1), {}, {context, scratch});
  func::ReturnOp::create(b, loc);
  return task;
}

LogicalResult EntryEmitter::emitLaunch(kernel::LaunchOp launch,
                                       ValueRange symbols, Value arguments) {
  auto kernel = module.lookupSymbol<func::FuncOp>(launch.getCallee());
  auto counter = module.lookupSymbol<func::FuncOp>(
      (launch.getCallee() + kernel::kCountSuffix).str());
  if (!kernel || !counter)
    return launch.emitError() << "no kernel " << launch.getCallee();
  Value &result = pointers[launch.getResult()];
  if (!result) {
    Value offset = toI64(offsets[*launch.getSlot()]);
    result = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), arena,
                                 ValueRange{offset});
  }
  Value own = result;
  SmallVector<Value> slots;
  for (Value input : launch.getInputs())
    slots.push_back(pointers.lookup(input));
  slots.push_back(own);
  SmallVector<Value> sizes;
  for (AffineExpr size : launch.getSizes().getResults())
    sizes.push_back(evaluate(size, symbols));
  for (Value size : sizes)
    slots.push_back(toI64(size));
  Value context =
      loadField(pointer, call, offsetof(vae_abi_call, parallel_ctx));
  if (kernel->hasAttr(kernel::kScratchAttr)) {
    slots.push_back(
        loadField(pointer, call, offsetof(vae_abi_call, take_scratch)));
    slots.push_back(
        loadField(pointer, call, offsetof(vae_abi_call, give_scratch)));
    slots.push_back(context);
  }
  bool hasGuard = kernel->hasAttr(kernel::kGuardAttr);
  if (hasGuard)
    slots.push_back(guard);
  for (auto [i, slot] : llvm::enumerate(slots))
    LLVM::StoreOp::create(b, loc, slot, at(arguments, 8 * i));
  Value items =
      toI64(func::CallOp::create(b, loc, counter, sizes).getResult(0));

  func::FuncOp task = getTask(kernel, launch.getInputs().size() + 1);
  Value taskAddress = UnrealizedConversionCastOp::create(
                          b, loc, pointer,
                          Value(func::ConstantOp::create(
                              b, loc, task.getFunctionType(), task.getName())))
                          .getResult(0);
  Value parallelFor =
      loadField(pointer, call, offsetof(vae_abi_call, parallel_for));
  callAddress(parallelFor, {},
              {context, items, i64(launch.getGrain()), taskAddress, arguments});
  if (hasGuard) {
    Value place = loadField(pointer, call, offsetof(vae_abi_call, clamped));
    func::CallOp::create(b, loc, getNoteFunction(),
                         {guard, place, nameLayer(launch)});
  }
  return success();
}

bool EntryEmitter::isGuarded() {
  return llvm::any_of(
      source.getOps<kernel::LaunchOp>(), [&](kernel::LaunchOp launch) {
        auto kernel = module.lookupSymbol<func::FuncOp>(launch.getCallee());
        return kernel && kernel->hasAttr(kernel::kGuardAttr);
      });
}

/// The address of the name of a launch's layer, or else of its kernel.
Value EntryEmitter::nameLayer(kernel::LaunchOp launch) {
  std::string name = getLayerName(launch.getLoc()).str();
  if (name.empty())
    name = dropVersion(launch.getCallee(), version).str();
  std::string symbol = "vae_name." + name;
  if (!module.lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard place(b);
    b.setInsertionPointToStart(module.getBody());
    std::string text = name + '\0';
    LLVM::GlobalOp::create(b, loc,
                           LLVM::LLVMArrayType::get(b.getI8Type(), text.size()),
                           /*isConstant=*/true, LLVM::Linkage::Internal, symbol,
                           b.getStringAttr(text));
  }
  return LLVM::AddressOfOp::create(b, loc, pointer, symbol);
}

/// A function of a guard, a place for a name, and a name: where the guard is
/// set, it is reset, and the place gets the name, if there is one and it is
/// still null.
func::FuncOp EntryEmitter::getNoteFunction() {
  std::string name = getVersionSymbol("vae_note_clamped", version);
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder::InsertionGuard insertion(b);
  func::FuncOp function = makeFunction(name, {pointer, pointer, pointer}, {});
  function.setPrivate();
  Block *entry = function.addEntryBlock(), *reset = function.addBlock(),
        *look = function.addBlock(), *note = function.addBlock(),
        *end = function.addBlock();
  Value flag = function.getArgument(0), place = function.getArgument(1);
  auto isZero = [&](Value value) -> Value {
    if (value.getType() == pointer)
      return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, value,
                                  LLVM::ZeroOp::create(b, loc, pointer));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, value,
                                 arith::ConstantIntOp::create(b, loc, 0, 32));
  };
  b.setInsertionPointToStart(entry);
  Value unset = isZero(loadField(b.getI32Type(), flag, 0));
  cf::CondBranchOp::create(b, loc, unset, end, reset);
  b.setInsertionPointToStart(reset);
  LLVM::StoreOp::create(b, loc, arith::ConstantIntOp::create(b, loc, 0, 32),
                        flag);
  cf::CondBranchOp::create(b, loc, isZero(place), end, look);
  b.setInsertionPointToStart(look);
  Value unnamed = isZero(loadField(pointer, place, 0));
  cf::CondBranchOp::create(b, loc, unnamed, note, end);
  b.setInsertionPointToStart(note);
  LLVM::StoreOp::create(b, loc, function.getArgument(2), place);
  cf::BranchOp::create(b, loc, end);
  b.setInsertionPointToStart(end);
  func::ReturnOp::create(b, loc);
  return function;
}

/// Bytes that the kernels of the entry point want, each by itself.
int64_t EntryEmitter::getScratchSize() {
  int64_t most = 0;
  for (auto launch : source.getOps<kernel::LaunchOp>())
    if (auto kernel = module.lookupSymbol<func::FuncOp>(launch.getCallee()))
      if (auto bytes = kernel->getAttrOfType<IntegerAttr>(kernel::kScratchAttr))
        most = std::max(most, bytes.getInt());
  return most;
}

/// Returns 1 to those whose vae_abi_call lacks what the entry point uses.
void EntryEmitter::refuseOlderCallers(func::FuncOp function) {
  int64_t needed = offsetof(vae_abi_call, take_scratch);
  if (getScratchSize())
    needed = offsetof(vae_abi_call, clamped);
  if (isGuarded())
    needed = offsetof(vae_abi_call, clamped) + sizeof(vae_abi_call::clamped);
  if (needed == offsetof(vae_abi_call, take_scratch))
    return;
  Value size = loadField(b.getI32Type(), call, 0);
  Value least = arith::ConstantIntOp::create(b, loc, needed, 32);
  Value tooSmall =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, size, least);
  Block *refuse = function.addBlock();
  Block *go = function.addBlock();
  cf::CondBranchOp::create(b, loc, tooSmall, refuse, go);
  b.setInsertionPointToStart(refuse);
  Value one = arith::ConstantIntOp::create(b, loc, 1, 32);
  func::ReturnOp::create(b, loc, one);
  b.setInsertionPointToStart(go);
}

LogicalResult EntryEmitter::emitBody() {
  func::FuncOp function =
      makeFunction(symbolName(), {pointer}, {b.getI32Type()});
  b.setInsertionPointToStart(function.addEntryBlock());
  call = function.getArgument(0);
  refuseOlderCallers(function);
  Value inputs = loadField(pointer, call, offsetof(vae_abi_call, inputs));
  Value outputs = loadField(pointer, call, offsetof(vae_abi_call, outputs));
  arena = loadField(pointer, call, offsetof(vae_abi_call, arena));
  SmallVector<Value> symbols =
      loadSymbols(loadField(pointer, call, offsetof(vae_abi_call, symbols)));
  offsets = emitPlan(symbols);
  if (failed(bindConstants()))
    return failure();
  for (auto [i, argument] : llvm::enumerate(source.getArguments()))
    pointers[argument] = loadField(pointer, inputs, 8 * i);

  // The buffer of a result belongs to all launches that write into it.
  auto ret = cast<func::ReturnOp>(source.getBody().front().getTerminator());
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    Value output = loadField(pointer, outputs, 8 * i);
    for (Value part = value; part;) {
      pointers[part] = output;
      auto launch = part.getDefiningOp<kernel::LaunchOp>();
      part = launch ? launch.getInit() : Value();
    }
  }

  if (isGuarded()) {
    guard = LLVM::AllocaOp::create(b, loc, pointer, b.getI32Type(), i64(1),
                                   /*alignment=*/4);
    LLVM::StoreOp::create(b, loc, arith::ConstantIntOp::create(b, loc, 0, 32),
                          guard);
  }
  int64_t mostSlots = 1;
  for (auto launch : source.getOps<kernel::LaunchOp>())
    mostSlots = std::max(mostSlots, slotsOf(launch));
  Value arguments = LLVM::AllocaOp::create(b, loc, pointer, b.getI64Type(),
                                           i64(mostSlots), /*alignment=*/8);
  for (Operation &op : source.getBody().front()) {
    if (auto alias = dyn_cast<kernel::AliasOp>(op))
      pointers[alias.getResult()] = pointers.lookup(alias.getSource());
    else if (auto launch = dyn_cast<kernel::LaunchOp>(op))
      if (failed(emitLaunch(launch, symbols, arguments)))
        return failure();
  }
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
  func::ReturnOp::create(b, loc, zero);
  return success();
}

LogicalResult EntryEmitter::emit() {
  emitSizeFunction(
      ".arena", [&](ValueRange symbols) { return emitPlan(symbols).back(); });
  auto flops = source->getAttrOfType<AffineMapAttr>("kernel.flops").getValue();
  emitSizeFunction(".flops", [&](ValueRange symbols) {
    return evaluate(flops.getResult(0), symbols);
  });
  if (!source->hasAttr(kSegmentAttr)) // which nobody times
    emitCostFunction();
  return emitBody();
}

/// What the table and the note say of the entry point.
DictionaryAttr EntryEmitter::describe() {
  auto list = [&](unsigned count, auto attrsOf, auto dimsOf) {
    SmallVector<Attribute> tensors;
    for (unsigned i = 0; i < count; ++i) {
      NamedAttrList attrs(attrsOf(i));
      attrs.set("type", dimsOf(i));
      tensors.push_back(attrs.getDictionary(b.getContext()));
    }
    return b.getArrayAttr(tensors);
  };
  FunctionType type = source.getFunctionType();
  auto inputs = list(
      type.getNumInputs(), [&](unsigned i) { return source.getArgAttrDict(i); },
      [&](unsigned i) { return TypeAttr::get(type.getInput(i)); });
  auto outputs = list(
      type.getNumResults(),
      [&](unsigned i) { return source.getResultAttrDict(i); },
      [&](unsigned i) { return TypeAttr::get(type.getResult(i)); });
  StringRef name = dropVersion(source.getName(), version);
  SmallVector<Attribute> steps;
  for (auto launch : source.getOps<kernel::LaunchOp>()) {
    StringRef layer = getLayerName(launch.getLoc());
    if (layer == name) // what belongs to the entry point as such
      layer = "";
    auto predicted = launch->getAttrOfType<IntegerAttr>(kernel::kPredictedAttr);
    steps.push_back(b.getArrayAttr(
        {b.getStringAttr(layer),
         b.getStringAttr(dropVersion(launch.getCallee(), version)),
         predicted ? predicted : b.getI64IntegerAttr(0)}));
  }
  NamedAttrList entry;
  entry.set("name", b.getStringAttr(name));
  entry.set("inputs", inputs);
  entry.set("outputs", outputs);
  entry.set("steps", b.getArrayAttr(steps));
  entry.set("scratch", b.getI64IntegerAttr(getScratchSize()));
  if (auto tiling = source->getAttr(kTilingAttr))
    entry.set("tiling", tiling);
  if (auto segment = source->getAttr(kSegmentAttr))
    entry.set("segment", segment);
  if (!version.empty())
    entry.set("version", b.getStringAttr(version));
  return entry.getDictionary(b.getContext());
}

struct ConvertKernelToLLVMPass
    : vae::impl::ConvertKernelToLLVMPassBase<ConvertKernelToLLVMPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder(module.getContext());
    WeightLayout weights;
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        entries.push_back(function);
    builder.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(builder, module.getLoc(),
                           LLVM::LLVMArrayType::get(builder.getI8Type(), 0),
                           /*isConstant=*/true, LLVM::Linkage::External,
                           kWeightsSymbol, Attribute());
    SmallVector<Attribute> descriptions;
    for (func::FuncOp entry : entries) {
      EntryEmitter emitter(entry, weights);
      if (failed(emitter.emit()))
        return signalPassFailure();
      descriptions.push_back(emitter.describe());
    }
    for (func::FuncOp entry : entries)
      entry.erase();
    module->setAttr("vae.entries", builder.getArrayAttr(descriptions));
    module->setAttr(kWeightsAttr, weights.toAttr(builder));
  }
};

} // namespace
