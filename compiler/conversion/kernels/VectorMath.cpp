// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Polynomials are minimax ones (Remez), for the relative error of the function
// that they serve, on the interval given with them.
#include "compiler/conversion/kernels/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace vae;

namespace {

constexpr double kLn2 = 0.69314718055994531;
/// ln 2 as a sum of two f32, the first with zeros at its end: its products with
/// small integers are exact.
constexpr double kLn2High = 0x1.62e4p-1;
constexpr double kLn2Low = kLn2 - kLn2High;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Adding it to a number below 2^22 rounds that to an integer n; the low 9 bits
/// of the sum are n + 254, twice the bias of an exponent and n.
constexpr double kRounder = 0x1.8p23 + 254;
/// exp is 0 here and below: both scales of emitExp are.
constexpr double kLowest = -176;

/// exp(x) = (1 + fraction) * scale * rest. Two scales, because 2^n may be
/// denormal or infinite when the product is not; a product that multiplies by
/// `rest` last is rounded to a denormal once.
struct Exponential {
  Value fraction, scale, rest;
};

struct Math {
  Emitter &e;
  Type type;
  Math(Emitter &e, Value x) : e(e), type(x.getType()) {}

  Type integers() {
    Type i32 = e.b.getI32Type();
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(i32)) : i32;
  }
  Value c(double value) { return e.constant(type, value); }
  Value i(int32_t value) {
    TypedAttr attr = e.b.getI32IntegerAttr(value);
    if (auto vector = dyn_cast<VectorType>(integers()))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(e.b, e.loc, attr);
  }
  Value toBits(Value x) {
    return arith::BitcastOp::create(e.b, e.loc, integers(), x);
  }
  Value fromBits(Value x) {
    return arith::BitcastOp::create(e.b, e.loc, type, x);
  }
  Value shiftLeft(Value x, int bits) {
    return arith::ShLIOp::create(e.b, e.loc, x, i(bits));
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(e.b, e.loc, predicate, x, y);
  }
  Value less(Value x, Value y) {
    return compare(arith::CmpFPredicate::OLT, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(e.b, e.loc, condition, x, y);
  }
  /// The larger one; x if it is NaN. One instruction of x86, which
  /// arith.maximumf is not.
  Value atLeast(Value x, Value bound) {
    return select(less(x, bound), bound, x);
  }
  Value atMost(Value x, Value bound) {
    return select(less(bound, x), bound, x);
  }
  /// Horner's rule; the constant term comes first.
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = c(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = e.fma(sum, x, c(coefficient));
    return sum;
  }

  /// x + low = n * ln 2 + r: exp(r) - 1, and n + 254 in the low bits.
  std::pair<Value, Value> reduce(Value x, Value low);
  Exponential exp(Value x, Value low = {});
  Value value(const Exponential &power);
  Value logarithm(Value fraction, Value exponent);
  std::pair<Value, Value> split(Value x);
  Value log1pOfUnit(Value x);
  Value expm1(Value x);
  Value negativeOrBounded(Value x, double bound);
};

std::pair<Value, Value> Math::reduce(Value x, Value low) {
  Value shifted = e.fma(x, c(1 / kLn2), c(kRounder));
  Value n = e.subf(shifted, c(kRounder));
  Value r = e.fma(n, c(-kLn2High), x); // exact
  r = low ? e.addf(r, e.fma(n, c(-kLn2Low), low)) : e.fma(n, c(-kLn2Low), r);
  // (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2: 2^-28.
  static constexpr double kCoefficients[] = {0x1.fffffcp-2, 0x1.555492p-3,
                                             0x1.5558f2p-5, 0x1.1239e2p-7,
                                             0x1.6a2434p-10};
  Value tail = polynomial(r, kCoefficients);
  return {e.fma(e.mulf(r, r), tail, r), toBits(shifted)};
}

/// For x from kLowest, below which it counts as that, to 128 * ln 2. `low` is a
/// correction that x is too short for.
Exponential Math::exp(Value x, Value low) {
  auto [fraction, bits] = reduce(atLeast(x, c(kLowest)), low);
  Value half = arith::ShRUIOp::create(e.b, e.loc, bits, i(1));
  Value rest = arith::SubIOp::create(e.b, e.loc, bits, half);
  return {fraction, fromBits(shiftLeft(half, 23)),
          fromBits(shiftLeft(rest, 23))};
}

Value Math::value(const Exponential &power) {
  Value scaled = e.mulf(e.addf(power.fraction, c(1)), power.scale);
  return e.mulf(scaled, power.rest);
}

/// log(1 + fraction) + exponent * ln 2, for 1 + fraction from sqrt(1/2) to
/// sqrt(2); the exponent may be missing.
Value Math::logarithm(Value fraction, Value exponent) {
  // (log(1 + f) - f + f^2 / 2) / f^3: 2^-27.
  static constexpr double kCoefficients[] = {
      0x1.555554p-2, -0x1.000226p-2, 0x1.99a008p-3, -0x1.547244p-3,
      0x1.22da1ep-3, -0x1.0d8542p-3, 0x1.055b68p-3, -0x1.38b576p-4};
  Value square = e.mulf(fraction, fraction);
  Value tail = e.mulf(polynomial(fraction, kCoefficients), fraction);
  tail = e.mulf(e.addf(tail, c(-0.5)), square);
  if (!exponent)
    return e.addf(fraction, tail);
  Value low = e.fma(exponent, c(kLn2Low), tail);
  return e.fma(exponent, c(kLn2High), e.addf(fraction, low));
}

/// A positive normal number's mantissa, from sqrt(1/2) to sqrt(2), and the bits
/// of its exponent, without bias and shifted left.
std::pair<Value, Value> Math::split(Value x) {
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  Value bits = toBits(x);
  Value above = arith::SubIOp::create(e.b, e.loc, bits, i(kSqrtHalf));
  Value exponent =
      arith::AndIOp::create(e.b, e.loc, above, i(int32_t(0xff800000)));
  return {fromBits(arith::SubIOp::create(e.b, e.loc, bits, exponent)),
          exponent};
}

/// log(1 + x) for x from 0 to 1.
Value Math::log1pOfUnit(Value x) {
  Value large = less(c(0.41421356), x);
  Value fraction = select(large, e.fma(x, c(0.5), c(-0.5)), x);
  return logarithm(fraction, select(large, c(1), c(0)));
}

/// exp(x) - 1 for |x| up to 40. With one scale, which is normal there.
Value Math::expm1(Value x) {
  auto [fraction, bits] = reduce(x, {});
  Value biased = arith::SubIOp::create(e.b, e.loc, bits, i(127));
  Value scale = fromBits(shiftLeft(biased, 23));
  return e.fma(scale, fraction, e.addf(scale, c(-1)));
}

/// |x|, but not more than the bound if x is positive. f(x) = max(x, 0) - |x| *
/// g(|x|) can use it in place of |x| where g is 0 from the bound on: for
/// infinity that gives infinity, and NaN for -infinity, as x * (1 - g(x)) does.
Value Math::negativeOrBounded(Value x, double bound) {
  return atLeast(e.negf(x), atMost(x, c(bound)));
}

} // namespace

