// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are stored as integers with scales, and multiplied as f32: how
// they are packed, and what makes numbers of them again.
#ifndef COMPILER_CONVERSION_KERNELS_WEIGHTFORM_H
#define COMPILER_CONVERSION_KERNELS_WEIGHTFORM_H

#include "compiler/conversion/kernels/Emitter.h"

namespace vae {

struct Contraction;

/// Which zeros of weights of f32 are not stored (SparseWeights.h).
enum class Sparsity {
  None,
  Bitmap, // all, single ones
  Rows    // those of 16 outputs and an input of a tap together
};

/// What integers a contraction's weights are stored as, or which of f32 are.
struct WeightForm {
  int64_t bits = 0;         // of an integer, 8 or 4; 0: they are no integers
  int64_t group = 0;        // of 4 bits: inputs of a tap that share a scale
  bool shortScales = false; // of 4 bits: scales are bf16, not f32
  Sparsity sparsity = Sparsity::None; // of f32 only

  /// Part of a kernel's name.
  std::string name() const;
};

/// Bytes of packed integers. [group of the contraction][block of 16 outputs],
/// and in a block,
///
/// - of 8 bits: 16 scales of f32, then [tap][input][16];
/// - of 4 bits: [tap][group of inputs] of 16 scales and [pair of inputs][16],
///   the first input of a pair in the lower half of a byte, in two's
///   complement. The last group of a tap may be smaller; of an odd one, the
///   last pair has a zero.
///
/// Everything begins at a multiple of 16 bytes, a row.
struct WeightLayout {
  WeightForm form;
  int64_t taps, inputs;

  WeightLayout(const WeightForm &form, int64_t taps, int64_t inputs)
      : form(form), taps(taps), inputs(inputs) {}
  explicit WeightLayout(const Contraction &shape);

  int64_t scaleBytes() const { return form.shortScales ? 2 : 4; }
  /// Of the scales of a block, or of a group of one.
  int64_t headBytes() const;
  /// Of 4 bits: inputs, a whole group unless it is the last, and its scales.
  int64_t groupBytes(int64_t count) const;
  int64_t tapBytes() const;
  int64_t blockBytes() const;
};

/// The packed integers of a contraction, given as functions of (output, input,
/// tap row, tap column) within group g like those of packWeight.
using WeightFn = llvm::function_ref<float(int64_t g, int64_t o, int64_t i,
                                          int64_t ky, int64_t kx)>;
std::vector<int8_t> packIntegerWeight(const Contraction &shape,
                                      WeightFn integer, WeightFn scale);

/// Whether there are kernels whose weights are integers: not depthwise, and not
/// for dot products.
bool hasWeightOnlyForm(const Contraction &shape);

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// A vector of integers of 8 bits as f32.
mlir::Value loadIntegers(Emitter &e, mlir::Value buffer, mlir::Value at);
/// Pairs of integers of 4 bits, and of these the first or second ones as f32.
mlir::Value loadNibbles(Emitter &e, mlir::Value buffer, mlir::Value at);
mlir::Value getNibbles(Emitter &e, mlir::Value pairs, bool second);
/// A vector of scales.
mlir::Value loadScales(Emitter &e, mlir::Value buffer, mlir::Value at,
                       bool shortScales);
/// Weights as packWeight has them of f32, whose element `at`, of the first tap,
/// is given, of tap `tap`: a vector of integers times their scales.
mlir::Value loadScaledWeights(Emitter &e, const WeightLayout &layout,
                              mlir::Value buffer, mlir::Value at, int64_t tap);

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_WEIGHTFORM_H
