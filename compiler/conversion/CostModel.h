// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What computing a convolution costs, by each algorithm. A model, not a
// measurement: it ranks algorithms for one layer on one kind of machine.
#ifndef COMPILER_CONVERSION_COSTMODEL_H
#define COMPILER_CONVERSION_COSTMODEL_H

#include "compiler/conversion/kernels/Winograd.h"
#include "dialects/vae/IR/VaeAlgorithm.h"

namespace vae {

/// A larger tile is less exact and must be worth it.
inline constexpr double kWorthLargerTile = 0.9;

/// A contraction and how many positions it is computed at.
struct Work {
  Contraction shape;
  int64_t images = 1, rows = 1, columns = 1;
};

/// Vector instructions of one core, which begins two multiply-adds a cycle:
/// half of it is about the number of cycles. Weights are transformed once a
/// run. Nothing if the algorithm cannot compute the contraction.
std::optional<double> getCost(const KernelTarget &target, const Work &work,
                              const Algorithm &algorithm);

/// Of all contractions of a convolution; those that the algorithm cannot
/// compute are direct. Nothing if it can compute none, or for another
/// operation. Dynamic sizes count as 128, a dynamic batch as 1.
std::optional<double> getCost(const KernelTarget &target, mlir::Operation *op,
                              const Algorithm &algorithm);

} // namespace vae

#endif // COMPILER_CONVERSION_COSTMODEL_H
