// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense layers and convolutions: a register tile of R output positions times V
// vectors of output channels, over packed weights.
#include "compiler/conversion/kernels/Kernels.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

std::string Contraction::name() const {
  std::string name = llvm::formatv("{0}_i{1}_o{2}",
                                   depthwise() ? "depthwise"
                                   : flat      ? "dense"
                                               : "conv",
                                   inputs, outputs);
  if (groups > 1)
    name += llvm::formatv("_g{0}", groups);
  if (!flat)
    name += llvm::formatv("_k{0}x{1}_s{2}x{3}_d{4}x{5}", window[0], window[1],
                          stride[0], stride[1], dilation[0], dilation[1]);
  if (padded)
    name += "_p";
  return name;
}

namespace {

/// The register tile: vectors of channels times positions.
struct Tile {
  int64_t vectors, positions;
};

int64_t vectorsFor(const KernelTarget &target, int64_t outputs) {
  return llvm::divideCeil(outputs, target.vectorWidth);
}

/// As many accumulators as leave room for the weights of a step and a
/// broadcast input. Where there are several tiles of channels, their vectors
/// make whole channel blocks, so that weights packed once serve every vector
/// width.
Tile chooseTile(const KernelTarget &target, int64_t outputs) {
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / target.vectorWidth);
  int64_t most =
      target.vectorRegisters >= 32 ? 4 : std::max<int64_t>(2, perBlock);
  int64_t vectors = std::min(most, vectorsFor(target, outputs));
  int64_t positions = (target.vectorRegisters - vectors - 2) / vectors;
  return {vectors, std::clamp<int64_t>(positions, 1, vectors > 2 ? 6 : 12)};
}

/// A single position, as of a dense layer at batch 1, has each weight read
/// once. As many channels at a time as hide the latency of a multiply-add:
/// memory is what limits then.
Tile chooseRowTile(const KernelTarget &target, int64_t outputs) {
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / target.vectorWidth);
  int64_t blocks = llvm::divideCeil(outputs, kChannelBlock);
  return {std::min<int64_t>(std::max<int64_t>(8, perBlock), blocks * perBlock),
          1};
}

/// Whether a contraction has code for a single position.
bool hasRowTile(const KernelTarget &target, const Contraction &shape) {
  return shape.flat && shape.groups == 1 && shape.inputs > 0 &&
         chooseRowTile(target, shape.outputs).vectors >
             chooseTile(target, shape.outputs).vectors;
}

int64_t paddedOutputs(const Contraction &shape) {
  return llvm::divideCeil(shape.outputs, kChannelBlock) * kChannelBlock;
}

/// Images up to this size gain by PositionTiles' second order. Larger ones have
/// little border, and pixels of several images are far apart in memory.
constexpr int64_t kSmallImage = 512;

/// Positions are worked on image after image, row after row. Small images with
/// a border in another order: as many images at a time as a tile has positions;
/// of these pixel after pixel; of a pixel image after image. So a tile is one
/// pixel of several images as often as there are enough, and the taps that meet
/// the border are the same for all of it.
struct PositionTiles {
  Value pixels;    // of an image
  Value grouped;   // whether this is the second order; null: never
  Value groups;    // of images, whole ones
  Value rest;      // images of the last, smaller group
  Value inGroups;  // tiles of whole groups
  Value positions; // of all images
  Value count;

  PositionTiles(Emitter &e, const Contraction &shape, int64_t tile,
                ValueRange sizes) {
    Value images = sizes[kImages];
    pixels = e.mul(sizes[kRows], sizes[kColumns]);
    positions = e.mul(images, pixels);
    count = e.ceilDiv(positions, tile);
    if (!shape.padded)
      return;
    grouped = e.less(pixels, e.index(kSmallImage + 1));
    groups = e.div(images, tile);
    rest = e.sub(images, e.mul(groups, tile));
    inGroups = e.mul(groups, pixels);
    Value inRest = e.ceilDiv(e.mul(rest, pixels), tile);
    count = e.select(grouped, e.add(inGroups, inRest), count);
  }
};

/// Emits the body of one contraction kernel.
class ContractionEmitter {
public:
  ContractionEmitter(Emitter &e, const KernelTarget &target,
                     const Contraction &shape, const Epilogue &epilogue,
                     const KernelArgs &args)
      : e(e), target(target), shape(shape), epilogue(epilogue), args(args) {
    unsigned next = 0;
    x = args.buffers[next++];
    weight = args.buffers[next++];
    if (epilogue.bias)
      bias = args.buffers[next++];
    if (epilogue.residual)
      residual = args.buffers[next++];
    y = args.buffers[next++];
  }

  void emit();
  void emitDepthwise();

private:
  using Values = Emitter::Values;

  void emitItems();
  /// The positions of a tile, and the images they are of.
  std::pair<Value, Value> locate(const PositionTiles &tiles, Value index);

  /// The part of the window that meets the image, for any of a tile's
  /// positions.
  struct Taps {
    Value firstRow, lastRow, firstColumn, lastColumn; // null: all of them
  };

  Value size(ContractionSize which) { return args.sizes[which]; }
  int64_t tileOutputs() const { return tile.vectors * e.width; }
  /// Where the window of each position begins, and where its result goes.
  Taps decode(Value position, int64_t count, Values &inputs, Values &outputs);
  std::pair<Value, Value> getTaps(int axis, Value first, Value last);
  void emitTile(Value position, int64_t positions, Value group, Value block,
                int64_t firstOutput, int64_t vectors);
  Values multiply(const Values &inputs, Value weights, const Taps &taps,
                  int64_t positions, int64_t vectors,
                  const Values &accumulators);
  void emitRange(Value first, Value last, Value group, Value block,
                 std::optional<int64_t> firstOutput, int64_t vectors);
  void finish(Value accumulator, Value at, Value mask);

