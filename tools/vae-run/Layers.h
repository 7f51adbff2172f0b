// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the time of a call goes: vae-run bench --layers and --trace.
#ifndef TOOLS_VAE_RUN_LAYERS_H
#define TOOLS_VAE_RUN_LAYERS_H

#include "tools/data/Model.h"
#include "tools/vae-run/FmaPeak.h"
#include "tools/vae-run/StepTimer.h"

#include <nlohmann/json.hpp>

namespace vaerun {

using namespace vaedata;

/// What the library says of the steps of an entry point, for some sizes.
struct StepCosts {
  const vae_abi_entry &entry;
  std::vector<int64_t> flops, bytes; // of each step
  size_t noise = 0; // steps of generated noise that run before them

  /// Fails if the library knows no steps, or if the calls had fewer.
  StepCosts(const Model &model, const vae_abi_entry &entry, const Sizes &sizes,
            const StepTimer &timer);

  /// The layer of a step; of one without, its kernel.
  const char *getName(size_t step) const;
};

/// Fails if the library does not say what steps an entry point has.
void requireSteps(const Model &model, const vae_abi_entry &entry);

/// What was measured of one batch and number of threads, layer by layer.
struct LayerTable {
  /// Adjacent steps of one layer are one row. peak: of the threads that ran.
  LayerTable(const StepCosts &costs, const StepTimer &timer,
             const FmaPeak &peak);

  nlohmann::ordered_json json; // a list
  std::string text;            // a header and the rows
};

/// Collects calls in the trace event format of Chrome (JSON), which Perfetto
/// and chrome://tracing show.
class Trace {
public:
  /// The last calls that the timer has kept, as a process named `title` in the
  /// viewer.
  void add(const std::string &title, const StepCosts &costs,
           const StepTimer &timer);
  std::string format() const;

private:
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  int processes = 0;
  int64_t origin = 0; // of the time in the file
};

} // namespace vaerun

#endif // TOOLS_VAE_RUN_LAYERS_H
