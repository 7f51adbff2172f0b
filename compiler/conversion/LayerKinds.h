// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a user, or a recipe, wants of single layers.
#ifndef COMPILER_CONVERSION_LAYERKINDS_H
#define COMPILER_CONVERSION_LAYERKINDS_H

#include "compiler/recipe/PrecisionKinds.h"
#include "mlir/IR/Operation.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <string>

namespace vae {

/// Kinds by layers' names, of texts "[LAYER=]KIND"; without a layer, of all
/// that have no other. Of two for one, the last counts.
class LayerKinds {
public:
  /// Fails on names of no kind.
  static llvm::Expected<LayerKinds> parse(llvm::ArrayRef<std::string> texts);

  /// Nothing if nothing is wanted of the layer.
  std::optional<PrecisionKind> find(mlir::Operation *layer) const;
  /// Whether it is wanted of any layer.
  bool has(PrecisionKind kind) const;

private:
  llvm::StringMap<PrecisionKind> kinds; // "": of all
};

/// Reads a pass's option `layers`; errors are emitted.
mlir::LogicalResult readKinds(llvm::ArrayRef<std::string> texts,
                              LayerKinds &kinds, mlir::MLIRContext *context);

/// Layers that read one weight are of one kind: those of which different ones
/// are wanted are of none of them.
template <typename ValueTy> class SharedWishes {
public:
  /// False if another layer has another wish for the weight.
  bool add(mlir::Attribute weight, const ValueTy &value) {
    return wishes.try_emplace(weight, value).first->second == value;
  }

private:
  llvm::DenseMap<mlir::Attribute, ValueTy> wishes;
};

} // namespace vae

#endif // COMPILER_CONVERSION_LAYERKINDS_H
