// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a layer with weights may be: the rows of PrecisionKinds.def. Needs no
// library.
#ifndef COMPILER_RECIPE_PRECISIONKINDS_H
#define COMPILER_RECIPE_PRECISIONKINDS_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace vae {

enum class PrecisionKind {
#define VAE_PRECISION_KIND(IDENTIFIER, NAME, DESCRIPTION) IDENTIFIER,
#include "compiler/recipe/PrecisionKinds.def"
};

/// The name of --quantize-layer and of recipes.
inline llvm::StringRef getPrecisionKindName(PrecisionKind kind) {
  switch (kind) {
#define VAE_PRECISION_KIND(IDENTIFIER, NAME, DESCRIPTION)                      \
  case PrecisionKind::IDENTIFIER:                                              \
    return NAME;
#include "compiler/recipe/PrecisionKinds.def"
  }
  return "";
}

inline std::optional<PrecisionKind> parsePrecisionKind(llvm::StringRef name) {
#define VAE_PRECISION_KIND(IDENTIFIER, NAME, DESCRIPTION)                      \
  if (name == (NAME))                                                          \
    return PrecisionKind::IDENTIFIER;
#include "compiler/recipe/PrecisionKinds.def"
  return std::nullopt;
}

/// All names, joined by ", ".
inline std::string listPrecisionKinds() {
  std::string text;
#define VAE_PRECISION_KIND(IDENTIFIER, NAME, DESCRIPTION)                      \
  text += std::string(text.empty() ? "" : ", ") + (NAME);
#include "compiler/recipe/PrecisionKinds.def"
  return text;
}

} // namespace vae

#endif // COMPILER_RECIPE_PRECISIONKINDS_H
