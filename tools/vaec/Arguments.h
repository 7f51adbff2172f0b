// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of vaec.
#ifndef TOOLS_VAEC_ARGUMENTS_H
#define TOOLS_VAEC_ARGUMENTS_H

#include "compiler/compress/EqualizationMethod.h"
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

/// What the original model is run on, to find out what is important, how
/// weights are to be fitted and which ranges numbers have. Without files: what
/// the model generates.
struct CalibrationArguments {
  /// Files, as of vaec calibrate --data, and further inputs, "NAME=FILE".
  std::vector<std::string> data, inputs;
  std::optional<int64_t> samples;
};

/// What decides which units are unimportant.
enum class Importance { Magnitude, Activation, Taylor };

struct Arguments {
  std::string input;
  std::string output;
  CompileOptions options;
  /// Print the report; to a file as JSON if it is not empty.
  bool report = false;
  std::string reportFile;
  /// Measure; options.tune says where to.
  bool tune = false;
  /// Where the ranges go that are measured; empty: nowhere.
  std::string writeRanges;
  /// Whether --precision and --storage are there; options.precision and
  /// options.storage are defaults else.
  bool hasPrecision = false, hasStorage = false;
  /// --quantize=auto: layers are chosen so that this is kept. What was found,
  /// after the search.
  std::optional<Budget> maxDrop;
  Objective objective = Objective::Time;
  std::optional<AutoReport> autoReport;
  /// Print errors only.
  bool quiet = false;
  CalibrationArguments calibration;
  /// Whether weights are fitted again after pruning.
  bool recovers = false;
  Importance importance = Importance::Magnitude;
  /// What is tried to make integers represent the model better, where that is
  /// measured to be so: scales of units, and biases.
  std::vector<EqualizationMethod> equalize;
  double smoothAlpha = 0.5;
  bool correctsBias = false;
  bool preparesIntegers() const { return !equalize.empty() || correctsBias; }
  /// --mcpu=help.
  bool listCpus = false;
  /// Flags of MLIR, "--mlir-...".
  std::vector<std::string> mlirFlags;
};

/// Reads the command line. Gives an exit code if the program is to end here;
/// what the user should know has been printed then.
std::optional<ExitCode> parseArguments(int argc, char **argv,
                                       Arguments &arguments);

/// Prints what is wrong with the command line.
ExitCode failUsage(const llvm::Twine &message);

/// The options that say what the model is, for every command that compiles one.
/// `size` is read by checkModelOptions.
void addModelOptions(CLI::App &app, Arguments &arguments, std::string &size);
std::optional<ExitCode> checkModelOptions(Arguments &arguments,
                                          const std::string &size);

} // namespace vae::tool

#endif // TOOLS_VAEC_ARGUMENTS_H
