// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/Tiling.h"

#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/conversion/kernels/Winograd.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace vae;

/// Bytes of an f32.
static constexpr int64_t kElementBytes = 4;

/// Registers for inputs that are broadcast.
static constexpr int64_t kInputRegisters = 2;

int64_t vae::getRegisters(const Tile &tile) {
  return tile.positions * tile.vectors + tile.vectors + kInputRegisters;
}

/// The most positions beside that many vectors, for each of which weights take
/// so many registers.
static int64_t getMostPositions(const KernelTarget &target, int64_t vectors,
                                int64_t perVector = 1) {
  int64_t left = target.vectorRegisters - vectors * perVector - kInputRegisters;
  return left / vectors;
}

llvm::Error vae::checkTile(const KernelTarget &target) {
  if (!target.tile)
    return llvm::Error::success();
  const Tile &tile = *target.tile;
  std::string name =
      llvm::formatv("a tile of {0}x{1}", tile.positions, tile.vectors);
  if (tile.positions < 1 || tile.vectors < 1)
    return llvm::createStringError(name + " is empty; both numbers must be at "
                                          "least 1");
  if (getRegisters(tile) <= target.vectorRegisters)
    return llvm::Error::success();
  std::string fitting;
  for (int64_t vectors : {1, 2, 3, 4})
    if (int64_t positions = getMostPositions(target, vectors))
      fitting += llvm::formatv("{0}{1}x{2}", fitting.empty() ? "" : ", ",
                               positions, vectors);
  return llvm::createStringError(
      llvm::formatv("{0} takes {1} vector registers ({2} sums, {3} weights, "
                    "{4} inputs), the target has {5}; the largest that fit are "
                    "{6}",
                    name, getRegisters(tile), tile.positions * tile.vectors,
                    tile.vectors, kInputRegisters, target.vectorRegisters,
                    fitting)
          .str());
}

int64_t vae::vectorsFor(const KernelTarget &target, int64_t outputs) {
  return llvm::divideCeil(outputs, target.vectorWidth);
}

int64_t vae::paddedOutputs(const Contraction &shape) {
  return llvm::divideCeil(shape.outputs, kChannelBlock) * kChannelBlock;
}

/// Of dot products. Each position has a sum per output; the weights of a step
/// and one input are beside them. The registers of AVX2 hold the weights of a
/// step for few more sums than hide the latency.
static Tile chooseDotTile(const KernelTarget &target,
                          const Contraction &shape) {
  constexpr int64_t kRegisters = 16;
  int64_t most = (kRegisters - shape.outputs - 1) / shape.outputs;
  int64_t wanted = target.tile ? target.tile->positions : kSumsInFlight;
  return {1, std::min(wanted, most)};
}

/// As many accumulators as leave room for the weights of a step and the
/// broadcast inputs. Where there are several tiles of channels, their vectors
/// make whole channel blocks.
Tile vae::chooseTile(const KernelTarget &target, const Contraction &shape) {
  if (shape.dotProducts())
    return chooseDotTile(target, shape);
  int64_t needed = vectorsFor(target, shape.outputs);
  if (usesAmx(target, shape))
    return {std::min<int64_t>(needed, kAmxSums / 2), kAmxPositions};
  // Tiles of weights without zeros are of whole blocks.
  if (target.tile && shape.weights.sparsity == Sparsity::None)
    return {std::min(target.tile->vectors, needed), target.tile->positions};
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / target.vectorWidth);
  int64_t most =
      target.vectorRegisters >= 32 ? 4 : std::max<int64_t>(2, perBlock);
  int64_t vectors = std::min(most, needed);
  // Weights of bf16 or 4 bits that become f32 are there in both forms, and
  // fours of bytes as two pairs of words.
  bool decoded =
      (shape.precision == Precision::BF16 && !target.bf16Dot) ||
      shape.weights.bits == 4 ||
      (shape.precision == Precision::INT8 && !target.vnni && !target.byteDots);
  // Beyond these, the compiler's scheduler spills: 12 positions times 2 vectors
  // come to between a third and two thirds of the speed of 8.
  int64_t positions = vectors > 2 ? 6 : vectors == 2 ? 8 : 12;
  return {vectors, std::clamp<int64_t>(
                       getMostPositions(target, vectors, decoded ? 2 : 1), 1,
                       positions)};
}

/// A single position, as of a dense layer at batch 1, has each weight read
/// once, by the multiply-add itself. As many channels at a time as hide the
/// latency of a multiply-add; fewer of wide vectors, for memory is what limits
/// and begins one of them every second cycle at best. So more threads can take
/// part.
Tile vae::chooseRowTile(const KernelTarget &target, const Contraction &shape) {
  constexpr int64_t kRowOutputs = 64;
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / target.vectorWidth);
  int64_t blocks = llvm::divideCeil(shape.outputs, kChannelBlock);
  // Sums of bf16 are the same bits for any number of positions.
  if (usesAmx(target, shape) && shape.precision == Precision::BF16)
    return {std::min(kAmxSums, blocks), kAmxRows};
  int64_t most = std::min(kSumsInFlight, kRowOutputs / target.vectorWidth);
  return {std::min(std::max(most, perBlock), blocks * perBlock), 1};
}

bool vae::hasRowTile(const KernelTarget &target, const Contraction &shape) {
  return shape.flat && shape.groups == 1 && shape.inputs > 0 &&
         !shape.dotProducts() && chooseTile(target, shape).positions > 1;
}

