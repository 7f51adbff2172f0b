// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a library that exposes its layers, batch by batch, and collects their
// ranges. Errors are thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_CALIBRATIONRUN_H
#define TOOLS_VAEC_CALIBRATIONRUN_H

#include "compiler/calibrate/Calibrator.h"
#include "compiler/calibrate/TensorNames.h"
#include "tools/data/Model.h"
#include "tools/data/Progress.h"
#include "tools/vaec/CalibrationData.h"

namespace vae::tool {

/// Sees a tensor of examples from `begin` on.
using SeeTensorFn = std::function<void(
    const vae_abi_entry &, const vae_abi_tensor &,
    const std::vector<float> &values, int64_t begin, int64_t count)>;

class CalibrationRun {
public:
  CalibrationRun(const vaedata::Model &model, const CalibrationData &data,
                 const CalibrationOptions &options,
                 const llvm::StringMap<ResultNames> &names)
      : model(model), data(data), options(options), names(names),
        session(model, options.threads) {}

  /// Runs the entry points in both passes over all samples: one on the data,
  /// or one that generates data and, if there is another, that on these.
  void run(const vae_abi_entry &first, const vae_abi_entry *second,
           Calibrator &calibrator);

  /// Runs them once; `see` gets all inputs and outputs, batch by batch.
  void runOnce(const vae_abi_entry &first, const vae_abi_entry *second,
               vaedata::Progress &progress, const SeeTensorFn &see);

private:
  using Values = std::vector<float>;
  /// Gives the data that the entry point has generated, if it has.
  Values runEntry(const vae_abi_entry &entry, int64_t begin, int64_t count,
                  const Values *generated, const SeeTensorFn &see);
  void add(const vae_abi_entry &entry, const vae_abi_tensor &tensor,
           const Values &values, int64_t count, Calibrator &calibrator) const;
  bool isNoiseLatent(const vae_abi_entry &entry) const;
  /// In the table; empty if it is not there.
  std::string getName(const vae_abi_entry &entry,
                      const vae_abi_tensor &tensor) const;

  const vaedata::Model &model;
  const CalibrationData &data;
  const CalibrationOptions &options;
  const llvm::StringMap<ResultNames> &names;
  vaedata::Session session;
};

} // namespace vae::tool

#endif // TOOLS_VAEC_CALIBRATIONRUN_H
