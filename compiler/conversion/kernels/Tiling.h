// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of the pieces that kernels work on, and the machine from which they
// follow. Every choice of a size is here; docs/design/tiling.md explains them.
#ifndef COMPILER_CONVERSION_KERNELS_TILING_H
#define COMPILER_CONVERSION_KERNELS_TILING_H

#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vae {

struct Contraction;
struct Winograd;

/// A register tile of a contraction: output positions (pixels, or rows of a
/// dense layer's input) times vectors of output channels. Of dot products,
/// positions times all outputs.
struct Tile {
  int64_t vectors, positions;
};

/// What kernels need to know of the machine: from its features, never from its
/// name (compiler/target/cpu derives it).
struct KernelTarget {
  /// Lanes of an f32 vector: 16 (AVX-512), 8 (AVX2), 4 (SSE, NEON).
  int64_t vectorWidth = 8;
  /// Number of vector registers.
  int64_t vectorRegisters = 16;
  /// Caches of one core. No feature tells their size: these are usual ones.
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 1 << 20;
  /// Results of so many bytes and more are written past the caches; 0: none
  /// are, for want of stores of whole lines.
  int64_t streamBytes = 0;
  /// Whether there is an instruction that adds products of pairs of bf16 to f32
  /// (AVX512-BF16); of 16 lanes only.
  bool bf16Dot = false;
  /// Whether there is an instruction that adds products of pairs of 16-bit
  /// integers (pmaddwd), and one that adds them to sums, too (VNNI).
  bool wordDots = false, vnni = false;
  /// Whether there is an instruction that adds products of fours of signed
  /// bytes to sums of i32 (AArch64's dot product).
  bool byteDots = false;
  /// Whether there are instructions that multiply tiles of 16 rows of 64 bytes
  /// (AMX): of bytes with sums of i32, and of bf16 with sums of f32. Beside
  /// vectors of 16 lanes only.
  bool amxInt8 = false, amxBf16 = false;
  /// The tile of contractions that the user wants, instead of the chosen one.
  std::optional<Tile> tile;
  /// The version of the code that the kernels belong to; empty if there is one
  /// only.
  std::string version;
  /// Not of the machine: which buffers of the kernel that is asked for are of
  /// f16, a bit each (Lowering::getTarget).
  uint32_t f16Buffers = 0;
  /// Likewise, which are of bytes: of quantized tensors, and integer weights.
  uint32_t byteBuffers = 0;

  /// The machine with vectors of that width.
  static KernelTarget withWidth(int64_t vectorWidth) {
    KernelTarget target;
    target.vectorWidth = vectorWidth;
    target.vectorRegisters = vectorWidth == 8 ? 16 : 32;
    return target;
  }
};

/// Output channels come in blocks of this many in packed weights, whatever the
/// vector width.
inline constexpr int64_t kChannelBlock = 16;

/// Summands of int8 that are multiplied together; and of dot products, those
/// that weights are padded to: a vector of 64 bytes.
inline constexpr int64_t kInt8Fours = 4, kInt8DotRun = 64;

/// Sums that hide the latency of a multiply-add: 4 cycles, of which two begin
/// in each.
inline constexpr int64_t kSumsInFlight = 8;

/// Vector registers of a tile: its sums, the weights of a step, and two
/// broadcast inputs, so that one is loaded while the other is used.
int64_t getRegisters(const Tile &tile);

/// Success if the target has the registers for the tile that the user wants.
/// The message says what would fit.
llvm::Error checkTile(const KernelTarget &target);

Tile chooseTile(const KernelTarget &target, const Contraction &shape);
/// The tile where there is one position only.
Tile chooseRowTile(const KernelTarget &target, const Contraction &shape);
/// Whether a contraction has code for a single position: it is a dense layer.
bool hasRowTile(const KernelTarget &target, const Contraction &shape);

/// The register tile of a Winograd kernel's products: tiles of the image times
/// vectors of outputs, which make whole blocks of channels: a panel.
Tile chooseWinogradTile(const KernelTarget &target, int64_t outputs);

/// The panels that a Winograd kernel's outputs come in: `wide` ones of the
/// register tile's width, and a last one of a single block of channels if no
/// more are left.
struct WinogradPanels {
  int64_t width; // outputs of a wide panel
  int64_t wide;
  bool narrow; // whether there is one of a block behind the wide ones

  static WinogradPanels of(const KernelTarget &target, int64_t outputs);
  int64_t count() const { return wide + narrow; }
  int64_t blocks() const { return wide * (width / kChannelBlock) + narrow; }
};
/// Tiles of the image that a Winograd kernel works on at a time.
int64_t getWinogradTiles(const KernelTarget &target, const Winograd &shape);

/// Tiles of AMX: rows, bytes of a row; how many there are, and how many of them
/// hold sums, so that the others hold their inputs and weights.
inline constexpr int64_t kAmxRows = 16, kAmxBytes = 64, kAmxTiles = 8,
                         kAmxSums = 4;
/// i32 words of a row of a tile, and of a tile.
inline constexpr int64_t kAmxRowWords = kAmxBytes / 4,
                         kAmxTileWords = kAmxRowWords * kAmxRows;
/// Positions that share a tile of weights.
inline constexpr int64_t kAmxPositions = 2 * kAmxRows;
/// Whether a contraction multiplies tiles; one of integers, where it has more
/// than one position.
bool usesAmx(const KernelTarget &target, const Contraction &shape);

/// What the windows of a block of output positions cover, rounded to bf16 once
/// for all channels: `rows` rows of kAmxPositions. Sizes are in i32 words, of
/// two elements each.
struct Patch {
  int64_t rows;     // of the output
  int64_t height;   // of the input
  int64_t rowWords; // of a row of the input
  int64_t step;     // elements from one position to the next
  int64_t words;    // of all frames

  static Patch of(const Contraction &shape);
};
/// Whether a convolution by AMX works on patches.
bool usesPatches(const KernelTarget &target, const Contraction &shape);

/// Vectors that hold that many outputs.
int64_t vectorsFor(const KernelTarget &target, int64_t outputs);
/// Outputs of a group in whole blocks.
int64_t paddedOutputs(const Contraction &shape);
/// Steps of an innermost loop of that length that are done at once.
int64_t chooseUnroll(int64_t length);
/// As many as divide the length, and no more than `most`.
int64_t chooseUnroll(int64_t length, int64_t most);

/// Summands of a position that are rounded to bf16 at a time: for all positions
/// of a tile they leave the L1 cache room for weights.
inline constexpr int64_t kBf16Summands = 1024;

/// Whether the inputs of an item's positions are rounded to bf16 once, for all
/// tiles of channels that the item has.
bool sharesRounded(const KernelTarget &target, const Contraction &shape);
/// The most tiles of channels that follow each other with the same positions:
/// their weights lie in the L2 cache.
int64_t chooseChannelTiles(const KernelTarget &target, const Contraction &shape,
                           const Tile &tile);
/// Tiles of positions of a band of a dense layer: so many that weights which
/// come from a distant cache for each band take a small part of its time.
inline constexpr int64_t kBandTiles = 32;

/// An item of a patch has several tiles of channels if there are still so many
/// items, for threads to divide.
inline constexpr int64_t kFewestItems = 32;

/// Images of at most so many pixels are worked on several at a time
/// (PositionTiles). Larger ones have little border to gain from, and the pixels
/// of several images no longer lie in the cache together.
int64_t getMostPixelsOfSmallImage(const KernelTarget &target);

/// Elements of a work item of an elementwise kernel.
int64_t getFlatItemElements(const KernelTarget &target);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_TILING_H
