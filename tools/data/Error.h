// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors in what the user gave. They are thrown, and printed by the tools.
#ifndef TOOLS_DATA_ERROR_H
#define TOOLS_DATA_ERROR_H

#include <sstream>
#include <stdexcept>
#include <string>

namespace vaedata {

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

} // namespace vaedata

#endif // TOOLS_DATA_ERROR_H
