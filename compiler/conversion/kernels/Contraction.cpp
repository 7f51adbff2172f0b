// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense layers and convolutions: a register tile of R output positions times V
// vectors of output channels, over packed weights; dot products where there are
// few channels.
#include "compiler/conversion/kernels/ContractionEmitter.h"
#include "compiler/conversion/kernels/SparseWeights.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Products that AMX adds in the time of one of f32.
static constexpr int64_t kAmxFactor = 16;
/// Multiply-adds and others of f32 in the time of what is done with a sum.
static constexpr int64_t kAmxResultFlops = 32;
/// The buffer of the packed weight.
static constexpr unsigned kWeightBuffer = 1;
/// Vectors along the inputs must be worth the sum of their lanes.
static constexpr int64_t kMaxDotOutputs = 3, kMinDotSummands = 32;

bool Contraction::hasContiguousRows() const {
  return window[1] == 1 || (groups == 1 && dilation[1] == 1);
}

bool Contraction::dotProducts() const {
  return groups == 1 && outputs <= kMaxDotOutputs &&
         taps() * inputs >= kMinDotSummands && runLength() >= kChannelBlock;
}

int64_t Contraction::runLength() const {
  return hasContiguousRows() ? window[1] * inputs : inputs;
}

int64_t Contraction::storedRunLength() const {
  if (precision == Precision::INT8)
    return llvm::alignTo(runLength(), dotProducts() ? kInt8DotRun : kInt8Fours);
  if (weights.bits == 4) {
    int64_t taps = hasContiguousRows() ? window[1] : 1;
    return taps * WeightLayout(*this).tapBytes() / kChannelBlock;
  }
  return precision == Precision::BF16 ? llvm::alignTo(runLength(), 2)
                                      : runLength();
}

int64_t Contraction::storedHead() const {
  if (weights.bits == 8)
    return WeightLayout(*this).headBytes() / kChannelBlock;
  if (precision != Precision::INT8)
    return 0;
  return depthwise() ? 1 : kInt8Fours;
}

int64_t Contraction::storedSummands() const {
  int64_t runs = frames * window[0] * (hasContiguousRows() ? 1 : window[1]);
  return runs * storedRunLength();
}

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
  if (video)
    name +=
        llvm::formatv("_f{0}_s{1}_d{2}", frames, frameStride, frameDilation);
  if (pixels && precision == Precision::BF16) // usesAmx
    name += "_pixels";
  if (padded)
    name += "_p";
  if (signedZeros)
    name += "_z";
  if (dotProducts())
    name += "_dot";
  if (precision != Precision::F32)
    name += "_" + stringifyPrecision(precision).str();
  return name + weights.name();
}

bool ContractionEmitter::hasExpandedWeight(const KernelTarget &target,
                                           const Contraction &shape) {
  return decodesBitmap(target, shape);
}

func::FuncOp vae::getContractionKernel(ModuleOp module, Location loc,
                                       const KernelTarget &target,
                                       const Contraction &shape,
                                       const Epilogue &epilogue) {
  unsigned buffers = 3 + epilogue.bias + epilogue.residual +
                     ContractionEmitter::hasExpandedWeight(target, shape);
  return getOrCreateKernel(
      module, loc, shape.name() + epilogue.suffix(), target, buffers,
      shape.video ? kNumVideoSizes : kNumContractionSizes,
      [&](Emitter &e, ValueRange sizes) {
        if (shape.depthwise())
          return e.mul(sizes[kImages], e.mul(sizes[kRows], sizes[kColumns]));
        if (usesPatches(target, shape))
          return PatchTiles(e, target, shape, sizes).items;
        auto count = [&](Tile tile) {
          PositionTiles positions(e, target, shape, tile.positions, sizes);
          int64_t outputs = tile.vectors * target.vectorWidth;
          return e.mul(positions.count,
                       shape.groups * llvm::divideCeil(shape.outputs, outputs));
        };
        Value items = count(chooseTile(target, shape));
        if (!hasRowTile(target, shape))
          return items;
        Tile row = chooseRowTile(target, shape);
        return e.select(e.less(sizes[kImages], e.index(row.positions + 1)),
                        count(row), items);
      },
      [&](Emitter &e, const KernelArgs &args) {
        ContractionEmitter emitter(e, target, shape, epilogue, args);
        if (shape.depthwise())
          emitter.emitDepthwise();
        else
          emitter.emit();
      },
      ContractionEmitter::getRoundedBytes(target, shape),
      shape.precision == Precision::BF16 ? kWeightBuffer : kNoBuffer);
}

