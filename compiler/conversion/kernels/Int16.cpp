// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of pairs of 16-bit integers. They lie in buffers of f32: a pair is
// the bits of one.
#include "compiler/conversion/kernels/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

static VectorType getIntegers(Emitter &e, int64_t lanes, unsigned bits) {
  return VectorType::get({lanes}, e.b.getIntegerType(bits));
}

Value Emitter::integers(uint32_t bits) {
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(getIntegers(*this, width, 32), APInt(32, bits)));
}

Value Emitter::toBits(Value x) {
  return vector::BitCastOp::create(b, loc, getIntegers(*this, width, 32), x);
}
Value Emitter::fromBits(Value x) {
  return vector::BitCastOp::create(b, loc, vec(), x);
}
Value Emitter::fromIntegers(Value x) {
  return arith::SIToFPOp::create(b, loc, vec(), x);
}

Value Emitter::roundToInt16(Value x, Value factor) {
  // A unit in the last place of numbers from 2^23 to 2^24 is 1.
  constexpr double kRound = 0x1.8p23;
  return toBits(fma(x, factor, splat(kRound)));
}

Value Emitter::joinPairs(Value first, Value second) {
  Value low = arith::AndIOp::create(b, loc, first, integers(0xffff));
  Value high = arith::ShLIOp::create(b, loc, second, integers(16));
  return fromBits(arith::OrIOp::create(b, loc, low, high));
}

Value Emitter::maxMagnitude(Value bits, Value x) {
  Value magnitude =
      arith::AndIOp::create(b, loc, toBits(x), integers(0x7fffffff));
  return arith::MaxUIOp::create(b, loc, bits, magnitude);
}

Value Emitter::addIntegerDots(Value sums, Value a, Value bPairs, bool vnni) {
  auto call = [&](const Twine &name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, loc, sums.getType(),
                                         b.getStringAttr(name), operands)
        .getResult(0);
  };
  auto toWords = [&](Value pairs) -> Value {
    return vector::BitCastOp::create(b, loc, getIntegers(*this, 2 * width, 16),
                                     pairs);
  };
  if (vnni)
    return call("llvm.x86.avx512.vpdpwssd." + Twine(32 * width),
                {sums, toWords(a), toWords(bPairs)});
  StringRef name =
      width == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
  return arith::AddIOp::create(b, loc, sums,
                               call(name, {toWords(a), toWords(bPairs)}));
}
