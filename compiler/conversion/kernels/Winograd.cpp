// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/WinogradEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Winograd Winograd::of(const Contraction &shape, int64_t tileOutputs) {
  Winograd result;
  result.inputs = shape.inputs;
  result.outputs = shape.outputs;
  for (int axis : {0, 1})
    result.axes[axis] = {tileOutputs, shape.window[axis]};
  return result;
}

bool Winograd::canCompute(const Contraction &shape, int64_t tileOutputs) {
  if (shape.groups != 1 || shape.video || shape.flat || shape.inputs == 0 ||
      shape.dotProducts())
    return false;
  for (int axis : {0, 1}) {
    WinogradAxis form = {tileOutputs, shape.window[axis]};
    if (shape.stride[axis] != 1 || shape.dilation[axis] != 1 ||
        shape.window[axis] < 2 || !hasWinogradPoints(form))
      return false;
  }
  return true;
}

std::optional<Winograd> Winograd::ofPointwise(const Contraction &shape) {
  if (shape.groups != 1 || shape.video || shape.inputs == 0 ||
      shape.dotProducts() || shape.taps() != 1 || shape.stride[0] != 1 ||
      shape.stride[1] != 1)
    return std::nullopt;
  return Winograd::of(shape, 1);
}

int64_t Winograd::inputBlocks() const {
  return llvm::divideCeil(inputs, kChannelBlock);
}

int64_t Winograd::inputPairs() const {
  return llvm::divideCeil(inputBlocks(), 2);
}

int64_t Winograd::chunks() const {
  return llvm::divideCeil(inputPairs(), kChunkPairs);
}

std::string Winograd::name() const {
  return llvm::formatv("winograd{0}x{1}_i{2}_o{3}_k{4}x{5}{6}", axes[0].outputs,
                       axes[1].outputs, inputs, outputs, axes[0].taps,
                       axes[1].taps, blockFloat ? "_bfp16" : "");
}

int64_t vae::getWinogradChunkStride(const Winograd &shape, int64_t panelWidth) {
  return (1 + kChunkPairs * kChannelBlock) * panelWidth;
}

int64_t vae::getWinogradWeightStride(const Winograd &shape,
                                     int64_t panelWidth) {
  if (shape.blockFloat)
    return shape.chunks() * getWinogradChunkStride(shape, panelWidth) +
           kChannelBlock;
  return shape.inputBlocks() * kChannelBlock * panelWidth + kChannelBlock;
}