//===----------------------------------------------------------------------===//
// exp, log, tanh
//===----------------------------------------------------------------------===//

Value Emitter::exp(Value x) {
  Math m(*this, x);
  // Infinite a little above 128 * ln 2.
  return m.value(m.exp(m.atMost(x, m.c(89))));
}

Value Emitter::log(Value x) {
  Math m(*this, x);
  Value denormal = m.less(x, m.c(0x1p-126));
  auto [mantissa, bits] = m.split(m.select(denormal, mulf(x, m.c(0x1p+24)), x));
  Value exponent = arith::ShRSIOp::create(b, loc, bits, m.i(23));
  exponent = arith::SIToFPOp::create(b, loc, m.type, exponent);
  exponent = subf(exponent, m.select(denormal, m.c(24), m.c(0)));
  Value result = m.logarithm(addf(mantissa, m.c(-1)), exponent);
  result = m.select(m.less(x, m.c(kInfinity)), result, x); // infinity and NaN
  result = m.select(m.less(x, m.c(0)), m.c(std::nan("")), result);
  Value isZero = m.compare(arith::CmpFPredicate::OEQ, x, m.c(0));
  return m.select(isZero, m.c(-kInfinity), result);
}

Value Emitter::log1p(Value x) {
  Math m(*this, x);
  Value sum = addf(x, m.c(1));
  auto [mantissa, bits] = m.split(sum);
  // What rounding the sum lost, scaled as the mantissa is. From 2^24 on nothing
  // that matters; the scale of 2^128 would be no number.
  Value lost = subf(x, subf(sum, m.c(1)));
  Value scale =
      m.fromBits(arith::SubIOp::create(b, loc, m.i(0x3f800000), bits));
  Value fraction = addf(mantissa, m.c(-1));
  fraction =
      m.select(m.less(x, m.c(0x1p+24)), fma(lost, scale, fraction), fraction);
  Value exponent = arith::ShRSIOp::create(b, loc, bits, m.i(23));
  exponent = arith::SIToFPOp::create(b, loc, m.type, exponent);
  Value result = m.logarithm(fraction, exponent);
  result = m.select(m.less(x, m.c(kInfinity)), result, x); // infinity and NaN
  result = m.select(m.less(x, m.c(-1)), m.c(std::nan("")), result);
  Value isZero = m.compare(arith::CmpFPredicate::OEQ, x, m.c(-1));
  return m.select(isZero, m.c(-kInfinity), result);
}

