// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec calibrate: docs/calibration.md.
#ifndef TOOLS_VAEC_CALIBRATE_H
#define TOOLS_VAEC_CALIBRATE_H

#include "compiler/pipeline/Files.h"
#include "compiler/pipeline/Report.h"
#include "tools/vaec/Arguments.h"
#include "tools/vaec/CalibrationData.h"

namespace vae::tool {

/// Measures the ranges that a compilation needs and has not, on its
/// calibration data or on what the model generates; or on data that are there
/// already.
ExitCode calibrateFor(Arguments &arguments,
                      const CalibrationData *data = nullptr);

/// Runs the command; argv[0] is its name. Gives the exit code.
int runCalibrate(int argc, char **argv);

/// What is known of the model before it is compiled to run.
struct ModelFacts {
  std::string name, hash;
  std::vector<std::string> entries;
  /// Operations of one sample; dynamic sizes of images.
  int64_t flops = 0;
  std::vector<DimensionReport> sizes;

  bool has(llvm::StringRef entry) const;
};
ExitCode readFacts(Arguments arguments, ModelFacts &facts);

/// Gives a size to images that have none, and are to be generated.
void fixSize(Arguments &compiler, const ModelFacts &facts);

/// A place for a library that is run before the output is written: a folder of
/// which programs can be run. Throws Failure.
TemporaryFile createLibraryFile(llvm::StringRef output);

/// Thrown where a step has failed and has said why.
struct Failure {
  ExitCode code;
};
void require(ExitCode code);

/// Runs a step whose errors are thrown (tools/data/Error.h); prints them.
/// `samplesOption` takes less memory.
ExitCode guard(llvm::function_ref<ExitCode()> run,
               llvm::StringRef samplesOption = "--calibration-samples");

void warn(const std::string &message);
ExitCode failFile(llvm::StringRef file, llvm::Error error);

} // namespace vae::tool

#endif // TOOLS_VAEC_CALIBRATE_H
