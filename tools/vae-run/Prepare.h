// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the command line to a job: files loaded and fitted to an entry point.
#ifndef TOOLS_VAE_RUN_PREPARE_H
#define TOOLS_VAE_RUN_PREPARE_H

#include "tools/vae-run/Commands.h"
#include "tools/vae-run/Runner.h"

namespace vaerun {

/// The sizes that --size and --dim give.
Sizes parseSizes(const vae_abi_model &model, const Options &options);

/// Fails unless all symbols except the batch have a valid value.
void requireSizes(const vae_abi_model &model, const Sizes &sizes);

/// Loads the data, the noise and the conditions of an entry point.
Job makeJob(const Model &model, const vae_abi_entry &entry,
            const Options &options);

/// Throws a UsageError if --batch of a command other than bench is no number of
/// examples.
void checkChunk(const Options &options);

/// The number of the entry's first input of the role; nothing if it has none.
std::optional<uint32_t> findInput(const vae_abi_entry &entry, int32_t role);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_PREPARE_H
