// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-run encode, decode, reconstruct and sample.
#include "tools/data/Statistics.h"
#include "tools/vae-run/Error.h"
#include "tools/vae-run/Prepare.h"
#include "tools/vae-run/Quality.h"
#include "tools/vae-run/Results.h"
#include "tools/vae-run/Scaling.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace vaerun;

/// The output that a file of one array holds.
static size_t chooseMain(const std::vector<Output> &outputs, bool sample) {
  for (size_t i = 0; i < outputs.size(); ++i)
    if (sample && outputs[i].tensor->role == VAE_ROLE_LATENT)
      return i;
  return 0;
}

/// Nats; as in PyTorch's binary_cross_entropy, logarithms end at -100.
static double getCrossEntropy(const std::vector<float> &x,
                              const std::vector<float> &y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum -= x[i] * std::max(std::log(double(y[i])), -100.0) +
           (1.0 - x[i]) * std::max(std::log1p(-double(y[i])), -100.0);
  return sum;
}

/// Peak signal-to-noise ratio, and of images the structural similarity, where
/// the model says which values its data may have.
static void reportQuality(const Data &x, const Output &y, double mse,
                          const vae_abi_model &model, Report &report) {
  auto bounds = findRange(*y.tensor, model);
  if (!bounds)
    return;
  double range = double(bounds->second) - bounds->first;
  double psnr = getPsnr(mse, range);
  report.json["psnr"] = psnr; // null if infinite
  report.text << "PSNR " << formatNumber(psnr) << " dB\n";
  auto planes = findPlanes(y.shape, y.tensor->layout);
  if (!planes)
    return;
  if (!planes->fitWindow()) {
    report.json["ssim"] = nullptr;
    report.text << "SSIM none: the images are smaller than its window of "
                << kSsimWindow << " x " << kSsimWindow << "\n";
    return;
  }
  double ssim = getSsim(x.values, y.values, *planes, range);
  report.json["ssim"] = ssim;
  report.text << "SSIM " << formatNumber(ssim) << "\n";
}

static void reportErrors(const Data &x, const Output &y,
                         const vae_abi_model &model, Report &report) {
  if (x.values.size() != y.values.size())
    throw std::runtime_error("the input and its mean differ in shape");
  double mse =
      getMeanSquaredError(x.values.data(), y.values.data(), x.values.size());
  report.json["mse"] = mse;
  report.text << "MSE  " << formatNumber(mse) << " (mean over elements)\n";
  reportQuality(x, y, mse, model, report);
  if (std::strcmp(model.likelihood, "bernoulli") != 0)
    return;
  double bce =
      getCrossEntropy(x.values, y.values) / static_cast<double>(y.shape[0]);
  report.json["bce"] = bce;
  report.text << "BCE  " << formatNumber(bce) << " nats an example\n";
}

static std::string chooseEntry(const Options &options) {
  if (!options.noise.empty() && !options.sample && options.command != "sample")
    throw UsageError("--noise needs --sample: without it the result goes "
                     "through the mean and takes no noise");
  return options.sample ? options.command + "_sample" : options.command;
}

/// The shape that an output will have.
static Shape getOutputShape(const vae_abi_model &model, const Job &job,
                            const vae_abi_tensor &tensor) {
  return getShape(model, tensor, job.sizes, job.getExamples());
}

void vaerun::runGenerate(const Options &options) {
  checkChunk(options);
  uint64_t maxMemory = parseMaxMemory(options.maxMemory);
  std::string name = chooseEntry(options);
  bool encodes = options.command == "encode";
  bool reconstructs = options.command == "reconstruct";
  Results results(options.output,
                  encodes ? std::vector<FileKind>{FileKind::Npy, FileKind::Npz}
                          : std::vector<FileKind>{FileKind::Npy, FileKind::Npz,
                                                  FileKind::Png});
  if (options.compare && !results.isImage())
    throw UsageError("--compare needs -o with a name that ends in .png");
  if (options.command == "sample" && options.count < 1)
    fail("sample: expected at least one example, found ", options.count,
         "; ask for one or more");

  Model model(options.library, options.cpuVersion);
  const vae_abi_model &table = model.getTable();
  const vae_abi_entry &entry = model.getEntry(name);
  if (options.scaled)
    requireScaling(model);
  Job job = makeJob(model, entry, options);
  if (options.scaled &&
      (options.command == "decode" || options.command == "sample"))
    unscaleInputs(model, job);
  results.checkImage(entry.outputs[0],
                     getOutputShape(table, job, entry.outputs[0]));
  Runner runner(model, options.threads, options.chunk, maxMemory);
  Progress progress(job.getExamples());
  std::vector<Output> outputs = runner.run(job, 0, progress);
  progress.finish();
  if (options.scaled && encodes)
    scaleOutputs(model, outputs);

  Report report(options);
  reportModel(model, report);
  report.json["entry"] = name;
  report.json["examples"] = job.getExamples();
  report.json["threads"] = runner.getSession().getThreads();
  report.json["seconds"] = runner.getSeconds();
  if (runner.getPlan())
    reportPlan(table, *runner.getPlan(), report.json);
  runner.endSession();
  size_t main = chooseMain(outputs, encodes && options.sample);
  Companion companion;
  if (auto data = findInput(entry, VAE_ROLE_INPUT); data && reconstructs) {
    reportErrors(job.inputs[*data], outputs[main], table, report);
    if (options.compare)
      companion = {&entry.inputs[*data], &job.inputs[*data]};
  }
  results.write(outputs, main, companion, table, report);
  report.print(options);
}
