// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Limit.h"

#include "tools/vae-run/Error.h"

#include <charconv>
#include <iostream>

using namespace vaerun;

uint64_t vaerun::parseMaxMemory(const std::string &text) {
  if (text.empty())
    return 0;
  uint64_t value = 0;
  const char *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  unsigned shift = 0;
  if (rest != end)
    shift = *rest == 'K' ? 10 : *rest == 'M' ? 20 : *rest == 'G' ? 30 : 64;
  bool good = error == std::errc() && value > 0 &&
              (rest == end || (shift < 64 && rest + 1 == end)) &&
              value <= static_cast<uint64_t>(INT64_MAX) >> (shift % 64);
  if (!good)
    throw UsageError(concat("--max-memory: expected bytes, or a number of K, M "
                            "or G (2^10, 2^20, 2^30 bytes), found '",
                            text, "'; write for example --max-memory=256M"));
  return value << shift;
}

int64_t Plan::getBytes() const {
  return run.arena_bytes + run.scratch_bytes + run.noise_bytes +
         run.copy_bytes + run.output_bytes;
}

PlanResult vaerun::findPlan(const Model &model, const vae_abi_entry &entry,
                            const Sizes &sizes, uint64_t limit,
                            uint32_t threads) {
  Plan plan;
  plan.limit = limit;
  plan.run.threads = threads;
  plan.part.resize(sizes.size());
  char message[1024] = "";
  vae_status_t status =
      vae_model_plan_run(model.get(), entry.name, sizes.data(),
                         static_cast<uint32_t>(sizes.size()), limit, &plan.run,
                         plan.part.data(), message, sizeof(message));
  if (status == VAE_INTERNAL)
    throw std::runtime_error(message);
  if (status != VAE_OK)
    return {std::nullopt, message};
  auto whole = static_cast<double>(entry.flops(sizes.data()));
  if (whole > 0)
    plan.recomputed = 100 * (plan.run.flops / whole - 1);
  return {std::move(plan), ""};
}

std::string vaerun::formatPart(const vae_abi_model &table, const Sizes &part) {
  std::string sizes, names;
  for (uint32_t s = 0; s < table.num_symbols; ++s) {
    sizes += concat(s ? " x " : "", part[s]);
    names += concat(s ? " x " : "", table.symbols[s].name);
  }
  return sizes + " (" + names + ")";
}

std::string vaerun::formatMiB(int64_t bytes) {
  return formatNumber(static_cast<double>(bytes) / 1048576) + " MiB";
}

void vaerun::reportPlan(const vae_abi_model &table, const Plan &plan,
                        nlohmann::ordered_json &json) {
  json["max_memory_bytes"] = plan.limit;
  json["planned_bytes"] = plan.getBytes();
  json["segments"] = plan.run.segments;
  json["parts"] = plan.run.parts;
  json["recomputed_percent"] = plan.recomputed;
  if (!plan.isCut())
    return;
  std::cerr << "vae-run: note: run in " << plan.run.parts << " parts";
  if (plan.run.segments > 1)
    std::cerr << " of " << plan.run.segments << " segments";
  std::cerr << ", at most " << formatPart(table, plan.part) << ", with "
            << formatNumber(plan.recomputed) << "% more operations, in "
            << formatMiB(plan.getBytes()) << " of arena and outputs\n";
}
