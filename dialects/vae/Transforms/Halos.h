// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What parts of an image must be to give the bits of the whole.
#ifndef DIALECTS_VAE_TRANSFORMS_HALOS_H
#define DIALECTS_VAE_TRANSFORMS_HALOS_H

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace vae {

/// What tiles need along one symbol, in its units.
struct Halo {
  int64_t before = 0, after = 0;
  int64_t multiple = 0; // 0: nothing follows the symbol
};

/// Why an entry point cannot be cut.
struct Obstacle {
  std::string layer, operation;
};

/// The analysis of one entry point.
class HaloFinder {
public:
  explicit HaloFinder(mlir::func::FuncOp function) : function(function) {
    if (auto module = function->getParentOfType<mlir::ModuleOp>())
      if (auto symbols = module->getAttrOfType<mlir::ArrayAttr>(kSymbolsAttr))
        halos.resize(symbols.size());
  }

  /// Whether the arguments have a dynamic axis besides the batch.
  bool follow();
  /// Nothing if all results can be made of tiles.
  std::optional<Obstacle> run();
  llvm::ArrayRef<Halo> getHalos() const { return halos; }
  Reach getReach(mlir::Value value) const { return reaches.lookup(value); }

private:
  bool follow(mlir::AffineExpr dim, AxisReach &axis);
  bool align(const Reach &reach);
  void widen(const Reach &reach);
  bool infer(mlir::Operation &op);

  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, Reach> reaches;
  llvm::SmallVector<Halo> halos;
  std::optional<Obstacle> obstacle; // of the arguments
};

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_HALOS_H
