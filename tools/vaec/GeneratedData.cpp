// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/GeneratedData.h"

#include "tools/vaec/Calibrate.h"
#include "tools/vaec/CalibrationRun.h"
#include "tools/vaec/ExposedModel.h"
#include "tools/vaec/Vaec.h"

using namespace vae;
using namespace vae::tool;

CalibrationData vae::tool::generateImages(const Arguments &arguments,
                                          const std::string &entry,
                                          int64_t samples,
                                          const CalibrationOptions &options) {
  Arguments exact = getExactArguments(arguments);
  TemporaryFile file = createLibraryFile(arguments.output);
  exact.output = file.getPath().str();
  exact.options.entries = {"sample", entry};
  CompileReport report;
  require(compile(exact, [](Stage, mlir::PassManager &) {}, report));
  vaedata::Model library(exact.output);
  const vae_abi_entry &sample = library.getEntry("sample");
  CalibrationData data = drawCalibrationData(
      library.getTable(), {&sample, &library.getEntry(entry)}, samples, options,
      warn);
  vaedata::Data images;
  images.examples = data.samples;
  vaedata::Progress progress(data.samples);
  llvm::StringMap<ResultNames> names;
  CalibrationRun(library, data, options, names)
      .runOnce(sample, nullptr, progress,
               [&](const vae_abi_entry &, const vae_abi_tensor &tensor,
                   const std::vector<float> &values, int64_t, int64_t) {
                 if (tensor.role == VAE_ROLE_MEAN)
                   images.values.insert(images.values.end(), values.begin(),
                                        values.end());
               });
  data.main = std::move(images);
  return data;
}
