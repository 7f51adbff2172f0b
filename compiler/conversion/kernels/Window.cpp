// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pooling of channels-last images; vectors run over channels.
#include "compiler/conversion/kernels/Kernels.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

namespace {
/// The part of a window that lies in the image, along one axis.
struct Clip {
  Value begin, end; // image coordinates
  Value taps;       // elements that count
};
} // namespace

static Clip clip(Emitter &e, Value output, int64_t stride, int64_t padBefore,
                 int64_t padAfter, int64_t kernel, Value size,
                 bool countPadding) {
  Value start = e.mul(output, stride);
  Value first = e.sub(start, e.index(padBefore));
  Value last = e.add(first, kernel);
  Clip result;
  result.begin = e.max(first, e.index(0));
  result.end = e.min(last, size);
  // A window may reach past the padding (never here: the output is floored).
  result.taps = countPadding ? e.sub(e.min(last, e.add(size, padAfter)), first)
                             : e.sub(result.end, result.begin);
  return result;
}

func::FuncOp vae::getPoolKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, Pool2dOp op,
                                int64_t channels) {
  auto kernel = op.getKernel(), strides = op.getStrides(),
       pad = op.getPadding();
  bool isMax = op.getKind() == PoolKind::Max;
  bool countPadding = op.getCountIncludePad();
  std::string name =
      llvm::formatv("pool_{0}_c{1}_k{2}x{3}_s{4}x{5}_p{6}_{7}_{8}_{9}",
                    isMax ? "max" : "avg", channels, kernel[0], kernel[1],
                    strides[0], strides[1], pad[0], pad[1], pad[2], pad[3]);
  if (!countPadding)
    name += "_valid";
  return getOrCreateKernel(
      module, loc, name, target, 2, 5,
      [](Emitter &e, ValueRange s) { return e.mul(s[0], e.mul(s[3], s[4])); },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1];
        Value height = args.sizes[1], width = args.sizes[2],
              rows = args.sizes[3], columns = args.sizes[4];
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value line = e.div(item, columns);
          Value column = e.sub(item, e.mul(line, columns));
          Value image = e.div(line, rows);
          Value row = e.sub(line, e.mul(image, rows));
          Clip v = clip(e, row, strides[0], pad[0], pad[2], kernel[0], height,
                        countPadding);
          Clip h = clip(e, column, strides[1], pad[1], pad[3], kernel[1], width,
                        countPadding);
          Value scale =
              isMax ? Value()
                    : e.splatOf(e.divf(e.constant(e.f64(), 1),
                                       e.toFloat(e.mul(v.taps, h.taps))));
          Value start = e.splat(isMax ? -INFINITY : 0);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            auto result = e.loop(
                v.begin, v.end, 1, {start}, [&](Value iy, ValueRange outer) {
                  Value lineAt = e.mul(e.add(e.mul(image, height), iy), width);
                  return e.loop(
                      h.begin, h.end, 1, outer, [&](Value ix, ValueRange sum) {
                        Value at = e.add(e.mul(e.add(lineAt, ix), channels), c);
                        Value value = e.loadVec(x, at, mask);
                        return Emitter::Values{isMax ? e.maxf(sum[0], value)
                                                     : e.addf(sum[0], value)};
                      });
                });
            Value value = isMax ? result[0] : e.mulf(result[0], scale);
            e.storeVec(value, y, e.add(e.mul(item, channels), c), mask);
          });
        });
      });
}

func::FuncOp vae::getGlobalPoolKernel(ModuleOp module, Location loc,
                                      const KernelTarget &target, PoolKind kind,
                                      int64_t channels) {
  bool isMax = kind == PoolKind::Max;
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("global_pool_{0}_c{1}", isMax ? "max" : "avg", channels)
          .str(),
      target, 2, 2, [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value pixels = args.sizes[1];
        e.loop(args.begin, args.end, 1, [&](Value image) {
          Value base = e.mul(e.mul(image, pixels), channels);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            Value start = isMax ? e.splat(-INFINITY) : e.constant(e.vec64(), 0);
            auto sum = e.loop(
                e.index(0), pixels, 1, {start}, [&](Value p, ValueRange sum) {
                  Value at = e.add(base, e.add(e.mul(p, channels), c));
                  Value value = e.loadVec(args.buffers[0], at, mask);
                  return Emitter::Values{isMax
                                             ? e.maxf(sum[0], value)
                                             : e.addf(sum[0], e.extend(value))};
                });
            Value value = sum[0];
            if (!isMax)
              value = e.truncate(e.divf(value, e.broadcast(e.toFloat(pixels))));
            e.storeVec(value, args.buffers[1], e.add(e.mul(image, channels), c),
                       mask);
          });
        });
      });
}
