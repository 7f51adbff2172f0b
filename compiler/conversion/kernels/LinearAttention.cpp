// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ReLU linear attention: with a one behind the channels of every value, the sum
// of the weights is one more channel of the products.
#include "compiler/conversion/kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir;
using namespace vae;
using Values = Emitter::Values;

int64_t vae::getLinearColumns(int64_t width) {
  return llvm::alignTo(width + 1, kChannelBlock);
}

/// Rows of a register tile that is `vectors` wide.
static int64_t chooseRows(const KernelTarget &target, int64_t vectors) {
  return std::clamp<int64_t>((target.vectorRegisters - vectors - 2) / vectors,
                             1, 8);
}

/// The vector at `lane` of the channels of a value and the one behind them.
static Value loadValue(Emitter &e, Value x, Value at, int64_t lane,
                       int64_t width) {
  int64_t left = width - lane;
  if (left >= e.width)
    return e.loadVec(x, e.add(at, lane));
  SmallVector<float> rest(e.width, 0.0f);
  if (left >= 0)
    rest[left] = 1;
  Value one = arith::ConstantOp::create(
      e.b, e.loc, DenseElementsAttr::get(e.vec(), ArrayRef<float>(rest)));
  if (left <= 0)
    return one;
  Value mask = e.mask(left);
  return e.select(mask, e.loadVec(x, e.add(at, lane), mask), one);
}

func::FuncOp vae::getLinearKeysKernel(ModuleOp module, Location loc,
                                      const KernelTarget &target, int64_t heads,
                                      int64_t width) {
  int64_t columns = getLinearColumns(width);
  int64_t vectors = columns / target.vectorWidth;
  int64_t rows = chooseRows(target, vectors);
  while (width % rows)
    --rows;
  return getOrCreateKernel(
      module, loc, llvm::formatv("linear_keys_h{0}_c{1}", heads, width).str(),
      target, 2, 2,
      [&](Emitter &e, ValueRange s) {
        return e.mul(s[0], heads * width / rows);
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1], pixels = args.sizes[1];
        int64_t stride = 3 * heads * width;
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value head = e.div(item, width / rows);
          Value first = e.mul(e.rem(item, width / rows), rows);
          Value base = e.add(e.mul(e.mul(e.div(head, heads), pixels), stride),
                             e.mul(e.rem(head, heads), 3 * width));
          Value zero = e.constant(e.f32(), 0);
          Values sums = e.loop(
              e.index(0), pixels, 1, Values(rows * vectors, e.splat(0)),
              [&](Value p, ValueRange sums) {
                Value at = e.add(base, e.mul(p, stride));
                Value key = e.add(e.add(at, width), first);
                Values next(sums.begin(), sums.end()), v;
                for (int64_t i = 0; i < vectors; ++i)
                  v.push_back(loadValue(e, x, e.add(at, 2 * width), i * e.width,
                                        width));
                for (int64_t r = 0; r < rows; ++r) {
                  Value k = e.broadcast(e.maxf(e.load(x, e.add(key, r)), zero));
                  for (int64_t i = 0; i < vectors; ++i)
                    next[r * vectors + i] =
                        e.fma(k, v[i], sums[r * vectors + i]);
                }
                return next;
              });
          Value to = e.mul(e.add(e.mul(head, width), first), columns);
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t i = 0; i < vectors; ++i)
              e.storeVec(sums[r * vectors + i], y,
                         e.add(to, r * columns + i * e.width));
        });
      });
}

func::FuncOp vae::getLinearQueriesKernel(ModuleOp module, Location loc,
                                         const KernelTarget &target,
                                         int64_t heads, int64_t width,
                                         double epsilon) {
  int64_t columns = getLinearColumns(width);
  int64_t vectors = columns / target.vectorWidth;
  int64_t rows = chooseRows(target, vectors);
  std::string name = llvm::formatv("linear_queries_h{0}_c{1}_{2}", heads, width,
                                   nameOf(epsilon));
  return getOrCreateKernel(
      module, loc, name, target, 3, 2,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], heads), e.ceilDiv(s[1], rows));
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], products = args.buffers[1],
              y = args.buffers[2], pixels = args.sizes[1];
        Value tiles = e.ceilDiv(pixels, rows), last = e.sub(pixels, e.index(1));
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value head = e.div(item, tiles);
          Value first = e.mul(e.sub(item, e.mul(head, tiles)), rows);
          Value image = e.mul(e.div(head, heads), pixels);
          Value channel = e.mul(e.rem(head, heads), width);
          Values from, to;
          for (int64_t r = 0; r < rows; ++r) {
            // Behind the last pixel, the last pixel again.
            Value pixel = e.add(image, e.min(e.add(first, r), last));
            from.push_back(
                e.add(e.mul(pixel, 3 * heads * width), e.mul(channel, 3)));
            to.push_back(e.add(e.mul(pixel, heads * width), channel));
          }
          Value base = e.mul(head, width * columns);
          Value zero = e.constant(e.f32(), 0);
          Values sums = e.loop(
              e.index(0), e.index(width), 1, Values(rows * vectors, e.splat(0)),
              [&](Value c, ValueRange sums) {
                Values next(sums.begin(), sums.end()), w;
                Value at = e.add(base, e.mul(c, columns));
                for (int64_t i = 0; i < vectors; ++i)
                  w.push_back(e.loadVec(products, e.add(at, i * e.width)));
                for (int64_t r = 0; r < rows; ++r) {
                  Value q =
                      e.broadcast(e.maxf(e.load(x, e.add(from[r], c)), zero));
                  for (int64_t i = 0; i < vectors; ++i)
                    next[r * vectors + i] =
                        e.fma(q, w[i], sums[r * vectors + i]);
                }
                return next;
              });
          for (int64_t r = 0; r < rows; ++r) {
            Value total = vector::ExtractOp::create(
                e.b, e.loc, sums[r * vectors + width / e.width],
                width % e.width);
            Value divisor =
                e.broadcast(e.addf(total, e.constant(e.f32(), epsilon)));
            for (int64_t i = 0; i * e.width < width; ++i) {
              int64_t left = width - i * e.width;
              e.storeVec(e.divf(sums[r * vectors + i], divisor), y,
                         e.add(to[r], i * e.width),
                         left < e.width ? e.mask(left) : Value());
            }
          }
        });
      });
}