int64_t ContractionEmitter::getRoundedBytes(const KernelTarget &target,
                                            const Contraction &shape) {
  if (!usesAmx(target, shape) || !sharesRounded(target, shape))
    return 0;
  int64_t words = usesPatches(target, shape)
                      ? Patch::of(shape).words
                      : kAmxPositions * getRoundedRow(target, shape);
  return words * sizeof(int32_t);
}

int64_t vae::getContractionItemFlops(const KernelTarget &target,
                                     const Contraction &shape) {
  if (shape.depthwise())
    return 2 * shape.groups * shape.taps();
  Tile tile = chooseTile(target, shape);
  int64_t outputs = std::min(tile.vectors * target.vectorWidth, shape.outputs);
  int64_t summands = std::max<int64_t>(1, shape.taps() * shape.inputs);
  int64_t flops = 2 * tile.positions * outputs * summands;
  if (usesPatches(target, shape))
    flops *= Patch::of(shape).rows * chooseChannelTiles(target, shape, tile);
  if (usesAmx(target, shape))
    return flops / kAmxFactor + kAmxResultFlops * flops / (2 * summands);
  switch (shape.precision) {
  case Precision::BF16: // two take the time of one of f32
    return flops / 2;
  case Precision::INT8:
    return std::max<int64_t>(1, flops / 4);
  default:
    return flops;
  }
}

std::vector<float> vae::packWeight(
    const Contraction &shape,
    function_ref<float(int64_t, int64_t, int64_t, int64_t, int64_t)> weight) {
  std::vector<float> packed;
  int64_t kh = shape.frames * shape.window[0], kw = shape.window[1];
  if (shape.depthwise()) {
    for (int64_t g = 0; g < shape.groups && shape.storedHead(); ++g) {
      float sum = 0;
      for (int64_t tap = 0; tap < kh * kw; ++tap)
        sum += weight(g, 0, 0, tap / kw, tap % kw);
      packed.push_back(sum);
    }
    for (int64_t ky = 0; ky < kh; ++ky)
      for (int64_t kx = 0; kx < kw; ++kx)
        for (int64_t g = 0; g < shape.groups; ++g)
          packed.push_back(weight(g, 0, 0, ky, kx));
    return packed;
  }
  if (shape.dotProducts()) {
    for (int64_t o = 0; o < shape.outputs; ++o)
      for (int64_t ky = 0; ky < kh; ++ky)
        for (int64_t kx = 0; kx < kw; ++kx)
          for (int64_t i = 0; i < shape.inputs; ++i)
            packed.push_back(weight(0, o, i, ky, kx));
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

std::vector<uint16_t> vae::packBf16Weight(
    const Contraction &shape,
    function_ref<float(int64_t, int64_t, int64_t, int64_t, int64_t)> weight) {
  std::vector<uint16_t> packed(shape.groups * paddedOutputs(shape) *
                               shape.storedSummands());
  int64_t rows = shape.frames * shape.window[0], columns = shape.window[1];
  int64_t run = shape.runLength(), stored = shape.storedRunLength();
  int64_t summands = shape.storedSummands();
  for (int64_t g = 0; g < shape.groups; ++g)
    for (int64_t o = 0; o < shape.outputs; ++o) {
      int64_t block = o / kChannelBlock, lane = o % kChannelBlock;
      uint16_t *first =
          packed.data() +
          (g * paddedOutputs(shape) + block * kChannelBlock) * summands;
      int64_t at = 0; // of the summands as they are in memory
      for (int64_t ky = 0; ky < rows; ++ky)
        for (int64_t kx = 0; kx < columns; ++kx)
          for (int64_t i = 0; i < shape.inputs; ++i, ++at) {
            int64_t summand = at / run * stored + at % run;
            first[(summand / 2 * kChannelBlock + lane) * 2 + summand % 2] =
                roundToBf16(weight(g, o, i, ky, kx));
          }
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
