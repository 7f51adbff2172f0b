// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions, windows and tiles of contractions.
#include "compiler/conversion/kernels/ContractionEmitter.h"

using namespace mlir;
using namespace vae;

/// Taps t of positions first .. last whose input, position * stride + t *
/// dilation - padding, lies in the image: a range that contains all of them.
std::pair<Value, Value> ContractionEmitter::getTaps(int axis, Value first,
                                                    Value last) {
  Value padding = size(axis == 0 ? kPaddingRows : kPaddingColumns);
  Value extent = size(axis == 0 ? kInputRows : kInputColumns);
  auto bound = [&](Value distance) {
    Value tap = e.ceilDiv(e.max(distance, e.index(0)), shape.dilation[axis]);
    return e.min(tap, e.index(shape.window[axis]));
  };
  return {
      bound(e.sub(padding, e.mul(last, shape.stride[axis]))),
      bound(e.sub(e.add(padding, extent), e.mul(first, shape.stride[axis])))};
}

ContractionEmitter::Taps ContractionEmitter::decode(Value position,
                                                    int64_t count,
                                                    Values &inputs,
                                                    Values &outputs) {
  if (shape.flat) {
    for (int64_t r = 0; r < count; ++r) {
      Value p = e.add(position, r);
      inputs.push_back(e.add(e.mul(p, size(kInImage)), size(kInOffset)));
      outputs.push_back(e.add(e.mul(p, size(kOutImage)), size(kOutOffset)));
    }
    return {};
  }
  Value rows = size(kRows), columns = size(kColumns);
  Value pixel = e.div(position, images);
  Value image = e.sub(position, e.mul(pixel, images));
  Value base = e.div(pixel, pixels);
  pixel = e.sub(pixel, e.mul(base, pixels));
  base = e.add(firstImage, base);
  Value row = e.div(pixel, columns);
  Value column = e.sub(pixel, e.mul(row, columns));
  Value firstBase = base, firstRow = row, firstColumn = column;
  int64_t inColumn = shape.groups * shape.inputs * shape.stride[1];
  Value inRow = e.mul(size(kInRow), shape.stride[0]);
  Value one = e.index(1), zero = e.index(0);
  for (int64_t r = 0;; ++r) {
    Value absolute = e.add(base, image);
    Value in = e.add(e.mul(absolute, size(kInImage)), size(kInOffset));
    in = e.add(in, e.add(e.mul(row, inRow), e.mul(column, inColumn)));
    inputs.push_back(in);
    Value out = e.add(e.mul(absolute, size(kOutImage)), size(kOutOffset));
    out = e.add(
        out, e.add(e.mul(row, size(kOutRow)), e.mul(column, size(kOutColumn))));
    outputs.push_back(out);
    if (r + 1 == count)
      break;
    // The next image, possibly of the next pixel, which may be in the next row,
    // which may be of another image.
    Value next = e.add(image, one);
    Value samePixel = e.less(next, images);
    image = e.select(samePixel, next, zero);
    Value nextColumn = e.select(samePixel, column, e.add(column, one));
    Value sameRow = e.less(nextColumn, columns);
    column = e.select(sameRow, nextColumn, zero);
    Value nextRow = e.select(sameRow, row, e.add(row, one));
    Value sameBase = e.less(nextRow, rows);
    row = e.select(sameBase, nextRow, zero);
    base = e.select(sameBase, base, e.add(base, one));
  }
  Taps taps;
  if (!shape.padded)
    return taps;
  auto getRange = [&](int axis, Value same, Value first, Value last) {
    auto [begin, end] = getTaps(axis, first, last);
    return std::pair(e.select(same, begin, zero),
                     e.select(same, end, e.index(shape.window[axis])));
  };
  Value oneImage = e.less(base, e.add(firstBase, one));
  Value oneRow = e.less(row, e.add(firstRow, one));
  oneRow = e.select(oneImage, oneRow, oneImage);
  std::tie(taps.firstRow, taps.lastRow) = getRange(0, oneImage, firstRow, row);
  std::tie(taps.firstColumn, taps.lastColumn) =
      getRange(1, oneRow, firstColumn, column);
  return taps;
}

int64_t vae::chooseUnroll(int64_t length) {
  if (length <= 4)
    return length;
  for (int64_t unroll : {4, 3, 2, 5, 7})
    if (length % unroll == 0)
      return unroll;
  return 1;
}

