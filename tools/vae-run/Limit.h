// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --max-memory: reading it, and saying what it leads to.
#ifndef TOOLS_VAE_RUN_LIMIT_H
#define TOOLS_VAE_RUN_LIMIT_H

#include "tools/data/Model.h"
#include "tools/vae-run/Report.h"

namespace vaerun {

using namespace vaedata;

/// Bytes of "256M": a number, or one of K, M or G, 2^10, 2^20 or 2^30 bytes. 0
/// for an empty text: no limit. Throws a UsageError for another.
uint64_t parseMaxMemory(const std::string &text);

/// How a run is cut to keep within a limit.
struct Plan {
  uint64_t limit = 0;
  vae_run_plan_t run = VAE_RUN_PLAN_INIT;
  Sizes part;            // the largest, of the segment that takes most
  double recomputed = 0; // operations, in percent of those of the whole

  /// Arena, scratch, noise, copies and outputs.
  int64_t getBytes() const;
  bool isCut() const { return run.parts > 1; }
};

/// The plan for sizes, of which the batch is the first, and threads (0: one
/// per available CPU); or what stands against
/// it.
struct PlanResult {
  std::optional<Plan> plan;
  std::string refusal;
};
PlanResult findPlan(const Model &model, const vae_abi_entry &entry,
                    const Sizes &sizes, uint64_t limit, uint32_t threads);

/// "1 x 104 x 104 (batch x height x width)".
std::string formatPart(const vae_abi_model &table, const Sizes &part);

/// Adds a plan's facts to JSON, and, if the run is cut, says so on stderr.
void reportPlan(const vae_abi_model &table, const Plan &plan,
                nlohmann::ordered_json &json);

/// "61 MiB".
std::string formatMiB(int64_t bytes);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_LIMIT_H
