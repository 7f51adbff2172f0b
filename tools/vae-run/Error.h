// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of vae-run. The user's are thrown and become exit code 1 in main().
#ifndef TOOLS_VAE_RUN_ERROR_H
#define TOOLS_VAE_RUN_ERROR_H

#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace vaerun {

/// Exit codes: docs/vae-run.md.
enum ExitCode { kOk = 0, kUserError = 1, kUsage = 2, kBug = 70 };

/// Something the user gave is wrong: a file, a shape, a value.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The command line asks for something that does not exist.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The arguments as one text.
template <typename... Parts> std::string concat(const Parts &...parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

template <typename... Parts> [[noreturn]] void fail(const Parts &...parts) {
  throw UserError(concat(parts...));
}

/// A line on stderr about something that may not be meant.
template <typename... Parts> void warn(const Parts &...parts) {
  std::cerr << "vae-run: warning: " << concat(parts...) << "\n";
}

} // namespace vaerun

#endif // TOOLS_VAE_RUN_ERROR_H
