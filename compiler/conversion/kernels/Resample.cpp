// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resampling of channels-last images; vectors run over channels.
#include "compiler/conversion/kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

namespace {
/// Between two values, at a fraction of the way: a * (1 - fraction) + b *
/// fraction, not a + fraction * (b - a), which is NaN between infinities.
struct Mix {
  Value low, high; // weights
  Mix(Emitter &e, Value fraction64)
      : low(e.splatOf(e.subf(e.constant(e.f64(), 1), fraction64))),
        high(e.splatOf(fraction64)) {}
  Value emit(Emitter &e, Value a, Value b) const {
    return e.fma(b, high, e.mulf(a, low));
  }
};
} // namespace

namespace {
/// Source coordinates of one output coordinate of a bilinear resize.
struct Sample {
  Value low, high; // indices
  Value fraction;  // f64, of high
};
} // namespace

static Value toIndex(Emitter &e, Value number) {
  Value integer = arith::FPToSIOp::create(e.b, e.loc, e.b.getI64Type(), number);
  return arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), integer);
}

/// torch.nn.functional.interpolate's coordinates
/// (area_pixel_compute_source_index); `size` elements become `newSize`.
static Sample sample(Emitter &e, Value output, Value size, Value newSize,
                     bool alignCorners) {
  Value position = e.toFloat(output);
  Value source;
  if (alignCorners) {
    Value steps = e.toFloat(e.max(e.sub(newSize, e.index(1)), e.index(1)));
    source =
        e.divf(e.mulf(position, e.toFloat(e.sub(size, e.index(1)))), steps);
  } else {
    Value half = e.constant(e.f64(), 0.5);
    Value center = e.divf(e.mulf(e.addf(position, half), e.toFloat(size)),
                          e.toFloat(newSize));
    source = e.maxf(e.subf(center, half), e.constant(e.f64(), 0));
  }
  // source >= 0, so that truncation is the floor.
  Value floor = toIndex(e, source);
  Value last = e.sub(size, e.index(1));
  Sample result;
  result.low = e.min(floor, last);
  result.high = e.min(e.add(result.low, 1), last);
  result.fraction = e.subf(source, e.toFloat(floor));
  return result;
}

/// The same where `size` elements become size * scale, not at aligned corners,
/// from the phase within the period of `scale` elements: which element it is
/// must not change its fraction by a rounding, or a part of an image would get
/// other bits than the whole.
static Sample samplePhase(Emitter &e, Value output, Value size, int64_t scale) {
  Value period = e.div(output, scale);
  Value phase = e.sub(output, e.mul(period, scale));
  Value half = e.constant(e.f64(), 0.5), zero = e.constant(e.f64(), 0);
  Value center = e.divf(e.addf(e.toFloat(phase), half),
                        e.constant(e.f64(), static_cast<double>(scale)));
  Value offset = e.subf(center, half);
  Value before = e.less(e.add(e.mul(phase, 2), 1), e.index(scale));
  Value first = e.less(output, e.index(scale / 2)); // clamped
  Value last = e.sub(size, e.index(1));
  Sample result;
  Value previous = e.sub(e.max(period, e.index(1)), e.index(1));
  result.low = e.select(before, previous, period);
  result.high = e.min(e.add(result.low, 1), last);
  result.fraction =
      e.select(before, e.addf(offset, e.constant(e.f64(), 1)), offset);
  result.fraction = e.select(first, zero, result.fraction);
  return result;
}

namespace {
/// The sizes of one resampling, and how an output index finds its input.
struct Resampling {
  int64_t channels;
  bool nearest, corners;
  Value height, width, rows, columns;
  /// Of mode nearest, where the factors are not known.
  llvm::function_ref<Value(int axis, Value index, Value size, Value newSize)>
      source;
  /// Whole factors of height and width; empty: not known.
  ArrayRef<int64_t> scale;
};
} // namespace

/// Writes each pixel of a row scale[1] times. Pixels of few channels several at
/// a time: a vector of them becomes scale[1] vectors.
static void repeatPixels(Emitter &e, const Resampling &r, Value x, Value from,
                         Value y, Value to) {
  int64_t channels = r.channels, times = r.scale[1];
  int64_t together = std::max<int64_t>(e.width / channels, 1);
  Value whole = e.mul(e.div(r.width, together), together);
  if (together == 1)
    whole = e.index(0);
  auto place = [&](Value column) {
    return std::pair(e.add(from, e.mul(column, channels)),
                     e.add(to, e.mul(column, channels * times)));
  };
  auto maskOf = [&](int64_t count) {
    return count < e.width ? e.mask(count) : Value();
  };
  if (together > 1)
    e.loop(e.index(0), whole, together, [&](Value column) {
      auto [in, out] = place(column);
      int64_t count = together * channels * times;
      Value pixels = e.loadVec(x, in, maskOf(together * channels));
      for (int64_t first = 0; first < count; first += e.width) {
        SmallVector<int64_t> lanes;
        for (int64_t i = first; i < first + e.width; ++i)
          lanes.push_back(
              i < count ? i / channels / times * channels + i % channels : 0);
        Value value =
            vector::ShuffleOp::create(e.b, e.loc, pixels, pixels, lanes);
        e.storeVec(value, y, e.add(out, first), maskOf(count - first));
      }
    });
  e.loop(whole, r.width, 1, [&](Value column) {
    auto [in, out] = place(column);
    e.strip(e.index(channels), [&, in = in, out = out](Value c, Value mask) {
      Value value = e.loadVec(x, e.add(in, c), mask);
      for (int64_t i = 0; i < times; ++i)
        e.storeVec(value, y, e.add(e.add(out, i * channels), c), mask);
    });
  });
}

