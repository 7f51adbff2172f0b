// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which units of a model are removed.
#ifndef DIALECTS_VAE_TRANSFORMS_UNITSELECTION_H
#define DIALECTS_VAE_TRANSFORMS_UNITSELECTION_H

#include "dialects/vae/IR/VaeUnits.h"

namespace vae {

/// What is to be removed. Units that go together count as one.
struct UnitRequest {
  /// Of all layers, 0 <= fraction < 1.
  double fraction = 0;
  /// The least important of the whole model, not of each layer.
  bool global = false;
  /// Of single layers, which `fraction` does not concern then.
  std::vector<std::pair<std::string, double>> layers;
  /// Importance of a layer's units, instead of the norms of their weights.
  std::vector<std::pair<std::string, std::vector<double>>> scores;
  /// Scores are of one measure in all layers: not relative to the layer's. All
  /// layers with units to remove have some.
  bool absolute = false;
  /// Just these units of these layers; the members above do not count then.
  std::vector<std::pair<std::string, std::vector<int64_t>>> removed;
};

/// The importance of every output unit of a layer: the L2 norm of its weights
/// (H. Li et al., Pruning filters for efficient ConvNets, 1608.08710, section
/// 3.1).
std::vector<double> getUnitNorms(PrunableOpInterface layer);

/// Removes units from the flow. Errors are at the layer: a name that there is
/// not, a layer none of whose units can be removed, or one that would lose all
/// of them.
llvm::LogicalResult selectUnits(UnitFlow &flow, const UnitRequest &request,
                                mlir::ModuleOp module);

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_UNITSELECTION_H
