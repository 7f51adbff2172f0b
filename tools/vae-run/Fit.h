// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the arrays of files fit the tensors of a model.
#ifndef TOOLS_VAE_RUN_FIT_H
#define TOOLS_VAE_RUN_FIT_H

#include "tools/vae-run/TensorShape.h"

namespace vaerun {

/// A tensor's numbers for some examples, one after the other.
struct Data {
  std::vector<float> values;
  int64_t examples = 0;
};

/// Turns an array into the data of `tensor`. In this order:
///   - Integers become numbers in the declared range: u8 from 0..255, u16 from
///     0..65535, bool from 0..1, others from 0..255, outside which they are an
///     error. Not without a range, and not for conditions that are vectors.
///   - Images get the number of channels that the model takes.
///   - The shape is matched: as it is; with height, width and channels in the
///     other order; without the dimension of a single channel or example; at
///     last, where all sizes are known, any shape with as many numbers an
///     example.
/// Sizes of symbols that follow from the shape are written to `sizes`.
Data fitArray(Array array, const vae_abi_model &model,
              const vae_abi_tensor &tensor, Sizes &sizes);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_FIT_H
