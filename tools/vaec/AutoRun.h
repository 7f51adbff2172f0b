// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles and runs libraries to decide by what they give. Errors are thrown
// (tools/data/Error.h).
#ifndef TOOLS_VAEC_AUTORUN_H
#define TOOLS_VAEC_AUTORUN_H

#include "compiler/pipeline/Report.h"
#include "tools/data/Model.h"
#include "tools/vaec/Arguments.h"
#include "tools/vaec/Batches.h"

#include <memory>

namespace vae::tool {

/// Called with the outputs of an entry point for `count` samples from `begin`
/// on.
using SeeOutputsFn =
    std::function<void(int64_t begin, int64_t count,
                       const std::vector<std::vector<float>> &outputs)>;

/// Runs an entry point on all samples, on all CPUs. Noise has seed 0, the
/// stream, and the sample's place in the data as its index.
void runEntry(const vaedata::Model &model, const vae_abi_entry &entry,
              const CalibrationData &data, uint64_t stream,
              const SeeOutputsFn &see);

/// Of each sample what Budget::getDrop compares: its ELBO (the log-likelihood
/// of a model without KL), with the same noise in every model; or its mean
/// squared error.
std::vector<double> runMeasure(const vaedata::Model &model,
                               const Budget &budget,
                               const CalibrationData &data);

/// Compiles a library that is only measured: quietly, with nothing written
/// beside it.
CompileReport compileTo(const Arguments &own, llvm::StringRef path);

/// Loads what this compilation has compiled.
std::unique_ptr<vaedata::Model> loadLibrary(const std::string &path);

} // namespace vae::tool

#endif // TOOLS_VAEC_AUTORUN_H