/// With p = exp(2|x|) - 1: p / (p + 2), which is 1 from |x| = 10 on.
Value Emitter::tanh(Value x) {
  Math m(*this, x);
  Value twice = m.atMost(absf(addf(x, x)), m.c(20));
  Value power = m.expm1(twice);
  Value result = divf(power, addf(power, m.c(2)));
  return math::CopySignOp::create(b, loc, result, x);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value vae::emitElu(Emitter &e, Value x) {
  Math m(e, x);
  return m.select(m.less(x, m.c(0)), m.expm1(m.atLeast(x, m.c(-40))), x);
}

/// 1 / (1 + exp(-x)), or for negative x exp(x) / (1 + exp(x)).
Value vae::emitSigmoid(Emitter &e, Value x) {
  Math m(e, x);
  Value power = m.value(m.exp(e.negf(e.absf(x))));
  Value numerator = m.select(m.less(x, m.c(0)), power, m.c(1));
  return e.divf(numerator, e.addf(power, m.c(1)));
}

/// max(x, 0) - |x| * sigmoid(-t) for t = high + low >= 0.
static Value emitGated(Math &m, Value x, Value magnitude, Value high,
                       Value low) {
  Emitter &e = m.e;
  Exponential power = m.exp(e.negf(high), low ? e.negf(low) : Value());
  Value scaled = e.mulf(e.addf(power.fraction, m.c(1)), power.scale);
  Value sum = e.addf(e.mulf(scaled, power.rest), m.c(1));
  Value part = e.divf(e.mulf(magnitude, scaled), sum);
  return e.subf(m.atLeast(x, m.c(0)), e.mulf(part, power.rest));
}

Value vae::emitSilu(Emitter &e, Value x) {
  Math m(e, x);
  Value magnitude = m.negativeOrBounded(x, 200);
  return emitGated(m, x, magnitude, magnitude, {});
}

/// The tanh of t / 2 is 1 - 2 * sigmoid(-t), with t = 2 sqrt(2 / pi) * (|x| +
/// 0.044715 |x|^3), which needs more digits than f32 has: its error is that of
/// the result, relatively.
Value vae::emitGeluTanh(Emitter &e, Value x) {
  constexpr double kOuter = 2 * 0.79788456080286536, kInner = 0.044715;
  constexpr double kOuterHigh = float(kOuter), kInnerHigh = float(kInner);
  Math m(e, x);
  Value magnitude = m.negativeOrBounded(x, 20);
  Value a = m.atMost(magnitude, m.c(20));
  Value square = e.mulf(a, a);
  Value squareLow = e.fma(a, a, e.negf(square));
  // factor = 1 + kInner * square
  Value factor = e.fma(square, m.c(kInnerHigh), m.c(1));
  Value factorLow = e.fma(square, m.c(kInnerHigh), e.subf(m.c(1), factor));
  factorLow = e.fma(square, m.c(kInner - kInnerHigh), factorLow);
  factorLow = e.fma(squareLow, m.c(kInnerHigh), factorLow);
  // outer = kOuter * a
  Value outer = e.mulf(a, m.c(kOuterHigh));
  Value outerLow = e.fma(a, m.c(kOuterHigh), e.negf(outer));
  outerLow = e.fma(a, m.c(kOuter - kOuterHigh), outerLow);
  Value product = e.mulf(outer, factor);
  Value productLow = e.fma(outer, factor, e.negf(product));
  productLow = e.fma(outer, factorLow, productLow);
  productLow = e.fma(outerLow, factor, productLow);
  return emitGated(m, x, magnitude, product, productLow);
}

/// max(x, 0) - |x| * Phi(-|x|), where Phi(-a) = exp(-a^2 / 2) * M(a) and M
/// falls slowly (the Mills ratio over sqrt(2 pi)).
Value vae::emitGelu(Emitter &e, Value x) {
  Math m(e, x);
  Value magnitude = m.negativeOrBounded(x, 20);
  Value a = m.atMost(magnitude, m.c(20));
  // (a + 2) * M(a), a polynomial of (a - 2) / (a + 2), for a up to 14.3, where
  // the result becomes 0: 2^-28.
  static constexpr double kCoefficients[] = {
      0x1.5845dcp-1,   -0x1.535bb2p-2, 0x1.d7d0eep-6,   0x1.2ccdeap-5,
      -0x1.ec9706p-12, -0x1.b94e36p-8, -0x1.ff8a10p-10, 0x1.aee53ep-11,
      0x1.b64adap-11,  0x1.1a3544p-13, -0x1.37be96p-13, -0x1.1463b6p-14};
  // One step of Newton's method, with the sum that has not been rounded.
  Value inverse = e.divf(m.c(1), e.addf(a, m.c(2)));
  Value residual = e.fma(inverse, m.c(-2), m.c(1));
  residual = e.fma(e.negf(inverse), a, residual);
  inverse = e.fma(inverse, residual, inverse);
  Value argument = e.mulf(e.addf(a, m.c(-2)), inverse);
  Value ratio = m.polynomial(argument, kCoefficients);
  // exp(-a^2 / 2) needs more digits of a^2 than f32 has.
  Value square = e.mulf(a, a);
  Value low = e.fma(a, a, e.negf(square));
  Exponential power = m.exp(e.mulf(square, m.c(-0.5)), e.mulf(low, m.c(-0.5)));
  Value scaled = e.mulf(e.fma(ratio, power.fraction, ratio), power.scale);
  Value part = e.mulf(e.mulf(magnitude, inverse), scaled);
  return e.subf(m.atLeast(x, m.c(0)), e.mulf(part, power.rest));
}

/// With p = exp(-|x|), tanh(softplus(x)) is (1 + 2p) / (1 + 2p + 2p^2) for
/// positive x, p * (p + 2) / (p * (p + 2) + 2) for negative.
Value vae::emitMish(Emitter &e, Value x) {
  Math m(e, x);
  Exponential exponential = m.exp(e.negf(e.absf(x)));
  Value scaled =
      e.mulf(e.addf(exponential.fraction, m.c(1)), exponential.scale);
  Value power = e.mulf(scaled, exponential.rest);
  Value negative = m.less(x, m.c(0)), one = m.c(1), two = m.c(2);
  Value factor = m.select(negative, e.addf(power, two), e.fma(power, two, one));
  Value denominator = m.select(negative, e.fma(power, factor, two),
                               e.fma(e.mulf(power, power), two, factor));
  Value numerator = e.mulf(m.select(negative, e.mulf(x, scaled), x), factor);
  Value quotient = e.divf(numerator, denominator);
  return e.mulf(quotient, m.select(negative, exponential.rest, one));
}

Value vae::emitSoftplus(Emitter &e, Value x) {
  Math m(e, x);
  Value power = m.value(m.exp(e.negf(e.absf(x))));
  return e.addf(m.atLeast(x, m.c(0)), m.log1pOfUnit(power));
}
