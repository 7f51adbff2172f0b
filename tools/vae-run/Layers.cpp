// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Layers.h"

#include "tools/vae-run/Error.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <tuple>

using namespace vaerun;

/// Calls in a trace: enough to see what varies, few enough for a viewer.
static constexpr size_t kTracedCalls = 20;

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void vaerun::requireSteps(const Model &model, const vae_abi_entry &entry) {
  if (entry.num_steps == 0)
    fail(model.getPath(), ": expected a library that lists the steps of '",
         entry.name, "', found one that does not (of ",
         model.getTable().compiler_version,
         "); compile the model again with a vaec of version ",
         vae_runtime_version());
}

StepCosts::StepCosts(const Model &model, const vae_abi_entry &entry,
                     const Sizes &sizes, const StepTimer &timer)
    : entry(entry), flops(entry.num_steps), bytes(entry.num_steps) {
  requireSteps(model, entry);
  if (timer.getNumSteps() < entry.num_steps)
    throw std::runtime_error(concat("'", entry.name, "' has ", entry.num_steps,
                                    " steps in its table, but ",
                                    timer.getNumSteps(), " ran"));
  noise = timer.getNumSteps() - entry.num_steps;
  entry.step_costs(sizes.data(), flops.data(), bytes.data());
}

const char *StepCosts::getName(size_t step) const {
  const vae_abi_step &known = entry.steps[step];
  return *known.layer ? known.layer : known.kernel;
}

//===----------------------------------------------------------------------===//
// The table of layers
//===----------------------------------------------------------------------===//

namespace {
struct Row {
  std::string name;
  std::vector<std::string> kernels;
  size_t begin, end; // positions of the timer
  size_t steps;
  int64_t flops = 0, bytes = 0;
  double predicted = 0; // operations that take as long at a core's peak
  double seconds = 0, least = 0; // median; shortest
  std::string kernel = {};       // the one that took most of the time
};
} // namespace

/// What precedes the first step, generated noise, then the layers.
static std::vector<Row> getRows(const StepCosts &costs) {
  std::vector<Row> rows = {{"(start)", {}, 0, 1, 0}};
  if (costs.noise)
    rows.push_back({"(noise)", {}, 1, 1 + costs.noise, costs.noise});
  const char *last = nullptr;
  for (size_t step = 0; step < costs.flops.size(); ++step) {
    const char *layer = costs.entry.steps[step].layer;
    bool same = last && *layer && std::strcmp(last, layer) == 0;
    last = layer;
    size_t at = 1 + costs.noise + step;
    if (!same)
      rows.push_back({costs.getName(step), {}, at, at, 0});
    Row &row = rows.back();
    row.end = at + 1;
    ++row.steps;
    row.flops += costs.flops[step];
    row.predicted += static_cast<double>(costs.flops[step]) *
                     static_cast<double>(costs.entry.steps[step].predicted) /
                     1000;
    row.bytes += costs.bytes[step];
    std::string kernel = costs.entry.steps[step].kernel;
    if (std::find(row.kernels.begin(), row.kernels.end(), kernel) ==
        row.kernels.end())
      row.kernels.push_back(std::move(kernel));
  }
  return rows;
}

/// Median and least over the calls of the seconds between two positions.
static std::pair<double, double> getTimes(const StepTimer &timer, size_t begin,
                                          size_t end) {
  std::vector<int64_t> times;
  times.reserve(timer.getNumCalls());
  for (size_t call = 0; call < timer.getNumCalls(); ++call)
    times.push_back(timer.getCall(call)[end] - timer.getCall(call)[begin]);
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  int64_t least = *std::min_element(times.begin(), middle + 1);
  return {static_cast<double>(*middle) * 1e-9,
          static_cast<double>(least) * 1e-9};
}

/// The kernel on which a row's steps spent most time.
static std::string findKernel(const StepCosts &costs, const StepTimer &timer,
                              const Row &row) {
  double most = -1;
  std::string name;
  for (size_t at = row.begin; !row.kernels.empty() && at < row.end; ++at) {
    double seconds = getTimes(timer, at, at + 1).first;
    if (seconds <= most)
      continue;
    most = seconds;
    name = costs.entry.steps[at - 1 - costs.noise].kernel;
  }
  return name;
}

static double getRate(int64_t amount, double seconds) {
  return seconds > 0 ? static_cast<double>(amount) / seconds : 0;
}

/// A number of a column, or a dash where there is nothing to count.
static std::string formatCell(bool any, double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.2f", value);
  return any ? buffer : "-";
}

