// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAE_RUN_FMAPEAK_H
#define TOOLS_VAE_RUN_FMAPEAK_H

#include <cstdint>

namespace vaerun {

/// What so many threads of this machine can compute at most, together.
struct FmaPeak {
  const char *instructionSet; // the widest that the CPU has: "AVX-512", ...
  double flopsPerSecond;      // f32; multiply and add count as two
};

/// Measures it, in about 0.2 s: independent fused multiply-adds on registers,
/// the best of several runs of each thread, while all threads run.
/// Multiplications and additions of their own on a CPU without fused ones.
FmaPeak measureFmaPeak(uint32_t threads);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_FMAPEAK_H
