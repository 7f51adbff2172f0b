// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers that passes treat apart: the ends of an entry point and the heads of
// the latent.
#ifndef DIALECTS_VAE_TRANSFORMS_LAYERENDS_H
#define DIALECTS_VAE_TRANSFORMS_LAYERENDS_H

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace vae {

class LayerEnds {
public:
  explicit LayerEnds(mlir::func::FuncOp entry);

  /// Whether there is no other layer between a layer and an argument, a result
  /// or the sampled latent.
  bool isFirstOrLast(mlir::Operation *layer) const {
    return ends.contains(layer);
  }
  /// Whether the results of a layer are, or become without another layer, mu,
  /// logvar or a code.
  bool isHead(mlir::Operation *layer) const { return heads.contains(layer); }
  /// Whether passes that make numbers shorter leave a layer alone: a head, or a
  /// first or last one that is not dense with 2^15 or more weights.
  bool isExact(mlir::Operation *layer) const;

private:
  llvm::DenseSet<mlir::Operation *> ends, heads;
};

/// What entry points share of a layer, whatever each makes of its result; null
/// if its weight is not known.
mlir::Attribute getSharedWeight(mlir::Operation *layer);

/// The type of a layer's weight, and how many inputs and outputs a group has.
mlir::RankedTensorType getTypeOfWeight(mlir::Operation *layer);
std::pair<int64_t, int64_t> getUnitsOfGroup(mlir::Operation *layer);

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_LAYERENDS_H
