// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "vae/vae_runtime.h"

#ifndef VAE_RUNTIME_VERSION
#error "VAE_RUNTIME_VERSION comes from the build"
#endif

const char *vae_status_name(vae_status_t status) {
  switch (static_cast<int>(status)) {
#define VAE_STATUS(NAME, VALUE, TEXT)                                          \
  case VALUE:                                                                  \
    return "VAE_" #NAME;
#include "vae/vae_status.def"
  default:
    return "unknown";
  }
}

const char *vae_status_text(vae_status_t status) {
  switch (static_cast<int>(status)) {
#define VAE_STATUS(NAME, VALUE, TEXT)                                          \
  case VALUE:                                                                  \
    return TEXT;
#include "vae/vae_status.def"
  default:
    return "unknown";
  }
}

const char *vae_runtime_version(void) { return VAE_RUNTIME_VERSION; }
