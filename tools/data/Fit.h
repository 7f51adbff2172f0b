// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the arrays of files fit the tensors of a model.
#ifndef TOOLS_DATA_FIT_H
#define TOOLS_DATA_FIT_H

#include "tools/data/TensorShape.h"

namespace vaedata {

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

/// The names that the array of a tensor may have in an .npz file.
std::vector<std::string> getPreferredNames(const vae_abi_tensor &tensor);

/// A warning if floats are outside the declared range of the tensor; else
/// nothing. They are taken as they are; most likely that is not meant.
std::string describeOutside(const Array &array, const vae_abi_tensor &tensor);

} // namespace vaedata

#endif // TOOLS_DATA_FIT_H
