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

} // namespace vae

#endif // COMPILER_CONVERSION_SHAPES_H
