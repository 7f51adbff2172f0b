// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a contraction's items: tiles of positions and of channels.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Position tiles that come together, all channels of them before others: of a
/// dense layer, or a convolution of single pixels, a band. So a thread has
/// about the same rows in each layer, which are still in its cache, and a large
/// image comes from memory once.
Value ContractionEmitter::getBandTiles(const PositionTiles &tiles) {
  return shape.taps() > 1 ? tiles.count : e.index(kBandTiles);
}

ContractionEmitter::Runs::Runs(ContractionEmitter &emitter,
                               const PositionTiles &tiles, int64_t channels,
                               int64_t most)
    : e(emitter.e), positions(tiles.count), band(emitter.getBandTiles(tiles)),
      channels(channels), most(most) {}

/// Of a band, the positions; `first`: its first one.
Value ContractionEmitter::Runs::getBandSize(Value first) {
  return e.min(band, e.sub(positions, first));
}

Value ContractionEmitter::Runs::find(Value item) {
  Value itemsOfBand = e.mul(band, channels);
  Value number = e.div(item, itemsOfBand);
  Value first = e.mul(number, band);
  Value size = getBandSize(first);
  Value inBand = e.sub(item, e.mul(number, itemsOfBand));
  Value itemsOfPart = e.mul(size, most);
  Value part = e.div(inBand, itemsOfPart);
  Value inPart = e.sub(inBand, e.mul(part, itemsOfPart));
  Value runs = e.add(e.mul(part, size), e.div(inPart, getLength(part)));
  return e.add(e.mul(first, llvm::divideCeil(channels, most)), runs);
}

/// Tiles of channels of a part of them.
Value ContractionEmitter::Runs::getLength(Value part) {
  return e.min(e.index(most), e.sub(e.index(channels), e.mul(part, most)));
}

ContractionEmitter::Runs::Run ContractionEmitter::Runs::locate(Value run) {
  int64_t parts = llvm::divideCeil(channels, most);
  Value first = e.mul(e.div(run, e.mul(band, parts)), band);
  Value size = getBandSize(first);
  Value inBand = e.sub(run, e.mul(first, parts));
  Value part = e.div(inBand, size);
  Value inPart = e.sub(inBand, e.mul(part, size));
  Value length = getLength(part);
  Value item = e.add(e.mul(first, channels), e.mul(e.mul(size, most), part));
  return {e.add(first, inPart), e.mul(part, most),
          e.add(item, e.mul(inPart, length)), length};
}
