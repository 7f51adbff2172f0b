// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What --quantize=auto has found.
#ifndef TOOLS_VAEC_AUTOREPORT_H
#define TOOLS_VAEC_AUTOREPORT_H

#include "compiler/compress/PrecisionSearch.h"
#include "tools/vaec/Budget.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

namespace vae::tool {

/// Parts of the data: for calibration, for decision, for the check (Batches.h).
inline constexpr size_t kNumDataParts = 3;

/// What is to become less (--optimize).
enum class Objective { Time, Size };
llvm::StringRef getObjectiveName(Objective objective);

/// What a layer could be, beside f32.
struct AutoCandidate {
  PrecisionKind kind = kBaseKind;
  /// What the layer loses by it, all others being f32, beyond what is lost
  /// without it, on the first part of the data.
  vaedata::Statistic sensitivity;
  /// What it saves, as a part of the cost of all layers, and of the bytes of
  /// their weights.
  std::optional<double> saving;
  int64_t savedBytes = 0;
};

/// A layer with weights.
struct AutoLayer {
  std::string name;
  /// Those that save something.
  std::vector<AutoCandidate> candidates;
  /// If there are none, why not.
  std::string note;
  PrecisionKind choice = kBaseKind;

  /// Null if the choice is f32.
  const AutoCandidate *getChosen() const;
};

struct AutoReport {
  Budget budget;
  Objective objective = Objective::Time;
  /// The files, or "generated".
  std::string data;
  /// Of each part: the samples, what the f32 model has (ELBO, or mean squared
  /// error), and what is lost with nothing chosen and as chosen.
  struct Part {
    int64_t samples = 0;
    double reference = 0;
    vaedata::Statistic base, chosen;
  };
  Part parts[kNumDataParts];
  std::vector<AutoLayer> layers;
  /// What the search has measured, on the second part: the drop and its
  /// standard error together.
  std::vector<PrecisionStep> steps;
  /// How many libraries were compiled to measure them.
  int64_t compilations = 0;
  /// Values of --precision, --storage and --quantize-layer that choose the same
  /// by hand.
  llvm::StringRef precision, storage;
  std::vector<std::string> quantizeLayers;

  bool isKept() const { return parts[2].chosen.mean <= budget.most; }
};

void printAutoReport(const AutoReport &report, llvm::raw_ostream &out);
void writeAutoReport(const AutoReport &report, llvm::json::OStream &json);

} // namespace vae::tool

#endif // TOOLS_VAEC_AUTOREPORT_H
