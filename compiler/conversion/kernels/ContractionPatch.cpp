// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of bf16 by AMX. An item is a block of output positions and all
// its channels, or some: what its windows cover is rounded once, and tiles of
// weights are read for all rows of the block.
#include "compiler/conversion/kernels/ContractionEmitter.h"

using namespace mlir;
using namespace vae;

Value ContractionEmitter::getPatchPlace(Value row, Value step) {
  Patch patch = Patch::of(shape);
  Value run = e.div(step, shape.storedRunLength());
  Value frame = e.div(run, shape.window[0]);
  Value tap = e.sub(run, e.mul(frame, shape.window[0]));
  Value place =
      e.add(e.mul(frame, patch.height),
            e.add(e.mul(row, shape.stride[0]), e.mul(tap, shape.dilation[0])));
  return e.mul(place, patch.rowWords);
}

/// Rounds what the windows of `rows` rows of the item cover, of which the first
/// begins at `window`.
void ContractionEmitter::roundPatch(Value window, Value rows) {
  Patch patch = Patch::of(shape);
  int64_t taps = (shape.window[0] - 1) * shape.dilation[0] + 1;
  Value height = e.add(e.mul(e.sub(rows, e.index(1)), shape.stride[0]), taps);
  Value columns = e.sub(lastPosition, e.add(firstPosition, 1));
  Value length = e.add(e.mul(columns, patch.step), shape.runLength());
  Value inFrame = e.mul(size(kInImage), shape.frameDilation);
  e.loop(e.index(0), e.index(shape.frames), 1, [&](Value frame) {
    e.loop(e.index(0), height, 1, [&](Value row) {
      Value from =
          e.add(window, e.add(e.mul(frame, inFrame), e.mul(row, size(kInRow))));
      Value to = e.mul(e.add(e.mul(frame, patch.height), row), patch.rowWords);
      e.strip(length, [&](Value k, Value mask) {
        storeRounded(e.loadVec(x, e.add(from, k), mask), rounded,
                     e.add(to, e.div(k, 2)));
      });
    });
  });
}

/// Where the results of block `index` go: rows of a patch after each other, of
/// which it gives the number. Rounds the block's inputs.
Value ContractionEmitter::findPatch(const PatchTiles &tiles, Value index) {
  Place place;
  place.base = e.div(index, tiles.inImage);
  place.image = e.index(0);
  Value inImage = e.sub(index, e.mul(place.base, tiles.inImage));
  Value block = e.div(inImage, tiles.inRow);
  place.row = e.mul(block, tiles.rows);
  place.column =
      e.mul(e.sub(inImage, e.mul(block, tiles.inRow)), kAmxPositions);
  firstPosition = e.index(0);
  lastPosition =
      e.min(e.sub(size(kColumns), place.column), e.index(kAmxPositions));
  Value rows = e.min(e.sub(size(kRows), place.row), e.index(tiles.rows));
  Value result = getResult(place);
  e.loop(e.index(0), rows, 1, [&](Value row) {
    Value inRow = e.add(result, e.mul(row, size(kOutRow)));
    e.loop(e.index(0), lastPosition, 1, [&](Value column) {
      e.store(e.add(inRow, e.mul(column, size(kOutColumn))), results,
              e.add(e.mul(row, kAmxPositions), column));
    });
  });
  roundPatch(getWindow(place), rows);
  return rows;
}

void ContractionEmitter::emitPatches() {
  tile = chooseTile(target, shape);
  int64_t whole = shape.outputs / tileOutputs();
  int64_t rest = shape.outputs % tileOutputs();
  PatchTiles tiles(e, target, shape, args.sizes);
  e.configureTiles(amx.configuration);
  beginWaiting();
  e.loop(args.begin, args.end, 1, [&](Value item) {
    Value channelItem = e.div(item, tiles.count);
    Value index = e.sub(item, e.mul(channelItem, tiles.count));
    Value rows = findPatch(tiles, index);
    auto emit = [&](const Channels &channels) {
      finishOtherTiles(channels);
      e.loop(e.index(0), rows, 1, [&](Value row) {
        emitAmxTiles(e.mul(row, kAmxPositions), row, lastPosition, channels);
      });
    };
    Value first = e.mul(channelItem, tiles.perItem);
    Value last = e.min(e.add(first, tiles.perItem), e.index(tiles.channels));
    if (whole)
      e.loop(first, e.min(last, e.index(whole)), 1,
             [&](Value block) { emit(getWholeTile(e.index(0), block)); });
    if (rest)
      e.ifThen(e.less(e.index(whole), last),
               [&] { emit(getNarrowTile(e.index(0))); });
  });
  finishLastTile();
  e.releaseTiles();
}
