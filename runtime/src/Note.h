// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_NOTE_H
#define VAE_RUNTIME_NOTE_H

#include "runtime/src/Text.h"
#include "vae/vae_runtime.h"

namespace vae::runtime {

/// Whether a note is JSON at all.
vae_status_t checkNoteSyntax(const char *note, size_t size, Text &message);

/// Whether this runtime and this CPU can run the library that a note describes.
vae_status_t checkNote(const char *note, size_t size, Text &message);

/// The same for a comma-separated list of CPU features.
vae_status_t checkFeatures(const char *list, Text &message);

} // namespace vae::runtime

#endif // VAE_RUNTIME_NOTE_H
