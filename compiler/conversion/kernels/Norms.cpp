// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Norms over channels of [rows, C]. Group norm is three kernels: moments of
// pieces of an image, their sums for each group, and the result, which may lie
// where x lay.
#include "compiler/conversion/kernels/Kernels.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace vae;
using Values = Emitter::Values;

/// Pixels whose moments are summed in f32. Differences from a pilot are summed,
/// so that nothing cancels where the mean is far from zero.
static constexpr int64_t kPiece = 512;
/// Elements of a line of a cache.
static constexpr int64_t kLine = 16;
/// Pixels whose mean is the pilot of a piece.
static constexpr int64_t kPilotPixels = 16;
/// Pixels of which moments are taken while those that many ahead are fetched:
/// the channels that a task sums lie a pixel apart, where hardware sees no
/// stream.
static constexpr int64_t kPixelsAhead = 16;

/// Vectors of channels that are summed together: each has a pilot and two sums.
static int64_t getVectorsOfSums(const KernelTarget &target) {
  return target.vectorRegisters >= 32 ? 8 : 4;
}

AffineExpr vae::getNumPieces(AffineExpr pixels) {
  return pixels.ceilDiv(kPiece);
}

namespace {
/// Where the three moments of a piece, or the four parameters of an image, of
/// channel 0 lie: [..][which][C].
struct Moments {
  Value pilot, offset, squares;
  Moments(Emitter &e, Value piece, int64_t channels) {
    pilot = e.mul(piece, 3 * channels);
    offset = e.add(pilot, channels);
    squares = e.add(pilot, 2 * channels);
  }
};
} // namespace

namespace {
/// Pixels of an image one after the other, row after row.
struct Pixels {
  Value first, count;   // of them
  Value columns, inRow; // of the image; elements between its rows
  Value at;             // where its first pixel lies

  using BodyFn = function_ref<Values(Value where, ValueRange sums)>;
  /// Sums over the first `some` of them, of `channels` each.
  Values sum(Emitter &e, Value some, int64_t channels, const Values &zeros,
             BodyFn body) const {
    Value one = e.index(1);
    Value end = e.add(first, some);
    Value firstRow = e.div(first, columns);
    Value lastRow = e.div(e.sub(end, one), columns);
    return e.loop(
        firstRow, e.add(lastRow, one), 1, zeros,
        [&](Value row, ValueRange outer) {
          Value before = e.mul(row, columns);
          Value begin = e.max(e.sub(first, before), e.index(0));
          Value rest = e.min(e.sub(end, before), columns);
          Value line = e.add(at, e.mul(row, inRow));
          return e.loop(
              begin, rest, 1, outer, [&](Value column, ValueRange inner) {
                return body(e.add(line, e.mul(column, channels)), inner);
              });
        });
  }
};
} // namespace

/// Moments of `vectors` vectors of channels over pixels: a pilot, the mean of x
/// - pilot, and the squares' sum around the mean.
static void emitMoments(Emitter &e, Value x, Value y, int64_t channels,
                        const Pixels &pixels, const Moments &to, Value channel,
                        int64_t width) {
  Value count = pixels.count;
  int64_t vectors = llvm::divideCeil(width, e.width);
  auto mask = [&](int64_t v) {
    int64_t left = width - v * e.width;
    return left < e.width ? e.mask(left) : Value();
  };
  auto load = [&](Value where, int64_t v) {
    return e.loadVec(x, e.add(where, v * e.width), mask(v));
  };
  auto inverse = [&](Value number) {
    return e.splatOf(e.divf(e.constant(e.f64(), 1), e.toFloat(number)));
  };
  Value few = e.min(count, e.index(kPilotPixels));
  Values pilots = pixels.sum(e, few, channels, Values(vectors, e.splat(0)),
                             [&](Value at, ValueRange sums) {
                               Values next;
                               for (int64_t v = 0; v < vectors; ++v)
                                 next.push_back(e.addf(sums[v], load(at, v)));
                               return next;
                             });
  Value share = inverse(few);
  for (Value &pilot : pilots)
    pilot = e.mulf(pilot, share);
  Values sums =
      pixels.sum(e, count, channels, Values(2 * vectors, e.splat(0)),
                 [&](Value at, ValueRange sums) {
                   Values next(2 * vectors);
                   for (int64_t v = 0; v < vectors; ++v) {
                     int64_t ahead = kPixelsAhead * channels + v * e.width;
                     if (v * e.width % kLine == 0)
                       e.prefetch(x, e.add(at, ahead));
                     Value d = e.subf(load(at, v), pilots[v]);
                     next[v] = e.addf(sums[v], d);
                     next[vectors + v] = e.fma(d, d, sums[vectors + v]);
                   }
                   return next;
                 });
  share = inverse(count);
  for (int64_t v = 0; v < vectors; ++v) {
    Value c = e.add(channel, v * e.width);
    Value offset = e.mulf(sums[v], share);
    Value squares =
        e.maxf(e.subf(sums[vectors + v], e.mulf(sums[v], offset)), e.splat(0));
    e.storeVec(pilots[v], y, e.add(to.pilot, c), mask(v));
    e.storeVec(offset, y, e.add(to.offset, c), mask(v));
    e.storeVec(squares, y, e.add(to.squares, c), mask(v));
  }
}