/// Work items are rows of the result.
static void emitRows(Emitter &e, const KernelArgs &args, const Resampling &r) {
  Value x = args.buffers[0], y = args.buffers[1];
  e.loop(args.begin, args.end, 1, [&](Value line) {
    Value image = e.div(line, r.rows);
    Value row = e.sub(line, e.mul(image, r.rows));
    Value first = e.mul(image, r.height);
    auto at = [&](Value iy, Value ix, Value c) {
      Value pixel = e.add(e.mul(e.add(first, iy), r.width), ix);
      return e.add(e.mul(pixel, r.channels), c);
    };
    auto to = [&](Value column, Value c) {
      Value pixel = e.add(e.mul(line, r.columns), column);
      return e.add(e.mul(pixel, r.channels), c);
    };
    if (r.nearest && !r.scale.empty()) {
      Value from = at(e.div(row, r.scale[0]), e.index(0), e.index(0));
      return repeatPixels(e, r, x, from, y, to(e.index(0), e.index(0)));
    }
    if (r.nearest) {
      Value iy = r.source(0, row, r.height, r.rows);
      e.loop(e.index(0), r.columns, 1, [&](Value column) {
        Value ix = r.source(1, column, r.width, r.columns);
        e.strip(e.index(r.channels), [&](Value c, Value mask) {
          e.storeVec(e.loadVec(x, at(iy, ix, c), mask), y, to(column, c), mask);
        });
      });
      return;
    }
    auto find = [&](int axis, Value index, Value size, Value newSize) {
      return r.scale.empty() || r.corners
                 ? sample(e, index, size, newSize, r.corners)
                 : samplePhase(e, index, size, r.scale[axis]);
    };
    Sample v = find(0, row, r.height, r.rows);
    Mix mixRows(e, v.fraction);
    e.loop(e.index(0), r.columns, 1, [&](Value column) {
      Sample h = find(1, column, r.width, r.columns);
      Mix mixColumns(e, h.fraction);
      e.strip(e.index(r.channels), [&](Value c, Value mask) {
        auto value = [&](Value iy, Value ix) {
          return e.loadVec(x, at(iy, ix, c), mask);
        };
        Value top =
            mixColumns.emit(e, value(v.low, h.low), value(v.low, h.high));
        Value bottom =
            mixColumns.emit(e, value(v.high, h.low), value(v.high, h.high));
        e.storeVec(mixRows.emit(e, top, bottom), y, to(column, c), mask);
      });
    });
  });
}

func::FuncOp vae::getUpsampleKernel(ModuleOp module, Location loc,
                                    const KernelTarget &target, UpsampleOp op,
                                    int64_t channels) {
  auto scale = op.getScale();
  bool nearest = op.getMode() == ResizeMode::Nearest;
  bool corners = op.getAlignCorners();
  std::string name = llvm::formatv("upsample_{0}_c{1}_{2}x{3}",
                                   nearest   ? "nearest"
                                   : corners ? "bilinear_corners"
                                             : "bilinear",
                                   channels, scale[0], scale[1]);
  return getOrCreateKernel(
      module, loc, name, target, 2, 3,
      [&](Emitter &e, ValueRange s) {
        return e.mul(s[0], e.mul(s[1], scale[0])); // output rows
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value height = args.sizes[1], width = args.sizes[2];
        emitRows(e, args,
                 {channels,
                  nearest,
                  corners,
                  height,
                  width,
                  e.mul(height, scale[0]),
                  e.mul(width, scale[1]),
                  {},
                  scale});
      });
}

/// floor((index + (exact ? 0.5 : 0)) * (size / newSize)) in f32.
static Value nearest(Emitter &e, Value index, Value size, Value newSize,
                     bool exact) {
  auto toF32 = [&](Value value) { return e.truncate(e.toFloat(value)); };
  Value ratio = e.divf(toF32(size), toF32(newSize));
  Value position = toF32(index);
  if (exact)
    position = e.addf(position, e.constant(e.f32(), 0.5));
  return e.min(toIndex(e, e.mulf(position, ratio)), e.sub(size, e.index(1)));
}

func::FuncOp vae::getResizeKernel(ModuleOp module, Location loc,
                                  const KernelTarget &target, ResizeOp op,
                                  int64_t channels) {
  bool corners = op.getAlignCorners();
  std::string name =
      llvm::formatv("resize_{0}{1}_c{2}", stringifyResizeMode(op.getMode()),
                    corners ? "_corners" : "", channels);
  return getOrCreateKernel(
      module, loc, name, target, 2, 5,
      [&](Emitter &e, ValueRange s) { return e.mul(s[0], s[3]); },
      [&](Emitter &e, const KernelArgs &args) {
        ValueRange s = args.sizes;
        auto source = [&](int, Value index, Value size, Value newSize) {
          return nearest(e, index, size, newSize,
                         op.getMode() == ResizeMode::NearestExact);
        };
        emitRows(e, args,
                 {channels,
                  op.getMode() != ResizeMode::Bilinear,
                  corners,
                  s[1],
                  s[2],
                  s[3],
                  s[4],
                  source,
                  {}});
      });
}
