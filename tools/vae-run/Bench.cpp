// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-run bench.
#include "tools/data/File.h"
#include "tools/vae-run/Error.h"
#include "tools/vae-run/Layers.h"
#include "tools/vae-run/Limit.h"
#include "tools/vae-run/Prepare.h"
#include "tools/vae-run/Report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <sys/resource.h>

using namespace vaerun;

/// However slow one call is.
static constexpr size_t kFewestCalls = 5;
/// The part of --seconds that runs before anything is measured.
static constexpr double kWarmUp = 0.2;

static double getSeconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Memory of inputs and outputs.
namespace {
struct Buffers {
  std::vector<std::vector<float>> values;
  std::vector<Shape> shapes;
  std::vector<vae_tensor_t> inputs, outputs;
};

struct Measurement {
  uint32_t threads = 0;
  int64_t flops = 0, memory = 0;
  std::optional<Plan> plan;  // with a limit
  std::vector<double> times; // seconds, sorted

  /// The smallest time that `part` of the calls do not exceed.
  double getQuantile(double part) const {
    double rank = std::ceil(part * static_cast<double>(times.size()));
    return times[static_cast<size_t>(std::max(rank, 1.0)) - 1];
  }
};
} // namespace

/// Uniform in the declared range; standard normal for latents; otherwise
/// uniform in [0, 1].
static void fillRandom(const vae_abi_tensor &tensor, uint64_t stream,
                       std::vector<float> &values) {
  if (tensor.role == VAE_ROLE_LATENT) {
    vae_noise_normal(0, stream, 0, values.size(), values.data());
    return;
  }
  double low = tensor.has_range ? tensor.range_min : 0;
  double high = tensor.has_range ? tensor.range_max : 1;
  const uint32_t key[2] = {0, static_cast<uint32_t>(stream)};
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t counter[4] = {static_cast<uint32_t>(i),
                                 static_cast<uint32_t>(uint64_t(i) >> 32), 0,
                                 0};
    uint32_t random[4];
    vae_philox4x32_10(counter, key, random);
    values[i] =
        static_cast<float>(low + random[0] / 4294967295.0 * (high - low));
  }
}

static void addTensor(const vae_abi_model &table, const vae_abi_tensor &tensor,
                      const Sizes &sizes, bool input, Buffers &buffers) {
  requireF32(tensor);
  Shape shape = getShape(table, tensor, sizes, sizes[0]);
  auto count = countElements(shape);
  if (!count)
    fail("'", tensor.name, "': expected sizes that fit in memory, found ",
         formatShape(shape), "; choose smaller ones");
  // Noise is left to the session, as in use.
  bool generated = input && tensor.role == VAE_ROLE_NOISE;
  std::vector<float> values(generated ? 0 : static_cast<size_t>(*count));
  if (input && !generated)
    fillRandom(tensor, buffers.inputs.size(), values);
  buffers.values.push_back(std::move(values));
  buffers.shapes.push_back(std::move(shape));
  (input ? buffers.inputs : buffers.outputs)
      .push_back({generated ? nullptr : buffers.values.back().data(),
                  tensor.dtype, tensor.rank, buffers.shapes.back().data()});
}

