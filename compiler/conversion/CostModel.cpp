// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/CostModel.h"

#include "compiler/conversion/LayerShape.h"
#include "compiler/conversion/Shapes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

// Fitted to measured times of layers of 64 to 512 channels (docs/design/
// winograd.md), in vector multiply-adds.

/// Part of a core's multiply-adds that contractions reach.
static constexpr double kDirectEfficiency = 0.93, kWinogradEfficiency = 0.88;
/// What a vector of results takes beside its products (of 1 to 16 inputs).
static constexpr double kResultVector = 12;
/// Of dot products (of 8 to 64 inputs, 1 and 3 outputs): a position, one of its
/// results, and a vector of products of one.
static constexpr double kDotPosition = 18, kDotResult = 3, kDotProducts = 1.2;
/// Products of a narrow panel: each loads an input, which those of a wide one
/// share (33 channels, a CPU with two multipliers of 512 bits).
static constexpr double kNarrowPanel = 1.3;
/// A vector of a transform, of tiles of up to six and of more elements on a
/// side.
static constexpr double kSmallTransform = 9, kLargeTransform = 18;
/// Of products and transforms in block floating point, what they cost in f32:
/// by VNNI, and by pmaddwd and an addition.
static constexpr double kVnniProducts = 0.54, kPairProducts = 0.8,
                        kBlockFloatTransform = 1.1;
/// Four products of bytes, of all lanes: by VNNI or a dot product of AArch64,
/// by two pmaddwd and two additions, and one after the other.
static constexpr double kByteDots = 1, kBytePairs = 2.8, kByteSingles = 10;
/// A row of a tile of AMX, a vector of what it gives, and one that becomes bf16
/// (dense layers of 64 to 784 inputs, convolutions of 64 to 512 channels).
static constexpr double kAmxRow = 0.19, kAmxResult = 24, kRounded = 8;
/// A vector of transformed weights: of few, which stay in a cache near by, and
/// what is added for many.
static constexpr double kFewWeights = 8, kManyWeights = 18;
static constexpr double kManyWeightBytes = 4 << 20;
/// A vector of stored ones, which are read where others were just written.
static constexpr double kStoredWeights = 3;

/// Of attention, a vector of scores that becomes weights, of f32 and of bytes;
/// and a vector of a block's result that is added to those before.
static constexpr double kF32Weights = 24, kByteWeights = 24, kBlockResults = 6;

/// Part of the time that must be left, of larger tiles and of stored weights.
static constexpr double kWorthLargerTile = 0.9, kWorthStored = 0.85;
/// Transformed weights of a layer that are stored unasked.
static constexpr int64_t kMostStoredBytes = 8 << 20;

/// Multiply-adds of a register tile, of which some registers are idle.
static double getProducts(int64_t rows, int64_t inputs, int64_t vectors,
                          const Tile &tile) {
  // Weights are loaded once for all rows of a tile.
  int64_t most = std::min(rows, tile.positions);
  double idle = std::max(1.0, static_cast<double>(kSumsInFlight) /
                                  static_cast<double>(most * tile.vectors));
  return static_cast<double>(rows * inputs * vectors) * idle;
}

/// By tiles, which are whole ones.
static double getAmxCost(const KernelTarget &target, const Work &work,
                         const Contraction &shape) {
  int64_t images = work.images * work.rows;
  int64_t positions = images * work.columns;
  int64_t rows = llvm::alignTo(positions, kAmxRows);
  int64_t each = shape.precision == Precision::INT8 ? kAmxBytes : kAmxBytes / 2;
  int64_t run = shape.storedRunLength();
  int64_t summands =
      shape.storedSummands() / run * llvm::divideCeil(run, each) * kAmxRows;
  double rounded = 0;
  if (usesPatches(target, shape)) {
    Patch patch = Patch::of(shape);
    rows = images * llvm::alignTo(work.columns, kAmxRows);
    rounded = static_cast<double>(rows * patch.words) /
              static_cast<double>(patch.rows * kAmxPositions);
  } else if (shape.precision == Precision::BF16) {
    rounded = static_cast<double>(positions * shape.inputs) / 2;
  }
  int64_t vectors = llvm::divideCeil(shape.outputs, kChannelBlock);
  double sums = kAmxRow * static_cast<double>(rows * summands) +
                kAmxResult * static_cast<double>(positions);
  return shape.groups * (sums * static_cast<double>(vectors) +
                         kRounded * rounded * 2 / kChannelBlock);
}

