// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's table: whether it keeps the promises of vae_abi.h, and the shapes
// that it implies.
#ifndef VAE_RUNTIME_TABLE_H
#define VAE_RUNTIME_TABLE_H

#include "runtime/src/Text.h"
#include "vae/vae_runtime.h"

namespace vae::runtime {

constexpr uint32_t kMaxRank = 16;
constexpr uint32_t kMaxSymbols = 64;
constexpr uint32_t kMaxTensors = 1024;
constexpr uint32_t kMaxEntries = 1024;
constexpr uint32_t kMaxSteps = 1 << 20;
constexpr uint32_t kMaxPoints = 16;
constexpr uint32_t kMaxVersions = 64;

/// Refuses a table that the rest of the runtime could not trust: a NULL, a
/// count out of bounds, a dimension of an unknown symbol, ...
vae_status_t checkTable(const vae_abi_model *table, Text &message);

/// Name of an element type ("f32"), and its size in bytes; "?" and 0 for
/// others.
const char *getDtypeName(int32_t dtype);
int64_t getDtypeSize(int32_t dtype);

/// A dimension for given symbols; -1 if it overflows or is below 1. The symbols
/// must be valid.
int64_t getDim(const vae_abi_model &table, const vae_abi_dim &dim,
               const int64_t *symbols);

/// Number of elements, and of bytes, of a tensor for valid symbols; -1 if a
/// dimension is bad or the product overflows.
int64_t getNumElements(const vae_abi_model &table, const vae_abi_tensor &tensor,
                       const int64_t *symbols);
int64_t getNumBytes(const vae_abi_model &table, const vae_abi_tensor &tensor,
                    const int64_t *symbols);

/// Whether v is a value that a symbol may have.
inline bool isValid(const vae_abi_symbol &symbol, int64_t v) {
  return v >= symbol.minimum && v % symbol.multiple == symbol.remainder;
}

/// The least valid value.
inline int64_t getLeast(const vae_abi_symbol &symbol) {
  int64_t over = symbol.minimum - symbol.remainder;
  int64_t units = over > 0 ? (over - 1) / symbol.multiple + 1 : 0;
  return units * symbol.multiple + symbol.remainder;
}

/// "[batch, 3, 2*height+1]".
void addShape(Text &text, const vae_abi_model &table,
              const vae_abi_tensor &tensor);
/// "[2, 784]".
void addShape(Text &text, const int64_t *dims, uint32_t rank);
void addShape(Text &text, const vae_abi_model &table,
              const vae_abi_tensor &tensor, const int64_t *symbols);

/// Whether a tensor is the latent or describes its distribution: what scaling
/// changes.
inline bool isLatent(const vae_abi_tensor &tensor) {
  return tensor.role == VAE_ROLE_LATENT || tensor.role == VAE_ROLE_MU ||
         tensor.role == VAE_ROLE_LOGVAR;
}
/// The dimension of its channels: 'C' of the layout, else the first behind the
/// batch.
uint32_t getChannelDim(const vae_abi_tensor &tensor);

const vae_abi_entry *findEntry(const vae_abi_model &table, const char *name);

} // namespace vae::runtime

#endif // VAE_RUNTIME_TABLE_H
