// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds what to compute each layer in, so that most is saved and a budget is
// kept: docs/design/precision-search.md. Knows nothing of models: whoever calls
// it measures.
#ifndef COMPILER_COMPRESS_PRECISIONSEARCH_H
#define COMPILER_COMPRESS_PRECISIONSEARCH_H

#include "compiler/recipe/PrecisionKinds.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>
#include <vector>

namespace vae {

/// What layers are that nothing is chosen for.
inline constexpr PrecisionKind kBaseKind = PrecisionKind::F32;

/// What a layer becomes by a kind other than kBaseKind, all other layers
/// staying that.
struct PrecisionChoice {
  PrecisionKind kind = kBaseKind;
  /// Of its cost, in any unit; not below 0.
  double saving = 0;
  /// Of the measure, in the unit of the budget: what it loses by itself. Below
  /// 0 if it gains. NaN counts as infinite.
  double drop = 0;
};

/// The choices of one layer beside kBaseKind; none if it has no other.
using PrecisionChoices = std::vector<PrecisionChoice>;

/// A kind for each layer.
using PrecisionAssignment = std::vector<PrecisionKind>;

struct PrecisionStep {
  PrecisionAssignment assignment;
  double drop = 0;
  bool fits = false;
};

struct PrecisionSearchResult {
  /// Whether the budget is kept; if not, `assignment` is kBaseKind for all
  /// layers and loses `drop`.
  bool fits = false;
  PrecisionAssignment assignment;
  double drop = 0;
  /// All that was measured, in order, each assignment once.
  std::vector<PrecisionStep> steps;
};

/// Starts with all layers at the choice that saves most; if `measure` gives at
/// most `budget` for it, that is the result. Else layers go back towards
/// kBaseKind in the order of drop per saving until the budget is kept, which is
/// found by bisection; then single ones are tried again that may fit into what
/// is left of the budget. A result has been measured as a whole: drops of
/// single layers give the order only. `measure` is called at most 2 ceil(log2(n
/// + 1)) + 10 times for n steps from the first assignment to kBaseKind: the
/// number of layers, if each has one choice. Where it gives nothing, the search
/// ends and gives nothing. Deterministic if `measure` is.
std::optional<PrecisionSearchResult> searchPrecisions(
    llvm::ArrayRef<PrecisionChoices> layers, double budget,
    llvm::function_ref<std::optional<double>(const PrecisionAssignment &)>
        measure);

} // namespace vae

#endif // COMPILER_COMPRESS_PRECISIONSEARCH_H
