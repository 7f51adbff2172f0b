// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of vaec.
#ifndef TOOLS_VAEC_ARGUMENTS_H
#define TOOLS_VAEC_ARGUMENTS_H

#include "compiler/pipeline/Options.h"
#include "tools/vaec/AutoReport.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace vae::tool {

/// Exit codes: docs/cli.md.
enum ExitCode : int { kOk = 0, kInputError = 1, kUsage = 2, kBug = 70 };

struct Arguments {
  std::string input;
  std::string output;
  CompileOptions options;
  /// Print the report; to a file as JSON if it is not empty.
  bool report = false;
  std::string reportFile;
  /// Measure; options.tune says where to.
  bool tune = false;
  /// What layers that multiply integers are calibrated on: files as of vaec
  /// calibrate --data. None, and no ranges: what the model generates.
  std::vector<std::string> calibrationData;
  /// Further inputs, "NAME=FILE", and at most how many samples; none: all.
  std::vector<std::string> calibrationInputs;
  std::optional<int64_t> calibrationSamples;
  /// Where the ranges go that are measured; empty: nowhere.
  std::string writeRanges;
  /// --quantize=auto: layers are chosen so that this is kept. What was found,
  /// after the search.
  std::optional<Budget> maxDrop;
  std::optional<AutoReport> autoReport;
  /// Print errors only.
  bool quiet = false;
  /// --mcpu=help.
  bool listCpus = false;
  /// Flags of MLIR, "--mlir-...".
  std::vector<std::string> mlirFlags;
};

/// Reads the command line. Gives an exit code if the program is to end here;
/// what the user should know has been printed then.
std::optional<ExitCode> parseArguments(int argc, char **argv,
                                       Arguments &arguments);

/// The options that say what the model is, for every command that compiles one.
/// `size` is read by checkModelOptions.
void addModelOptions(CLI::App &app, Arguments &arguments, std::string &size);
std::optional<ExitCode> checkModelOptions(Arguments &arguments,
                                          const std::string &size);

} // namespace vae::tool

#endif // TOOLS_VAEC_ARGUMENTS_H