/// timer: gets the times of steps; none: nothing is added to a call.
static Measurement measure(const Model &model, const vae_abi_entry &entry,
                           const Sizes &sizes, uint32_t threads,
                           uint64_t maxMemory, double seconds,
                           StepTimer *timer) {
  Buffers buffers;
  for (uint32_t i = 0; i < entry.num_inputs; ++i)
    addTensor(model.getTable(), entry.inputs[i], sizes, true, buffers);
  for (uint32_t i = 0; i < entry.num_outputs; ++i)
    addTensor(model.getTable(), entry.outputs[i], sizes, false, buffers);
  Session session(model, threads, maxMemory,
                  timer ? StepTimer::onStep : nullptr, timer);
  session.setWarning([](const std::string &text) { warn(text); });
  session.prepare(entry, sizes);
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  auto call = [&] {
    double start = getSeconds();
    if (timer)
      timer->beginCall();
    session.run(entry, options, buffers.inputs, buffers.outputs);
    if (timer)
      timer->endCall();
    return getSeconds() - start;
  };

  Measurement result;
  result.threads = session.getThreads();
  result.flops = entry.flops(sizes.data());
  result.memory = session.getMemory();
  if (maxMemory)
    result.plan = findPlan(model, entry, sizes, maxMemory, threads).plan;
  if (timer && result.plan && result.plan->isCut())
    fail("--layers and --trace: expected a run that is not cut, found one in ",
         result.plan->run.parts,
         " parts; raise --max-memory, or choose a "
         "smaller --size");
  double start = getSeconds();
  do
    call();
  while (getSeconds() - start < kWarmUp * seconds);
  if (timer)
    timer->clear();
  start = getSeconds();
  while (result.times.size() < kFewestCalls || getSeconds() - start < seconds)
    result.times.push_back(call());
  std::sort(result.times.begin(), result.times.end());
  return result;
}

static void reportRun(const vae_abi_model &table, int64_t batch,
                      const Measurement &run, Report &report) {
  double median = run.getQuantile(0.5);
  double throughput = static_cast<double>(batch) / median;
  double gflops = static_cast<double>(run.flops) / median / 1e9;
  report.json["runs"].push_back({{"batch", batch},
                                 {"threads", run.threads},
                                 {"calls", run.times.size()},
                                 {"min_ms", 1e3 * run.times.front()},
                                 {"median_ms", 1e3 * median},
                                 {"p95_ms", 1e3 * run.getQuantile(0.95)},
                                 {"p99_ms", 1e3 * run.getQuantile(0.99)},
                                 {"examples_per_second", throughput},
                                 {"flops", run.flops},
                                 {"gflops_per_second", gflops},
                                 {"session_bytes", run.memory}});
  if (run.plan)
    reportPlan(table, *run.plan, report.json["runs"].back());
  char line[160];
  std::snprintf(
      line, sizeof(line),
      "%6lld %7u %8zu %10.4f %10.4f %10.4f %10.4f %12.1f %8.2f %9.2f\n",
      static_cast<long long>(batch), run.threads, run.times.size(),
      1e3 * run.times.front(), 1e3 * median, 1e3 * run.getQuantile(0.95),
      1e3 * run.getQuantile(0.99), throughput, gflops,
      static_cast<double>(run.memory) / 1048576);
  report.text << line;
}

namespace {
/// What --layers and --trace ask for.
class Details {
public:
  /// Fails if the library knows no steps, or the trace cannot be written.
  Details(const Options &options, const Model &model,
          const vae_abi_entry &entry);

  bool wantsSteps() const { return layers || file; }
  /// Takes in what was measured with the timer of a run.
  void add(const Model &model, const vae_abi_entry &entry, const Sizes &sizes,
           const Measurement &run, const StepTimer &timer, Report &report);
  /// Writes the trace, and what follows the table of runs.
  void finish(Report &report);

private:
  bool layers;
  std::map<uint32_t, FmaPeak> peaks; // of numbers of threads; with --layers
  std::ostringstream text;
  std::optional<OutputFile> file; // with --trace
  Trace trace;
};
} // namespace

Details::Details(const Options &options, const Model &model,
                 const vae_abi_entry &entry)
    : layers(options.layers) {
  if (options.layers || !options.trace.empty())
    requireSteps(model, entry);
  if (!options.trace.empty())
    file.emplace(options.trace, "--trace");
  if (!options.layers)
    return;
  // JSON has that of one thread in any case.
  peaks[1] = measureFmaPeak(1);
}

