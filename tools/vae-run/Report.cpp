// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Report.h"

#include "tools/data/Model.h"
#include "tools/vae-run/Error.h"

#include <cstdio>
#include <cstring>

using namespace vaerun;

/// Of everything that --json prints.
static constexpr int kSchema = 1;

Report::Report(const Options &options) {
  json["schema"] = kSchema;
  json["command"] = options.command;
  json["library"] = options.library;
}

void Report::print(const Options &options) const {
  // Names in a library are not ours: bytes that are no UTF-8 become U+FFFD in
  // JSON, and control characters do not reach the terminal.
  std::string out =
      options.json
          ? json.dump(2, ' ', false,
                      nlohmann::ordered_json::error_handler_t::replace) +
                "\n"
          : text.str();
  for (char &c : out)
    if ((c >= 0 && c < ' ' && c != '\n') || c == 0x7f)
      c = '?';
  bool good = std::fwrite(out.data(), 1, out.size(), stdout) == out.size() &&
              std::fflush(stdout) == 0;
  if (!good)
    fail("stdout: expected an output that can be written, found: ",
         std::strerror(errno), "; redirect it to another place");
}

void vaerun::reportModel(const Model &model, Report &report) {
  report.json["model"] = model.getTable().name;
  const char *version = model.getVersion();
  report.json["version"] =
      version ? nlohmann::ordered_json(version) : nlohmann::ordered_json();
}

std::string vaerun::formatNumber(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  return buffer;
}

std::string vaerun::formatCount(int64_t value) {
  std::string digits = std::to_string(value);
  for (size_t i = digits.size(); i > 3 + (value < 0 ? 1u : 0u);) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}
