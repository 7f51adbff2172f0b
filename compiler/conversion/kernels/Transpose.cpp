// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies that swap two axes, the first of which is contiguous in the input and
// the second in the output: images between NCHW and NHWC.
#include "compiler/conversion/kernels/Kernels.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vae;

/// Elements of the second axis that an item copies, of as many rows as a vector
/// has lanes.
static constexpr int64_t kItemColumns = 256;

/// Lane l of vector i becomes lane i of vector l: for each bit of the numbers,
/// blocks off the diagonal change places.
static void transpose(Emitter &e, Emitter::Values &vectors) {
  for (int64_t bit = e.width / 2; bit >= 1; bit /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < e.width; ++lane) {
      bool second = lane & bit;
      low.push_back(second ? e.width + lane - bit : lane);
      high.push_back(second ? e.width + lane : lane + bit);
    }
    for (int64_t i = 0; i < e.width; ++i)
      if (!(i & bit)) {
        Value a = vectors[i], b = vectors[i + bit];
        vectors[i] = vector::ShuffleOp::create(e.b, e.loc, a, b, low);
        vectors[i + bit] = vector::ShuffleOp::create(e.b, e.loc, a, b, high);
      }
  }
}

/// A square of width x width elements: column `c` of the input begins at from +
/// c * inColumn, row `r` of the output at to + r * outRow. There are `rows` and
/// `columns` of them; null: as many as lanes.
static void emitSquare(Emitter &e, Value x, Value y, Value from, Value inColumn,
                       Value to, Value outRow, Value rows, Value columns) {
  Value rowMask = rows ? e.mask(rows) : Value();
  auto limit = [&](int64_t i, Value count) {
    return count ? e.min(e.index(i), e.sub(count, e.index(1))) : e.index(i);
  };
  Emitter::Values vectors;
  for (int64_t c = 0; c < e.width; ++c)
    vectors.push_back(
        e.loadVec(x, e.add(from, e.mul(limit(c, columns), inColumn)), rowMask));
  transpose(e, vectors);
  // Rows beyond the last one store nothing.
  for (int64_t r = 0; r < e.width; ++r) {
    Value mask;
    if (rows)
      mask = e.mask(e.select(e.less(e.index(r), rows), columns, e.index(0)));
    e.storeVec(vectors[r], y, e.add(to, e.mul(limit(r, rows), outRow)), mask);
  }
}

func::FuncOp vae::getTransposeKernel(ModuleOp module, Location loc,
                                     const KernelTarget &target,
                                     unsigned rank) {
  const unsigned in = rank, out = 2 * rank + 1; // strides; then the offset
  const unsigned row = rank - 2, column = rank - 1;
  int64_t width = target.vectorWidth;
  return getOrCreateKernel(
      module, loc, "copy_transposed_r" + std::to_string(rank), target, 2,
      3 * rank + 2,
      [&](Emitter &e, ValueRange sizes) {
        Value items = e.mul(e.ceilDiv(sizes[row], width),
                            e.ceilDiv(sizes[column], kItemColumns));
        for (unsigned axis = 0; axis < row; ++axis)
          items = e.mul(items, sizes[axis]);
        return items;
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers.front(), y = args.buffers.back();
        auto size = [&](unsigned i) { return args.sizes[i]; };
        Value rowBlocks = e.ceilDiv(size(row), width);
        Value columnBlocks = e.ceilDiv(size(column), kItemColumns);
        Value inColumn = size(in + column), outRow = size(out + row);
        Value lanes = e.index(width);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value rest = e.div(item, columnBlocks);
          Value first =
              e.mul(e.sub(item, e.mul(rest, columnBlocks)), kItemColumns);
          Value block = rest;
          rest = e.div(rest, rowBlocks);
          Value firstRow = e.mul(e.sub(block, e.mul(rest, rowBlocks)), width);
          Value from = e.add(size(in + rank), firstRow);
          Value to = e.add(size(out + rank), e.mul(firstRow, outRow));
          for (unsigned axis = row; axis-- > 0;) {
            Value above = axis ? e.div(rest, size(axis)) : e.index(0);
            Value i = axis ? e.sub(rest, e.mul(above, size(axis))) : rest;
            from = e.add(from, e.mul(i, size(in + axis)));
            to = e.add(to, e.mul(i, size(out + axis)));
            rest = above;
          }
          Value last = e.min(e.add(first, kItemColumns), size(column));
          Value rows = e.min(e.sub(size(row), firstRow), lanes);
          Value whole = e.less(e.index(width - 1), rows);
          e.loop(first, last, width, [&](Value c) {
            Value source = e.add(from, e.mul(c, inColumn));
            Value target = e.add(to, c);
            Value columns = e.min(e.sub(last, c), lanes);
            Value square =
                e.select(whole, e.less(e.index(width - 1), columns), whole);
            auto emit = [&](Value rows, Value columns) {
              emitSquare(e, x, y, source, inColumn, target, outRow, rows,
                         columns);
              return Emitter::Values();
            };
            e.ifElse(
                square, [&] { return emit({}, {}); },
                [&] { return emit(rows, columns); });
          });
        });
      });
}
