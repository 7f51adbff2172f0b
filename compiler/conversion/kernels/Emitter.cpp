// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/Emitter.h"

#include "compiler/conversion/Versions.h"
#include "dialects/kernel/IR/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

#include <numeric>

using namespace mlir;
using namespace vae;

static std::optional<int64_t> constantOf(Value value) {
  APInt result;
  if (matchPattern(value, m_ConstantInt(&result)))
    return result.getSExtValue();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value Emitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value Emitter::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value Emitter::add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
Value Emitter::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}
Value Emitter::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}
Value Emitter::mul(Value x, int64_t y) { return y == 1 ? x : mul(x, index(y)); }
Value Emitter::div(Value x, Value y) {
  return b.createOrFold<arith::DivUIOp>(loc, x, y);
}
Value Emitter::div(Value x, int64_t y) { return y == 1 ? x : div(x, index(y)); }
Value Emitter::rem(Value x, int64_t y) {
  return b.createOrFold<arith::RemUIOp>(loc, x, index(y));
}
Value Emitter::ceilDiv(Value x, int64_t y) { return div(add(x, y - 1), y); }
Value Emitter::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(loc, x, y);
}
Value Emitter::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(loc, x, y);
}
Value Emitter::less(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}
Value Emitter::isMultiple(Value x, int64_t y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, rem(x, y),
                                       index(0));
}
Value Emitter::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}
Value Emitter::both(Value x, Value y) {
  return b.createOrFold<arith::AndIOp>(loc, x, y);
}
Value Emitter::either(Value x, Value y) {
  return b.createOrFold<arith::OrIOp>(loc, x, y);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void Emitter::loop(Value lower, Value upper, int64_t step,
                   function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Emitter::Values Emitter::loop(Value lower, Value upper, int64_t step,
                              ValueRange init,
                              function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values results = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(b, loc, results);
  return loop.getResults();
}

void Emitter::ifThen(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

Emitter::Values Emitter::ifElse(Value condition, function_ref<Values()> body,
                                function_ref<Values()> otherwise) {
  auto fill = [&](function_ref<Values()> branch) {
    return [&, branch](OpBuilder &, Location) {
      scf::YieldOp::create(b, loc, branch());
    };
  };
  return scf::IfOp::create(b, loc, condition, fill(body), fill(otherwise))
      .getResults();
}

Value Emitter::stack(int64_t entries, Type element) {
  constexpr int64_t kAlignment = 64;
  if (!element)
    element = b.getIndexType();
  return memref::AllocaOp::create(b, loc, MemRefType::get({entries}, element),
                                  b.getI64IntegerAttr(kAlignment));
}

//===----------------------------------------------------------------------===//
// f32 and vectors
//===----------------------------------------------------------------------===//

Value Emitter::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = b.getFloatAttr(element, value);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}
Value Emitter::broadcast(Value scalar) {
  return vector::BroadcastOp::create(
      b, loc, VectorType::get({width}, scalar.getType()), scalar);
}
Value Emitter::load(Value buffer, Value at) {
  Value value = memref::LoadOp::create(b, loc, buffer, at);
  if (holdsBytes(buffer))
    return widenBytes(value);
  return holdsF16(buffer) ? widen(value) : value;
}
void Emitter::store(Value value, Value buffer, Value at) {
  if (holdsF16(buffer))
    value = narrow(value);
  if (holdsBytes(buffer))
    value = narrowToBytes(value);
  memref::StoreOp::create(b, loc, value, buffer, at);
}
void Emitter::prefetch(Value buffer, Value at) {
  memref::PrefetchOp::create(b, loc, buffer, at, /*isWrite=*/false,
                             /*localityHint=*/2, /*isDataCache=*/true);
}
Value Emitter::loadVec(Value buffer, Value at, Value mask) {
  VectorType type =
      vec().clone(cast<MemRefType>(buffer.getType()).getElementType());
  Value value;
  if (mask) {
    Value zeros = arith::ConstantOp::create(b, loc, type, b.getZeroAttr(type));
    value = vector::MaskedLoadOp::create(b, loc, type, buffer, at, mask, zeros);
  } else {
    value = vector::LoadOp::create(b, loc, type, buffer, at);
  }
  if (holdsBytes(buffer))
    return widenBytes(value);
  return holdsF16(buffer) ? widen(value) : value;
}
/// The lanes that a mask which is a constant sets, the first ones.
static std::optional<int64_t> getConstantLanes(Value mask) {
  DenseElementsAttr bits;
  if (!mask || !matchPattern(mask, m_Constant(&bits)))
    return std::nullopt;
  return llvm::count(bits.getValues<bool>(), true);
}

void Emitter::storeFirst(Value value, Value buffer, Value at, int64_t lanes) {
  for (int64_t first = 0; first < lanes;) {
    int64_t count = llvm::bit_floor(static_cast<uint64_t>(lanes - first));
    SmallVector<int64_t> piece(count);
    std::iota(piece.begin(), piece.end(), first);
    Value part = vector::ShuffleOp::create(b, loc, value, value, piece);
    vector::StoreOp::create(b, loc, part, buffer, add(at, first));
    first += count;
  }
}

void Emitter::storeVec(Value value, Value buffer, Value at, Value mask) {
  if (holdsF16(buffer))
    value = narrow(value, mask);
  if (holdsBytes(buffer))
    value = narrowToBytes(value);
  // Below AVX-512, stores with masks are several times as slow as whole ones.
  // Of one byte, LLVM 22 makes a store of the four that it was truncated from.
  auto lanes = getConstantLanes(mask);
  bool oneByte = holdsBytes(buffer) && lanes == 1;
  if (lanes && (width < 16 || oneByte))
    storeFirst(value, buffer, at, *lanes);
  else if (!mask)
    vector::StoreOp::create(b, loc, value, buffer, at);
  else
    vector::MaskedStoreOp::create(b, loc, buffer, at, mask, value);
}

void Emitter::streamVec(Value value, Value buffer, Value at) {
  vector::StoreOp::create(b, loc, value, buffer, at, /*nontemporal=*/true,
                          llvm::Align(width * sizeof(float)));
}
void Emitter::fenceStreams() {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.x86.sse.sfence"),
                                ValueRange());
}
Value Emitter::isAligned(Value buffer) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  return isMultiple(address, width * sizeof(float));
}

