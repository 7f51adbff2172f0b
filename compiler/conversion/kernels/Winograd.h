// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions by Winograd's algorithm: tiles of the image are transformed,
// multiplied position by position with transformed weights, and transformed
// back.
#ifndef COMPILER_CONVERSION_KERNELS_WINOGRAD_H
#define COMPILER_CONVERSION_KERNELS_WINOGRAD_H

#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/conversion/kernels/WinogradForm.h"

namespace vae {

/// A convolution of stride and dilation 1 in one group, or one phase of a
/// transposed convolution.
struct Winograd {
  int64_t inputs = 0, outputs = 0; // channels
  WinogradAxis axes[2];
  /// Whether 16-bit integers are multiplied: block floating point, whose blocks
  /// are a row of a tile's positions and a chunk of inputs.
  bool blockFloat = false;

  /// Of a contraction, with tiles of that many outputs along each axis that has
  /// more than one tap.
  static Winograd of(const Contraction &shape, int64_t tileOutputs);
  /// Whether there is such a form of a contraction.
  static bool canCompute(const Contraction &shape, int64_t tileOutputs);
  /// Of a convolution of one tap, or a dense layer, which has nothing to save
  /// but by blockFloat: F(1x1, 1x1).
  static std::optional<Winograd> ofPointwise(const Contraction &shape);

  /// Products of a tile, per input and output channel.
  int64_t positions() const { return axes[0].size() * axes[1].size(); }
  int64_t inputBlocks() const;
  /// Pairs of input blocks, whose channels are multiplied together by
  /// blockFloat, and chunks of such pairs.
  int64_t inputPairs() const;
  int64_t chunks() const;
  std::string name() const;
};

/// Pairs of input blocks of a chunk of blockFloat: 64 channels have one scale,
/// and their products one sum of 32 bits.
inline constexpr int64_t kChunkPairs = 2;
inline constexpr int64_t kChunkChannels = kChunkPairs * 2 * kChannelBlock;
/// Bits of the magnitude of a transformed input. Those of weights are as many
/// as keep the sum of a chunk below 2^31.
inline constexpr int kInputBits = 14;

/// Whether there is code for that.
bool hasBlockFloat(const KernelTarget &target, const Winograd &shape);

/// Elements of the transformed weights: [panel of outputs][position][input in
/// whole blocks][output of the panel]. Positions are getWinogradWeightStride
/// apart: a line more than they need, for the caches. Of blockFloat, a position
/// has for each chunk [output], the scales, and [pair of inputs][output], of
/// input c of a block and the same of the next block. The last panel may be
/// narrower than the others (WinogradPanels), and so are its strides.
int64_t getWinogradWeightSize(const KernelTarget &target,
                              const Winograd &shape);
/// Of a panel of that many outputs.
int64_t getWinogradWeightStride(const Winograd &shape, int64_t panelWidth);

/// Elements from the weights of one chunk to those of the next.
int64_t getWinogradChunkStride(const Winograd &shape, int64_t panelWidth);

/// Transforms weights. Buffers: the weights as contractions pack them,
/// the transformed ones.
mlir::func::FuncOp getWinogradWeightKernel(mlir::ModuleOp module,
                                           mlir::Location loc,
                                           const KernelTarget &target,
                                           const Winograd &shape,
                                           const WeightForm &form = {});

/// The same at compile time, bit for bit, of packed weights of f32.
std::vector<float> transformWinogradWeights(const KernelTarget &target,
                                            const Winograd &shape,
                                            llvm::ArrayRef<float> packed);

/// Buffers: x, transformed weights, [packed bias], [residual], y. Sizes: those
/// of a contraction. x needs no border: what the image does not have is zero.
mlir::func::FuncOp getWinogradKernel(mlir::ModuleOp module, mlir::Location loc,
                                     const KernelTarget &target,
                                     const Winograd &shape,
                                     const Epilogue &epilogue);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_WINOGRAD_H
