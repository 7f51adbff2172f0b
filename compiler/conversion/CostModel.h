// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What computing a convolution costs, by each algorithm. A model, not a
// measurement: it ranks algorithms for one layer on one kind of machine.
#ifndef COMPILER_CONVERSION_COSTMODEL_H
#define COMPILER_CONVERSION_COSTMODEL_H

#include "compiler/conversion/kernels/Winograd.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeAlgorithm.h"

namespace vae {

/// Whether an algorithm is to be taken that costs `cost` instead of `other`: a
/// larger tile, which is less exact, must save a tenth, and stored weights,
/// which are larger, more.
bool isWorth(const Algorithm &algorithm, double cost, double other);

/// Bytes of a layer's transformed weights; 0 if it stores none, or for another
/// operation.
int64_t getStoredBytes(const KernelTarget &target, mlir::Operation *op,
                       const Algorithm &algorithm);
/// Whether a layer stores no more than it may unless the user asks for it.
bool isAffordable(const KernelTarget &target, mlir::Operation *op,
                  const Algorithm &algorithm);

/// A contraction and how many positions it is computed at.
struct Work {
  Contraction shape;
  int64_t images = 1, rows = 1, columns = 1;
};

/// Vector instructions of one core, which begins two multiply-adds a cycle:
/// half of it is about the number of cycles. Weights are transformed once a
/// run. Of direct sums, `precision` counts if it is int8, of which an algorithm
/// is no part. Nothing if the algorithm cannot compute the contraction.
std::optional<double> getCost(const KernelTarget &target, const Work &work,
                              const Algorithm &algorithm,
                              Precision precision = Precision::F32);

/// Of all contractions of a convolution; those that the algorithm cannot
/// compute are direct. Nothing if it can compute none, or for another
/// operation. Dynamic sizes count as 128, a dynamic batch as 1.
std::optional<double> getCost(const KernelTarget &target, mlir::Operation *op,
                              const Algorithm &algorithm,
                              Precision precision = Precision::F32);

/// The same of attention, by its f32 or its int8 kernels. Dynamic sizes as
/// above.
double getAttentionCost(const KernelTarget &target, AttentionOp op,
                        Precision precision);

/// What a convolution costs, as a part of the time that its operations take at
/// a core's peak; a number above 1 if it is slower. Nothing for another
/// operation.
std::optional<double> getPredictedTime(const KernelTarget &target,
                                       mlir::Operation *op,
                                       const Algorithm &algorithm,
                                       Precision precision);

} // namespace vae

#endif // COMPILER_CONVERSION_COSTMODEL_H
