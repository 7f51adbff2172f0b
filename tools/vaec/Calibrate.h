// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec calibrate: docs/calibration.md.
#ifndef TOOLS_VAEC_CALIBRATE_H
#define TOOLS_VAEC_CALIBRATE_H

#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// Measures the ranges that a compilation needs and has not, on its
/// calibration data or on what the model generates.
ExitCode calibrateFor(Arguments &arguments);

/// Runs the command; argv[0] is its name. Gives the exit code.
int runCalibrate(int argc, char **argv);

} // namespace vae::tool

#endif // TOOLS_VAEC_CALIBRATE_H
