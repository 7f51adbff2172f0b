// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/SparseWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace vae;

static constexpr int64_t kPartAlignment = 64, kFloatBytes = 4, kShortBytes = 2,
                         kWordBytes = 4;

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

SparseLayout::SparseLayout(const Contraction &shape)
    : blocks(shape.groups * paddedOutputs(shape) / kChannelBlock),
      taps(shape.taps()), inputs(shape.inputs) {}

int64_t SparseLayout::masksAt() const {
  return llvm::alignTo(blocks * kWordBytes, kPartAlignment);
}

int64_t SparseLayout::bitmapValuesAt() const {
  return masksAt() +
         llvm::alignTo(blocks * rows() * kShortBytes, kPartAlignment);
}

int64_t SparseLayout::rowValuesAt() const {
  return llvm::alignTo((blocks * taps + 1) * kWordBytes, kPartAlignment);
}

bool vae::hasSparseForm(const Contraction &shape, Sparsity sparsity) {
  constexpr int64_t kPlaces = int64_t(1) << 16;
  return hasWeightOnlyForm(shape) && shape.precision == Precision::F32 &&
         (sparsity != Sparsity::Rows || shape.runLength() <= kPlaces);
}

bool vae::decodesBitmap(const KernelTarget &target, const Contraction &shape) {
  return shape.weights.sparsity == Sparsity::Bitmap &&
         hasRowTile(target, shape);
}

template <typename T>
static void append(std::vector<int8_t> &bytes, const std::vector<T> &values) {
  const auto *first = reinterpret_cast<const int8_t *>(values.data());
  bytes.insert(bytes.end(), first, first + values.size() * sizeof(T));
  bytes.resize(llvm::alignTo(bytes.size(), kPartAlignment));
}

/// Of the rows of a packed weight, `rows` for each block.
static std::vector<int8_t> packBitmap(ArrayRef<float> packed, int64_t rows) {
  std::vector<uint32_t> offsets;
  std::vector<uint16_t> masks;
  std::vector<float> values;
  for (size_t row = 0; row * kChannelBlock < packed.size(); ++row) {
    if (row % rows == 0)
      offsets.push_back(static_cast<uint32_t>(values.size()));
    uint16_t mask = 0;
    for (int64_t lane = 0; lane < kChannelBlock; ++lane) {
      float value = packed[row * kChannelBlock + lane];
      if (value == 0) // or -0, which masks make of negative weights
        continue;
      mask |= 1U << lane;
      values.push_back(value);
    }
    masks.push_back(mask);
  }
  // A vector may be read from the last value on.
  values.resize(values.size() + kChannelBlock);
  std::vector<int8_t> bytes;
  append(bytes, offsets);
  append(bytes, masks);
  append(bytes, values);
  return bytes;
}

/// `inputs`: rows of a tap; `run`: of inputs that are side by side.
static std::vector<int8_t> packRows(ArrayRef<float> packed, int64_t inputs,
                                    int64_t run) {
  std::vector<uint32_t> starts;
  std::vector<uint16_t> places;
  std::vector<float> values;
  int64_t count = static_cast<int64_t>(packed.size()) / kChannelBlock;
  for (int64_t row = 0; row < count; ++row) {
    if (row % inputs == 0)
      starts.push_back(static_cast<uint32_t>(places.size()));
    ArrayRef<float> own = packed.slice(row * kChannelBlock, kChannelBlock);
    if (llvm::all_of(own, [](float value) { return value == 0; }))
      continue;
    places.push_back(static_cast<uint16_t>(row % run));
    values.insert(values.end(), own.begin(), own.end());
  }
  starts.push_back(static_cast<uint32_t>(places.size()));
  std::vector<int8_t> bytes;
  append(bytes, starts);
  append(bytes, values);
  append(bytes, places);
  return bytes;
}

