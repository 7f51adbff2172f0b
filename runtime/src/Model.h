// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_MODEL_H
#define VAE_RUNTIME_MODEL_H

#include "runtime/src/ElfFile.h"
#include "vae/vae_runtime.h"

struct vae_model_t {
  const vae_abi_model *table = nullptr;
  const vae_abi_version *version = nullptr; // null: there is only one
  void *handle = nullptr;
  // Of the list of loaded models; see Model.cpp.
  char *path = nullptr;
  vae::runtime::FileIdentity identity;
  vae_model_t *next = nullptr;
};

#endif // VAE_RUNTIME_MODEL_H