Tile vae::chooseWinogradTile(const KernelTarget &target, int64_t outputs) {
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / target.vectorWidth);
  int64_t blocks = target.vectorRegisters >= 32 &&
                           target.vectorWidth == kChannelBlock &&
                           outputs > kChannelBlock
                       ? 2
                       : 1;
  int64_t vectors = blocks * perBlock;
  // Half of the registers hide the latency of a multiply-add.
  return {vectors, std::min<int64_t>(getMostPositions(target, vectors), 14)};
}

WinogradPanels WinogradPanels::of(const KernelTarget &target, int64_t outputs) {
  int64_t width =
      chooseWinogradTile(target, outputs).vectors * target.vectorWidth;
  int64_t left = outputs % width;
  bool narrow = width > kChannelBlock && left > 0 && left <= kChannelBlock;
  return {width, outputs / width + (left > 0 && !narrow), narrow};
}

/// Enough for each weight that is read. Their transformed inputs and products
/// take 0.5 MiB of the L2 cache with 64 channels, and do not fit it with many;
/// more tiles were slower there, too.
int64_t vae::getWinogradTiles(const KernelTarget &target,
                              const Winograd &shape) {
  constexpr int64_t kTiles = 24;
  int64_t run = chooseWinogradTile(target, shape.outputs).positions;
  return run * llvm::divideCeil(kTiles, run);
}

/// Fewer summands that follow each other, or outputs, leave most of a tile
/// idle.
static constexpr int64_t kFewestAmxBytes = 32, kFewestAmxOutputs = 8;
/// The most that the rows of a patch may take: part of a usual L2 cache of CPUs
/// with AMX, of 2 MiB.
static constexpr int64_t kMostPatchBytes = 512 << 10;

Patch Patch::of(const Contraction &shape) {
  constexpr int64_t kMostRows = 4;
  Patch patch;
  patch.step = shape.inputs * shape.stride[1];
  int64_t elements = (kAmxPositions - 1) * patch.step + shape.runLength();
  patch.rowWords = llvm::alignTo(elements, kAmxBytes / 2) / 2;
  for (patch.rows = kMostRows;; patch.rows /= 2) {
    patch.height = (patch.rows - 1) * shape.stride[0] +
                   (shape.window[0] - 1) * shape.dilation[0] + 1;
    patch.words = shape.frames * patch.height * patch.rowWords;
    if (patch.rows == 1 || patch.words * 4 <= kMostPatchBytes)
      return patch;
  }
}

bool vae::usesAmx(const KernelTarget &target, const Contraction &shape) {
  bool bytes = shape.precision == Precision::INT8 && target.amxInt8;
  bool pairs = shape.precision == Precision::BF16 && target.amxBf16;
  if (target.tile || shape.depthwise() || shape.dotProducts() ||
      shape.inputs == 0 || shape.outputs < kFewestAmxOutputs ||
      shape.storedRunLength() * (bytes ? 1 : 2) < kFewestAmxBytes)
    return false;
  if (bytes || (pairs && shape.flat && !shape.pixels && shape.groups == 1))
    return true;
  // Whole tiles of summands, of which two begin in a word; of pixels as well,
  // so that borders do not decide about bits.
  return pairs && shape.groups == 1 && shape.hasContiguousRows() &&
         shape.inputs % 2 == 0 && shape.runLength() % (kAmxBytes / 2) == 0 &&
         Patch::of(shape).words * 4 <= kMostPatchBytes;
}

bool vae::usesPatches(const KernelTarget &target, const Contraction &shape) {
  return !shape.flat && shape.precision == Precision::BF16 &&
         usesAmx(target, shape);
}

bool vae::sharesRounded(const KernelTarget &target, const Contraction &shape) {
  if (usesPatches(target, shape))
    return true;
  return target.bf16Dot && shape.precision == Precision::BF16 && shape.flat &&
         shape.groups == 1 && shape.runLength() <= kBf16Summands;
}

/// Half of the cache, and equal parts.
int64_t vae::chooseChannelTiles(const KernelTarget &target,
                                const Contraction &shape, const Tile &tile) {
  // Inputs of a tile of AMX are read from the L1 cache for all of them, too,
  // and whole lines of results are written.
  bool amx = usesAmx(target, shape) && shape.groups == 1;
  if (!(sharesRounded(target, shape) || amx) || tile.positions == 1)
    return 1;
  const int64_t weightBytes = shape.precision == Precision::INT8 ? 1 : 2;
  int64_t outputs = tile.vectors * target.vectorWidth;
  if (usesPatches(target, shape))
    return llvm::divideCeil(shape.outputs, outputs);
  int64_t bytes = shape.storedSummands() * outputs * weightBytes;
  int64_t most = std::max<int64_t>(1, target.l2Bytes / 2 / bytes);
  int64_t tiles = llvm::divideCeil(shape.outputs, outputs);
  return llvm::divideCeil(tiles, llvm::divideCeil(tiles, most));
}

int64_t vae::chooseUnroll(int64_t length) {
  if (length <= 4)
    return length;
  for (int64_t unroll : {4, 3, 2, 5, 7})
    if (length % unroll == 0)
      return unroll;
  return 1;
}

int64_t vae::chooseUnroll(int64_t length, int64_t most) {
  while (most > 1 && length % most != 0)
    --most;
  return most;
}

/// As many images as a tile has positions, of about 64 channels, in the L2
/// cache.
int64_t vae::getMostPixelsOfSmallImage(const KernelTarget &target) {
  constexpr int64_t kImages = 8, kChannels = 64;
  return target.l2Bytes / (kImages * kChannels * kElementBytes);
}

/// An item's part of up to four buffers takes half of the L1 cache.
int64_t vae::getFlatItemElements(const KernelTarget &target) {
  constexpr int64_t kBuffers = 4;
  return target.l1Bytes / (2 * kBuffers * kElementBytes);
}