func::FuncOp vae::getMomentsKernel(ModuleOp module, Location loc,
                                   const KernelTarget &target,
                                   int64_t channels) {
  int64_t columns = getVectorsOfSums(target) * target.vectorWidth;
  int64_t whole = channels / columns, rest = channels % columns;
  int64_t blocks = whole + (rest != 0);
  return getOrCreateKernel(
      module, loc, llvm::formatv("moments_c{0}", channels).str(), target, 2, 6,
      [&](Emitter &e, ValueRange s) {
        Value pixels = e.mul(s[1], s[2]);
        return e.mul(e.mul(s[0], e.ceilDiv(pixels, kPiece)), blocks);
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1];
        ValueRange s = args.sizes;
        Value pixels = e.mul(s[1], s[2]);
        Value pieces = e.ceilDiv(pixels, kPiece);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value piece = e.div(item, blocks);
          Value block = e.sub(item, e.mul(piece, blocks));
          Value image = e.div(piece, pieces);
          Value first = e.mul(e.sub(piece, e.mul(image, pieces)), kPiece);
          Value count = e.min(e.sub(pixels, first), e.index(kPiece));
          Value channel = e.mul(block, columns);
          Value at = e.add(e.mul(image, s[4]), e.add(s[5], channel));
          Pixels piecePixels = {first, count, s[2], s[3], at};
          Moments to(e, piece, channels);
          auto emit = [&](int64_t width) {
            emitMoments(e, x, y, channels, piecePixels, to, channel, width);
          };
          if (whole)
            e.ifThen(e.less(block, e.index(whole)), [&] { emit(columns); });
          if (rest)
            e.ifThen(e.less(e.index(whole - 1), block), [&] { emit(rest); });
        });
      });
}

/// Mean and 1 / deviation of a group from the moments of its channels in all
/// pieces (Chan et al. 1983), in f64.
static std::pair<Value, Value> mergeMoments(Emitter &e, Value moments,
                                            int64_t channels, Value firstPiece,
                                            Value pixels, Value channel,
                                            int64_t inGroup, double epsilon) {
  Value pieces = e.ceilDiv(pixels, kPiece);
  auto over =
      [&](function_ref<Value(Value sum, const Moments &, Value c, Value count)>
              add) {
        return e.loop(
            e.index(0), pieces, 1, {e.constant(e.f64(), 0)},
            [&](Value piece, ValueRange outer) {
              Value count =
                  e.min(e.sub(pixels, e.mul(piece, kPiece)), e.index(kPiece));
              Moments at(e, e.add(firstPiece, piece), channels);
              Value weight = e.toFloat(count);
              return e.loop(channel, e.add(channel, inGroup), 1, outer,
                            [&](Value c, ValueRange sum) {
                              return Values{add(sum[0], at, c, weight)};
                            });
            })[0];
      };
  auto get = [&](Value base, Value c) {
    return e.extend(e.load(moments, e.add(base, c)));
  };
  auto meanOf = [&](const Moments &at, Value c) {
    return e.addf(get(at.pilot, c), get(at.offset, c));
  };
  Value count = e.toFloat(e.mul(pixels, inGroup));
  Value sum = over([&](Value sum, const Moments &at, Value c, Value weight) {
    return e.addf(sum, e.mulf(weight, meanOf(at, c)));
  });
  Value mean = e.divf(sum, count);
  Value squares =
      over([&](Value sum, const Moments &at, Value c, Value weight) {
        Value d = e.subf(meanOf(at, c), mean);
        return e.addf(e.addf(sum, get(at.squares, c)),
                      e.mulf(weight, e.mulf(d, d)));
      });
  Value variance = e.addf(e.divf(squares, count), e.constant(e.f64(), epsilon));
  return {mean, e.divf(e.constant(e.f64(), 1), e.sqrt(variance))};
}

func::FuncOp vae::getGroupParametersKernel(ModuleOp module, Location loc,
                                           const KernelTarget &target,
                                           int64_t channels, int64_t groups,
                                           double epsilon, bool weight,
                                           bool bias) {
  int64_t inGroup = channels / groups;
  std::string name =
      llvm::formatv("group_parameters_c{0}_g{1}_{2}{3}{4}", channels, groups,
                    nameOf(epsilon), weight ? "_w" : "", bias ? "_b" : "");
  return getOrCreateKernel(
      module, loc, name, target, 2 + weight + bias, 2,
      [&](Emitter &e, ValueRange s) { return e.mul(s[0], groups); },
      [&](Emitter &e, const KernelArgs &args) {
        Value moments = args.buffers.front(), y = args.buffers.back();
        Value pixels = args.sizes[1], pieces = e.ceilDiv(pixels, kPiece);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value image = e.div(item, groups);
          Value channel = e.mul(e.rem(item, groups), inGroup);
          Value mean, inverse;
          std::tie(mean, inverse) =
              mergeMoments(e, moments, channels, e.mul(image, pieces), pixels,
                           channel, inGroup, epsilon);
          // The mean is the sum of two f32: rounded once, it would be wrong by
          // as much as some data is from it.
          Value high = e.truncate(mean);
          Value low = e.truncate(e.subf(mean, e.extend(high)));
          Value to = e.mul(image, 4 * channels);
          e.loop(channel, e.add(channel, inGroup), 1, [&](Value c) {
            Value scale = inverse;
            if (weight)
              scale = e.mulf(scale, e.extend(e.load(args.buffers[1], c)));
            Value offset = bias ? e.load(args.buffers[1 + weight], c)
                                : e.constant(e.f32(), 0);
            Value values[] = {high, low, e.truncate(scale), offset};
            for (auto [i, value] : llvm::enumerate(values))
              e.store(value, y, e.add(e.add(to, i * channels), c));
          });
        });
      });
}

