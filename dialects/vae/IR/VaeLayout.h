// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Orders of an image's axes.
#ifndef DIALECTS_VAE_IR_VAELAYOUT_H
#define DIALECTS_VAE_IR_VAELAYOUT_H

#include <cstdint>

namespace vae {

/// The permutation that takes [N, C, H, W] to [N, H, W, C], and back.
inline constexpr int64_t kToChannelsLast[] = {0, 2, 3, 1};
inline constexpr int64_t kToChannelsFirst[] = {0, 3, 1, 2};

} // namespace vae

#endif // DIALECTS_VAE_IR_VAELAYOUT_H