int64_t vae::getWinogradWeightSize(const KernelTarget &target,
                                   const Winograd &shape) {
  WinogradPanels panels = WinogradPanels::of(target, shape.outputs);
  int64_t perPosition =
      panels.wide * getWinogradWeightStride(shape, panels.width);
  if (panels.narrow)
    perPosition += getWinogradWeightStride(shape, kChannelBlock);
  return shape.positions() * perPosition;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

WinogradWeights::WinogradWeights(Emitter &e, const KernelTarget &target,
                                 const Winograd &shape, const WeightForm &form,
                                 const KernelArgs &args)
    : e(e), shape(shape),
      stored(form, shape.axes[0].taps * shape.axes[1].taps, shape.inputs),
      weight(args.buffers[0]), result(args.buffers[1]),
      panels(WinogradPanels::of(target, shape.outputs)),
      columns(getWinogradMatrices(shape.axes[0]).weight),
      rows(getWinogradMatrices(shape.axes[1]).weight) {}

WinogradWeights::Place WinogradWeights::getPlace(Value block) {
  int64_t perPanel = panels.width / kChannelBlock;
  auto choose = [&](llvm::function_ref<int64_t(int64_t)> ofWidth) {
    Value wide = e.index(ofWidth(panels.width));
    if (!panels.narrow)
      return wide;
    return e.select(e.less(block, e.index(panels.wide * perPanel)), wide,
                    e.index(ofWidth(kChannelBlock)));
  };
  // Only wide panels are before a block's own.
  int64_t panelStride =
      shape.positions() * getWinogradWeightStride(shape, panels.width);
  Place place;
  place.start = e.add(e.mul(e.div(block, perPanel), panelStride),
                      e.mul(e.rem(block, perPanel), kChannelBlock));
  place.width = choose([](int64_t width) { return width; });
  place.stride = choose(
      [&](int64_t width) { return getWinogradWeightStride(shape, width); });
  place.chunkStride = choose(
      [&](int64_t width) { return getWinogradChunkStride(shape, width); });
  return place;
}

Value WinogradWeights::isGiven(Value block, Value input) {
  int64_t stored = llvm::divideCeil(shape.outputs, kChannelBlock);
  return e.both(e.less(input, e.index(shape.inputs)),
                e.less(block, e.index(stored)));
}

Value WinogradWeights::getSource(Value block, Value input) {
  int64_t taps = shape.axes[0].taps * shape.axes[1].taps;
  return e.add(e.mul(block, taps * shape.inputs * kChannelBlock),
               e.mul(input, kChannelBlock));
}

void WinogradWeights::transform(Value from, Value buffer, Value to,
                                Value stride) {
  int64_t kh = shape.axes[0].taps, kw = shape.axes[1].taps;
  Emitter::Values taps;
  for (int64_t t = 0; t < kh * kw; ++t)
    taps.push_back(
        stored.form.bits
            ? loadScaledWeights(e, stored, weight, from, t)
            : e.loadVec(weight, e.add(from, t * shape.inputs * kChannelBlock)));
  SmallVector<Emitter::Values> half;
  for (int64_t j = 0; j < kw; ++j) {
    Emitter::Values column;
    for (int64_t i = 0; i < kh; ++i)
      column.push_back(taps[i * kw + j]);
    half.push_back(columns.emit(e, column));
  }
  for (int64_t i = 0; i < shape.axes[0].size(); ++i) {
    Emitter::Values row;
    for (int64_t j = 0; j < kw; ++j)
      row.push_back(half[j][i]);
    for (auto [j, value] : llvm::enumerate(rows.emit(e, row)))
      e.storeVec(value, buffer,
                 e.add(to, e.mul(stride, i * shape.axes[1].size() + j)));
  }
}

void WinogradWeights::transformOrClear(Value given, Value from, Value buffer,
                                       Value to, Value stride) {
  e.ifElse(
      given,
      [&] {
        transform(from, buffer, to, stride);
        return Emitter::Values();
      },
      [&] {
        for (int64_t q = 0; q < shape.positions(); ++q)
          e.storeVec(e.splat(0), buffer, e.add(to, e.mul(stride, q)));
        return Emitter::Values();
      });
}

void WinogradWeights::emitItem(Value item) {
  Value block = e.div(item, shape.inputBlocks());
  Value first =
      e.mul(e.sub(item, e.mul(block, shape.inputBlocks())), kChannelBlock);
  Place place = getPlace(block);
  e.loop(e.index(0), e.index(kChannelBlock), 1, [&](Value i) {
    Value input = e.add(first, i);
    Value from = getSource(block, input);
    Value to = e.add(place.start, e.mul(input, place.width));
    Value given = isGiven(block, input);
    e.loop(e.index(0), e.index(kChannelBlock), e.width, [&](Value lane) {
      transformOrClear(given, e.add(from, lane), result, e.add(to, lane),
                       place.stride);
    });
  });
}

func::FuncOp vae::getWinogradWeightKernel(ModuleOp module, Location loc,
                                          const KernelTarget &target,
                                          const Winograd &shape,
                                          const WeightForm &form) {
  int64_t blocks = WinogradPanels::of(target, shape.outputs).blocks();
  int64_t parts = shape.blockFloat ? shape.chunks() : shape.inputBlocks();
  // One chunk, as f32.
  int64_t scratch =
      shape.blockFloat ? shape.positions() * kChunkChannels * target.vectorWidth
                       : 0;
  return getOrCreateKernel(
      module, loc, shape.name() + "_weights" + form.name(), target, 2, 0,
      [&](Emitter &e, ValueRange) { return e.index(blocks * parts); },
      [&](Emitter &e, const KernelArgs &args) {
        WinogradWeights weights(e, target, shape, form, args);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          if (shape.blockFloat)
            weights.emitChunk(item, args.scratch);
          else
            weights.emitItem(item);
        });
      },
      scratch * 4);
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

/// Items that two to four threads share evenly, a whole image or not.
static constexpr int64_t kMinItems = 8;

WinogradItems::WinogradItems(Emitter &e, const KernelTarget &target,
                             const Winograd &shape, ValueRange sizes) {
  rows = e.ceilDiv(sizes[kRows], shape.axes[0].outputs);
  columns = e.ceilDiv(sizes[kColumns], shape.axes[1].outputs);
  tiles = e.mul(sizes[kImages], e.mul(rows, columns));
  blocks = e.ceilDiv(tiles, getWinogradTiles(target, shape));
  // Few blocks are shared by several items, each of which transforms the
  // inputs for itself.
  Value some = e.max(blocks, e.index(1));
  splits = e.min(e.div(e.add(some, kMinItems - 1), some),
                 e.index(WinogradPanels::of(target, shape.outputs).count()));
  count = e.mul(blocks, splits);
}

