// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_OPTIONS_H
#define VAE_RUNTIME_OPTIONS_H

#include <cstdint>
#include <cstring>

namespace vae::runtime {

/// Copies a caller's options, or the defaults for NULL. False if their size is
/// none that the struct ever had, or if a field is set that this version does
/// not know: a reserved one, or one behind the end of the struct.
template <typename Options>
bool readOptions(const Options *given, Options &result) {
  std::memset(&result, 0, sizeof(result));
  result.struct_size = sizeof(result);
  if (!given)
    return true;
  if (given->struct_size < sizeof(Options))
    return false;
  const auto *bytes = reinterpret_cast<const unsigned char *>(given);
  for (uint32_t i = sizeof(Options); i < given->struct_size; ++i)
    if (bytes[i])
      return false;
  std::memcpy(&result, given, sizeof(result));
  for (uint64_t word : result.reserved)
    if (word)
      return false;
  return true;
}

} // namespace vae::runtime

#endif // VAE_RUNTIME_OPTIONS_H