  Emitter &e;
  const KernelTarget &target;
  const Contraction &shape;
  const Epilogue &epilogue;
  const KernelArgs &args;
  Tile tile = {1, 1}; // of the items being emitted
  Value pixels;       // of an image
  /// Positions count pixels of `images` images together, from `firstImage`.
  Value firstImage, images;
  Value x, weight, bias, residual, y;
};

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

/// Steps of the innermost loop done at once.
static int64_t chooseUnroll(int64_t length) {
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
  Value zero = e.index(0);
  int64_t inColumn = shape.groups * shape.inputs * shape.dilation[1];
  // Taps of a row and their channels are contiguous unless something is
  // skipped; then one loop runs over both.
  bool merged = inColumn == shape.inputs || shape.window[1] == 1;
  int64_t length = merged ? shape.window[1] * shape.inputs : shape.inputs;
  int64_t unroll = chooseUnroll(length);
  Value begin = zero, end = e.index(length);
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
  auto overColumns = [&](Value inOffset, Value step, const Values &sums) {
    if (merged)
      return run(inOffset, step, sums);
    Value first = taps.firstColumn ? taps.firstColumn : zero;
    Value last = taps.lastColumn ? taps.lastColumn : e.index(shape.window[1]);
    return e.loop(first, last, 1, sums, [&](Value kx, ValueRange sums) {
      return run(e.add(inOffset, e.mul(kx, inColumn)),
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
        if (left <= 0)
          continue;
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
      emitTile(position, size, group, block, firstOutput.value_or(-1), vectors);
    });
    first = end;
  }
}

void ContractionEmitter::emit() {
  if (!hasRowTile(target, shape)) {
    tile = chooseTile(target, shape.outputs);
    return emitItems();
  }
  tile = chooseRowTile(target, shape.outputs);
  e.ifThen(e.less(size(kImages), e.index(2)), [&] { emitItems(); });
  tile = chooseTile(target, shape.outputs);
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

} // namespace

func::FuncOp vae::getContractionKernel(ModuleOp module, Location loc,
                                       const KernelTarget &target,
                                       const Contraction &shape,
                                       const Epilogue &epilogue) {
  unsigned buffers = 3 + epilogue.bias + epilogue.residual;
  return getOrCreateKernel(
      module, loc, shape.name() + epilogue.suffix(), target, buffers,
      kNumContractionSizes,
      [&](Emitter &e, ValueRange sizes) {
        if (shape.depthwise())
          return e.mul(sizes[kImages], e.mul(sizes[kRows], sizes[kColumns]));
        auto count = [&](Tile tile) {
          int64_t channelTiles = llvm::divideCeil(
              shape.outputs, tile.vectors * target.vectorWidth);
          return e.mul(PositionTiles(e, shape, tile.positions, sizes).count,
                       channelTiles * shape.groups);
        };
        Value items = count(chooseTile(target, shape.outputs));
        if (!hasRowTile(target, shape))
          return items;
        return e.select(e.less(sizes[kImages], e.index(2)),
                        count(chooseRowTile(target, shape.outputs)), items);
      },
      [&](Emitter &e, const KernelArgs &args) {
        ContractionEmitter emitter(e, target, shape, epilogue, args);
        if (shape.depthwise())
          emitter.emitDepthwise();
        else
          emitter.emit();
      });
}

int64_t vae::getContractionItemFlops(const KernelTarget &target,
                                     const Contraction &shape) {
  if (shape.depthwise())
    return 2 * shape.groups * shape.taps();
  Tile tile = chooseTile(target, shape.outputs);
  int64_t outputs = std::min(tile.vectors * target.vectorWidth, shape.outputs);
  int64_t summands = std::max<int64_t>(1, shape.taps() * shape.inputs);
  return 2 * tile.positions * outputs * summands;
}

std::vector<float> vae::packWeight(
    const Contraction &shape,
    function_ref<float(int64_t, int64_t, int64_t, int64_t, int64_t)> weight) {
  std::vector<float> packed;
  int64_t kh = shape.window[0], kw = shape.window[1];
  if (shape.depthwise()) {
    for (int64_t ky = 0; ky < kh; ++ky)
      for (int64_t kx = 0; kx < kw; ++kx)
        for (int64_t g = 0; g < shape.groups; ++g)
          packed.push_back(weight(g, 0, 0, ky, kx));
    return packed;
  }
  int64_t blocks = llvm::divideCeil(shape.outputs, kChannelBlock);
  packed.assign(shape.groups * blocks * shape.taps() * shape.inputs *
                    kChannelBlock,
                0.0f);
  size_t at = 0;
  for (int64_t g = 0; g < shape.groups; ++g)
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t ky = 0; ky < kh; ++ky)
        for (int64_t kx = 0; kx < kw; ++kx)
          for (int64_t i = 0; i < shape.inputs; ++i, at += kChannelBlock)
            for (int64_t lane = 0; lane < kChannelBlock; ++lane) {
              int64_t o = block * kChannelBlock + lane;
              if (o < shape.outputs)
                packed[at + lane] = weight(g, o, i, ky, kx);
            }
  return packed;
}

std::vector<float> vae::packBias(const Contraction &shape,
                                 ArrayRef<float> bias) {
  if (shape.depthwise())
    return bias.vec();
  std::vector<float> packed(shape.groups * paddedOutputs(shape), 0.0f);
  for (int64_t g = 0; g < shape.groups; ++g)
    for (int64_t o = 0; o < shape.outputs; ++o)
      packed[g * paddedOutputs(shape) + o] = bias[g * shape.outputs + o];
  return packed;
}
