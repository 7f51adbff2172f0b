// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise kernels and copies.
#include "compiler/conversion/kernels/Kernels.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

/// Elements of a flat kernel's work item.
static constexpr int64_t kFlatItem = 1024;

/// Emits items of kFlatItem elements over `total` elements.
static void overFlatItems(Emitter &e, const KernelArgs &args, Value total,
                          function_ref<void(Value at, Value mask)> body) {
  e.loop(args.begin, args.end, 1, [&](Value item) {
    Value first = e.mul(item, kFlatItem);
    Value count = e.min(e.index(kFlatItem), e.sub(total, first));
    e.strip(count, [&](Value i, Value mask) { body(e.add(first, i), mask); });
  });
}

func::FuncOp vae::getFlatKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, StringRef name,
                                unsigned operands, VectorFn function) {
  return getOrCreateKernel(
      module, loc, name, target, operands + 1, 1,
      [](Emitter &e, ValueRange sizes) {
        return e.ceilDiv(sizes[0], kFlatItem);
      },
      [&](Emitter &e, const KernelArgs &args) {
        overFlatItems(e, args, args.sizes[0], [&](Value at, Value mask) {
          Emitter::Values values;
          for (Value buffer : args.buffers.drop_back())
            values.push_back(e.loadVec(buffer, at, mask));
          e.storeVec(function(e, values), args.buffers.back(), at, mask);
        });
      });
}

func::FuncOp vae::getFillKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, double value) {
  uint64_t bits = llvm::bit_cast<uint64_t>(value);
  return getFlatKernel(module, loc, target,
                       llvm::formatv("fill_{0:x-}", bits).str(), 0,
                       [&](Emitter &e, ValueRange) { return e.splat(value); });
}

func::FuncOp vae::getChannelKernel(ModuleOp module, Location loc,
                                   const KernelTarget &target, StringRef name,
                                   int64_t channels, unsigned parameters,
                                   VectorFn function) {
  return getOrCreateKernel(
      module, loc, llvm::formatv("{0}_c{1}", name, channels).str(), target,
      parameters + 2, 1, [](Emitter &e, ValueRange sizes) { return sizes[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        e.loop(args.begin, args.end, 1, [&](Value row) {
          Value base = e.mul(row, channels);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            Value at = e.add(base, c);
            Emitter::Values values = {e.loadVec(args.buffers[0], at, mask)};
            for (Value parameter : args.buffers.slice(1, parameters))
              values.push_back(e.loadVec(parameter, c, mask));
            e.storeVec(function(e, values), args.buffers.back(), at, mask);
          });
        });
      });
}

func::FuncOp vae::getCopyKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, bool contiguous) {
  constexpr unsigned kIn = 4, kInOffset = 8, kOut = 9, kOutOffset = 13;
  return getOrCreateKernel(
      module, loc, contiguous ? "copy_rows" : "copy_strided", target, 2, 14,
      [](Emitter &e, ValueRange sizes) { return e.mul(sizes[0], sizes[1]); },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers.front(), y = args.buffers.back();
        auto size = [&](unsigned i) { return args.sizes[i]; };
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value i0 = e.div(item, size(1));
          Value i1 = e.sub(item, e.mul(i0, size(1)));
          auto base = [&](unsigned strides, unsigned offset) {
            return e.add(e.add(e.mul(i0, size(strides)), size(offset)),
                         e.mul(i1, size(strides + 1)));
          };
          Value in = base(kIn, kInOffset), out = base(kOut, kOutOffset);
          e.loop(e.index(0), size(2), 1, [&](Value i2) {
            Value from = e.add(in, e.mul(i2, size(kIn + 2)));
            Value to = e.add(out, e.mul(i2, size(kOut + 2)));
            if (contiguous) {
              e.strip(size(3), [&](Value i3, Value mask) {
                Value value = e.loadVec(x, e.add(from, i3), mask);
                e.storeVec(value, y, e.add(to, i3), mask);
              });
              return;
            }
            e.loop(e.index(0), size(3), 1, [&](Value i3) {
              Value value = e.load(x, e.add(from, e.mul(i3, size(kIn + 3))));
              e.store(value, y, e.add(to, e.mul(i3, size(kOut + 3))));
            });
          });
        });
      });
}
