// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers that lie in memory as f16.
#include "compiler/conversion/kernels/Emitter.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace vae;

/// From here on, rounding to the nearest f16 gives infinity.
static constexpr double kBeyond = 65520;

bool vae::holdsF16(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType().isF16();
}

Type vae::withElements(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

Value Emitter::widen(Value x) {
  return arith::ExtFOp::create(b, loc, withElements(x.getType(), f32()), x);
}

/// Whether any lane is set.
static Value any(Emitter &e, Value bits) {
  if (!isa<VectorType>(bits.getType()))
    return bits;
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR,
                                     bits);
}

Value Emitter::narrow(Value x, Value mask) {
  Type type = x.getType();
  Value size = absf(x);
  Value beyond = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, size,
                                       constant(type, kBeyond));
  if (mask)
    beyond = both(beyond, mask);
  auto clamp = [&] {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Value finite = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT,
                                         size, constant(type, kInfinity));
    finite = both(finite, beyond);
    ifThen(any(*this, finite), [&] {
      Value one = arith::ConstantIntOp::create(b, loc, 1, 32);
      memref::StoreOp::create(b, loc, one, guard, index(0));
    });
    Value largest =
        math::CopySignOp::create(b, loc, constant(type, kLargestF16), x);
    return Values{arith::SelectOp::create(b, loc, finite, largest, x)};
  };
  // Hardly ever: all that it costs is the question.
  Value clamped =
      ifElse(any(*this, beyond), clamp, [&] { return Values{x}; })[0];
  return arith::TruncFOp::create(b, loc, withElements(type, b.getF16Type()),
                                 clamped);
}
