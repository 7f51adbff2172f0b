// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that preparing and running share.
#ifndef VAE_RUNTIME_RUN_H
#define VAE_RUNTIME_RUN_H

#include "runtime/src/Session.h"

namespace vae::runtime {

/// Finds an entry point; the message lists those that there are.
vae_status_t getEntry(const vae_abi_model &table, const char *name,
                      const vae_abi_entry *&entry, Text &message);

/// Whether every symbol has a valid value.
vae_status_t checkSymbols(const vae_abi_model &table, const int64_t *symbols,
                          Text &message);

/// Whether every tensor of an entry point has a size for these symbols.
vae_status_t checkSizes(const vae_abi_model &table, const vae_abi_entry &entry,
                        const int64_t *symbols, Text &message);

/// Runs the library's code. Not 0 if it fails.
int32_t callEntry(vae_session_t &session, const vae_abi_entry &entry,
                  const void *const *inputs, void *const *outputs,
                  const int64_t *symbols, void *arena);

/// The same for all parts of the session's plan, on the tensors of the run, one
/// after the other; ends early if it is cancelled.
int32_t runParts(vae_session_t &session);

/// Bytes of all NOISE inputs together, each aligned like an arena; -1 if the
/// sum overflows.
int64_t getNoiseBytes(const vae_abi_model &table, const vae_abi_entry &entry,
                      const int64_t *symbols);

} // namespace vae::runtime

#endif // VAE_RUNTIME_RUN_H
