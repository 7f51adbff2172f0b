// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compression has decided, to be done again: docs/recipes.md.
#ifndef COMPILER_RECIPE_RECIPE_H
#define COMPILER_RECIPE_RECIPE_H

#include "compiler/recipe/PrecisionKinds.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/LogicalResult.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm
namespace mlir {
class MLIRContext;
} // namespace mlir

namespace vae {

/// Units were removed (vae-prune-channels).
struct PruneChannelsStep {
  static constexpr llvm::StringLiteral kKind = "prune-channels";
  struct Layer {
    std::string name;
    /// Before the removal.
    int64_t units = 0;
    /// Ascending.
    std::vector<int64_t> removed;
  };
  /// How they were chosen: of all layers, and of some.
  double fraction = 0;
  std::vector<std::pair<std::string, double>> fractions;
  bool global = false;
  std::string importance = "magnitude";
  /// What counts when the recipe is applied.
  std::vector<Layer> layers;
};

/// What a step looked at to decide.
struct StepData {
  /// Files; empty: the model generated them.
  std::vector<std::string> data;
  /// SHA-256 of the numbers.
  std::string dataHash;
  int64_t samples = 0;
  uint64_t seed = 0;
};

/// Weights were fitted again to data (compiler/compress/LeastSquares.h).
struct LeastSquaresStep : StepData {
  static constexpr llvm::StringLiteral kKind = "least-squares";
  struct Layer {
    std::string name;
    /// In the order of the layer's operand.
    std::vector<int64_t> shape;
    std::vector<float> weight;
    /// Empty if the layer has none.
    std::vector<float> bias;
    /// Mean squared error of the layer's result, relative to the variance of
    /// what the original gives.
    double errorBefore = 0, errorAfter = 0;
  };
  double ridge = 0;
  std::vector<Layer> layers;
};

/// Weights were set to zero (vae-prune-weights), after units were removed and
/// before weights were fitted.
struct PruneWeightsStep {
  static constexpr llvm::StringLiteral kKind = "prune-weights";
  struct Layer {
    std::string name;
    /// As WeightPattern writes it.
    std::string pattern;
    /// In the order of the layer's operand; 1 for a weight that stays, 0 for
    /// one that is zero.
    std::vector<int64_t> shape;
    std::vector<uint8_t> kept;
  };
  /// How they were chosen: of all layers (empty: of none but those), and of
  /// some.
  std::string pattern;
  std::vector<std::pair<std::string, std::string>> patterns;
  bool global = false;
  std::string importance = "magnitude";
  /// What counts when the recipe is applied.
  std::vector<Layer> layers;
};

/// Units between layers got other scales, for integers of 8 bits
/// (compiler/compress/Equalization.h).
struct EqualizeStep : StepData {
  static constexpr llvm::StringLiteral kKind = "equalize";
  /// What scales change of a layer: they divide the weights and bias of its
  /// output units, multiply the weights of its input units, or divide factors
  /// and offsets of a norm.
  enum class Part { Output, Input, Norm };
  struct Axis {
    std::string layer;
    Part part = Part::Output;
    /// Of each unit, positive.
    std::vector<double> scales;
  };
  struct Group {
    std::string method;
    /// Of the model of integers, with the groups before, without this one and
    /// with it: squared error of its results on samples that chose no scale,
    /// relative to the variance of what f32 gives.
    double errorBefore = 0, errorAfter = 0;
    std::vector<Axis> axes;
  };
  std::vector<Group> groups;
};

/// Biases took over what integers of 8 bits change of the mean
/// (compiler/compress/BiasCorrection.h).
struct CorrectBiasStep : StepData {
  static constexpr llvm::StringLiteral kKind = "correct-bias";
  struct Layer {
    std::string name;
    /// What is added to the bias of each output unit.
    std::vector<double> shift;
    /// Squared error of the layer's result on samples that the shift was not
    /// measured on, relative to the variance of what f32 gives.
    double errorBefore = 0, errorAfter = 0;
  };
  std::vector<Layer> layers;
};

/// Layers got the numbers that they multiply and that their weights are stored
/// as (vae-quantize, vae-assign-weights, vae-assign-precision).
struct QuantizeStep {
  static constexpr llvm::StringLiteral kKind = "quantize";
  struct Layer {
    std::string name;
    PrecisionKind kind = PrecisionKind::None;
    /// Where the recipe says it; 0 if it was not read.
    unsigned line = 0, column = 0;
  };
  /// The numbers that 8 bits are to represent.
  struct Tensor {
    std::string name;
    float low = 0, high = 0;
  };
  /// Where ranges are from.
  struct Ranges {
    std::string method;
    /// Files; empty: the model generated them.
    std::vector<std::string> data;
    /// SHA-256 of the numbers; empty if they are not known.
    std::string dataHash;
    /// A table that had the ranges, and SHA-256 of it; empty if they were
    /// measured.
    std::string table, tableHash;
    uint64_t samples = 0, seed = 0;
    std::vector<Tensor> tensors;
  };
  /// What was asked for: the value of --quantize, of auto the budget and what
  /// was minimized.
  std::string method, budget, objective;
  /// "f32", "bf16" or "mixed": of layers that are not listed, and what those
  /// with weights of w8 and w4 multiply.
  std::string precision = "f32";
  /// What lies in memory as f16: a value of --storage.
  std::string storage = "f32";
  /// Each layer with weights once.
  std::vector<Layer> layers;
  /// Nothing where no layer can multiply integers.
  std::optional<Ranges> ranges;
};

using RecipeStep =
    std::variant<PruneChannelsStep, PruneWeightsStep, LeastSquaresStep,
                 EqualizeStep, CorrectBiasStep, QuantizeStep>;

struct Recipe {
  static constexpr int64_t kVersion = 1;
  std::string compiler, model;
  /// hashModel of the imported model.
  std::string hash;
  /// In the order in which they are applied.
  std::vector<RecipeStep> steps;

  template <typename StepTy> const StepTy *find() const {
    for (const RecipeStep &step : steps)
      if (const auto *found = std::get_if<StepTy>(&step))
        return found;
    return nullptr;
  }
  /// Whether it does anything but choose numbers of layers.
  bool changesLayers() const {
    return llvm::any_of(steps, [](const RecipeStep &step) {
      return !std::holds_alternative<QuantizeStep>(step);
    });
  }
};

/// SHA-256 of a model and of what the steps before `quantize` make of it: what
/// ranges are of. The model's own hash if there are none.
std::string hashChangedModel(const Recipe &recipe);

/// Where the weights and masks of a recipe are: beside it, with the ending
/// safetensors.
std::string getRecipeWeightsPath(llvm::StringRef recipe);
bool hasWeights(const Recipe &recipe);

/// Writes the recipe as JSON, which names the weights' file, and these weights.
void printRecipe(const Recipe &recipe, llvm::StringRef weightsFile,
                 llvm::raw_ostream &out);
void printRecipeWeights(const Recipe &recipe, llvm::raw_ostream &out);

/// Reads a recipe and its weights. Errors are emitted at the line and column.
llvm::FailureOr<Recipe> readRecipe(llvm::StringRef path,
                                   mlir::MLIRContext &context);

} // namespace vae

#endif // COMPILER_RECIPE_RECIPE_H
