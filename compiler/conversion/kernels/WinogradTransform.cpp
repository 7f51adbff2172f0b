// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The transforms of a Winograd kernel's inputs and products.
#include "compiler/conversion/kernels/WinogradEmitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

Value WinogradEmitter::getMask(Value channel, int64_t channels, int64_t whole) {
  if (channels % whole == 0)
    return {};
  return e.mask(e.sub(e.index(channels), channel));
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

void WinogradEmitter::transformInputs() {
  e.loop(zero, count, 1, [&](Value t) {
    if (shape.blockFloat)
      e.loop(zero, e.index(shape.chunks()), 1,
             [&](Value chunk) { transformChunk(t, chunk); });
    else
      e.loop(zero, e.index(shape.inputBlocks()), 1,
             [&](Value block) { transformInput(t, block); });
  });
}

/// Before the first and behind the last pixel there are zeros.
Value WinogradEmitter::isInside(Value t) {
  auto within = [&](Field field, ContractionSize extent, int axis) {
    Value first = get(field, t);
    Value end = e.add(first, shape.axes[axis].size() - 1);
    return e.both(e.less(e.index(-1), first), e.less(end, size(extent)));
  };
  return e.both(within(kFirstRow, kInputRows, 0),
                within(kFirstColumn, kInputColumns, 1));
}

/// One tile's window of a block of channels.
void WinogradEmitter::transformInput(Value t, Value block) {
  Value to = e.add(e.mul(e.add(e.mul(block, layout.tiles), t), kChannelBlock),
                   e.index(layout.inputs));
  Value inside = isInside(t);
  e.loop(zero, e.index(kChannelBlock), e.width, [&](Value lane) {
    Value channel = e.add(e.mul(block, kChannelBlock), lane);
    Value mask = getMask(channel, shape.inputs, kChannelBlock);
    Value result = e.add(to, lane);
    e.ifElse(
        inside,
        [&] {
          transformWindow(x, e.add(get(kWindow, t), channel), size(kInRow),
                          shape.inputs, result, mask);
          return Values();
        },
        [&] {
          copyWindow(t, channel, mask, e.index(layout.window));
          transformWindow(scratch, e.index(layout.window),
                          e.index(shape.axes[1].size() * kChannelBlock),
                          kChannelBlock, result, {});
          return Values();
        });
  });
}

/// A window with the zeros around the image.
void WinogradEmitter::copyWindow(Value t, Value channel, Value mask, Value to) {
  Value firstRow = get(kFirstRow, t), firstColumn = get(kFirstColumn, t);
  Value from = e.add(get(kWindow, t), channel);
  int64_t columns = shape.axes[1].size();
  auto isOutside = [&](Value at, ContractionSize extent) {
    return e.either(e.less(at, zero),
                    e.less(e.sub(size(extent), e.index(1)), at));
  };
  e.loop(zero, e.index(shape.axes[0].size()), 1, [&](Value i) {
    Value noRow = isOutside(e.add(firstRow, i), kInputRows);
    e.loop(zero, e.index(columns), 1, [&](Value j) {
      Value outside =
          e.either(noRow, isOutside(e.add(firstColumn, j), kInputColumns));
      Value pixel = e.ifElse(
          outside, [&] { return Values{e.splat(0)}; },
          [&] {
            Value at = e.add(
                from, e.add(e.mul(i, size(kInRow)), e.mul(j, shape.inputs)));
            return Values{e.loadVec(x, at, mask)};
          })[0];
      e.storeVec(
          pixel, scratch,
          e.add(e.mul(e.add(e.mul(i, columns), j), layout.windowPixel), to));
    });
  });
}

/// B^T d B: groups of rows after each other, straight from memory, so that no
/// more than a few rows are in registers.
void WinogradEmitter::transformWindow(Value buffer, Value base, Value rowStride,
                                      int64_t columnStride, Value to,
                                      Value mask) {
  const LinearMap &down = inputMaps[0], &across = inputMaps[1];
  int64_t columns = shape.axes[1].size();
  Values rowBases;
  for (int64_t i = 0; i < down.getNumColumns(); ++i)
    rowBases.push_back(i == 0 ? base : e.add(rowBases.back(), rowStride));
  for (ArrayRef<int64_t> group : down.getRowGroups()) {
    SmallVector<Values> transformed(group.size());
    for (int64_t j = 0; j < columns; ++j) {
      Values pixels(down.getNumColumns());
      for (int64_t i = 0; i < down.getNumColumns(); ++i)
        if (down.uses(group, i))
          pixels[i] =
              e.loadVec(buffer, e.add(rowBases[i], j * columnStride), mask);
      for (auto [row, value] :
           llvm::zip(transformed, down.emit(e, group, pixels)))
        row.push_back(value);
    }
    for (auto [row, values] : llvm::zip(group, transformed))
      for (auto [j, value] : llvm::enumerate(across.emit(e, values)))
        e.storeVec(value, scratch,
                   e.add(to, (row * columns + static_cast<int64_t>(j)) *
                                 layout.inPosition));
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<SmallVector<int64_t>> WinogradEmitter::getResultRows() const {
  int64_t outputs = shape.axes[0].outputs;
  // Half-transformed rows, and what they are made of.
  int64_t needed = outputs * shape.axes[1].size() + shape.axes[0].size();
  SmallVector<SmallVector<int64_t>> result(
      needed <= target.vectorRegisters ? 1 : 2);
  for (int64_t row = 0; row < outputs; ++row)
    result[row % result.size()].push_back(row);
  return result;
}

/// An image that is larger than the caches, in whole vectors at aligned places.
/// With a residual, the line has been read already: it is where the result goes
/// as a rule.
Value WinogradEmitter::getStreams() {
  if (!target.streamBytes || shape.outputs % e.width || residual ||
      holdsF16(y)) // vectors of f16 are no whole lines
    return {};
  Value bytes = e.mul(e.mul(size(kImages), size(kOutImage)), sizeof(float));
  Value result =
      e.both(e.less(e.index(target.streamBytes - 1), bytes), e.isAligned(y));
  for (ContractionSize distance : {kOutImage, kOutOffset, kOutRow, kOutColumn})
    result = e.both(result, e.isMultiple(size(distance), e.width));
  return result;
}

void WinogradEmitter::transformProducts(const Panel &panel) {
  e.loop(zero, count, 1, [&](Value t) {
    Value whole = e.both(
        e.less(e.index(shape.axes[0].outputs - 1), get(kResultRows, t)),
        e.less(e.index(shape.axes[1].outputs - 1), get(kResultColumns, t)));
    e.loop(zero, e.index(panel.width), e.width, [&](Value lane) {
      Value channel = e.add(panel.firstChannel, lane);
      Value from =
          e.add(e.add(e.mul(t, panel.width), lane), e.index(layout.products));
      e.ifThen(e.less(channel, e.index(shape.outputs)), [&] {
        Value mask = getMask(channel, shape.outputs, e.width);
        e.ifElse(
            whole,
            [&] {
              auto store = [&](bool stream) {
                storeInside(t, channel, from, mask, stream);
                return Values();
              };
              if (!streams)
                return store(false);
              return e.ifElse(
                  streams, [&] { return store(true); },
                  [&] { return store(false); });
            },
            [&] {
              storePartly(t, channel, from, mask);
              return Values();
            });
      });
    });
  });
}

/// Some rows of A^T m A.
Emitter::Values WinogradEmitter::transformProducts(Value from,
                                                   ArrayRef<int64_t> rows) {
  const LinearMap &down = outputMaps[0], &across = outputMaps[1];
  int64_t columns = shape.axes[1].size();
  SmallVector<Values> half(rows.size());
  for (int64_t j = 0; j < columns; ++j) {
    Values products(down.getNumColumns());
    for (int64_t i = 0; i < down.getNumColumns(); ++i)
      if (down.uses(rows, i))
        products[i] = e.loadVec(
            scratch, e.add(from, (i * columns + j) * layout.outPosition));
    for (auto [row, value] : llvm::zip(half, down.emit(e, rows, products)))
      row.push_back(value);
  }
  Values results;
  for (const Values &row : half)
    llvm::append_range(results, across.emit(e, row));
  return results;
}

/// Stores a result after what is fused.
void WinogradEmitter::storeResult(Value sum, Value at, Value biases, Value mask,
                                  bool stream) {
  if (biases)
    sum = e.addf(sum, biases);
  if (residual)
    sum = e.addf(sum, e.loadVec(residual, at, mask));
  if (epilogue.activation)
    sum = emitActivation(e, epilogue.activation, sum);
  if (stream)
    e.streamVec(sum, y, at);
  else
    e.storeVec(sum, y, at, mask);
}

void WinogradEmitter::storeInside(Value t, Value channel, Value from,
                                  Value mask, bool stream) {
  Value biases = bias ? e.loadVec(bias, channel) : Value();
  Value base = e.add(get(kResult, t), channel);
  for (ArrayRef<int64_t> rows : getResultRows()) {
    Values results = transformProducts(from, rows);
    int64_t columns = shape.axes[1].outputs;
    for (auto [index, sum] : llvm::enumerate(results)) {
      int64_t row = rows[index / columns], column = index % columns;
      storeResult(sum,
                  e.add(base, e.add(e.mul(size(kOutRow), row),
                                    e.mul(size(kOutColumn), column))),
                  biases, mask, stream);
    }
  }
}

/// Results of a tile that reaches beyond the image.
void WinogradEmitter::storePartly(Value t, Value channel, Value from,
                                  Value mask) {
  Value biases = bias ? e.loadVec(bias, channel) : Value();
  Value base = e.add(get(kResult, t), channel);
  int64_t columns = shape.axes[1].outputs;
  for (ArrayRef<int64_t> rows : getResultRows()) {
    Values results = transformProducts(from, rows);
    for (auto [index, sum] : llvm::enumerate(results)) {
      int64_t place = rows[index / columns] * columns + index % columns;
      e.storeVec(sum, scratch, e.index(layout.results + place * kChannelBlock));
    }
  }
  e.loop(zero, get(kResultRows, t), 1, [&](Value i) {
    e.loop(zero, get(kResultColumns, t), 1, [&](Value j) {
      Value place = e.mul(e.add(e.mul(i, columns), j), kChannelBlock);
      Value sum = e.loadVec(scratch, e.add(place, layout.results));
      storeResult(sum,
                  e.add(base, e.add(e.mul(size(kOutRow), i),
                                    e.mul(size(kOutColumn), j))),
                  biases, mask);
    });
  });
}
