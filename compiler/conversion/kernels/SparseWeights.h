// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of f32 of which zeros are not stored: how they are packed, and what
// reads them. A row is the weights of 16 outputs and one input of a tap, which
// packWeight has side by side.
#ifndef COMPILER_CONVERSION_KERNELS_SPARSEWEIGHTS_H
#define COMPILER_CONVERSION_KERNELS_SPARSEWEIGHTS_H

#include "compiler/conversion/kernels/Kernels.h"

namespace vae {

/// Where the parts of a packed weight begin, in bytes. Blocks of 16 outputs of
/// all groups are numbered through, and rows of a block in the order of
/// packWeight.
///
/// Sparsity::Bitmap, for any zeros:
///   offsets  u32 [block]: the number of the block's first value
///   masks    u16 [block][row]: bit l is set if output l has a value
///   values   f32 [value]: of one row after the other
///
/// Sparsity::Rows, for rows that are zero as a whole:
///   starts   u32 [block][tap], and one behind the last: the number of the
///            first row that is there
///   values   f32 [row that is there][16]
///   places   u16 [row that is there]: elements from where the run of the
///            input begins (Contraction::runLength) to what it multiplies
///
/// Parts begin at multiples of 64 bytes; where places begin follows from the
/// last start.
struct SparseLayout {
  int64_t blocks, taps, inputs; // blocks: of all groups

  explicit SparseLayout(const Contraction &shape);

  int64_t rows() const { return taps * inputs; }
  // Of a bitmap.
  int64_t masksAt() const;
  int64_t bitmapValuesAt() const;
  // Of rows.
  int64_t rowValuesAt() const;
};

/// Whether a contraction has a form with such weights: those of packWeight that
/// are neither depthwise nor for dot products, whose places fit 16 bits.
bool hasSparseForm(const Contraction &shape, Sparsity sparsity);

/// Packs weights given as packWeight gets them. -0 is no zero.
std::vector<int8_t> packSparseWeight(const Contraction &shape, WeightFn weight);

/// Whether the contraction kernel reads the bitmap itself, for as many
/// positions as a register tile has, and expanded weights for more: a dense
/// layer. Others have expanded ones always.
bool decodesBitmap(const KernelTarget &target, const Contraction &shape);

/// Makes the weights that packWeight gives of a bitmap. Buffers: the bitmap,
/// the weights. Sizes: positions of the contraction; for as few as `decoded`,
/// which its kernel decodes itself, nothing is done.
mlir::func::FuncOp getExpandWeightsKernel(mlir::ModuleOp module,
                                          mlir::Location loc,
                                          const KernelTarget &target,
                                          const Contraction &shape,
                                          int64_t decoded);

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// An unsigned integer of 2 or 4 bytes, at a byte of a buffer, as an index.
mlir::Value loadUnsigned(Emitter &e, mlir::Value buffer, mlir::Value at,
                         int64_t bytes);
/// A vector of f32 at a byte of a buffer.
mlir::Value loadFloats(Emitter &e, mlir::Value buffer, mlir::Value at);

/// Reads the values of a row of a bitmap.
struct BitmapRow {
  mlir::Value mask;  // of 16 lanes, an index
  mlir::Value first; // byte of the first value
};
/// A vector of weights, of the lanes from `lane` on.
mlir::Value expandRow(Emitter &e, const KernelTarget &target,
                      mlir::Value buffer, const BitmapRow &row, int64_t lane);
/// Values of a row.
mlir::Value countValues(Emitter &e, mlir::Value mask);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_SPARSEWEIGHTS_H