Value Emitter::mask(Value lanes) {
  if (auto count = constantOf(lanes))
    return mask(*count);
  // What vector.create_mask would become in a pass of its own.
  SmallVector<int32_t> numbers(width);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto type = VectorType::get({width}, b.getI32Type());
  Value lane = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(numbers)));
  Value limit = vector::BroadcastOp::create(
      b, loc, type, arith::IndexCastOp::create(b, loc, b.getI32Type(), lanes));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lane, limit);
}
Value Emitter::mask(int64_t lanes) {
  SmallVector<bool> bits(width, false);
  for (int64_t i = 0; i < std::min(lanes, width); ++i)
    bits[i] = true;
  auto type = VectorType::get({width}, b.getI1Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, bits));
}

#define VAE_BINARY(NAME, OP)                                                   \
  Value Emitter::NAME(Value x, Value y) { return OP::create(b, loc, x, y); }
VAE_BINARY(addf, arith::AddFOp)
VAE_BINARY(subf, arith::SubFOp)
VAE_BINARY(mulf, arith::MulFOp)
VAE_BINARY(divf, arith::DivFOp)
VAE_BINARY(maxf, arith::MaximumFOp)
VAE_BINARY(minf, arith::MinimumFOp)
#undef VAE_BINARY
#define VAE_UNARY(NAME, OP)                                                    \
  Value Emitter::NAME(Value x) { return OP::create(b, loc, x); }
VAE_UNARY(negf, arith::NegFOp)
VAE_UNARY(absf, math::AbsFOp)
VAE_UNARY(sqrt, math::SqrtOp)
#undef VAE_UNARY

Value Emitter::fma(Value x, Value y, Value z) {
  if (isa<VectorType>(x.getType()))
    return vector::FMAOp::create(b, loc, x, y, z);
  return math::FmaOp::create(b, loc, x, y, z);
}
Value Emitter::extend(Value x) {
  Type type = isa<VectorType>(x.getType()) ? Type(vec64()) : Type(f64());
  return arith::ExtFOp::create(b, loc, type, x);
}
Value Emitter::truncate(Value x) {
  Type type = isa<VectorType>(x.getType()) ? Type(vec()) : Type(f32());
  return arith::TruncFOp::create(b, loc, type, x);
}
Value Emitter::reduceAdd(Value x) {
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, x);
}
Value Emitter::toFloat(Value index) {
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return arith::SIToFPOp::create(b, loc, f64(), integer);
}

