// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The commands of vae-run.
#ifndef TOOLS_VAE_RUN_COMMANDS_H
#define TOOLS_VAE_RUN_COMMANDS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace vaerun {

/// The command line. Every command uses some of it.
struct Options {
  std::string command, library;
  bool json = false;

  std::vector<std::string> files;
  /// "name=file": further inputs.
  std::vector<std::string> named;
  std::string noise;
  bool allowNonfinite = false;
  /// "HxW", and "name=value": dynamic dimensions.
  std::string size;
  std::vector<std::string> dims;

  std::string output;
  bool compare = false;

  bool scaled = false;

  bool sample = false;
  uint64_t seed = 0;
  int64_t samples = 1; // draws, of score
  int64_t count = 0;   // examples, of sample

  std::optional<int64_t> chunk; // examples at a time
  uint32_t threads = 0;
  std::string cpuVersion; // of the library's code; empty: the best
  std::string maxMemory;  // "256M", or empty
  /// info prints memory at the sizes and the first of the batches.
  bool wantsMemory = false;

  std::string entry;
  std::vector<int64_t> batches = {1};
  std::vector<uint32_t> threadCounts = {0};
  double seconds = 1;
  bool layers = false;
  std::string trace; // file
};

/// Declares all commands and what they take. Parsing writes to `options`, which
/// must live until then.
void declareOptions(CLI::App &app, Options &options);

void runInfo(const Options &options);
/// encode, decode, reconstruct and sample.
void runGenerate(const Options &options);
void runScore(const Options &options);
void runBench(const Options &options);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_COMMANDS_H
