// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers that passes which make numbers shorter leave alone, and what they ask
// of layers.
#ifndef COMPILER_CONVERSION_EXACTLAYERS_H
#define COMPILER_CONVERSION_EXACTLAYERS_H

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {

/// The first and the last layers of an entry point, between which and an
/// argument or a result there is no other layer, but for dense ones of 2^15 or
/// more weights; and the heads of the latent, whose results are, or become
/// without another layer, mu, logvar or a code.
class ExactLayers {
public:
  explicit ExactLayers(mlir::func::FuncOp entry);
  bool contains(mlir::Operation *layer) const;

private:
  llvm::DenseSet<mlir::Operation *> ends, heads;
};

/// Of a layer with weights: their type, the constant (what entry points share;
/// null if there is none), and how many inputs and outputs a group has.
mlir::RankedTensorType getTypeOfWeight(mlir::Operation *layer);
mlir::Attribute getWeight(mlir::Operation *layer);
std::pair<int64_t, int64_t> getUnitsOfGroup(mlir::Operation *layer);

} // namespace vae

#endif // COMPILER_CONVERSION_EXACTLAYERS_H
