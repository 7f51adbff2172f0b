// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --max-drop: what a model may lose, and what it loses.
#ifndef TOOLS_VAEC_BUDGET_H
#define TOOLS_VAEC_BUDGET_H

#include "tools/data/Statistics.h"

#include <string>
#include <vector>

namespace vae::tool {

enum class BudgetMeasure {
  Elbo, // of the entry point `score`, in nats an example
  Mse,  // of the means of `reconstruct`, over elements
  Psnr  // of the same, in dB
};

/// The most that may be lost: docs/quantization-auto.md.
struct Budget {
  BudgetMeasure measure = BudgetMeasure::Elbo;
  /// In the unit of the measure, or in percent of what the f32 model has.
  double most = 0;
  bool percent = false;

  /// Reads "elbo:0.1nat", "elbo:1%", "mse:1%", "mse:0.0001" or "psnr:0.5dB".
  /// Gives an error that begins with "--max-drop"; empty if there is none.
  static std::string parse(const std::string &text, Budget &budget);

  /// "elbo", "mse" or "psnr".
  const char *getName() const;
  /// The entry point that it is measured of.
  const char *getEntry() const;
  /// " nat", " dB", "%" or nothing.
  const char *getUnit() const;
  /// "0.0312 nat".
  std::string format(double drop) const;

  /// What examples lose from one model to another, by their ELBO or mean
  /// squared errors, which are of the same examples in the same order: in the
  /// unit of the budget, with the standard error of the paired difference (of
  /// ratios, to first order). Less than 0 if the other one is better. Not
  /// finite if the values are not, or if a part is asked for of what is 0.
  vaedata::Statistic getDrop(const std::vector<double> &reference,
                             const std::vector<double> &other) const;
};

} // namespace vae::tool

#endif // TOOLS_VAEC_BUDGET_H
