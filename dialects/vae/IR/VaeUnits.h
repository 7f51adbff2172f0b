// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which units (neurons, channels) the elements of a model's tensors belong to:
// what structured pruning has to know of operations.
#ifndef DIALECTS_VAE_IR_VAEUNITS_H
#define DIALECTS_VAE_IR_VAEUNITS_H

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

#include <string>

namespace vae {

/// On a module: the output units that its layers have lost
/// (vae-prune-channels), a dictionary of arrays of i64 by the layers' names.
inline constexpr llvm::StringLiteral kPrunedAttr = "vae.pruned";

/// A number of a UnitFlow. Units that were united are equal to the flow, not as
/// numbers.
using Unit = unsigned;

/// The units of a tensor's elements: those with index i on `axis`, which is not
/// the batch, are of units[i]. A unit may have several indices.
struct UnitAxis {
  int64_t axis = 0;
  llvm::SmallVector<Unit> units;
};

/// A layer's weight, which makes units. Functions share it.
struct LayerUnits {
  /// As the first function with it calls the layer; with "#2" behind it if
  /// another weight's layer has that name.
  std::string name;
  /// One layer that has the weight.
  mlir::Operation *op = nullptr;
  /// One for each output unit.
  llvm::SmallVector<Unit> units;
};

/// How units flow through the functions of a module: layers with weights make
/// them, and the other operations carry them on (UnitCarrierOpInterface). Units
/// that can only be removed together are united, as are, finally, those of a
/// residual sum; those that cannot be removed are fixed.
class UnitFlow {
public:
  /// Nothing belongs to it but what cannot be removed.
  static constexpr Unit kFixed = 0;

  /// Follows the units through all functions.
  explicit UnitFlow(mlir::ModuleOp module);

  /// True if it has said what an operation does to units; otherwise that is
  /// what the operation says.
  using CarryFn = llvm::function_ref<bool(mlir::Operation *, UnitFlow &)>;
  /// Lets something else than the removal of units look at their flow.
  UnitFlow(mlir::ModuleOp module, CarryFn carry);

  //===--------------------------------------------------------------------===//
  // For operations (carryUnits)
  //===--------------------------------------------------------------------===//

  /// Null if no element of the tensor can be removed.
  const UnitAxis *find(mlir::Value value) const;
  void set(mlir::Value value, int64_t axis, llvm::ArrayRef<Unit> units);
  void unite(Unit a, Unit b);
  /// Element by element; both are as long.
  void unite(llvm::ArrayRef<Unit> a, llvm::ArrayRef<Unit> b);
  /// Unites all of them to one unit.
  void unite(llvm::ArrayRef<Unit> units);
  /// Keeps all elements of a tensor.
  void fix(mlir::Value value);
  void fix(llvm::ArrayRef<Unit> units);
  /// The units of tensors of one shape, united element by element; null if
  /// nothing can be removed. All are fixed then.
  std::optional<UnitAxis> merge(llvm::ArrayRef<mlir::Value> values);
  /// Unites the units of a tensor with those on an axis; both are fixed if the
  /// tensor has its units elsewhere.
  void join(mlir::Value value, int64_t axis, llvm::ArrayRef<Unit> units);
  /// New ones.
  llvm::SmallVector<Unit> makeUnits(int64_t count);
  /// The output units of a layer: the same ones for all that have its weight.
  llvm::SmallVector<Unit> addLayer(PrunableOpInterface layer);
  /// Says that index i on an axis of a constant goes with units[i]. All that
  /// use the constant's tensor say the same.
  void slice(mlir::OpOperand &constant, int64_t axis,
             llvm::ArrayRef<Unit> units);
  /// The same for a constant whose axis is that of a tensor, all of whose
  /// elements are kept if `units` is null.
  void slice(mlir::OpOperand &constant, int64_t axis, const UnitAxis *units);

  //===--------------------------------------------------------------------===//
  // For the choice of units
  //===--------------------------------------------------------------------===//

  /// The unit that stands for all that were united with it.
  Unit getRoot(Unit unit) const;
  bool isFixed(Unit unit) const { return getRoot(unit) == getRoot(kFixed); }
  /// In the order of the functions.
  llvm::ArrayRef<LayerUnits> getLayers() const { return layers; }
  /// That of an operation's weight; null if the operation makes no units.
  const LayerUnits *findLayer(mlir::Operation *op) const;
  /// The operations of the layers of these names, each with its name's place.
  /// Before any changes: layers are known by their weights.
  llvm::SmallVector<std::pair<PrunableOpInterface, size_t>>
  findLayers(mlir::ModuleOp module,
             llvm::ArrayRef<llvm::StringRef> names) const;

  //===--------------------------------------------------------------------===//
  // Afterwards (dropUnits)
  //===--------------------------------------------------------------------===//

  void remove(Unit unit) { removed[getRoot(unit)] = true; }
  bool isRemoved(Unit unit) const { return removed[getRoot(unit)]; }
  int64_t countKept(llvm::ArrayRef<Unit> units) const;
  /// Indices that stay.
  llvm::SmallVector<int64_t> getKept(llvm::ArrayRef<Unit> units) const;
  /// The axes of a constant operand that lose elements.
  llvm::SmallVector<UnitAxis> getSlices(mlir::OpOperand &constant) const;
  /// All tensors with units, in the order of the functions.
  const llvm::MapVector<mlir::Value, UnitAxis> &getTensors() const {
    return tensors;
  }

private:
  Unit add();
  using WeightKey = std::pair<mlir::Attribute, mlir::Attribute>;
  static WeightKey getKey(mlir::Operation *op, mlir::ElementsAttr weight);

  mutable std::vector<Unit> parents;
  std::vector<bool> removed;
  llvm::MapVector<mlir::Value, UnitAxis> tensors;
  std::vector<LayerUnits> layers;
  llvm::DenseMap<WeightKey, size_t> layerOfWeight;
  llvm::DenseMap<mlir::OpOperand *, llvm::SmallVector<UnitAxis, 2>> slices;
  llvm::DenseMap<std::pair<WeightKey, int64_t>, llvm::SmallVector<Unit>>
      sharedSlices;
};

} // namespace vae

#endif // DIALECTS_VAE_IR_VAEUNITS_H