void Details::add(const Model &model, const vae_abi_entry &entry,
                  const Sizes &sizes, const Measurement &run,
                  const StepTimer &timer, Report &report) {
  StepCosts costs(model, entry, sizes, timer);
  std::string title = concat("batch ", sizes[0], ", ", run.threads,
                             run.threads == 1 ? " thread" : " threads");
  if (layers) {
    if (!peaks.count(run.threads))
      peaks[run.threads] = measureFmaPeak(run.threads);
    const FmaPeak &peak = peaks[run.threads];
    LayerTable table(costs, timer, peak);
    text << title << "\n" << table.text;
    nlohmann::ordered_json &json = report.json["runs"].back();
    json["peak_gflops_per_second"] = peak.flopsPerSecond / 1e9;
    json["layers"] = std::move(table.json);
  }
  if (file)
    trace.add(concat(model.getTable().name, ", ", entry.name, ", ", title),
              costs, timer);
}

void Details::finish(Report &report) {
  if (layers) {
    const FmaPeak &one = peaks[1];
    report.json["fma_peak"] = {{"instruction_set", one.instructionSet},
                               {"gflops_per_second", one.flopsPerSecond / 1e9}};
    report.text << "layers; measured peak in GFLOP/s (" << one.instructionSet
                << "): ";
    const char *separator = "";
    for (const auto &[threads, peak] : peaks) {
      report.text << separator << formatNumber(peak.flopsPerSecond / 1e9)
                  << " with " << threads
                  << (threads == 1 ? " thread" : " threads");
      separator = ", ";
    }
    report.text << "\n" << text.str();
  }
  if (file)
    file->commit(trace.format());
}

void vaerun::runBench(const Options &options) {
  for (int64_t batch : options.batches)
    if (batch < 1 || batch > INT32_MAX)
      throw UsageError(
          concat("--batch: expected batches from 1 to 2^31, found ", batch));
  if (!(options.seconds > 0 && options.seconds <= 86400))
    throw UsageError(
        concat("--seconds: expected more than 0 and at most 86400, found ",
               options.seconds));
  uint64_t maxMemory = parseMaxMemory(options.maxMemory);
  Model model(options.library, options.cpuVersion);
  const vae_abi_model &table = model.getTable();
  std::string name = options.entry;
  if (name.empty())
    name = model.findEntry("reconstruct") || table.num_entries == 0
               ? "reconstruct"
               : table.entries[0].name;
  const vae_abi_entry &entry = model.getEntry(name);
  Sizes sizes = parseSizes(table, options);
  requireSizes(table, sizes);
  Details details(options, model, entry);

  Report report(options);
  reportModel(model, report);
  report.json["entry"] = name;
  if (const char *version = model.getVersion())
    name += concat(" for ", version);
  report.json["runs"] = nlohmann::ordered_json::array();
  report.text << table.name << ", " << name
              << ": random input, times in ms\n"
                 " batch threads    calls        min     median        p95 "
                 "       p99   examples/s  GFLOP/s  mem (MiB)\n";
  // Advances between the measurements: drawing must not disturb them.
  Progress progress(static_cast<int64_t>(options.batches.size() *
                                         options.threadCounts.size()));
  for (int64_t batch : options.batches)
    for (uint32_t threads : options.threadCounts) {
      sizes[0] = batch;
      progress.advance(1);
      StepTimer timer;
      Measurement run =
          measure(model, entry, sizes, threads, maxMemory, options.seconds,
                  details.wantsSteps() ? &timer : nullptr);
      reportRun(table, batch, run, report);
      if (details.wantsSteps())
        details.add(model, entry, sizes, run, timer, report);
    }
  progress.finish();
  details.finish(report);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  int64_t peak = int64_t(usage.ru_maxrss) * 1024;
  report.json["peak_rss_bytes"] = peak;
  report.text << "peak resident memory of the process: "
              << formatNumber(static_cast<double>(peak) / 1048576) << " MiB\n";
  report.print(options);
}
