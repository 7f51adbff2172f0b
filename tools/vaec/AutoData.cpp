// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/AutoData.h"

#include "tools/data/Error.h"
#include "tools/vaec/Calibrate.h"

#include "llvm/Support/raw_ostream.h"

using namespace vae::tool;
using namespace vaedata;

/// Operations of all samples in one run, of which there are several for each
/// layer; samples that there are at least, and generated ones at most.
static constexpr int64_t kMostWork = int64_t(1) << 38, kFewest = 16,
                         kMostGenerated = 1024;
/// Of the noise that latents are made of: data are measured with the first.
static constexpr uint64_t kGenerationStream = 1;

static int64_t getMostSamples(const vae_abi_model &model,
                              const vae_abi_entry &entry, Sizes sizes) {
  int64_t clip = model.symbols[0].multiple;
  sizes[0] = clip;
  int64_t flops = std::max<int64_t>(entry.flops(sizes.data()) / clip, 1);
  int64_t most = std::max(kMostWork / flops, kFewest);
  return std::max(most / clip, int64_t(4)) * clip;
}

static CalibrationData generate(const Model &model, const vae_abi_entry &entry,
                                const CalibrationOptions &options) {
  const vae_abi_model &table = model.getTable();
  const vae_abi_entry &sample = model.getEntry("sample");
  Sizes none(table.num_symbols, 0);
  CalibrationData data = drawCalibrationData(
      table, {&sample, &entry},
      options.samples.value_or(
          std::min(getMostSamples(table, entry, none), kMostGenerated)),
      options, warn);
  llvm::errs() << "vaec: note: no data (--calibration-data): the f32 model "
                  "decodes "
               << data.samples
               << " samples of its prior, which are the data of all parts; "
                  "what holds on them may not hold on real data\n";
  uint32_t image = 0;
  while (image < sample.num_outputs &&
         sample.outputs[image].role != VAE_ROLE_MEAN)
    ++image;
  if (image == sample.num_outputs)
    throw std::runtime_error("'sample' gives no images");
  runEntry(model, sample, data, kGenerationStream,
           [&](int64_t, int64_t, const auto &outputs) {
             data.main.values.insert(data.main.values.end(),
                                     outputs[image].begin(),
                                     outputs[image].end());
           });
  data.main.examples = data.samples;
  return data;
}

CalibrationData vae::tool::getAutoData(const Arguments &arguments,
                                       const Model &model,
                                       const vae_abi_entry &entry) {
  const vae_abi_model &table = model.getTable();
  CalibrationOptions options;
  options.data = arguments.calibration.data;
  options.named = arguments.calibration.inputs;
  options.samples = arguments.calibration.samples;
  options.allowNonfinite = arguments.options.allowNonfinite;
  options.dataOption = "--calibration-data";
  options.inputOption = "--calibration-input";
  CalibrationData data;
  if (options.data.empty()) {
    data = generate(model, entry, options);
  } else {
    data = loadCalibrationData(table, entry, options, warn);
    int64_t most = getMostSamples(table, entry, data.sizes);
    if (!options.samples && data.samples > most) {
      llvm::errs() << "vaec: note: " << most << " of " << data.samples
                   << " samples are used, for the model is run many times; "
                      "--calibration-samples N uses N\n";
      data = takeEvenly(data, table, most);
    }
  }
  int64_t clip = table.symbols[0].multiple;
  if (data.samples / clip < 4)
    fail("expected 4 ", clip > 1 ? "clips" : "samples",
         " or more, which are divided into those that are measured on, decided "
         "on and checked with, found ",
         data.samples / clip, "; give more with --calibration-data");
  return data;
}
