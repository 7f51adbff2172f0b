// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of vae-run, beside the user's (tools/data/Error.h), which become exit
// code 1 in main().
#ifndef TOOLS_VAE_RUN_ERROR_H
#define TOOLS_VAE_RUN_ERROR_H

#include "tools/data/Error.h"

#include <iostream>

namespace vaerun {

using namespace vaedata;

/// Exit codes: docs/vae-run.md.
enum ExitCode { kOk = 0, kUserError = 1, kUsage = 2, kBug = 70 };

/// A line on stderr about something that may not be meant.
template <typename... Parts> void warn(const Parts &...parts) {
  std::cerr << "vae-run: warning: " << concat(parts...) << "\n";
}

} // namespace vaerun

#endif // TOOLS_VAE_RUN_ERROR_H
