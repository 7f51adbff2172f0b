// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layer normalization, softmax, KL and log-likelihood. Sums are f64.
#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/conversion/kernels/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

Value vae::sumOver(Emitter &e, Value count,
                   function_ref<Value(Value i, Value mask)> body) {
  Value tail = e.rem(count, e.width);
  Value whole = e.sub(count, tail);
  Value zero = e.constant(e.vec64(), 0);
  auto sum =
      e.loop(e.index(0), whole, e.width, {zero}, [&](Value i, ValueRange sum) {
        return Emitter::Values{e.addf(sum[0], body(i, {}))};
      });
  Value mask = e.mask(tail);
  Value last =
      arith::SelectOp::create(e.b, e.loc, mask, body(whole, mask), zero);
  return e.reduceAdd(e.addf(sum[0], last));
}

/// 1 / sqrt(variance + epsilon), from f64 sums.
static Value inverseDeviation(Emitter &e, Value squares, Value count,
                              double epsilon) {
  Value variance = e.divf(squares, count);
  Value root = e.sqrt(e.addf(variance, e.constant(e.f64(), epsilon)));
  return e.divf(e.constant(e.f64(), 1), root);
}

namespace {
/// An f64 as the sum of two f32, broadcast: where data lies far from zero, the
/// mean rounded once would be wrong by as much as some data is from the mean.
struct Mean {
  Value high, low;
  Mean(Emitter &e, Value mean64) {
    Value rounded = e.truncate(mean64);
    high = e.broadcast(rounded);
    low = e.broadcast(e.truncate(e.subf(mean64, e.extend(rounded))));
  }
};
} // namespace

/// (x - mean) * inverse * weight + bias; null parts are left out.
static Value normalize(Emitter &e, Value x, const Mean &mean, Value inverse,
                       Value weight, Value bias) {
  Value value = e.mulf(e.subf(e.subf(x, mean.high), mean.low), inverse);
  if (weight)
    value = e.mulf(value, weight);
  return bias ? e.addf(value, bias) : value;
}

func::FuncOp vae::getLayerNormKernel(ModuleOp module, Location loc,
                                     const KernelTarget &target, double epsilon,
                                     bool weight, bool bias) {
  std::string name = llvm::formatv("layer_norm_{0}{1}{2}", nameOf(epsilon),
                                   weight ? "_w" : "", bias ? "_b" : "");
  return getOrCreateKernel(
      module, loc, name, target, 2 + weight + bias, 2,
      [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers.front(), y = args.buffers.back();
        Value w = weight ? args.buffers[1] : Value();
        Value b = bias ? args.buffers[1 + weight] : Value();
        Value length = args.sizes[1];
        e.loop(args.begin, args.end, 1, [&](Value row) {
          Value base = e.mul(row, length);
          auto at = [&](Value i, Value mask) {
            return e.extend(e.loadVec(x, e.add(base, i), mask));
          };
          Value count = e.toFloat(length);
          Value mean = e.divf(sumOver(e, length, at), count);
          Value mean64 = e.broadcast(mean);
          Value squares = sumOver(e, length, [&](Value i, Value mask) {
            Value d = e.subf(at(i, mask), mean64);
            return e.mulf(d, d);
          });
          Value inverse = e.broadcast(
              e.truncate(inverseDeviation(e, squares, count, epsilon)));
          Mean parts(e, mean);
          e.strip(length, [&](Value i, Value mask) {
            Value where = e.add(base, i);
            Value value =
                normalize(e, e.loadVec(x, where, mask), parts, inverse,
                          w ? e.loadVec(w, i, mask) : Value(),
                          b ? e.loadVec(b, i, mask) : Value());
            e.storeVec(value, y, where, mask);
          });
        });
      });
}

func::FuncOp vae::getSoftmaxKernel(ModuleOp module, Location loc,
                                   const KernelTarget &target) {
  return getOrCreateKernel(
      module, loc, "softmax", target, 2, 3,
      [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1];
        Value axis = args.sizes[1], inner = args.sizes[2];
        e.loop(args.begin, args.end, 1, [&](Value outer) {
          Value base = e.mul(e.mul(outer, axis), inner);
          e.strip(inner, [&](Value i, Value mask) {
            auto at = [&](Value a) {
              return e.add(base, e.add(e.mul(a, inner), i));
            };
            auto over = [&](Value start, function_ref<Value(Value, Value)> f) {
              return e.loop(e.index(0), axis, 1, {start},
                            [&](Value a, ValueRange value) {
                              return Emitter::Values{f(value[0], at(a))};
                            })[0];
            };
            Value most = over(e.splat(-INFINITY), [&](Value value, Value a) {
              return e.maxf(value, e.loadVec(x, a, mask));
            });
            Value total = over(e.splat(0), [&](Value value, Value a) {
              Value power = e.exp(e.subf(e.loadVec(x, a, mask), most));
              e.storeVec(power, y, a, mask);
              return e.addf(value, power);
            });
            e.loop(e.index(0), axis, 1, [&](Value a) {
              Value value = e.divf(e.loadVec(y, at(a), mask), total);
              e.storeVec(value, y, at(a), mask);
            });
          });
        });
      });
}