// Each step combines halves of pairs of vectors.
Value Emitter::combineEach(Values vectors,
                           function_ref<Value(Value, Value)> combine) {
  for (int64_t bit = width / 2; bit >= 1; bit /= 2) {
    SmallVector<int64_t> straight, crossed;
    for (int64_t lane = 0; lane < width; ++lane) {
      int64_t second = lane & bit ? width : 0;
      straight.push_back(second + lane);
      crossed.push_back(second + (lane ^ bit));
    }
    Values combined;
    int64_t count = static_cast<int64_t>(vectors.size());
    for (int64_t i = 0; i < std::min(bit, count); ++i) {
      Value x = vectors[i], y = i + bit < count ? vectors[i + bit] : x;
      combined.push_back(
          combine(vector::ShuffleOp::create(b, loc, x, y, straight),
                  vector::ShuffleOp::create(b, loc, x, y, crossed)));
    }
    vectors = std::move(combined);
  }
  return vectors.front();
}

void Emitter::strip(Value count, function_ref<void(Value, Value)> body) {
  if (auto known = constantOf(count)) {
    int64_t whole = *known / width * width;
    if (whole)
      loop(index(0), index(whole), width, [&](Value i) { body(i, {}); });
    if (whole < *known)
      body(index(whole), mask(*known - whole));
    return;
  }
  Value tail = rem(count, width);
  Value whole = sub(count, tail);
  loop(index(0), whole, width, [&](Value i) { body(i, {}); });
  ifThen(less(index(0), tail), [&] { body(whole, mask(tail)); });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A name part for buffers of f16, and of bytes: a bit each.
static std::string nameOfBuffers(const KernelTarget &target) {
  std::string name;
  if (target.f16Buffers)
    name += "_f16x" + llvm::utohexstr(target.f16Buffers, /*LowerCase=*/true);
  if (target.byteBuffers)
    name += "_i8x" + llvm::utohexstr(target.byteBuffers, /*LowerCase=*/true);
  return name;
}

func::FuncOp
vae::getOrCreateKernel(ModuleOp module, Location loc, StringRef kernel,
                       const KernelTarget &target, unsigned numBuffers,
                       unsigned numSizes,
                       function_ref<Value(Emitter &, ValueRange)> count,
                       function_ref<void(Emitter &, const KernelArgs &)> body,
                       int64_t scratchBytes, unsigned bf16Buffer) {
  std::string name =
      getVersionSymbol((kernel + nameOfBuffers(target)).str(), target.version);
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(module.getBody());
  Type index = builder.getIndexType();
  auto buffer = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type());

  SmallVector<Type> sizeTypes(numSizes, index);
  auto counter =
      func::FuncOp::create(builder, loc, name + kernel::kCountSuffix.str(),
                           builder.getFunctionType(sizeTypes, {index}));
  counter.setPrivate();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(counter.addEntryBlock());
    Emitter emitter(builder, loc, target.vectorWidth);
    Value result = count(emitter, counter.getArguments());
    func::ReturnOp::create(builder, loc, result);
  }

  SmallVector<Type> types(numBuffers, buffer);
  if (bf16Buffer != kNoBuffer)
    types[bf16Buffer] = buffer.clone(builder.getBF16Type());
  for (unsigned i = 0; i < numBuffers; ++i)
    if (target.f16Buffers >> i & 1)
      types[i] = buffer.clone(builder.getF16Type());
    else if (target.byteBuffers >> i & 1)
      types[i] = buffer.clone(builder.getI8Type());
  bool guarded = target.f16Buffers >> (numBuffers - 1) & 1; // the result
  types.append(numSizes + 2, index);
  if (scratchBytes)
    types.push_back(buffer);
  if (guarded)
    types.push_back(buffer.clone(builder.getI32Type()));
  auto function = func::FuncOp::create(builder, loc, name,
                                       builder.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(kernel::kKernelAttr, builder.getUnitAttr());
  if (scratchBytes)
    function->setAttr(kernel::kScratchAttr,
                      builder.getI64IntegerAttr(scratchBytes));
  if (guarded)
    function->setAttr(kernel::kGuardAttr, builder.getUnitAttr());
  if (!target.version.empty())
    for (func::FuncOp part : {counter, function})
      part->setAttr(kVersionAttr, builder.getStringAttr(target.version));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(function.addEntryBlock());
  Emitter emitter(builder, loc, target.vectorWidth);
  ValueRange args = function.getArguments();
  unsigned next = numBuffers + numSizes;
  KernelArgs kernelArgs{
      args.take_front(numBuffers), args.slice(numBuffers, numSizes), args[next],
      args[next + 1], scratchBytes ? args[next + 2] : Value()};
  if (guarded)
    emitter.guard = args.back();
  body(emitter, kernelArgs);
  func::ReturnOp::create(builder, loc);
  return function;
}