LayerTable::LayerTable(const StepCosts &costs, const StepTimer &timer,
                       const FmaPeak &peak)
    : json(nlohmann::ordered_json::array()) {
  std::vector<Row> rows = getRows(costs);
  int width = 5;
  // Not of the median of the calls: on a busy machine most of them may be
  // interrupted somewhere, while the median of no step is.
  double sum = 0;
  for (Row &row : rows) {
    width = std::max(width, static_cast<int>(row.name.size()));
    std::tie(row.seconds, row.least) = getTimes(timer, row.begin, row.end);
    row.kernel = findKernel(costs, timer, row);
    sum += row.seconds;
  }
  auto addLine = [&](const std::string &name, const std::string &kernel,
                     const char *format, auto... cells) {
    char line[160];
    std::snprintf(line, sizeof(line), format, cells...);
    text += name + std::string(static_cast<size_t>(width) - name.size(), ' ') +
            line + kernel + "\n";
  };
  addLine("layer", "kernel", " %5s %11s %9s %6s %9s %7s %9s %8s  ", "steps",
          "median us", "model us", "%", "GFLOP/s", "% peak", "MB", "GB/s");
  for (const Row &row : rows) {
    double seconds = row.seconds;
    double percent = sum > 0 ? 100 * seconds / sum : 0;
    double flops = getRate(row.flops, seconds);
    double bytes = getRate(row.bytes, seconds);
    double predicted = row.predicted / peak.flopsPerSecond;
    double ofPeak = 100 * flops / peak.flopsPerSecond;
    addLine(row.name, row.kernel.empty() ? "-" : row.kernel,
            " %5zu %11.2f %9s %6.1f %9s %7s %9s %8s  ", row.steps,
            1e6 * seconds,
            formatCell(row.predicted > 0, 1e6 * predicted).c_str(), percent,
            formatCell(row.flops != 0, flops / 1e9).c_str(),
            formatCell(row.flops != 0, ofPeak).c_str(),
            formatCell(row.bytes != 0, static_cast<double>(row.bytes) / 1e6)
                .c_str(),
            formatCell(row.bytes != 0, bytes / 1e9).c_str());
    json.push_back({{"name", row.name},
                    {"steps", row.steps},
                    {"kernel", row.kernel},
                    {"kernels", row.kernels},
                    {"median_us", 1e6 * seconds},
                    {"min_us", 1e6 * row.least},
                    {"predicted_us", 1e6 * predicted},
                    {"percent", percent},
                    {"flops", row.flops},
                    {"bytes", row.bytes},
                    {"gflops_per_second", flops / 1e9},
                    {"peak_percent", ofPeak},
                    {"gbytes_per_second", bytes / 1e9}});
  }
}

//===----------------------------------------------------------------------===//
// Traces
//===----------------------------------------------------------------------===//

void Trace::add(const std::string &title, const StepCosts &costs,
                const StepTimer &timer) {
  size_t calls = timer.getNumCalls();
  size_t first = calls > kTracedCalls ? calls - kTracedCalls : 0;
  if (processes++ == 0)
    origin = timer.getCall(first)[0];
  events.push_back({{"ph", "M"},
                    {"name", "process_name"},
                    {"pid", processes},
                    {"tid", 1},
                    {"args", {{"name", title}}}});
  auto add = [&](const char *name, const char *category, const int64_t *begin,
                 const int64_t *end, nlohmann::ordered_json args) {
    events.push_back({{"ph", "X"},
                      {"name", name},
                      {"cat", category},
                      {"pid", processes},
                      {"tid", 1},
                      {"ts", static_cast<double>(*begin - origin) / 1e3},
                      {"dur", static_cast<double>(*end - *begin) / 1e3},
                      {"args", std::move(args)}});
  };
  for (size_t call = first; call < calls; ++call) {
    const int64_t *times = timer.getCall(call);
    add(costs.entry.name, "call", times, times + timer.getNumSteps() + 1,
        {{"call", call}});
    const int64_t *at = times + 1;
    for (size_t i = 0; i < costs.noise; ++i, ++at)
      add("(noise)", "noise", at, at + 1, nlohmann::ordered_json::object());
    for (size_t i = 0; i < costs.flops.size(); ++i, ++at)
      add(costs.getName(i), "step", at, at + 1,
          {{"layer", costs.entry.steps[i].layer},
           {"kernel", costs.entry.steps[i].kernel},
           {"flops", costs.flops[i]},
           {"bytes", costs.bytes[i]}});
  }
}

std::string Trace::format() const {
  nlohmann::ordered_json file = {{"displayTimeUnit", "ns"},
                                 {"traceEvents", events}};
  return file.dump(0, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}
