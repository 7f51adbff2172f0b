// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vaec calibrate: docs/calibration.md.
#ifndef TOOLS_VAEC_CALIBRATE_H
#define TOOLS_VAEC_CALIBRATE_H

namespace vae::tool {

/// Runs the command; argv[0] is its name. Gives the exit code.
int runCalibrate(int argc, char **argv);

} // namespace vae::tool

#endif // TOOLS_VAEC_CALIBRATE_H
