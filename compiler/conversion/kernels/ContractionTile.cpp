// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions, windows and tiles of contractions.
#include "compiler/conversion/kernels/ContractionEmitter.h"

using namespace mlir;
using namespace vae;

/// Taps t of positions first .. last whose input, position * stride + t *
/// dilation - padding, lies in the image: a range that contains all of them.
std::pair<Value, Value> ContractionEmitter::getTaps(const Axis &axis,
                                                    Value first, Value last) {
  auto bound = [&](Value distance) {
    Value tap = e.ceilDiv(e.max(distance, e.index(0)), axis.dilation);
    return e.min(tap, e.index(axis.window));
  };
  return {bound(e.sub(axis.padding, e.mul(last, axis.stride))),
          bound(e.sub(e.add(axis.padding, axis.extent),
                      e.mul(first, axis.stride)))};
}

ContractionEmitter::Axis ContractionEmitter::getAxis(int axis) {
  return {size(axis == 0 ? kPaddingRows : kPaddingColumns),
          size(axis == 0 ? kInputRows : kInputColumns), shape.window[axis],
          shape.stride[axis], shape.dilation[axis]};
}

ContractionEmitter::Place ContractionEmitter::locate(Value position) {
  Place place;
  Value pixel = e.div(position, images);
  place.image = e.sub(position, e.mul(pixel, images));
  Value base = e.div(pixel, pixels);
  pixel = e.sub(pixel, e.mul(base, pixels));
  place.base = e.add(firstImage, base);
  Value columns = size(kColumns);
  place.row = e.div(pixel, columns);
  place.column = e.sub(pixel, e.mul(place.row, columns));
  return place;
}

/// The next image, possibly of the next pixel, which may be in the next row,
/// which may be of another image.
ContractionEmitter::Place ContractionEmitter::advance(const Place &place,
                                                      Value condition) {
  Value zero = e.index(0);
  auto step = [&](Value counter, Value limit, Value when) {
    Value next = e.select(when, e.add(counter, 1), counter);
    Value carry = e.less(e.sub(limit, e.index(1)), next);
    return std::pair(e.select(carry, zero, next), carry);
  };
  Place next;
  Value carry;
  std::tie(next.image, carry) = step(place.image, images, condition);
  std::tie(next.column, carry) = step(place.column, size(kColumns), carry);
  std::tie(next.row, carry) = step(place.row, size(kRows), carry);
  next.base = e.select(carry, e.add(place.base, 1), place.base);
  return next;
}

std::pair<Value, Value> ContractionEmitter::locateFrame(Value image) {
  Value clip = e.div(image, size(kFrames));
  return {clip, e.sub(image, e.mul(clip, size(kFrames)))};
}

Value ContractionEmitter::getWindow(const Place &place) {
  int64_t inColumn = shape.groups * shape.inputs * shape.stride[1];
  Value inRow = e.mul(size(kInRow), shape.stride[0]);
  Value image = e.add(place.base, place.image);
  if (shape.video) {
    auto [clip, frame] = locateFrame(image);
    image = e.add(e.mul(clip, size(kInClip)),
                  e.mul(e.mul(frame, shape.frameStride), size(kInImage)));
  } else {
    image = e.mul(image, size(kInImage));
  }
  return e.add(e.add(image, size(kInOffset)),
               e.add(e.mul(place.row, inRow), e.mul(place.column, inColumn)));
}

Value ContractionEmitter::getResult(const Place &place) {
  Value image = e.mul(e.add(place.base, place.image), size(kOutImage));
  return e.add(e.add(image, size(kOutOffset)),
               e.add(e.mul(place.row, size(kOutRow)),
                     e.mul(place.column, size(kOutColumn))));
}

