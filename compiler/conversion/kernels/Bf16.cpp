// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of bf16.
#include "compiler/conversion/kernels/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

Value Emitter::loadPairs(Value buffer, Value at) {
  auto type = VectorType::get({2 * width}, b.getBF16Type());
  return vector::LoadOp::create(b, loc, type, buffer, at);
}

// The bits of a bf16 are the upper half of the f32's.
Value Emitter::firstOfPairs(Value pairs) {
  Value bits = arith::ShLIOp::create(b, loc, toBits(pairs), integers(16));
  return vector::BitCastOp::create(b, loc, vec(), bits);
}
Value Emitter::secondOfPairs(Value pairs) {
  Value bits =
      arith::AndIOp::create(b, loc, toBits(pairs), integers(0xffff0000));
  return vector::BitCastOp::create(b, loc, vec(), bits);
}

Value Emitter::roundToBf16(Value x) {
  // Twice the magnitude from where to infinity, values would be rounded to it.
  // A little less of them rounds to the largest finite bf16; of infinity, it is
  // infinity.
  constexpr uint32_t kBeyond = 0xfeff0000;
  constexpr double kLess = 1 - 0x1p-8;
  Value bits = toBits(x);
  Value beyond = arith::CmpIOp::create(
      b, loc, arith::CmpIPredicate::uge,
      arith::AddIOp::create(b, loc, bits, bits), integers(kBeyond));
  Value finite =
      arith::SelectOp::create(b, loc, beyond, mulf(x, splat(kLess)), x);
  return arith::TruncFOp::create(
      b, loc, VectorType::get({width}, b.getBF16Type()), finite);
}

Value Emitter::addDots(Value x, Value a, Value bPairs) {
  auto name = b.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512");
  return LLVM::CallIntrinsicOp::create(b, loc, x.getType(), name,
                                       ValueRange{x, a, bPairs})
      .getResult(0);
}
