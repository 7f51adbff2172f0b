// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compression has decided, to be done again: docs/pruning.md, "Recipes".
#ifndef COMPILER_RECIPE_RECIPE_H
#define COMPILER_RECIPE_RECIPE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/LogicalResult.h"

#include <cstdint>
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

/// Weights were fitted again to data (compiler/compress/LeastSquares.h).
struct LeastSquaresStep {
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
  /// Files; empty: the model generated them.
  std::vector<std::string> data;
  /// SHA-256 of the numbers.
  std::string dataHash;
  int64_t samples = 0;
  uint64_t seed = 0;
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

using RecipeStep =
    std::variant<PruneChannelsStep, PruneWeightsStep, LeastSquaresStep>;

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
};

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