ContractionEmitter::Taps
ContractionEmitter::findPositions(Value first, Value last, int64_t entries) {
  firstPosition = first;
  lastPosition = last;
  if (shape.flat)
    return {};
  Place start = locate(first);
  Value zero = e.index(0), one = e.index(1);
  Value lastEntry = e.sub(last, e.add(first, one));
  auto store = [&](Value at, Value window, Value result) {
    e.store(window, windows, at);
    e.store(result, results, at);
  };
  // Pixels of one row lie at equal distances, and so does one pixel of several
  // images.
  Value endColumn = e.add(start.column, lastEntry);
  Value oneImage = e.less(images, e.index(2));
  Value inRow = e.select(oneImage, e.less(endColumn, size(kColumns)), oneImage);
  Value inPixel = e.less(one, zero);
  if (!shape.video)
    inPixel = e.select(oneImage, inPixel,
                       e.less(e.add(start.image, lastEntry), images));
  auto atEqualDistances = [&] {
    Value outStep = e.select(inPixel, size(kOutImage), size(kOutColumn));
    Value window = getWindow(start), result = getResult(start);
    for (int64_t r = 0; r < entries; ++r) {
      Value at = e.min(e.index(r), lastEntry);
      store(e.index(r), e.add(window, e.mul(at, distance)),
            e.add(result, e.mul(at, outStep)));
    }
    return Values{start.base, start.row,
                  e.select(inPixel, start.column, endColumn)};
  };
  auto ofAny = [&] {
    Values end =
        e.loop(zero, e.index(entries), 1,
               {start.base, start.image, start.row, start.column},
               [&](Value r, ValueRange at) {
                 Place place = {at[0], at[1], at[2], at[3]};
                 store(r, getWindow(place), getResult(place));
                 Place next = advance(place, e.less(r, lastEntry));
                 return Values{next.base, next.image, next.row, next.column};
               });
    return Values{end[0], end[2], end[3]};
  };
  equalDistances = e.select(inRow, inRow, inPixel);
  int64_t inColumn = shape.groups * shape.inputs * shape.stride[1];
  distance = e.select(inPixel, size(kInImage), e.index(inColumn));
  Values end = e.ifElse(equalDistances, atEqualDistances, ofAny);
  return shape.padded ? findTaps(start, end[0], end[1], end[2]) : Taps();
}

/// The taps of positions from `start` to a pixel of the images from `base`.
ContractionEmitter::Taps ContractionEmitter::findTaps(const Place &start,
                                                      Value base, Value row,
                                                      Value column) {
  Value zero = e.index(0), one = e.index(1);
  Taps taps;
  auto getRange = [&](int axis, Value same, Value first, Value last) {
    auto [begin, end] = getTaps(getAxis(axis), first, last);
    return std::pair(e.select(same, begin, zero),
                     e.select(same, end, e.index(shape.window[axis])));
  };
  Value oneImage = e.less(base, e.add(start.base, one));
  Value oneRow = e.less(row, e.add(start.row, one));
  oneRow = e.both(oneImage, oneRow);
  std::tie(taps.firstRow, taps.lastRow) = getRange(0, oneImage, start.row, row);
  std::tie(taps.firstColumn, taps.lastColumn) =
      getRange(1, oneRow, start.column, column);
  if (shape.video)
    findFrameTaps(start.base, e.add(base, e.sub(images, one)), taps);
  return taps;
}

/// The frames of the window that any of these images meets.
void ContractionEmitter::findFrameTaps(Value first, Value last, Taps &taps) {
  auto [firstClip, firstFrame] = locateFrame(first);
  auto [lastClip, lastFrame] = locateFrame(last);
  // Images of several clips may be of any frame.
  Value oneClip = e.less(lastClip, e.add(firstClip, 1));
  firstFrame = e.select(oneClip, firstFrame, e.index(0));
  lastFrame = e.select(oneClip, lastFrame, e.sub(size(kFrames), e.index(1)));
  std::tie(taps.firstFrame, taps.lastFrame) =
      getTaps({size(kPaddingFrames), size(kInputFrames), shape.frames,
               shape.frameStride, shape.frameDilation},
              firstFrame, lastFrame);
}

