// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which weights of a model become zero.
#ifndef DIALECTS_VAE_TRANSFORMS_WEIGHTSELECTION_H
#define DIALECTS_VAE_TRANSFORMS_WEIGHTSELECTION_H

#include "dialects/vae/IR/VaeUnits.h"
#include "dialects/vae/Transforms/WeightPattern.h"

#include <utility>
#include <vector>

namespace vae {

struct WeightRequest {
  /// Of all layers but those that are left out unless they are named: the heads
  /// of the latent, depthwise convolutions, and layers of fewer than 1024
  /// weights, or of fewer inputs or outputs than the pattern has.
  std::optional<WeightPattern> all;
  /// Of single layers, which `all` does not concern then.
  std::vector<std::pair<std::string, WeightPattern>> layers;
  /// The least important of all layers of `all` go, not those of each layer.
  /// Not of NOfM.
  bool global = false;
  /// The L2 norm of each input unit of a layer over data, by the layer's name:
  /// importance is |w| times that (M. Sun et al., A simple and effective
  /// pruning approach for large language models, 2306.11695, equation 1). Of
  /// other layers it is |w| (S. Han et al., Learning both weights and
  /// connections for efficient neural networks, 1506.02626).
  std::vector<std::pair<std::string, std::vector<double>>> norms;
  /// Fractions are multiplied by this, for steps of a schedule. Of two parts,
  /// the weights that go by the smaller one go by the larger one, too.
  double part = 1;
};

/// Which weights of a layer stay, in the order and the shape of its operand.
struct WeightMask {
  std::string layer;
  WeightPattern pattern;
  llvm::SmallVector<int64_t> shape;
  /// 1: stays, 0: becomes zero.
  std::vector<uint8_t> kept;
};

struct WeightSelection {
  /// In the order of the functions.
  std::vector<WeightMask> masks;
  /// Layers with weights that are left out, and why.
  std::vector<std::pair<std::string, std::string>> left;
};

/// The importance of a piece of several weights is the L2 norm of that of each.
/// Of equals, the one that is first in memory goes. Errors are at the module: a
/// name that no layer has, a pattern that does not go with the scope, or a
/// model all of whose layers are left out.
llvm::FailureOr<WeightSelection> selectWeights(mlir::ModuleOp module,
                                               const WeightRequest &request);

/// Sets weights to zero in all functions. Layers that the module does not have
/// are left out: entry points may have been. Fails, with an error at the layer,
/// if shapes differ.
llvm::LogicalResult maskWeights(mlir::ModuleOp module,
                                llvm::ArrayRef<WeightMask> masks);

/// On the module: a dictionary with the pattern of each layer that has lost
/// weights, and one with the layers that were left out, and why.
inline constexpr llvm::StringLiteral kPrunedWeightsAttr = "vae.pruned_weights";
inline constexpr llvm::StringLiteral kUnprunedAttr = "vae.unpruned";

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_WEIGHTSELECTION_H