WinogradScratch::WinogradScratch(const KernelTarget &target,
                                 const Winograd &shape)
    : tiles(getWinogradTiles(target, shape)) {
  // A line more keeps the positions of a tile in different sets of a cache.
  int64_t blocks = shape.blockFloat ? shape.inputPairs() : shape.inputBlocks();
  inPosition = tiles * blocks * kChannelBlock + kChannelBlock;
  outPosition =
      tiles * WinogradPanels::of(target, shape.outputs).width + kChannelBlock;
  inputs = 0;
  products = inputs + shape.positions() * inPosition;
  window = products + shape.positions() * outPosition;
  windowPixel = shape.blockFloat ? kChunkChannels : kChannelBlock;
  results = window + shape.positions() * windowPixel;
  factors =
      results + shape.axes[0].outputs * shape.axes[1].outputs * kChannelBlock;
  int64_t perTile = shape.blockFloat ? shape.axes[1].size() * kChannelBlock : 0;
  scales = factors + perTile;
  size = scales + shape.chunks() * tiles * perTile;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

WinogradEmitter::WinogradEmitter(Emitter &e, const KernelTarget &target,
                                 const Winograd &shape,
                                 const Epilogue &epilogue,
                                 const KernelArgs &args)
    : e(e), target(target), shape(shape), epilogue(epilogue), args(args),
      panels(WinogradPanels::of(target, shape.outputs)),
      positions(chooseWinogradTile(target, shape.outputs).positions),
      layout(target, shape), items(e, target, shape, args.sizes),
      inputMaps{LinearMap(getWinogradMatrices(shape.axes[0]).input),
                LinearMap(getWinogradMatrices(shape.axes[1]).input)},
      outputMaps{LinearMap(getWinogradMatrices(shape.axes[0]).output),
                 LinearMap(getWinogradMatrices(shape.axes[1]).output)},
      scratch(args.scratch) {
  std::tie(x, weight, bias, residual, y) = epilogue.getBuffers(args.buffers);
  zero = e.index(0);
}

WinogradEmitter::Place WinogradEmitter::locate(Value index) {
  Value perImage = e.mul(items.rows, items.columns);
  Value image = e.div(index, perImage);
  Value within = e.sub(index, e.mul(image, perImage));
  Value row = e.div(within, items.columns);
  return {image, row, e.sub(within, e.mul(row, items.columns))};
}

/// Fills the tables with the tiles from `first` on.
void WinogradEmitter::findTiles(Value first) {
  e.loop(zero, count, 1, [&](Value t) {
    auto [image, tileRow, tileColumn] = locate(e.add(first, t));
    Value row = e.mul(tileRow, shape.axes[0].outputs);
    Value column = e.mul(tileColumn, shape.axes[1].outputs);
    auto place = [&, image = image](ContractionSize inImage,
                                    ContractionSize offset,
                                    ContractionSize inRow, Value inColumn) {
      return e.add(e.add(e.mul(image, size(inImage)), size(offset)),
                   e.add(e.mul(row, size(inRow)), e.mul(column, inColumn)));
    };
    auto left = [&](ContractionSize all, Value begin, int64_t most) {
      return e.min(e.sub(size(all), begin), e.index(most));
    };
    Value fields[kNumFields];
    fields[kWindow] = place(kInImage, kInOffset, kInRow, e.index(shape.inputs));
    fields[kResult] = place(kOutImage, kOutOffset, kOutRow, size(kOutColumn));
    fields[kFirstRow] = e.sub(row, size(kPaddingRows));
    fields[kFirstColumn] = e.sub(column, size(kPaddingColumns));
    fields[kResultRows] = left(kRows, row, shape.axes[0].outputs);
    fields[kResultColumns] = left(kColumns, column, shape.axes[1].outputs);
    for (unsigned field = 0; field < kNumFields; ++field)
      e.store(fields[field], tables[field], t);
  });
}

/// Adds to the sums of a register tile the products of that many blocks of
/// inputs, or of pairs of them.
Emitter::Values WinogradEmitter::multiplyBlocks(Value from, Value weights,
                                                Value blocks, int64_t rows,
                                                const Values &start) {
  constexpr int64_t kUnroll = 4;
  int64_t vectors = static_cast<int64_t>(start.size()) / rows;
  int64_t width = vectors * e.width;
  auto multiply = [&](Value value, Value w, Value sum) {
    return shape.blockFloat ? e.addIntegerDots(sum, value, w, target.vnni)
                            : e.fma(value, w, sum);
  };
  auto step = [&](Value block, Value k, Values sums) {
    Value at =
        e.add(from, e.add(e.mul(block, layout.tiles * kChannelBlock), k));
    Value wAt =
        e.add(weights, e.mul(e.add(e.mul(block, kChannelBlock), k), width));
    for (int64_t u = 0; u < kUnroll; ++u) {
      Values w;
      for (int64_t v = 0; v < vectors; ++v)
        w.push_back(e.loadVec(weight, e.add(wAt, u * width + v * e.width)));
      for (int64_t r = 0; r < rows; ++r) {
        Value value =
            e.broadcast(e.load(scratch, e.add(at, r * kChannelBlock + u)));
        for (int64_t v = 0; v < vectors; ++v)
          sums[r * vectors + v] = multiply(value, w[v], sums[r * vectors + v]);
      }
    }
    return sums;
  };
  return e.loop(zero, blocks, 1, start, [&](Value b, ValueRange outer) {
    return e.loop(zero, e.index(kChannelBlock), kUnroll, outer,
                  [&](Value k, ValueRange inner) {
                    return step(b, k, Values(inner.begin(), inner.end()));
                  });
  });
}

/// Products of `rows` tiles with one position's weights of a panel of so many
/// vectors.
void WinogradEmitter::multiplyRows(Value from, Value weights, Value to,
                                   int64_t rows, int64_t vectors) {
  Values sums = multiplyBlocks(from, weights, e.index(shape.inputBlocks()),
                               rows, Values(rows * vectors, e.splat(0)));
  for (auto [index, sum] : llvm::enumerate(sums))
    e.storeVec(sum, scratch, e.add(to, static_cast<int64_t>(index) * e.width));
}

/// Elements of a line of a cache.
static constexpr int64_t kLine = 16;

/// Calls body(i) for that part of the units.
static void overPart(Emitter &e, Value units, Value index, Value parts,
                     function_ref<void(Value)> body) {
  auto bound = [&](Value part) { return e.div(e.mul(part, units), parts); };
  e.loop(bound(index), bound(e.add(index, 1)), 1, body);
}

/// Units of work are the rows of its tiles' windows.
void WinogradEmitter::prefetchNext(Value index, Value parts) {
  int64_t windowRows = shape.axes[0].size();
  Value units = e.mul(nextCount, windowRows);
  overPart(e, units, index, parts, [&](Value unit) {
    Value t = e.div(unit, windowRows);
    Value row = e.sub(unit, e.mul(t, windowRows));
    Place place = locate(e.add(nextFirst, t));
    row = e.add(row, e.mul(place.row, shape.axes[0].outputs));
    int64_t run = shape.axes[1].outputs * shape.inputs;
    Value at = e.add(e.add(e.mul(place.image, size(kInImage)), size(kInOffset)),
                     e.add(e.mul(row, size(kInRow)), e.mul(place.column, run)));
    int64_t line = holdsF16(x) ? 32 : 16;
    e.loop(zero, e.index(run), line,
           [&](Value i) { e.prefetch(x, e.add(at, i)); });
  });
}

/// Units of work are the rows of its tiles' results.
void WinogradEmitter::prefetchResidual(const Panel &panel, Value index,
                                       Value parts) {
  int64_t resultRows = shape.axes[0].outputs;
  overPart(e, e.mul(count, resultRows), index, parts, [&](Value unit) {
    Value t = e.div(unit, resultRows);
    Value row = e.sub(unit, e.mul(t, resultRows));
    Value at = e.add(e.add(get(kResult, t), panel.firstChannel),
                     e.mul(row, size(kOutRow)));
    for (int64_t column = 0; column < shape.axes[1].outputs; ++column)
      for (int64_t lane = 0; lane < panel.width; lane += kLine)
        e.prefetch(residual,
                   e.add(e.add(at, e.mul(size(kOutColumn), column)), lane));
  });
}

/// The products of a panel, position after position: in runs of tiles of almost
/// equal length. It is one of the item's parts.
void WinogradEmitter::multiply(const Panel &panel, Value part, Value parts) {
  int64_t stride = getWinogradWeightStride(shape, panel.width);
  int64_t vectors = panel.width / e.width;
  Value all = e.index(shape.positions());
  e.loop(zero, all, 1, [&](Value position) {
    prefetchNext(e.add(e.mul(part, all), position), e.mul(parts, all));
    if (residual)
      prefetchResidual(panel, position, all);
    Value inputs =
        e.add(e.mul(position, layout.inPosition), e.index(layout.inputs));
    Value products =
        e.add(e.mul(position, layout.outPosition), e.index(layout.products));
    Value w = e.add(panel.weights, e.mul(position, stride));
    Value scales = shape.blockFloat ? getScales(position) : Value();
    e.loop(zero, runs, 1, [&](Value run) {
      Value first = e.add(e.mul(run, rows), e.min(run, extra));
      Value size = e.select(e.less(run, extra), e.add(rows, 1), rows);
      Value from = e.add(inputs, e.mul(first, kChannelBlock));
      Value to = e.add(products, e.mul(first, panel.width));
      SmallVector<int64_t> cases =
          llvm::to_vector(llvm::seq<int64_t>(1, positions));
      auto choice = scf::IndexSwitchOp::create(e.b, e.loc, TypeRange(), size,
                                               cases, cases.size());
      auto fill = [&](Region &region, int64_t r) {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.createBlock(&region);
        if (shape.blockFloat)
          multiplyChunks(from, w, to, placeScales(scales, first), r, vectors);
        else
          multiplyRows(from, w, to, r, vectors);
        scf::YieldOp::create(e.b, e.loc);
      };
      for (auto [region, r] : llvm::zip(choice.getCaseRegions(), cases))
        fill(region, r);
      fill(choice.getDefaultRegion(), positions);
    });
  });
}

/// Blocks of almost equal size: the first tile and the number of tiles.
std::pair<Value, Value> WinogradEmitter::getBlock(Value item) {
  Value block = e.div(item, items.splits);
  auto bound = [&](Value block) {
    return e.div(e.mul(block, items.tiles), items.blocks);
  };
  Value first = bound(block);
  return {first, e.sub(bound(e.add(block, 1)), first)};
}

void WinogradEmitter::emitItem(Value item) {
  Value split = e.sub(item, e.mul(e.div(item, items.splits), items.splits));
  auto bound = [&](Value part, Value all, Value parts) {
    return e.div(e.mul(part, all), parts);
  };
  Value first;
  std::tie(first, count) = getBlock(item);
  Value next = e.add(item, 1);
  std::tie(nextFirst, nextCount) = getBlock(next);
  nextCount = e.select(e.less(next, args.end), nextCount, zero);
  runs = e.ceilDiv(count, positions);
  rows = e.div(count, runs);
  extra = e.sub(count, e.mul(rows, runs));
  findTiles(first);
  transformInputs();
  Value all = e.index(panels.count());
  Value begin = bound(split, all, items.splits);
  Value end = bound(e.add(split, 1), all, items.splits);
  int64_t panelStride =
      shape.positions() * getWinogradWeightStride(shape, panels.width);
  auto emitPanel = [&](Value index, int64_t width) {
    Panel panel = {width, e.mul(index, panels.width),
                   e.mul(index, panelStride)};
    multiply(panel, e.sub(index, begin), e.sub(end, begin));
    transformProducts(panel);
  };
  Value wide = e.index(panels.wide);
  e.loop(begin, panels.narrow ? e.min(end, wide) : end, 1,
         [&](Value index) { emitPanel(index, panels.width); });
  if (panels.narrow)
    e.ifThen(e.less(wide, end), [&] { emitPanel(wide, kChannelBlock); });
}

void WinogradEmitter::emit() {
  for (Value &table : tables)
    table = e.stack(layout.tiles);
  streams = getStreams();
  e.loop(args.begin, args.end, 1, [&](Value item) { emitItem(item); });
  if (streams)
    e.ifThen(streams, [&] { e.fenceStreams(); });
}

func::FuncOp vae::getWinogradKernel(ModuleOp module, Location loc,
                                    const KernelTarget &target,
                                    const Winograd &shape,
                                    const Epilogue &epilogue) {
  unsigned buffers = 3 + epilogue.bias + epilogue.residual;
  return getOrCreateKernel(
      module, loc, shape.name() + epilogue.suffix(), target, buffers,
      kNumContractionSizes,
      [&](Emitter &e, ValueRange sizes) {
        return WinogradItems(e, target, shape, sizes).count;
      },
      [&](Emitter &e, const KernelArgs &args) {
        WinogradEmitter(e, target, shape, epilogue, args).emit();
      },
      WinogradScratch(target, shape).size * 4);
}