Emitter::Values ContractionEmitter::multiply(const Values &inputs,
                                             Value weights, const Taps &taps,
                                             int64_t positions, int64_t vectors,
                                             const Values &accumulators) {
  if (shape.inputs == 0)
    return accumulators;
  // One loop runs over the taps of a row and their channels, if it can.
  bool merged = shape.hasContiguousRows();
  int64_t length = merged ? shape.window[1] * shape.inputs : shape.inputs;
  int64_t unroll = chooseUnroll(length);
  Value begin = e.index(0), end = e.index(length);
  // The loop begins and ends at whole taps, whose channels are whole steps.
  if (merged && taps.firstColumn && chooseUnroll(shape.inputs) == unroll) {
    begin = e.mul(taps.firstColumn, shape.inputs);
    end = e.mul(taps.lastColumn, shape.inputs);
  }
  int64_t blockSize = shape.taps() * shape.inputs * kChannelBlock;

  auto run = [&](Value inOffset, Value step, const Values &sums) {
    return e.loop(begin, end, unroll, sums, [&](Value k, ValueRange loopSums) {
      Values sums(loopSums.begin(), loopSums.end());
      for (int64_t u = 0; u < unroll; ++u) {
        Value at =
            e.add(weights, e.mul(e.add(e.add(step, k), u), kChannelBlock));
        Values w;
        for (int64_t v = 0; v < vectors; ++v) {
          int64_t channel = v * e.width;
          w.push_back(
              e.loadVec(weight, e.add(at, channel / kChannelBlock * blockSize +
                                              channel % kChannelBlock)));
        }
        for (int64_t r = 0; r < positions; ++r) {
          Value value = e.broadcast(
              e.load(x, e.add(e.add(inputs[r], inOffset), e.add(k, u))));
          for (int64_t v = 0; v < vectors; ++v)
            sums[r * vectors + v] = e.fma(value, w[v], sums[r * vectors + v]);
        }
      }
      return sums;
    });
  };
  return overTaps(taps, accumulators, run);
}

Emitter::Values ContractionEmitter::overTaps(const Taps &taps,
                                             const Values &accumulators,
                                             RunFn run) {
  Value zero = e.index(0);
  auto overColumns = [&](Value at, Value step, const Values &sums) {
    if (shape.hasContiguousRows())
      return run(at, step, sums);
    int64_t inColumn = shape.groups * shape.inputs * shape.dilation[1];
    Value first = taps.firstColumn ? taps.firstColumn : zero;
    Value last = taps.lastColumn ? taps.lastColumn : e.index(shape.window[1]);
    return e.loop(first, last, 1, sums, [&](Value kx, ValueRange sums) {
      return run(e.add(at, e.mul(kx, inColumn)),
                 e.add(step, e.mul(kx, shape.inputs)),
                 Values(sums.begin(), sums.end()));
    });
  };
  if (shape.window[0] == 1)
    return overColumns(zero, zero, accumulators);
  Value firstRow = taps.firstRow ? taps.firstRow : zero;
  Value lastRow = taps.lastRow ? taps.lastRow : e.index(shape.window[0]);
  Value inRow = e.mul(size(kInRow), shape.dilation[0]);
  return e.loop(firstRow, lastRow, 1, accumulators,
                [&](Value ky, ValueRange sums) {
                  return overColumns(e.mul(ky, inRow),
                                     e.mul(ky, shape.window[1] * shape.inputs),
                                     Values(sums.begin(), sums.end()));
                });
}

void ContractionEmitter::finish(Value accumulator, Value at, Value mask) {
  if (residual)
    accumulator = e.addf(accumulator, e.loadVec(residual, at, mask));
  if (epilogue.activation)
    accumulator = emitActivation(e, epilogue.activation, accumulator);
  e.storeVec(accumulator, y, at, mask);
}

