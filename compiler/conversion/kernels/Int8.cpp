// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of bytes: quantized tensors, whose integers are f32 once they are
// loaded, and products of bytes in fours, each four being the bits of an i32.
#include "compiler/conversion/kernels/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

bool vae::holdsBytes(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType().isInteger(8);
}

VectorType Emitter::ints() { return VectorType::get({width}, b.getI32Type()); }

Value Emitter::widenBytes(Value x) {
  return arith::UIToFPOp::create(b, loc, withElements(x.getType(), f32()), x);
}

Value Emitter::narrowToBytes(Value x) {
  if (getElementTypeOrSelf(x.getType()).isInteger(8))
    return x;
  Value integers = arith::FPToSIOp::create(
      b, loc, withElements(x.getType(), b.getI32Type()), x);
  return arith::TruncIOp::create(
      b, loc, withElements(x.getType(), b.getI8Type()), integers);
}

Value Emitter::quantize(Value x, const QuantizationValues &to) {
  // A unit in the last place of numbers from 2^23 to 2^24 is 1.
  constexpr double kRound = 0x1.8p23;
  auto greater = [&](Value x, Value y) -> Value {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
  };
  Value product = mulf(x, to.inverse);
  product = select(greater(product, to.low), product, to.low); // NaN: low
  product = select(greater(to.high, product), product, to.high);
  Value bits = toBits(addf(product, splat(kRound)));
  return arith::TruncIOp::create(
      b, loc, withElements(bits.getType(), b.getI8Type()),
      arith::AddIOp::create(b, loc, bits, to.zeroPoint));
}

Value Emitter::dequantize(Value q, Value zeroPoint, Value scale) {
  return mulf(subf(q, zeroPoint), scale);
}

Value Emitter::loadFours(Value buffer, Value at) {
  auto type = VectorType::get({4 * width}, b.getI8Type());
  Value bytes = vector::LoadOp::create(b, loc, type, buffer, at);
  return vector::BitCastOp::create(b, loc, ints(), bytes);
}

Value Emitter::broadcastFour(Value buffer, Value at) {
  auto type = VectorType::get({4}, b.getI8Type());
  Value bytes = vector::LoadOp::create(b, loc, type, buffer, at);
  Value word = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getI32Type()), bytes);
  return broadcast(vector::ExtractOp::create(b, loc, word, int64_t(0)));
}

/// By an instruction that adds four products to each sum.
static Value addByVnni(Emitter &e, Value sums, Value a, Value b) {
  auto toBytes = [&](Value fours) -> Value {
    auto type = VectorType::get({4 * e.width}, e.b.getI8Type());
    return vector::BitCastOp::create(e.b, e.loc, type, fours);
  };
  auto name =
      e.b.getStringAttr("llvm.x86.avx512.vpdpbusd." + Twine(32 * e.width));
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, sums.getType(), name,
                                       ValueRange{sums, toBytes(a), toBytes(b)})
      .getResult(0);
}

/// Products of pairs: of the first and third bytes, and of the second and
/// fourth. pmaddubsw would take half as many instructions, but saturates.
static Value addByPairs(Emitter &e, Value sums, Value a, Value b) {
  auto type = VectorType::get({2 * e.width}, e.b.getI16Type());
  auto toWords = [&](Value fours) -> Value {
    return vector::BitCastOp::create(e.b, e.loc, type, fours);
  };
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        e.b, e.loc, DenseElementsAttr::get(type, APInt(16, value)));
  };
  Value eight = constant(8), words = toWords(a), signedWords = toWords(b);
  Value low = arith::AndIOp::create(e.b, e.loc, words, constant(0xff));
  Value high = arith::ShRUIOp::create(e.b, e.loc, words, eight);
  Value signedLow = arith::ShRSIOp::create(
      e.b, e.loc, arith::ShLIOp::create(e.b, e.loc, signedWords, eight), eight);
  Value signedHigh = arith::ShRSIOp::create(e.b, e.loc, signedWords, eight);
  sums = e.addIntegerDots(sums, e.fromBits(low), e.fromBits(signedLow),
                          /*vnni=*/false);
  return e.addIntegerDots(sums, e.fromBits(high), e.fromBits(signedHigh),
                          /*vnni=*/false);
}

/// One byte of each four after the other.
static Value addBySingles(Emitter &e, Value sums, Value a, Value b) {
  constexpr unsigned kBits = 8, kLast = 24;
  for (unsigned first = 0; first <= kLast; first += kBits) {
    Value x = arith::AndIOp::create(
        e.b, e.loc, arith::ShRUIOp::create(e.b, e.loc, a, e.integers(first)),
        e.integers(0xff));
    Value y = arith::ShRSIOp::create(
        e.b, e.loc,
        arith::ShLIOp::create(e.b, e.loc, b, e.integers(kLast - first)),
        e.integers(kLast));
    sums = arith::AddIOp::create(e.b, e.loc, sums,
                                 arith::MulIOp::create(e.b, e.loc, x, y));
  }
  return sums;
}

/// By AArch64's dot product of signed bytes: those of a less 128.
static Value addBySigned(Emitter &e, Value sums, Value a, Value b) {
  auto type = VectorType::get({4 * e.width}, e.b.getI8Type());
  auto toBytes = [&](Value fours) -> Value {
    return vector::BitCastOp::create(e.b, e.loc, type, fours);
  };
  constexpr uint32_t kSigns = 0x80808080;
  Value less = arith::XOrIOp::create(e.b, e.loc, a, e.integers(kSigns));
  auto name = e.b.getStringAttr("llvm.aarch64.neon.sdot.v4i32.v16i8");
  return LLVM::CallIntrinsicOp::create(
             e.b, e.loc, sums.getType(), name,
             ValueRange{sums, toBytes(less), toBytes(b)})
      .getResult(0);
}

int64_t Emitter::getByteOffset(const KernelTarget &target) {
  constexpr int64_t kSigned = 128;
  return target.byteDots ? kSigned : 0;
}

Value Emitter::addByteDots(Value sums, Value a, Value fours,
                           const KernelTarget &target) {
  if (target.byteDots)
    return addBySigned(*this, sums, a, fours);
  if (target.vnni)
    return addByVnni(*this, sums, a, fours);
  if (target.wordDots)
    return addByPairs(*this, sums, a, fours);
  return addBySingles(*this, sums, a, fours);
}
