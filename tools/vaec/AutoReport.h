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

/// A layer with weights.
struct AutoLayer {
  std::string name;
  /// Whether it could multiply integers and gain by it; if not, why not.
  bool candidate = false;
  std::string note;
  PrecisionKind choice = PrecisionKind::Base;
  /// What it loses with integers, by itself, beyond what is lost without any,
  /// on the first part of the data.
  vaedata::Statistic sensitivity;
  /// What integers save, as a part of the cost of all layers, and of the bytes
  /// of its weights.
  std::optional<double> saving;
  int64_t savedBytes = 0;
};

struct AutoReport {
  Budget budget;
  /// The files, or "generated".
  std::string data;
  /// Of each part: the samples, what the f32 model has (ELBO, or mean squared
  /// error), and what is lost without integers and with those chosen.
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
  /// Values of --precision and --quantize-layer that choose the same by hand.
  llvm::StringRef precision;
  std::vector<std::string> quantizeLayers;

  bool isKept() const { return parts[2].chosen.mean <= budget.most; }
};

void printAutoReport(const AutoReport &report, llvm::raw_ostream &out);
void writeAutoReport(const AutoReport &report, llvm::json::OStream &json);

} // namespace vae::tool

#endif // TOOLS_VAEC_AUTOREPORT_H