/// One register tile. `block` counts tiles of channels within the group;
/// `firstOutput` >= 0 says that this is the last, narrower one.
void ContractionEmitter::emitTile(Value position, int64_t positions,
                                  Value group, Value block, int64_t firstOutput,
                                  int64_t vectors) {
  Values inputs, outputs;
  Taps taps = decode(position, positions, inputs, outputs);
  Value output = e.mul(block, tileOutputs());
  for (Value &input : inputs)
    input = e.add(input, e.mul(group, shape.inputs));
  for (Value &out : outputs)
    out = e.add(out, e.add(e.mul(group, shape.outputs), output));

  Value packed = e.add(e.mul(group, paddedOutputs(shape)), output);
  Values sums;
  for (int64_t r = 0; r < positions; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(bias && r > 0 ? sums[v]
                     : bias        ? e.loadVec(bias, e.add(packed, v * e.width))
                                   : e.splat(0));
  Value weights = e.mul(packed, shape.taps() * shape.inputs);
  sums = multiply(inputs, weights, taps, positions, vectors, sums);

  for (int64_t r = 0; r < positions; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value mask;
      if (firstOutput >= 0) {
        int64_t left = shape.outputs - (firstOutput + v * e.width);
        if (left < e.width)
          mask = e.mask(left);
      }
      finish(sums[r * vectors + v], e.add(outputs[r], v * e.width), mask);
    }
}

/// Positions first..last for one tile of channels: whole register tiles, then
/// halves for the rest.
void ContractionEmitter::emitRange(Value first, Value last, Value group,
                                   Value block,
                                   std::optional<int64_t> firstOutput,
                                   int64_t vectors) {
  SmallVector<int64_t> sizes = {tile.positions};
  for (int64_t size : {8, 4, 2, 1})
    if (size < tile.positions)
      sizes.push_back(size);
  for (int64_t size : sizes) {
    Value whole = e.mul(e.div(e.sub(last, first), size), size);
    Value end = e.add(first, whole);
    e.loop(first, end, size, [&](Value position) {
      if (shape.dotProducts())
        emitDotTile(position, size);
      else
        emitTile(position, size, group, block, firstOutput.value_or(-1),
                 vectors);
    });
    first = end;
  }
}

void ContractionEmitter::emit() {
  if (!hasRowTile(target, shape)) {
    tile = chooseTile(target, shape);
    return emitItems();
  }
  tile = chooseRowTile(target, shape);
  e.ifThen(e.less(size(kImages), e.index(2)), [&] { emitItems(); });
  tile = chooseTile(target, shape);
  e.ifThen(e.less(e.index(1), size(kImages)), [&] { emitItems(); });
}

std::pair<Value, Value> ContractionEmitter::locate(const PositionTiles &tiles,
                                                   Value index) {
  int64_t step = tile.positions;
  pixels = tiles.pixels;
  firstImage = e.index(0);
  images = e.index(1);
  Value first = e.mul(index, step), end = tiles.positions;
  if (tiles.grouped) {
    Value whole = e.less(index, tiles.inGroups);
    Value group = e.select(whole, e.div(index, pixels), tiles.groups);
    Value size = e.select(whole, e.index(step), tiles.rest);
    Value start = e.mul(group, step);
    firstImage = e.select(tiles.grouped, start, firstImage);
    images = e.select(tiles.grouped, size, images);
    first = e.sub(first, e.mul(firstImage, pixels));
    end = e.select(tiles.grouped, e.mul(size, pixels), end);
  }
  return {first, e.min(e.add(first, step), end)};
}

/// Item i is a tile of positions and a tile of channels.
void ContractionEmitter::emitItems() {
  int64_t whole = shape.outputs / tileOutputs();
  int64_t rest = shape.outputs % tileOutputs();
  int64_t restVectors = vectorsFor(target, rest);
  int64_t channelTiles = whole + (rest != 0);
  PositionTiles tiles(e, shape, tile.positions, args.sizes);

  e.loop(args.begin, args.end, 1, [&](Value item) {
    Value channelTile = e.div(item, tiles.count);
    Value index = e.sub(item, e.mul(channelTile, tiles.count));
    Value group = e.div(channelTile, channelTiles);
    Value block = e.sub(channelTile, e.mul(group, channelTiles));
    Value first, last;
    std::tie(first, last) = locate(tiles, index);
    Value isWhole = e.less(block, e.index(whole));
    if (whole)
      e.ifThen(isWhole, [&] {
        emitRange(first, last, group, block, std::nullopt, tile.vectors);
      });
    if (rest)
      e.ifThen(e.less(e.index(whole - 1), block), [&] {
        emitRange(first, last, group, e.index(whole), whole * tileOutputs(),
                  restVectors);
      });
  });
}

void ContractionEmitter::emitDepthwise() {
  int64_t channels = shape.groups;
  e.loop(args.begin, args.end, 1, [&](Value position) {
    Values inputs, outputs;
    pixels = e.mul(size(kRows), size(kColumns));
    firstImage = e.index(0);
    images = e.index(1);
    decode(position, 1, inputs, outputs);
    Value inRow = e.mul(size(kInRow), shape.dilation[0]);
    e.strip(e.index(channels), [&](Value c, Value mask) {
      Value start = bias ? e.loadVec(bias, c, mask) : e.splat(0);
      Value in = e.add(inputs[0], c);
      Values sum = e.loop(
          e.index(0), e.index(shape.window[0]), 1, {start},
          [&](Value ky, ValueRange outer) {
            return e.loop(
                e.index(0), e.index(shape.window[1]), 1, outer,
                [&](Value kx, ValueRange inner) {
                  Value at = e.add(in, e.mul(ky, inRow));
                  at = e.add(at, e.mul(kx, channels * shape.dilation[1]));
                  Value tap = e.add(e.mul(ky, shape.window[1]), kx);
                  Value w =
                      e.loadVec(weight, e.add(e.mul(tap, channels), c), mask);
                  return Values{e.fma(e.loadVec(x, at, mask), w, inner[0])};
                });
          });
      finish(sum[0], e.add(outputs[0], c), mask);
    });
  });
}
