// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-run: runs a compiled model on files.
#include "tools/vae-run/Commands.h"
#include "tools/vae-run/Error.h"

#include "CLI/CLI.hpp"

#include <cstdio>
#include <new>

using namespace vaerun;

static void runCommand(const Options &options) {
  if (options.command == "info")
    return runInfo(options);
  if (options.command == "score")
    return runScore(options);
  if (options.command == "bench")
    return runBench(options);
  runGenerate(options);
}

static int runTool(int argc, char **argv) {
  CLI::App app("vae-run runs a model that vaec compiled.", "vae-run");
  Options options;
  declareOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  runCommand(options);
  return kOk;
}

static int report(int code, const char *kind, const char *what,
                  const char *remedy = "") {
  std::fprintf(stderr, "vae-run: %s: %s%s\n", kind, what, remedy);
  return code;
}

int main(int argc, char **argv) {
  try {
    return runTool(argc, argv);
  } catch (const UsageError &error) {
    return report(kUsage, "error", error.what());
  } catch (const UserError &error) {
    return report(kUserError, "error", error.what());
  } catch (const std::bad_alloc &) {
    return report(kUserError, "error", "out of memory",
                  "; give fewer examples at once, or a smaller --batch");
  } catch (const std::exception &error) {
    return report(kBug, "internal error", error.what(),
                  "; please report it with the command line");
  }
}
