// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_NOTE_H
#define VAE_RUNTIME_NOTE_H

#include "runtime/src/Text.h"
#include "vae/vae_runtime.h"

namespace vae::runtime {

/// Whether a note is JSON at all.
vae_status_t checkNoteSyntax(const char *note, size_t size, Text &message);

/// Whether this runtime and this CPU can run the library that a note describes:
/// a version of its code, the one called `version` unless that is null.
/// outVersion: null, or gets the name of the version, to be freed; null if the
/// library has one only.
vae_status_t checkNote(const char *note, size_t size, const char *version,
                       char **outVersion, Text &message);

/// The same for a table, which must be a good one. outVersion: null if the
/// library has one version only.
vae_status_t chooseVersion(const vae_abi_model &table, const char *version,
                           const vae_abi_version *&outVersion, Text &message);

/// Whether this CPU has all of a comma-separated list of features.
vae_status_t checkFeatures(const char *list, Text &message);

} // namespace vae::runtime

#endif // VAE_RUNTIME_NOTE_H
