// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Other scales for the units between layers, which integers of 8 bits represent
// better while the function stays the same.
#ifndef COMPILER_COMPRESS_EQUALIZATION_H
#define COMPILER_COMPRESS_EQUALIZATION_H

#include "compiler/compress/EqualizationMethod.h"
#include "compiler/compress/LeastSquares.h"
#include "compiler/recipe/Recipe.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

namespace vae {

/// Whether f(s x) = s f(x) for an operation that is no layer with weights, all
/// operands that vary, and every s > 0; elements of a channel have one s.
bool isPositivelyHomogeneous(mlir::Operation *op);

/// Which units of a model can have other scales: what makes them, a layer with
/// weights or a norm with a factor for each channel, is divided by s_i, and the
/// weights of all layers that read them are multiplied by it. Between them
/// there is nothing but what isPositivelyHomogeneous. Inputs and outputs of an
/// entry point keep their scales.
class Equalization {
public:
  /// Looks at all functions of a module in which nothing is fused. Keeps
  /// magnitudes of weights, not the module.
  explicit Equalization(mlir::ModuleOp module);

  /// Layers whose scales depend on each other.
  struct Group {
    struct Axis {
      std::string layer;
      EqualizeStep::Part part;
      /// Which of the group's scales each unit has; -1: none.
      std::vector<int64_t> indices;
    };
    /// What makes units, then what reads them.
    std::vector<Axis> axes;
    int64_t numScales = 0;
    /// "fc1 -> fc2, fc3".
    std::string describe() const;
  };
  /// In the order of execution.
  llvm::ArrayRef<Group> getGroups() const { return groups; }

  struct Choice {
    size_t group;
    EqualizationMethod method;
  };
  /// The largest magnitudes of a layer's input units on data; empty: unknown,
  /// and the layer's group keeps its scales.
  using InputsFn = llvm::function_ref<llvm::ArrayRef<double>(llvm::StringRef)>;

  /// The scales of some groups, in their order. A unit of which a magnitude is
  /// 0 or not finite keeps its scale.
  std::vector<EqualizeStep::Group> solve(llvm::ArrayRef<Choice> choices,
                                         double alpha, InputsFn inputs) const;

private:
  /// By layer and part of a weight ("norm"): [output units, input units].
  using Magnitudes = llvm::StringMap<RealMatrix>;
  class Finder;

  static void scale(const Group &group, llvm::ArrayRef<double> scales,
                    Magnitudes &magnitudes);
  /// Of what makes (first) and what reads (second) the units.
  std::pair<std::vector<double>, std::vector<double>>
  measure(const Group &group, const Magnitudes &magnitudes) const;

  std::vector<Group> groups;
  Magnitudes weights;
};

/// Gives layers and norms the scales of a step, in all functions. Layers that
/// the module does not have are left out. Fails, with an error at the layer, if
/// it has other units, or if a weight would not be finite.
llvm::LogicalResult equalizeWeights(mlir::ModuleOp module,
                                    const EqualizeStep &step);

} // namespace vae

#endif // COMPILER_COMPRESS_EQUALIZATION_H