func::FuncOp
vae::getNormalizeKernel(ModuleOp module, Location loc,
                        const KernelTarget &target, int64_t channels,
                        const Epilogue &epilogue, StringRef storeName,
                        function_ref<Value(Emitter &, Value)> store) {
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("normalize_c{0}{1}{2}", channels, epilogue.suffix(),
                    storeName)
          .str(),
      target, 3 + epilogue.residual, 9,
      [](Emitter &e, ValueRange s) { return e.mul(s[0], s[1]); },
      [&](Emitter &e, const KernelArgs &args) {
        ValueRange sizes = args.sizes;
        Value x = args.buffers[0], parameters = args.buffers[1],
              columns = sizes[2];
        e.loop(args.begin, args.end, 1, [&](Value line) {
          Value image = e.div(line, sizes[1]);
          Value row = e.sub(line, e.mul(image, sizes[1]));
          Value from = e.mul(image, 4 * channels);
          auto place = [&](unsigned first) {
            return e.add(e.mul(image, sizes[first + 1]),
                         e.add(e.mul(row, sizes[first]), sizes[first + 2]));
          };
          Value in = place(3), out = place(6);
          Value plain = e.mul(e.mul(line, columns), channels);
          e.loop(e.index(0), columns, 1, [&](Value column) {
            Value pixel = e.mul(column, channels);
            e.strip(e.index(channels), [&](Value c, Value mask) {
              auto get = [&](int64_t which) {
                Value base = e.add(from, which * channels);
                return e.loadVec(parameters, e.add(base, c), mask);
              };
              Value at = e.add(pixel, c);
              Value value = e.subf(e.loadVec(x, e.add(in, at), mask), get(0));
              value = e.fma(e.subf(value, get(1)), get(2), get(3));
              if (epilogue.residual)
                value = e.addf(
                    value, e.loadVec(args.buffers[2], e.add(plain, at), mask));
              if (epilogue.activation)
                value = emitActivation(e, epilogue.activation, value);
              e.storeVec(store(e, value), args.buffers.back(), e.add(out, at),
                         mask);
            });
          });
        });
      });
}

func::FuncOp vae::getRmsNormKernel(ModuleOp module, Location loc,
                                   const KernelTarget &target, int64_t channels,
                                   double epsilon, bool l2, bool weight,
                                   const Epilogue &epilogue) {
  std::string name =
      llvm::formatv("{0}_c{1}_{2}{3}{4}", l2 ? "l2_norm" : "rms_norm", channels,
                    nameOf(epsilon), weight ? "_w" : "", epilogue.suffix());
  return getOrCreateKernel(
      module, loc, name, target, 2 + weight + epilogue.bias + epilogue.residual,
      1, [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0];
        auto k = [&](double value) { return e.constant(e.f64(), value); };
        e.loop(args.begin, args.end, 1, [&](Value row) {
          Value base = e.mul(row, channels);
          Value squares =
              sumOver(e, e.index(channels), [&](Value c, Value mask) {
                Value v = e.extend(e.loadVec(x, e.add(base, c), mask));
                return e.mulf(v, v);
              });
          Value factor =
              l2 ? e.divf(k(std::sqrt(static_cast<double>(channels))),
                          e.maxf(e.sqrt(squares), k(epsilon)))
                 : e.divf(k(1), e.sqrt(e.addf(e.divf(squares, k(channels)),
                                              k(epsilon))));
          Value scale = e.splatOf(factor);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            Value at = e.add(base, c);
            Value value = e.mulf(e.loadVec(x, at, mask), scale);
            if (weight)
              value = e.mulf(value, e.loadVec(args.buffers[1], c, mask));
            if (epilogue.bias)
              value =
                  e.addf(value, e.loadVec(args.buffers[1 + weight], c, mask));
            if (epilogue.residual) {
              Value residual = args.buffers[1 + weight + epilogue.bias];
              value = e.addf(value, e.loadVec(residual, at, mask));
            }
            if (epilogue.activation)
              value = emitActivation(e, epilogue.activation, value);
            e.storeVec(value, args.buffers.back(), at, mask);
          });
        });
      });
}
