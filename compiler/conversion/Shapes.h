// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contractions that convolutions become.
#ifndef COMPILER_CONVERSION_SHAPES_H
#define COMPILER_CONVERSION_SHAPES_H

#include "compiler/conversion/kernels/Winograd.h"
#include "dialects/vae/IR/VaeAlgorithm.h"

namespace vae {

/// As if the image had its border in memory (`padded` is set) and more than one
/// pixel (`flat` is not).
Contraction getContraction(Conv2dOp op);
/// One for each phase, row by row. None if it has a single pixel as input.
llvm::SmallVector<Contraction> getContractions(ConvTranspose2dOp op);
/// Those of either of them; none of another operation.
llvm::SmallVector<Contraction> getContractions(mlir::Operation *op);

/// Winograd's form of a contraction of an operation, if its algorithm says so
/// and there is one.
std::optional<Winograd> getWinograd(mlir::Operation *op,
                                    const Contraction &shape);
/// Whether a convolution reads its input's border in memory.
bool readsBorder(mlir::Operation *op);

/// The integers that a layer's weights are stored as; none if it has no
/// kernels for them. isWeightOnlyLayer only.
WeightForm getWeightForm(mlir::Operation *op);

/// On a layer: which zeros of its weights are not stored, "rows" or "bitmap"
/// (vae-assign-sparsity); and why all are, although many are zero.
inline constexpr llvm::StringLiteral kSparsityAttr = "vae.sparsity";
inline constexpr llvm::StringLiteral kSparsityNoteAttr = "vae.sparsity_note";
Sparsity getSparsity(mlir::Operation *op);

/// Of a layer's weights, in rows of 16 outputs of a group and one input of a
/// tap, the last of a group with fewer outputs.
struct ZeroCount {
  int64_t weights = 0, zeros = 0; // single ones; -0 is no zero
  int64_t rows = 0, zeroRows = 0;
  int64_t taps = 0, blocks = 0; // of 16 outputs, of all groups
  bool finite = true;

  /// Bytes of all rows, and of what is stored (SparseWeights.h), without what
  /// is padded.
  int64_t getDenseBytes() const;
  int64_t getBytes(Sparsity sparsity) const;
};
/// Nothing if the weight is no constant of f32.
std::optional<ZeroCount> countZeros(mlir::Operation *layer);

} // namespace vae

#endif // COMPILER_CONVERSION_SHAPES_H
