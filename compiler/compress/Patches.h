// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inputs that one output of a layer with weights sees, as a row of a matrix
// ("im2col"), and weights as the matrix that such rows are multiplied by.
#ifndef COMPILER_COMPRESS_PATCHES_H
#define COMPILER_COMPRESS_PATCHES_H

#include "compiler/compress/LeastSquares.h"
#include "dialects/vae/IR/Vae.h"

#include <optional>

namespace vae {

/// A dense layer, convolution or transposed convolution without groups.
class Patches {
public:
  /// Nothing for other layers.
  static std::optional<Patches> create(mlir::Operation *layer);
  /// Shapes with the batch, [N, C, H, W] or [N, .., K]: images have the size of
  /// the data.
  void setShapes(llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> output);

  /// Inputs of a row: input units times taps.
  int64_t getInputs() const { return channels * taps; }
  int64_t getInputUnits() const { return channels; }
  int64_t getOutputs() const { return outputs; }
  bool isDense() const { return dense; }
  /// Positions of one example.
  int64_t getPositions() const { return count(outSizes); }

  /// What the output at a position sees of an example's input: element
  /// c * taps + t is that of input unit c and tap t, 0 outside of the image.
  void readInputs(const float *example, int64_t position, double *row) const;
  /// The output units at a position.
  void readOutputs(const float *example, int64_t position, double *row) const;

  /// [inputs, outputs], of a weight in the order of the layer's operand, and
  /// back.
  RealMatrix toMatrix(llvm::ArrayRef<float> weight) const;
  std::vector<float> toWeight(const RealMatrix &matrix) const;

private:
  static int64_t count(llvm::ArrayRef<int64_t> sizes);
  /// Where an element of the weight is in the matrix.
  template <typename FunctionTy> void forEachWeight(FunctionTy visit) const;

  /// Units on the last axis, and on that of channels otherwise.
  bool dense = false, transposed = false;
  int64_t channels = 0, outputs = 0, taps = 1;
  llvm::SmallVector<int64_t> inSizes, outSizes, kernel, strides, dilations,
      padding;
};

} // namespace vae

#endif // COMPILER_COMPRESS_PATCHES_H