std::vector<int8_t> vae::packSparseWeight(const Contraction &shape,
                                          WeightFn weight) {
  std::vector<float> packed = packWeight(shape, weight);
  if (shape.weights.sparsity == Sparsity::Rows)
    return packRows(packed, shape.inputs, shape.runLength());
  return packBitmap(packed, shape.taps() * shape.inputs);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Value vae::loadUnsigned(Emitter &e, Value buffer, Value at, int64_t bytes) {
  constexpr int64_t kBits = 8;
  Value loaded = vector::LoadOp::create(
      e.b, e.loc, VectorType::get({bytes}, e.b.getI8Type()), buffer, at);
  Value one = vector::BitCastOp::create(
      e.b, e.loc, VectorType::get({1}, e.b.getIntegerType(bytes * kBits)),
      loaded);
  Value integer = vector::ExtractOp::create(e.b, e.loc, one, int64_t(0));
  return arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), integer);
}

Value vae::loadFloats(Emitter &e, Value buffer, Value at) {
  auto bytes = VectorType::get({e.width * kFloatBytes}, e.b.getI8Type());
  Value loaded = vector::LoadOp::create(e.b, e.loc, bytes, buffer, at);
  return vector::BitCastOp::create(e.b, e.loc, e.vec(), loaded);
}

static Value castIndex(Emitter &e, Value index, Type type) {
  return arith::IndexCastUIOp::create(e.b, e.loc, type, index);
}

Value vae::countValues(Emitter &e, Value mask) {
  Value bits = castIndex(e, mask, e.b.getI32Type());
  Value count = math::CtPopOp::create(e.b, e.loc, bits);
  return castIndex(e, count, e.b.getIndexType());
}

namespace {
/// Of up to 8 bits, in the bytes of an i64: each bit, and how many are set
/// below it.
struct Spread {
  Value bits, below;

  Spread(Emitter &e, Value mask) {
    Type i64 = e.b.getI64Type();
    auto constant = [&](uint64_t value) -> Value {
      return arith::ConstantOp::create(
          e.b, e.loc, e.b.getIntegerAttr(i64, static_cast<int64_t>(value)));
    };
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kDiagonal = 0x8040201008040201, kLow = 0x7f * kOnes;
    // Byte l has bit l of the mask only; then it is 0 or not.
    Value copies = arith::MulIOp::create(e.b, e.loc, castIndex(e, mask, i64),
                                         constant(kOnes));
    Value own = arith::AndIOp::create(e.b, e.loc, copies, constant(kDiagonal));
    Value carried = arith::AddIOp::create(e.b, e.loc, own, constant(kLow));
    bits = arith::AndIOp::create(
        e.b, e.loc, arith::ShRUIOp::create(e.b, e.loc, carried, constant(7)),
        constant(kOnes));
    below = arith::MulIOp::create(e.b, e.loc, bits, constant(kOnes << 8));
  }
};
} // namespace

/// The bytes of an i64 as a vector of 8 i32.
static Value widen(Emitter &e, Value bytes) {
  Value one = vector::BroadcastOp::create(
      e.b, e.loc, VectorType::get({1}, e.b.getI64Type()), bytes);
  Value eight = vector::BitCastOp::create(
      e.b, e.loc, VectorType::get({8}, e.b.getI8Type()), one);
  return arith::ExtUIOp::create(e.b, e.loc,
                                VectorType::get({8}, e.b.getI32Type()), eight);
}

static Value callIntrinsic(Emitter &e, StringRef name, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, e.vec(),
                                       e.b.getStringAttr(name), arguments)
      .getResult(0);
}

/// By AVX-512's expansion of a register.
static Value expandByMask(Emitter &e, Value buffer, Value mask, Value first) {
  Value bits = castIndex(e, mask, e.b.getI16Type());
  Value one = vector::BroadcastOp::create(
      e.b, e.loc, VectorType::get({1}, e.b.getI16Type()), bits);
  Value lanes = vector::BitCastOp::create(
      e.b, e.loc, VectorType::get({e.width}, e.b.getI1Type()), one);
  return callIntrinsic(e, "llvm.x86.avx512.mask.expand.v16f32",
                       {loadFloats(e, buffer, first), e.splat(0), lanes});
}

