// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-run score.
#include "tools/data/Statistics.h"
#include "tools/vae-run/Error.h"
#include "tools/vae-run/Prepare.h"
#include "tools/vae-run/Results.h"

#include <cmath>

using namespace vaerun;

/// Draws 0 to samples - 1, averaged for each example. Generated noise differs
/// from draw to draw; what does not depend on it (KL) stays the same.
static std::vector<Output> average(Runner &runner, const Job &job,
                                   int64_t samples) {
  Progress progress(job.getExamples() * samples);
  std::vector<Output> outputs = runner.run(job, 0, progress);
  if (samples == 1)
    return outputs;
  std::vector<std::vector<double>> sums;
  for (const Output &output : outputs)
    sums.emplace_back(output.values.begin(), output.values.end());
  for (int64_t draw = 1; draw < samples; ++draw) {
    std::vector<Output> next =
        runner.run(job, static_cast<uint64_t>(draw), progress);
    for (size_t o = 0; o < sums.size(); ++o)
      for (size_t i = 0; i < sums[o].size(); ++i)
        sums[o][i] += next[o].values[i];
  }
  for (size_t o = 0; o < sums.size(); ++o)
    for (size_t i = 0; i < sums[o].size(); ++i)
      outputs[o].values[i] =
          static_cast<float>(sums[o][i] / static_cast<double>(samples));
  return outputs;
}

static void reportStatistics(const std::vector<Output> &outputs,
                             int64_t elements, Report &report) {
  char line[128];
  double bound = NAN;
  report.text << "                     mean +- standard error\n";
  for (const Output &output : outputs) {
    Statistic value = summarize({output.values.begin(), output.values.end()});
    const char *label = output.tensor->role == VAE_ROLE_KL ? "KL"
                        : output.tensor->role == VAE_ROLE_ELBO
                            ? "ELBO"
                            : "log-likelihood";
    report.json[output.tensor->name] = {{"mean", value.mean},
                                        {"standard_error", value.error}};
    std::snprintf(line, sizeof(line), "%-16s %10s +- %s nats an example\n",
                  label, formatNumber(value.mean).c_str(),
                  std::isnan(value.error) ? "?"
                                          : formatNumber(value.error).c_str());
    report.text << line;
    // The ELBO, or the likelihood of a plain code, which has no KL.
    if (output.tensor->role != VAE_ROLE_KL)
      bound = value.mean;
  }
  double bits = -bound / (static_cast<double>(elements) * std::log(2.0));
  report.json["bits_per_dimension"] = bits;
  std::snprintf(line, sizeof(line), "%-16s %10s\n", "bits/dimension",
                formatNumber(bits).c_str());
  report.text << line;
}

void vaerun::runScore(const Options &options) {
  checkChunk(options);
  uint64_t maxMemory = parseMaxMemory(options.maxMemory);
  if (options.samples < 1)
    throw UsageError(
        concat("--samples: expected at least 1, found ", options.samples));
  if (options.samples > 1 && !options.noise.empty())
    throw UsageError("--samples and --noise exclude each other: the file has "
                     "the noise of one draw");
  Results results(options.output, {FileKind::Npz});
  Model model(options.library, options.cpuVersion);
  const vae_abi_model &table = model.getTable();
  const vae_abi_entry &entry = model.getEntry("score");
  Job job = makeJob(model, entry, options);
  // Without noise all draws are the same.
  bool random = findInput(entry, VAE_ROLE_NOISE).has_value();
  int64_t samples = random ? options.samples : 1;
  Runner runner(model, options.threads, options.chunk, maxMemory);
  std::vector<Output> outputs = average(runner, job, samples);

  Report report(options);
  reportModel(model, report);
  report.json["entry"] = entry.name;
  report.json["examples"] = job.getExamples();
  report.json["samples"] = samples;
  report.json["threads"] = runner.getSession().getThreads();
  report.json["seconds"] = runner.getSeconds();
  if (runner.getPlan())
    reportPlan(table, *runner.getPlan(), report.json);
  report.text << formatCount(job.getExamples())
              << (job.getExamples() == 1 ? " example" : " examples");
  if (random)
    report.text << ", " << samples << (samples == 1 ? " draw" : " draws")
                << " of noise each";
  report.text << "\n";
  auto data = findInput(entry, VAE_ROLE_INPUT);
  auto elements =
      countElements(getShape(table, entry.inputs[data.value()], job.sizes, 1));
  reportStatistics(outputs, elements.value(), report);
  results.write(outputs, 0, {}, table, report);
  report.print(options);
}
