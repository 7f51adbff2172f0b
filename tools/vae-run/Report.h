// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a command says on stdout: text, or one JSON object.
#ifndef TOOLS_VAE_RUN_REPORT_H
#define TOOLS_VAE_RUN_REPORT_H

#include "tools/vae-run/Commands.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace vaedata {
class Model;
} // namespace vaedata

namespace vaerun {

using vaedata::Model;

/// Both forms, filled side by side. The keys are documented in
/// docs/vae-run.md, and a test compares them.
struct Report {
  explicit Report(const Options &options);

  /// Prints the form that the options ask for. Fails if stdout is full.
  void print(const Options &options) const;

  nlohmann::ordered_json json;
  std::ostringstream text;
};

/// The model's name, and the version of its code that runs; null if there is
/// one only.
void reportModel(const Model &model, Report &report);

/// Six significant digits.
std::string formatNumber(double value);
/// "1,234,567".
std::string formatCount(int64_t value);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_REPORT_H