/// By AVX2's permutation of lanes.
static Value expandByPermutation(Emitter &e, Value buffer, Value mask,
                                 Value first) {
  Spread spread(e, mask);
  Value values =
      callIntrinsic(e, "llvm.x86.avx2.permps",
                    {loadFloats(e, buffer, first), widen(e, spread.below)});
  Value given = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne,
                                      widen(e, spread.bits), e.integers(0));
  return e.select(given, values, e.splat(0));
}

/// Lane by lane, for any machine.
static Value expandByLanes(Emitter &e, Value buffer, Value mask, Value first) {
  Value result = e.splat(0), next = first, rest = mask;
  for (int64_t lane = 0; lane < e.width; ++lane) {
    Value half = e.div(rest, 2), bit = e.sub(rest, e.mul(half, 2));
    Value bytes = vector::LoadOp::create(
        e.b, e.loc, VectorType::get({kFloatBytes}, e.b.getI8Type()), buffer,
        next);
    Value one = vector::BitCastOp::create(e.b, e.loc,
                                          VectorType::get({1}, e.f32()), bytes);
    Value number = vector::ExtractOp::create(e.b, e.loc, one, int64_t(0));
    number = e.select(e.less(e.index(0), bit), number, e.constant(e.f32(), 0));
    result = vector::InsertOp::create(e.b, e.loc, number, result, lane);
    next = e.add(next, e.mul(bit, kFloatBytes));
    rest = half;
  }
  return result;
}

Value vae::expandRow(Emitter &e, const KernelTarget &target, Value buffer,
                     const BitmapRow &row, int64_t lane) {
  constexpr int64_t kPermuted = 8; // lanes of AVX2
  // x86 has pairs of words with AVX2, and 16 lanes of them with AVX-512.
  const bool x86 = target.wordDots;
  if (x86 && e.width == kChannelBlock)
    return expandByMask(e, buffer, row.mask, row.first);
  Value above = e.div(row.mask, int64_t(1) << lane);
  Value before = e.sub(row.mask, e.mul(above, int64_t(1) << lane));
  Value rest = e.rem(above, int64_t(1) << e.width);
  Value first = row.first;
  if (lane)
    first = e.add(first, e.mul(countValues(e, before), kFloatBytes));
  return x86 && e.width == kPermuted
             ? expandByPermutation(e, buffer, rest, first)
             : expandByLanes(e, buffer, rest, first);
}

func::FuncOp vae::getExpandWeightsKernel(ModuleOp module, Location loc,
                                         const KernelTarget &target,
                                         const Contraction &shape,
                                         int64_t decoded) {
  SparseLayout layout(shape);
  std::string name = "expand_b" + std::to_string(layout.blocks) + "_r" +
                     std::to_string(layout.rows()) +
                     (decoded ? "_from" + std::to_string(decoded + 1) : "");
  return getOrCreateKernel(
      module, loc, name, target, /*numBuffers=*/2, /*numSizes=*/1,
      [&](Emitter &e, ValueRange sizes) {
        Value all = e.index(layout.blocks);
        return decoded ? e.select(e.less(e.index(decoded), sizes[0]), all,
                                  e.index(0))
                       : all;
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value from = args.buffers[0], to = args.buffers[1];
        e.loop(args.begin, args.end, 1, [&](Value block) {
          Value number =
              loadUnsigned(e, from, e.mul(block, kWordBytes), kWordBytes);
          Value first =
              e.add(e.mul(number, kFloatBytes), layout.bitmapValuesAt());
          Value row = e.mul(block, layout.rows());
          e.loop(e.index(0), e.index(layout.rows()), 1, {first},
                 [&](Value i, ValueRange at) {
                   Value place = e.add(row, i);
                   Value mask = loadUnsigned(
                       e, from,
                       e.add(e.mul(place, kShortBytes), layout.masksAt()),
                       kShortBytes);
                   for (int64_t lane = 0; lane < kChannelBlock; lane += e.width)
                     e.storeVec(expandRow(e, target, from, {mask, at[0]}, lane),
                                to, e.add(e.mul(place, kChannelBlock), lane));
                   Value size = e.mul(countValues(e, mask), kFloatBytes);
                   return Emitter::Values{e.add(at[0], size)};
                 });
        });
      });
}
