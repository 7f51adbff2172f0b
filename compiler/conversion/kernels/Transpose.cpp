// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies that swap two axes, the first of which is contiguous in the input and
// the second in the output: images between NCHW and NHWC.
#include "compiler/conversion/kernels/Kernels.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

/// Elements of the longer axis that an item copies, of as many of the other as
/// a vector has lanes.
static constexpr int64_t kItemLength = 256;

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

namespace {
/// A square of the elements of `rows` rows and `columns` columns, which are as
/// many as lanes or, beside that, null. Column c of the input begins at from +
/// c * inColumn, row r of the output at to + r * outRow.
struct Square {
  Value from, inColumn, to, outRow, rows, columns;

  void emit(Emitter &e, Value x, Value y) const {
    Value rowMask = rows ? e.mask(rows) : Value();
    Value columnMask = columns ? e.mask(columns) : Value();
    Emitter::Values vectors;
    for (int64_t c = 0; c < e.width; ++c) {
      Value column = e.index(c);
      if (columns)
        column = e.min(column, e.sub(columns, e.index(1)));
      vectors.push_back(
          e.loadVec(x, e.add(from, e.mul(column, inColumn)), rowMask));
    }
    transpose(e, vectors);
    for (int64_t r = 0; r < e.width; ++r) {
      auto store = [&] {
        e.storeVec(vectors[r], y, e.add(to, e.mul(outRow, r)), columnMask);
      };
      if (rows)
        e.ifThen(e.less(e.index(r), rows), store);
      else
        store();
    }
  }
};
} // namespace

func::FuncOp vae::getTransposeKernel(ModuleOp module, Location loc,
                                     const KernelTarget &target, unsigned rank,
                                     bool longRows, int64_t columns) {
  const unsigned in = rank, out = 2 * rank + 1; // strides; then the offset
  const unsigned row = rank - 2, column = rank - 1;
  int64_t width = target.vectorWidth;
  int64_t itemRows = longRows ? kItemLength : width;
  int64_t itemColumns = longRows ? width : kItemLength;
  std::string name =
      llvm::formatv("copy_transposed_r{0}{1}", rank, longRows ? "_rows" : "");
  bool few = columns > 0 && columns < width;
  if (few)
    name += "_" + std::to_string(columns);
  return getOrCreateKernel(
      module, loc, name, target, 2, 3 * rank + 2,
      [&](Emitter &e, ValueRange sizes) {
        Value items = e.mul(e.ceilDiv(sizes[row], itemRows),
                            e.ceilDiv(sizes[column], itemColumns));
        for (unsigned axis = 0; axis < row; ++axis)
          items = e.mul(items, sizes[axis]);
        return items;
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers.front(), y = args.buffers.back();
        auto size = [&](unsigned i) { return args.sizes[i]; };
        Value rowBlocks = e.ceilDiv(size(row), itemRows);
        Value columnBlocks = e.ceilDiv(size(column), itemColumns);
        Value inColumn = size(in + column), outRow = size(out + row);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value blocks = e.div(item, columnBlocks);
          Value rest = e.div(blocks, rowBlocks);
          Value firstColumn =
              e.mul(e.sub(item, e.mul(blocks, columnBlocks)), itemColumns);
          Value firstRow =
              e.mul(e.sub(blocks, e.mul(rest, rowBlocks)), itemRows);
          Value from, to;
          std::tie(from, to) = locateCopy(e, args.sizes, rank, rest);
          Value begin = longRows ? firstRow : firstColumn;
          Value end =
              e.min(e.add(begin, kItemLength), size(longRows ? row : column));
          // The last square begins where it is whole, if the axes are as long:
          // what it shares with the one before is copied twice.
          auto fit = [&](Value at, Value length) {
            Value last = e.sub(length, e.index(width));
            return e.max(e.min(at, last), e.index(0));
          };
          Value whole =
              e.less(e.index(width - 1), e.min(size(row), size(column)));
          e.loop(begin, end, width, [&](Value at) {
            Value r = fit(longRows ? at : firstRow, size(row));
            Value c = fit(longRows ? firstColumn : at, size(column));
            Square square = {e.add(e.add(from, r), e.mul(c, inColumn)),
                             inColumn,
                             e.add(e.add(to, c), e.mul(r, outRow)),
                             outRow,
                             {},
                             {}};
            auto emitWhole = [&] {
              square.emit(e, x, y);
              return Emitter::Values();
            };
            auto emitPart = [&] {
              Square part = square;
              part.rows = e.min(size(row), e.index(width));
              part.columns =
                  few ? e.index(columns) : e.min(size(column), e.index(width));
              part.emit(e, x, y);
              return Emitter::Values();
            };
            if (few)
              emitPart();
            else
              e.ifElse(whole, emitWhole, emitPart);
          });
        });
      });
}