void ContractionEmitter::getPositions(Value at, int64_t count, bool whole,
                                      Values &inputs, Values &outputs) {
  for (int64_t r = 0; r < count; ++r) {
    if (!shape.flat) {
      inputs.push_back(e.load(windows, e.add(at, r)));
      outputs.push_back(e.load(results, e.add(at, r)));
      continue;
    }
    Value p = e.add(e.add(firstPosition, at), r);
    if (!whole)
      p = e.min(p, e.sub(lastPosition, e.index(1)));
    inputs.push_back(e.add(e.mul(p, size(kInImage)), size(kInOffset)));
    outputs.push_back(e.add(e.mul(p, size(kOutImage)), size(kOutOffset)));
  }
}

/// Elements of packed weights from one block of channels to the next.
static int64_t getBlockSize(const Contraction &shape) {
  return (shape.storedHead() + shape.storedSummands()) * kChannelBlock;
}

/// Of one output, side by side with those of the next.
static int64_t getSummandsTogether(const Contraction &shape) {
  switch (shape.precision) {
  case Precision::BF16:
    return 2;
  case Precision::INT8:
    return kInt8Fours;
  default:
    return 1;
  }
}

ContractionEmitter::Weights
ContractionEmitter::placeWeights(Value group, Value output, int64_t vectors) {
  Weights result;
  if (isSparse()) {
    result.base =
        e.div(e.add(e.mul(group, paddedOutputs(shape)), output), kChannelBlock);
    return result;
  }
  int64_t summands = shape.storedHead() + shape.storedSummands();
  Value firstOfGroup = e.mul(group, paddedOutputs(shape));
  if (tileOutputs() % kChannelBlock == 0 || shape.outputs <= tileOutputs()) {
    result.base = e.mul(e.add(firstOfGroup, output), summands);
    return result;
  }
  // Tiles begin within blocks.
  result.base = e.mul(firstOfGroup, summands);
  for (int64_t v = 0; v < vectors; ++v) {
    Value channel = e.add(output, v * e.width);
    Value block = e.div(channel, kChannelBlock);
    result.lanes.push_back(e.sub(channel, e.mul(block, kChannelBlock)));
    result.offsets.push_back(
        e.add(e.mul(block, getBlockSize(shape)),
              e.mul(result.lanes.back(), getSummandsTogether(shape))));
  }
  return result;
}

Value ContractionEmitter::placeVector(const Weights &weights, Value at,
                                      int64_t v) {
  if (!weights.offsets.empty())
    return e.add(at, weights.offsets[v]);
  int64_t channel = v * e.width;
  return e.add(at, channel / kChannelBlock * getBlockSize(shape) +
                       channel % kChannelBlock * getSummandsTogether(shape));
}