/// exp(x) - 1 - x of an f64 vector, to about f32's precision. Near 0 nothing is
/// left of an exponential in f32 after the subtraction; there, the Taylor
/// series x^2 / 2 + x^3 / 6 + ... is summed.
static Value expMinusTangent(Emitter &e, Value x) {
  constexpr double kNear = 0.5;
  constexpr int kTerms = 10; // the next one is 2 * kNear^10 / 12! of the first
  auto k = [&](double v) { return e.constant(e.vec64(), v); };
  double factorial = 2;
  SmallVector<double> coefficients;
  for (int i = 0; i < kTerms; ++i, factorial *= i + 2)
    coefficients.push_back(1 / factorial);
  Value series = k(coefficients.back());
  for (double coefficient : llvm::reverse(ArrayRef(coefficients).drop_back()))
    series = e.addf(e.mulf(series, x), k(coefficient));
  Value near = e.mulf(e.mulf(x, x), series);
  Value power = e.extend(e.exp(e.truncate(x)));
  Value far = e.subf(e.subf(power, k(1)), x);
  Value isNear =
      arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT,
                            math::AbsFOp::create(e.b, e.loc, x), k(kNear));
  return e.select(isNear, near, far);
}

func::FuncOp vae::getKlKernel(ModuleOp module, Location loc,
                              const KernelTarget &target, bool prior) {
  return getOrCreateKernel(
      module, loc, prior ? "kl_prior" : "kl", target, prior ? 5 : 3, 3,
      [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value rows = args.sizes[1], channels = args.sizes[2];
        e.loop(args.begin, args.end, 1, [&](Value example) {
          Value first = e.mul(example, rows);
          auto total = e.loop(
              e.index(0), rows, 1, {e.constant(e.f64(), 0)},
              [&](Value row, ValueRange total) {
                Value base = e.mul(e.add(first, row), channels);
                Value part = sumOver(e, channels, [&](Value c, Value mask) {
                  Value at = e.add(base, c);
                  auto value = [&](unsigned buffer, Value i) {
                    return e.extend(e.loadVec(args.buffers[buffer], i, mask));
                  };
                  Value mu = value(0, at), logvar = value(1, at);
                  if (prior) {
                    // Masked lanes read 0 and would divide by it; they are
                    // dropped afterwards.
                    mu = e.divf(e.subf(mu, value(2, c)), value(3, c));
                    Value logStd =
                        e.extend(e.log(e.loadVec(args.buffers[3], c, mask)));
                    logvar = e.subf(logvar, e.addf(logStd, logStd));
                  }
                  Value sum =
                      e.addf(expMinusTangent(e, logvar), e.mulf(mu, mu));
                  return e.mulf(sum, e.constant(e.vec64(), 0.5));
                });
                return Emitter::Values{e.addf(total[0], part)};
              });
          e.store(e.truncate(total[0]), args.buffers.back(), example);
        });
      });
}

/// log p(x | y) of the elements of a vector, as f64.
static Value elementLogLikelihood(Emitter &e, Likelihood kind, double scale,
                                  Value x, Value y, Value logvar) {
  auto k = [&](double v) { return e.splat(v); };
  auto k64 = [&](double v) { return e.constant(e.vec64(), v); };
  switch (kind) {
  case Likelihood::BernoulliLogits: {
    // x*l - softplus(l)
    Value rest = emitSoftplus(e, e.negf(e.absf(y)));
    Value softplus = e.addf(e.extend(e.maxf(y, k(0))), e.extend(rest));
    return e.subf(e.mulf(e.extend(x), e.extend(y)), softplus);
  }
  case Likelihood::Bernoulli: {
    Value hit = e.extend(e.maxf(e.log(y), k(-100)));
    Value miss = e.extend(e.maxf(e.log1p(e.negf(y)), k(-100)));
    Value x64 = e.extend(x);
    return e.addf(e.mulf(x64, hit), e.mulf(e.subf(k64(1), x64), miss));
  }
  case Likelihood::Gaussian: {
    Value d = e.subf(e.extend(x), e.extend(y));
    Value square = e.mulf(d, d);
    constexpr double kLog2Pi = 1.8378770664093453;
    if (logvar) {
      Value precision = e.extend(e.exp(e.negf(logvar)));
      Value sum = e.addf(e.mulf(square, precision), e.extend(logvar));
      return e.mulf(e.addf(sum, k64(kLog2Pi)), k64(-0.5));
    }
    double constant = -0.5 * (kLog2Pi + 2 * std::log(scale));
    return e.addf(e.mulf(square, k64(-0.5 / (scale * scale))), k64(constant));
  }
  case Likelihood::Laplace: {
    Value d = e.absf(e.subf(e.extend(x), e.extend(y)));
    return e.addf(e.mulf(d, k64(-1 / scale)), k64(-std::log(2 * scale)));
  }
  }
  llvm_unreachable("all kinds are handled");
}

func::FuncOp vae::getLogLikelihoodKernel(ModuleOp module, Location loc,
                                         const KernelTarget &target,
                                         Likelihood likelihood, double scale,
                                         bool logvar) {
  std::string name = llvm::formatv("log_likelihood_{0}_{1}{2}",
                                   stringifyLikelihood(likelihood),
                                   nameOf(scale), logvar ? "_logvar" : "");
  return getOrCreateKernel(
      module, loc, name, target, 3 + logvar, 2,
      [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value count = args.sizes[1];
        e.loop(args.begin, args.end, 1, [&](Value example) {
          Value base = e.mul(example, count);
          Value total = sumOver(e, count, [&](Value i, Value mask) {
            Value at = e.add(base, i);
            auto value = [&](unsigned buffer) {
              return e.loadVec(args.buffers[buffer], at, mask);
            };
            return elementLogLikelihood(e, likelihood, scale, value(0),
                                        value(1), logvar ? value(2) : Value());
          });
          e.store(e.truncate(total), args.buffers.back(), example);
        });
      });
}