/// A vector of four products of bytes each, beside one of one product of f32.
static double getByteDotCost(const KernelTarget &target) {
  return target.vnni || target.byteDots ? kByteDots
         : target.wordDots              ? kBytePairs
                                        : kByteSingles;
}

static double getDirectCost(const KernelTarget &target, const Work &work,
                            Precision precision) {
  Contraction shape = work.shape;
  if (precision == Precision::INT8 || precision == Precision::BF16) {
    shape.precision = precision;
    if (usesAmx(target, shape))
      return getAmxCost(target, work, shape);
    shape.precision = Precision::F32;
  }
  int64_t positions = work.images * work.rows * work.columns;
  if (shape.depthwise())
    return 2.0 * positions * vectorsFor(target, shape.groups) * shape.taps();
  int64_t summands = shape.taps() * shape.inputs;
  double perProduct = 1;
  if (precision == Precision::INT8) {
    shape.precision = precision;
    summands = shape.storedSummands() / kInt8Fours;
    perProduct = getByteDotCost(target);
  }
  if (shape.dotProducts())
    return positions *
           (kDotPosition +
            shape.outputs * (kDotResult + kDotProducts * perProduct *
                                              vectorsFor(target, summands)));
  int64_t vectors = vectorsFor(target, shape.outputs);
  double products =
      perProduct *
      getProducts(positions, summands, vectors, chooseTile(target, shape)) /
      kDirectEfficiency;
  return shape.groups * (products + kResultVector * positions * vectors);
}

static double getWinogradCost(const KernelTarget &target, const Work &work,
                              const Winograd &form, bool stored) {
  Tile tile = chooseWinogradTile(target, form.outputs);
  int64_t tiles = work.images *
                  llvm::divideCeil(work.rows, form.axes[0].outputs) *
                  llvm::divideCeil(work.columns, form.axes[1].outputs);
  int64_t inputs = form.inputBlocks() * kChannelBlock;
  WinogradPanels panels = WinogradPanels::of(target, form.outputs);
  int64_t outputs = panels.blocks() * kChannelBlock;
  int64_t positions = form.positions();
  int64_t results = form.axes[0].outputs * form.axes[1].outputs;
  double width = static_cast<double>(target.vectorWidth);
  double products =
      getProducts(tiles, inputs, panels.wide * tile.vectors, tile);
  if (panels.narrow)
    products += kNarrowPanel * getProducts(tiles, inputs,
                                           kChannelBlock / target.vectorWidth,
                                           {1, tile.positions});
  products *= static_cast<double>(positions) / kWinogradEfficiency;
  double perTransform = 1;
  if (form.blockFloat) {
    products *= target.vnni ? kVnniProducts : kPairProducts;
    perTransform = kBlockFloatTransform;
  }
  constexpr int64_t small = 6;
  bool large = form.axes[0].size() > small || form.axes[1].size() > small;
  double transformed = static_cast<double>(positions * inputs +
                                           (positions + results) / 2 * outputs);
  double transforms = static_cast<double>(tiles) * transformed / width *
                      (large ? kLargeTransform : kSmallTransform) *
                      perTransform;
  double elements = static_cast<double>(positions * inputs * outputs);
  double many = std::min(1.0, elements * sizeof(float) / kManyWeightBytes);
  double each = stored ? kStoredWeights : kFewWeights + kManyWeights * many;
  double weights = elements / width * each;
  return products + transforms + weights;
}

std::optional<double> vae::getCost(const KernelTarget &target, const Work &work,
                                   const Algorithm &algorithm,
                                   Precision precision) {
  if (!algorithm.winograd || precision == Precision::INT8)
    return getDirectCost(target, work, precision);
  if (!Winograd::canCompute(work.shape, algorithm.winograd))
    return std::nullopt;
  Winograd form = Winograd::of(work.shape, algorithm.winograd);
  form.blockFloat = precision == Precision::BFP16 && !algorithm.stored &&
                    hasBlockFloat(target, form);
  return getWinogradCost(target, work, form, algorithm.stored);
}