Emitter::Values ContractionEmitter::multiply(const Values &inputs,
                                             const Weights &weights,
                                             const Taps &taps,
                                             int64_t positions, int64_t vectors,
                                             const Values &accumulators) {
  if (shape.inputs == 0)
    return accumulators;
  if (shape.precision == Precision::INT8)
    return multiplyInt8(inputs, weights, taps, positions, vectors,
                        accumulators);
  if (shape.precision == Precision::BF16)
    return multiplyBf16(inputs, weights, taps, vectors, accumulators);
  if (shape.weights.bits == 4)
    return multiplyGroups(inputs, weights, taps, vectors, accumulators);
  if (isSparse())
    return shape.weights.sparsity == Sparsity::Rows
               ? multiplyRows(inputs, weights, taps, vectors, accumulators)
               : multiplyBitmap(inputs, weights, vectors, accumulators);
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
  auto addPiece = [&](const Piece &piece, Value step, const Values &sums) {
    bool whole = piece.count == length;
    int64_t steps = whole ? unroll : chooseUnroll(piece.count);
    return e.loop(
        whole ? begin : e.index(0), whole ? end : e.index(piece.count), steps,
        sums, [&](Value k, ValueRange loopSums) {
          Values sums(loopSums.begin(), loopSums.end());
          for (int64_t u = 0; u < steps; ++u) {
            Value at = e.add(weights.base,
                             e.mul(e.add(e.add(step, k), u), kChannelBlock));
            Values w;
            for (int64_t v = 0; v < vectors; ++v)
              w.push_back(loadWeight(placeVector(weights, at, v)));
            for (int64_t r = 0; r < positions; ++r) {
              Value value = e.broadcast(
                  e.load(piece.data, e.add(piece.places[r], e.add(k, u))));
              for (int64_t v = 0; v < vectors; ++v)
                sums[r * vectors + v] =
                    e.fma(value, w[v], sums[r * vectors + v]);
            }
          }
          return sums;
        });
  };
  auto run = [&](Value inOffset, Value step, const Values &sums) {
    Values places;
    for (Value input : inputs)
      places.push_back(e.add(input, inOffset));
    return overPieces(places, length, sums,
                      [&](const Piece &piece, const Values &sums) {
                        return addPiece(piece, e.add(step, piece.first), sums);
                      });
  };
  return overTaps(taps, accumulators, run);
}

Emitter::Values ContractionEmitter::overTaps(const Taps &taps,
                                             const Values &accumulators,
                                             RunFn run) {
  Value zero = e.index(0);
  if (shape.frames == 1)
    return overFrameTaps(taps, zero, zero, accumulators, run);
  Value first = taps.firstFrame ? taps.firstFrame : zero;
  Value last = taps.lastFrame ? taps.lastFrame : e.index(shape.frames);
  Value inFrame = e.mul(size(kInImage), shape.frameDilation);
  int64_t summands = shape.storedSummands() / shape.frames;
  return e.loop(first, last, 1, accumulators, [&](Value f, ValueRange sums) {
    return overFrameTaps(taps, e.mul(f, inFrame), e.mul(f, summands),
                         Values(sums.begin(), sums.end()), run);
  });
}

Emitter::Values ContractionEmitter::overFrameTaps(const Taps &taps, Value start,
                                                  Value firstStep,
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
                 e.add(step, e.mul(kx, shape.storedRunLength())),
                 Values(sums.begin(), sums.end()));
    });
  };
  if (shape.window[0] == 1)
    return overColumns(start, firstStep, accumulators);
  Value firstRow = taps.firstRow ? taps.firstRow : zero;
  Value lastRow = taps.lastRow ? taps.lastRow : e.index(shape.window[0]);
  Value inRow = e.mul(size(kInRow), shape.dilation[0]);
  return e.loop(firstRow, lastRow, 1, accumulators,
                [&](Value ky, ValueRange sums) {
                  int64_t inRowOfTaps =
                      shape.storedSummands() / (shape.frames * shape.window[0]);
                  return overColumns(e.add(start, e.mul(ky, inRow)),
                                     e.add(firstStep, e.mul(ky, inRowOfTaps)),
                                     Values(sums.begin(), sums.end()));
                });
}

/// A product of the border is 0 or -0 and changes at most the sign of a sum
/// that is zero: to -0, add 0.
Value ContractionEmitter::settleSign(Value sum) {
  return shape.signedZeros ? e.addf(sum, e.splat(0)) : sum;
}

/// Stores sums, after what is fused. Positions may repeat in a tile: all reads
/// of a residual, whose place may be the result's, come before all writes.
void ContractionEmitter::finish(Values sums, const Values &places,
                                const Values &masks, const Requantization &by) {
  for (Value &sum : sums)
    sum = settleSign(sum);
  if (residual)
    for (auto [sum, at, mask] : llvm::zip(sums, places, masks))
      sum = e.addf(sum, getResidual(by, e.loadVec(residual, at, mask)));
  for (auto [sum, at, mask] : llvm::zip(sums, places, masks)) {
    if (epilogue.activation)
      sum = emitActivation(e, epilogue.activation, sum);
    e.storeVec(getStored(by, sum), y, at, mask);
  }
}

