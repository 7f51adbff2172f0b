// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pieces of the noise generator, for others and for tests that look at them
// one by one.
#ifndef VAE_RUNTIME_RANDOM_H
#define VAE_RUNTIME_RANDOM_H

#include <cstdint>

namespace vae::runtime {

/// Natural logarithm of a positive, normal, finite x. Error below 2 ulp.
double logOf(double x);

/// Cosine of the angle turns / 2^64 of a full turn. Absolute error below
/// 2^-52.
double cosOfTurns(uint64_t turns);

} // namespace vae::runtime

#endif // VAE_RUNTIME_RANDOM_H