bool vae::isWorth(const Algorithm &algorithm, double cost, double other) {
  return cost < (algorithm.stored ? kWorthStored : kWorthLargerTile) * other;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static int64_t getSize(RankedTensorType type, int64_t axis) {
  int64_t size = type.getDimSize(axis);
  if (!ShapedType::isDynamic(size))
    return size;
  return axis == 0 ? kNominalImages : kNominalSize;
}

/// The contractions of a convolution with their positions.
static SmallVector<Work> getWork(Operation *op) {
  SmallVector<Contraction> shapes = getContractions(op);
  if (shapes.empty())
    return {};
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t strides[2] = {1, 1};
  if (auto transposed = dyn_cast<ConvTranspose2dOp>(op))
    llvm::copy(transposed.getStrides(), strides);
  SmallVector<Work> result;
  for (const Contraction &shape : shapes) {
    Work &work = result.emplace_back();
    work.shape = shape;
    work.images = getSize(type, 0);
    work.rows = llvm::divideCeil(getSize(type, 2), strides[0]);
    work.columns = llvm::divideCeil(getSize(type, 3), strides[1]);
  }
  return result;
}

std::optional<double> vae::getCost(const KernelTarget &target, Operation *op,
                                   const Algorithm &algorithm,
                                   Precision precision) {
  double total = 0;
  bool any = false;
  for (const Work &part : getWork(op)) {
    auto cost = getCost(target, part, algorithm, precision);
    any |= cost.has_value();
    total += cost ? *cost : getDirectCost(target, part, precision);
  }
  return any ? std::optional(total) : std::nullopt;
}

double vae::getAttentionCost(const KernelTarget &target, AttentionOp op,
                             Precision precision) {
  auto countPositions = [](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getRank() == 4)
      return getSize(type, 2) * getSize(type, 3);
    return getSize(type, 1);
  };
  auto countChannels = [](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.getDimSize(type.getRank() == 4 ? 1 : 2);
  };
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  int64_t queries = getSize(query, 0) * countPositions(op.getQuery());
  int64_t keys = countPositions(op.getKey());
  int64_t heads = op.getHeads();
  int64_t width = countChannels(op.getKey()) / heads,
          valueWidth = countChannels(op.getValue()) / heads;
  double keyVectors = vectorsFor(target, keys),
         valueVectors = vectorsFor(target, valueWidth);
  double products, weights;
  if (precision == Precision::INT8) {
    products = getByteDotCost(target) *
               (keyVectors * llvm::divideCeil(width, kInt8Fours) +
                llvm::divideCeil(keys, kInt8Fours) * valueVectors);
    weights = kByteWeights * keyVectors +
              kBlockResults * llvm::divideCeil(keys, kKeyBlock) * valueVectors;
  } else {
    products = keyVectors * width + keys * valueVectors;
    weights = kF32Weights * keyVectors;
  }
  return heads * queries * (products / kDirectEfficiency + weights);
}

int64_t vae::getStoredBytes(const KernelTarget &target, Operation *op,
                            const Algorithm &algorithm) {
  int64_t elements = 0;
  if (algorithm.stored)
    for (const Contraction &shape : getContractions(op))
      if (Winograd::canCompute(shape, algorithm.winograd))
        elements += getWinogradWeightSize(
            target, Winograd::of(shape, algorithm.winograd));
  return elements * static_cast<int64_t>(sizeof(float));
}

bool vae::isAffordable(const KernelTarget &target, Operation *op,
                       const Algorithm &algorithm) {
  return getStoredBytes(target, op, algorithm) <= kMostStoredBytes;
}

std::optional<double> vae::getPredictedTime(const KernelTarget &target,
                                            Operation *op,
                                            const Algorithm &algorithm,
                                            Precision precision) {
  auto cost = getCost(target, op, algorithm, precision);
  if (!cost)
    return std::nullopt;
  double products = 0;
  for (const Work &part : getWork(op)) {
    const Contraction &shape = part.shape;
    products += static_cast<double>(part.images * part.rows * part.columns) *
                static_cast<double>(shape.outputs * shape.groups *
                                    shape.taps() * shape.inputs);
  }
  return *cost * static_cast<double>(target.vectorWidth) / products;
}