/// One register tile, whose positions begin `at` after the item's first.
void ContractionEmitter::emitTile(Value at, int64_t positions, bool whole,
                                  const Taps &taps, const Channels &channels) {
  Values inputs, outputs;
  getPositions(at, positions, whole, inputs, outputs);
  if (sharesRounded(target, shape))
    roundedRows = getRoundedRows(at, positions, whole);
  Value output = e.mul(channels.block, tileOutputs());
  for (Value &input : inputs)
    input = e.add(input, e.mul(channels.group, shape.inputs));
  for (Value &out : outputs)
    out = e.add(out, e.add(e.mul(channels.group, shape.outputs), output));

  int64_t vectors = channels.vectors;
  Value packed = e.add(e.mul(channels.group, paddedOutputs(shape)), output);
  Weights weights = placeWeights(channels.group, output, vectors);
  bool integers = shape.precision == Precision::INT8;
  bool scaled = shape.weights.bits == 8;
  auto start = [&](int64_t v) {
    if (integers)
      return startInt8(weights, v);
    return bias ? e.loadVec(bias, e.add(packed, v * e.width)) : e.splat(0);
  };
  Values sums;
  for (int64_t r = 0; r < positions; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(r > 0 ? sums[v] : scaled ? e.splat(0) : start(v));
  sums = multiply(inputs, weights, taps, positions, vectors, sums);
  if (scaled)
    for (int64_t v = 0; v < vectors; ++v)
      scaleSums(sums, v, vectors, loadWeightScales(weights, weights.base, v),
                start(v));
  if (integers)
    sums = scaleInt8(sums, packed, vectors);

  Values places, masks;
  for (int64_t r = 0; r < positions; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      int64_t left = channels.left - v * e.width;
      masks.push_back(left < e.width ? e.mask(left) : Value());
      places.push_back(e.add(outputs[r], v * e.width));
    }
  finish(sums, places, masks, loadRequantization());
}

/// The positions of an item for one tile of channels: a whole register tile,
/// or smaller ones, the last of which repeats positions.
void ContractionEmitter::emitPositions(const Taps &taps,
                                       const Channels &channels) {
  if (multipliesTiles())
    return emitAmxPositions(channels);
  auto emit = [&](Value at, int64_t positions, bool whole) {
    if (shape.dotProducts())
      emitDotTile(at, positions, whole, taps);
    else
      emitTile(at, positions, whole, taps, channels);
  };
  Value zero = e.index(0);
  int64_t rest = getRestPositions(channels.vectors);
  if (rest == tile.positions)
    return emit(zero, rest, /*whole=*/rest == 1);
  Value count = e.sub(lastPosition, firstPosition);
  Value whole = e.less(e.index(tile.positions - 1), count);
  e.ifThen(whole, [&] { emit(zero, tile.positions, /*whole=*/true); });
  // No step of the loop if the tile is whole.
  e.loop(e.select(whole, count, zero), count, rest,
         [&](Value at) { emit(at, rest, /*whole=*/false); });
}

int64_t ContractionEmitter::roundToRest(int64_t vectors) const {
  return llvm::alignTo(tile.positions, getRestPositions(vectors));
}

int64_t ContractionEmitter::getRestPositions(int64_t vectors) const {
  if (multipliesTiles())
    return tile.positions;
  int64_t sums = shape.dotProducts() ? shape.outputs : vectors;
  return std::min<int64_t>(tile.positions,
                           llvm::divideCeil(kSumsInFlight, sums));
}

void ContractionEmitter::emit() {
  if (!shape.flat) {
    // The positions of an item, rounded up to whole tiles for the rest.
    int64_t entries = chooseTile(target, shape).positions + kSumsInFlight;
    if (usesPatches(target, shape))
      entries = Patch::of(shape).rows * kAmxPositions;
    windows = e.stack(entries);
    results = e.stack(entries);
  }
  allocateRounded();
  allocateWide();
  allocateTotals();
  allocateAmx();
  if (usesPatches(target, shape))
    return emitPatches();
  if (!hasRowTile(target, shape)) {
    tile = chooseTile(target, shape);
    return emitItems();
  }
  tile = chooseRowTile(target, shape);
  Value most = e.index(tile.positions);
  e.ifThen(e.less(size(kImages), e.add(most, 1)), [&] { emitItems(); });
  tile = chooseTile(target, shape);
  Value several = e.less(most, size(kImages));
  if (!expanded)
    return e.ifThen(several, [&] { emitItems(); });
  Value many = e.less(e.index(tile.positions), size(kImages));
  Value few = e.less(size(kImages), e.index(tile.positions + 1));
  e.ifThen(e.both(several, few), [&] { emitItems(); });
  readsExpanded = true;
  weight = expanded;
  e.ifThen(many, [&] { emitItems(); });
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

/// The code of an item: a tile of the positions that were found, and one of
/// channels.
void ContractionEmitter::emitItem(const Taps &taps, Value group, Value block) {
  int64_t whole = shape.outputs / tileOutputs();
  int64_t rest = shape.outputs % tileOutputs();
  Channels channels = getWholeTile(group, block);
  Channels narrow = getNarrowTile(group);
  if (!whole || !rest)
    return emitPositions(taps, whole ? channels : narrow);
  auto emit = [&](const Channels &channels) {
    return [&] {
      emitPositions(taps, channels);
      return Values();
    };
  };
  e.ifElse(e.less(block, e.index(whole)), emit(channels), emit(narrow));
}

/// Item i is a tile of positions and a tile of channels.
void ContractionEmitter::emitItems() {
  int64_t whole = shape.outputs / tileOutputs();
  int64_t rest = shape.outputs % tileOutputs();
  int64_t channelTiles = llvm::divideCeil(shape.outputs, tileOutputs());
  PositionTiles tiles(e, target, shape, tile.positions, args.sizes);
  bool byAmx = multipliesTiles();
  if (byAmx) {
    e.configureTiles(amx.configuration);
    beginWaiting();
  }
  // Whole tiles, and those of an item with less.
  int64_t entries = std::max(whole ? roundToRest(tile.vectors) : 0,
                             rest ? roundToRest(vectorsFor(target, rest)) : 0);
  auto find = [&](Value index) {
    auto [first, last] = locate(tiles, index);
    Taps taps = findPositions(first, last, entries);
    if (sharesRounded(target, shape))
      roundItem();
    return taps;
  };
  if (int64_t most = chooseChannelTiles(target, shape, tile); most > 1) {
    // A run is of an item.
    e.ifThen(e.less(args.begin, args.end), [&] {
      Runs runs(*this, tiles, channelTiles, most);
      Value last = runs.find(e.sub(args.end, e.index(1)));
      e.loop(runs.find(args.begin), e.add(last, 1), 1, [&](Value index) {
        Runs::Run run = runs.locate(index);
        Taps taps = find(run.positions);
        e.loop(e.max(args.begin, run.first),
               e.min(args.end, e.add(run.first, run.length)), 1,
               [&](Value item) {
                 emitItem(taps, e.index(0),
                          e.add(run.channels, e.sub(item, run.first)));
               });
      });
    });
  } else {
    Runs items(*this, tiles, channelTiles * shape.groups, 1);
    e.loop(args.begin, args.end, 1, [&](Value index) {
      Runs::Run item = items.locate(index);
      Taps taps = find(item.positions);
      Value group = e.div(item.channels, channelTiles);
      emitItem(taps, group, e.sub(item.channels, e.mul(group, channelTiles)));
    });
  }
  if (byAmx) {
    finishLastTile();
    e.releaseTiles();
  }
}

/// The channels of one position from c: `vectors` of them, so that sums do not
/// wait for each other; the last one under a mask.
void ContractionEmitter::emitDepthwisePixel(Value window, Value result, Value c,
                                            int64_t vectors, Value mask) {
  int64_t channels = shape.groups;
  auto maskOf = [&](int64_t v) { return v + 1 == vectors ? mask : Value(); };
  Values sums, places, masks;
  for (int64_t v = 0; v < vectors; ++v) {
    Value at = e.add(c, v * e.width);
    sums.push_back(startDepthwise(at, maskOf(v)));
    places.push_back(e.add(result, at));
    masks.push_back(maskOf(v));
  }
  auto addTap = [&](Value in, Value w, Values sums) {
    for (int64_t v = 0; v < vectors; ++v) {
      Value a = e.loadVec(x, e.add(in, v * e.width), maskOf(v));
      Value b = e.loadVec(weight, e.add(w, v * e.width), maskOf(v));
      sums[v] = e.fma(a, b, sums[v]);
    }
    return sums;
  };
  Value in = e.add(window, c);
  Value inRow = e.mul(size(kInRow), shape.dilation[0]);
  int64_t inColumn = channels * shape.dilation[1];
  int64_t columns = shape.window[1], unroll = chooseUnroll(columns);
  sums = e.loop(e.index(0), e.index(shape.window[0]), 1, sums,
                [&](Value ky, ValueRange outer) {
                  Value row = e.add(in, e.mul(ky, inRow));
                  Value taps = e.add(e.add(c, shape.storedHead() * channels),
                                     e.mul(ky, columns * channels));
                  return e.loop(e.index(0), e.index(columns), unroll, outer,
                                [&](Value kx, ValueRange inner) {
                                  Values sums(inner.begin(), inner.end());
                                  for (int64_t u = 0; u < unroll; ++u) {
                                    Value tap = e.add(kx, u);
                                    sums = addTap(
                                        e.add(row, e.mul(tap, inColumn)),
                                        e.add(taps, e.mul(tap, channels)),
                                        std::move(sums));
                                  }
                                  return sums;
                                });
                });
  if (shape.precision == Precision::INT8)
    for (auto [v, sum] : llvm::enumerate(sums)) {
      Value at = e.add(c, static_cast<int64_t>(v) * e.width);
      sum = e.fma(sum, e.loadVec(bias, at, masks[v]),
                  e.loadVec(bias, e.add(at, channels), masks[v]));
    }
  finish(std::move(sums), places, masks, loadRequantization());
}

/// Integers are f32, too, whose 24 bits hold the sums (WeightSums::fit).
Value ContractionEmitter::startDepthwise(Value at, Value mask) {
  if (shape.precision == Precision::INT8) {
    Value zeroPoint = e.broadcast(getParameter(kInputZeroPoint));
    return e.mulf(e.negf(zeroPoint), e.loadVec(weight, at, mask));
  }
  return bias ? e.loadVec(bias, at, mask) : e.splat(0);
}

void ContractionEmitter::emitDepthwise() {
  int64_t channels = shape.groups;
  int64_t block = kSumsInFlight * e.width;
  int64_t whole = channels / block * block;
  int64_t rest = channels - whole, restVectors = vectorsFor(target, rest);
  Value mask = rest % e.width ? e.mask(rest % e.width) : Value();
  e.loop(args.begin, args.end, 1, [&](Value position) {
    pixels = e.mul(size(kRows), size(kColumns));
    firstImage = e.index(0);
    images = e.index(1);
    Place place = locate(position);
    Value window = getWindow(place), result = getResult(place);
    if (whole)
      e.loop(e.index(0), e.index(whole), block, [&](Value c) {
        emitDepthwisePixel(window, result, c, kSumsInFlight, {});
      });
    if (rest)
      emitDepthwisePixel(window, result, e.index(whole), restVectors, mask);
  });
}
