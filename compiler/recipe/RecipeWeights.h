// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reading and writing recipes share. Private to them.
#ifndef COMPILER_RECIPE_RECIPEWEIGHTS_H
#define COMPILER_RECIPE_RECIPEWEIGHTS_H

#include "compiler/recipe/Recipe.h"

namespace vae {

inline constexpr const char *kRecipeFormat = "vaec-recipe";

/// EqualizeStep::Part in a recipe.
inline constexpr llvm::StringLiteral kScaledParts[] = {"output", "input",
                                                       "norm"};

/// Names of tensors: the layer's, and one of these.
inline constexpr const char *kWeightEnding = ".weight";
inline constexpr const char *kBiasEnding = ".bias";
inline constexpr const char *kMaskEnding = ".mask";
/// Of masks, as safetensors spells it: a byte each, 0 or 1.
inline constexpr const char *kMaskType = "BOOL";

/// SHA-256 of all weights and masks of a recipe.
std::string hashWeights(const Recipe &recipe);

} // namespace vae

#endif // COMPILER_RECIPE_RECIPEWEIGHTS_H
