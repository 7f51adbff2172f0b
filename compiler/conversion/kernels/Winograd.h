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

  /// Of a contraction, with tiles of that many outputs along each axis that has
  /// more than one tap.
  static Winograd of(const Contraction &shape, int64_t tileOutputs);
  /// Whether there is such a form of a contraction.
  static bool canCompute(const Contraction &shape, int64_t tileOutputs);

  /// Products of a tile, per input and output channel.
  int64_t positions() const { return axes[0].size() * axes[1].size(); }
  int64_t inputBlocks() const;
  std::string name() const;
};

/// Elements of the transformed weights: [panel of outputs][position][input in
/// whole blocks][output of the panel]. Positions are getWinogradWeightStride
/// apart: a line more than they need, for the caches.
int64_t getWinogradWeightStride(const KernelTarget &target,
                                const Winograd &shape);
int64_t getWinogradWeightSize(const KernelTarget &target,
                              const Winograd &shape);

/// Transforms weights. Buffers: the weights as contractions pack them,
/// the transformed ones.
mlir::func::FuncOp getWinogradWeightKernel(mlir::ModuleOp module,
                                           mlir::Location loc,
                                           const KernelTarget &target,
                                           const Winograd &shape);

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
