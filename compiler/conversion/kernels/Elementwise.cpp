// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise kernels and copies.
#include "compiler/conversion/kernels/Kernels.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

/// Emits items of `size` elements over `total` elements.
static void overFlatItems(Emitter &e, const KernelArgs &args, int64_t size,
                          Value total,
                          function_ref<void(Value at, Value mask)> body) {
  e.loop(args.begin, args.end, 1, [&](Value item) {
    Value first = e.mul(item, size);
    Value count = e.min(e.index(size), e.sub(total, first));
    e.strip(count, [&](Value i, Value mask) { body(e.add(first, i), mask); });
  });
}

func::FuncOp vae::getFlatKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, StringRef name,
                                unsigned operands, VectorFn function) {
  int64_t item = getFlatItemElements(target);
  return getOrCreateKernel(
      module, loc, name, target, operands + 1, 1,
      [&](Emitter &e, ValueRange sizes) { return e.ceilDiv(sizes[0], item); },
      [&](Emitter &e, const KernelArgs &args) {
        overFlatItems(e, args, item, args.sizes[0], [&](Value at, Value mask) {
          Emitter::Values values;
          for (Value buffer : args.buffers.drop_back())
            values.push_back(e.loadVec(buffer, at, mask));
          e.storeVec(function(e, values), args.buffers.back(), at, mask);
        });
      });
}

func::FuncOp vae::getBorderKernel(ModuleOp module, Location loc,
                                  const KernelTarget &target, double value) {
  uint64_t bits = llvm::bit_cast<uint64_t>(value);
  return getOrCreateKernel(
      module, loc, llvm::formatv("border_{0:x-}", bits).str(), target, 1, 7,
      [](Emitter &e, ValueRange sizes) { return e.mul(sizes[0], sizes[1]); },
      [&](Emitter &e, const KernelArgs &args) {
        ValueRange sizes = args.sizes;
        Value rows = sizes[1], length = sizes[2], before = sizes[3];
        Value firstAfter = e.sub(rows, sizes[4]);
        auto fill = [&](Value at, Value count) {
          e.strip(count, [&](Value i, Value mask) {
            e.storeVec(e.splat(value), args.buffers[0], e.add(at, i), mask);
          });
        };
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value row = e.sub(item, e.mul(e.div(item, rows), rows));
          Value start = e.mul(item, length);
          Value inImage = e.less(
              e.max(e.sub(before, row), e.sub(e.add(row, 1), firstAfter)),
              e.index(1));
          fill(start, e.select(inImage, sizes[5], length));
          Value right = e.select(inImage, sizes[6], e.index(0));
          fill(e.add(start, e.sub(length, right)), right);
        });
      });
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

std::pair<Value, Value> vae::locateCopy(Emitter &e, ValueRange sizes,
                                        unsigned rank, Value index) {
  const unsigned in = rank, out = 2 * rank + 1; // strides; then the offset
  Value from = sizes[in + rank], to = sizes[out + rank];
  for (unsigned axis = rank - 2; axis-- > 0;) {
    Value above = axis ? e.div(index, sizes[axis]) : e.index(0);
    Value i = axis ? e.sub(index, e.mul(above, sizes[axis])) : index;
    from = e.add(from, e.mul(i, sizes[in + axis]));
    to = e.add(to, e.mul(i, sizes[out + axis]));
    index = above;
  }
  return {from, to};
}

func::FuncOp vae::getCopyKernel(ModuleOp module, Location loc,
                                const KernelTarget &target, unsigned rank,
                                bool contiguous, int64_t inner) {
  const unsigned in = rank, out = 2 * rank + 1; // strides; then the offset
  const unsigned row = rank - 2, column = rank - 1;
  std::string name = contiguous ? "copy_rows" : "copy_strided";
  if (rank != 4)
    name += "_r" + std::to_string(rank);
  if (inner)
    name += "_" + std::to_string(inner);
  return getOrCreateKernel(
      module, loc, name, target, 2, 3 * rank + 2,
      [&](Emitter &e, ValueRange sizes) {
        Value items = sizes[0];
        for (unsigned axis = 1; axis < row; ++axis)
          items = e.mul(items, sizes[axis]);
        return items;
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers.front(), y = args.buffers.back();
        auto size = [&](unsigned i) { return args.sizes[i]; };
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value from, to;
          std::tie(from, to) = locateCopy(e, args.sizes, rank, item);
          e.loop(e.index(0), size(row), 1, [&](Value i) {
            Value fromRow = e.add(from, e.mul(i, size(in + row)));
            Value toRow = e.add(to, e.mul(i, size(out + row)));
            if (contiguous) {
              e.strip(size(column), [&](Value j, Value mask) {
                Value value = e.loadVec(x, e.add(fromRow, j), mask);
                e.storeVec(value, y, e.add(toRow, j), mask);
              });
              return;
            }
            auto copyOne = [&](Value j) {
              Value value =
                  e.load(x, e.add(fromRow, e.mul(j, size(in + column))));
              e.store(value, y, e.add(toRow, e.mul(j, size(out + column))));
            };
            for (int64_t j = 0; j < inner; ++j)
              copyOne(e.index(j));
            if (!inner)
              e.loop(e.index(0), size(column), 1, copyOne);
          });
        });
      });
}

func::FuncOp vae::getGluKernel(ModuleOp module, Location loc,
                               const KernelTarget &target, int64_t channels,
                               ActivationAttr gate) {
  return getOrCreateKernel(
      module, loc, llvm::formatv("glu_c{0}_{1}", channels, nameOf(gate)).str(),
      target, 2, 1, [](Emitter &e, ValueRange sizes) { return sizes[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1];
        e.loop(args.begin, args.end, 1, [&](Value row) {
          Value from = e.mul(row, 2 * channels), to = e.mul(row, channels);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            Value at = e.add(from, c);
            Value value = e.loadVec(x, at, mask);
            Value open = emitActivation(
                e, gate, e.loadVec(x, e.add(at, channels), mask));
            e.storeVec(e.mulf(value, open), y, e.add(to, c), mask);
          });
        });
      });
}

func::FuncOp vae::getMeanChannelsKernel(ModuleOp module, Location loc,
                                        const KernelTarget &target,
                                        int64_t channels, int64_t group) {
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("mean_channels_c{0}_{1}", channels, group).str(), target, 2,
      1, [](Emitter &e, ValueRange sizes) { return sizes[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value share = e.constant(e.f64(), 1.0 / group);
        e.loop(args.begin, args.end, 1, [&](Value row) {
          Value to = e.mul(row, channels);
          e.loop(e.index(0), e.index(channels), 1, [&](Value c) {
            Value from = e.mul(e.add(to, c), group);
            auto sum = e.loop(
                e.index(0), e.index(group), 1, {e.constant(e.f64(), 0)},
                [&](Value k, ValueRange sum) {
                  Value value = e.load(args.buffers[0], e.add(from, k));
                  return Emitter::Values{e.addf(sum[0], e.extend(value))};
                });
            e.store(e.truncate(e.mulf(sum[0], share)), args.buffers[1],
                    e.add(to, c));
          });
        });
      });
}
