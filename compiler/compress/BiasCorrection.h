// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What integers of 8 bits change of the mean of a layer's result, which its
// bias can take over.
#ifndef COMPILER_COMPRESS_BIASCORRECTION_H
#define COMPILER_COMPRESS_BIASCORRECTION_H

#include "compiler/recipe/Recipe.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace vae {

/// How the results of a layer differ between two models on the same data, by
/// output units:
///
///   shift_u = E[y_u] - E[y'_u]
///
/// with y of the exact model and y' of the other one, before any activation (M.
/// Nagel et al., Data-Free Quantization Through Weight Equalization and Bias
/// Correction, 1906.04721, section 4.2 and appendix D, "empirical bias
/// correction").
class ResultDifference {
public:
  explicit ResultDifference(int64_t units);

  /// Elements in the order of a tensor; those of one unit lie `inner` in a row.
  /// Both are as long.
  void add(llvm::ArrayRef<float> exact, llvm::ArrayRef<float> other,
           int64_t inner);

  /// What the mean of each unit lacks; 0 without elements.
  std::vector<double> getShift() const;
  /// Mean squared error if these shifts are added to the other model's results,
  /// relative to the variance of the exact ones; 0 if these are constant.
  double getError(llvm::ArrayRef<double> shift) const;

private:
  struct Moments {
    double difference = 0, squaredDifference = 0, exact = 0, squaredExact = 0;
  };
  std::vector<Moments> units;
  int64_t count = 0; // of elements of one unit
};

/// Adds the shifts of a step to the biases of its layers, in all functions; a
/// layer without a bias gets one. Layers that the module does not have are left
/// out. Fails, with an error at the layer, if it has other units.
llvm::LogicalResult shiftBiases(mlir::ModuleOp module,
                                const CorrectBiasStep &step);

} // namespace vae

#endif // COMPILER_COMPRESS_BIASCORRECTION_H
