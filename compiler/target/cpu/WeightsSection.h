// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the weights lie in object files and libraries.
#ifndef COMPILER_TARGET_CPU_WEIGHTSSECTION_H
#define COMPILER_TARGET_CPU_WEIGHTSSECTION_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace vae {
/// A name that linkers do not merge with other sections.
inline constexpr llvm::StringLiteral kWeightsSection = ".vae_weights";
/// A page: the weights of a library are mapped, and shared by processes.
inline constexpr uint64_t kWeightsAlignment = 4096;
} // namespace vae

#endif // COMPILER_TARGET_CPU_WEIGHTSSECTION_H
