// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shapes of a model's tensors, which depend on its symbols: batch, height,
// width.
#ifndef TOOLS_DATA_TENSORSHAPE_H
#define TOOLS_DATA_TENSORSHAPE_H

#include "tools/data/Array.h"

#include "vae/vae_abi.h"

namespace vaedata {

/// Values of a model's symbols: one each, 0 for those not known yet. Number 0
/// is the batch.
using Sizes = std::vector<int64_t>;

/// The size that symbol values give, or nothing if one is not known.
std::optional<int64_t> getSize(const vae_abi_model &model,
                               const vae_abi_dim &dim, const Sizes &sizes);

/// The shape of a tensor with `examples` examples. All sizes are known.
Shape getShape(const vae_abi_model &model, const vae_abi_tensor &tensor,
               const Sizes &sizes, int64_t examples);

/// True if all symbols that the tensor depends on, except the batch, are known.
bool hasKnownSizes(const vae_abi_tensor &tensor, const Sizes &sizes);

/// Fails if a value is too small or no multiple, naming the symbol.
void checkSizes(const vae_abi_model &model, const Sizes &sizes);

/// Compares a shape with a tensor's, whatever the batch, and writes the symbols
/// that follow from it to `sizes`. False if the shape does not fit.
bool matchShape(const vae_abi_model &model, const vae_abi_tensor &tensor,
                const Shape &shape, Sizes &sizes);

/// "[batch, 1, height, 28]", with the numbers of the symbols that are known,
/// followed by the conditions of the others: ", height at least 16 and a
/// multiple of 8".
std::string formatExpected(const vae_abi_model &model,
                           const vae_abi_tensor &tensor, const Sizes &sizes);

/// "28 x 28 (height x width)": the images that fit a tensor.
std::string describeImage(const vae_abi_model &model,
                          const vae_abi_tensor &tensor, const Sizes &sizes);

/// "24 x 40", "32 x 48": the sizes next to height x width that fit the dynamic
/// height and width of a tensor, the smaller and the larger; one if there is no
/// other. None if the size fits, or neither height nor width is free.
std::vector<std::string> findNearestImages(const vae_abi_model &model,
                                           const vae_abi_tensor &tensor,
                                           const Sizes &sizes, int64_t height,
                                           int64_t width);

/// Fails unless the elements are f32.
void requireF32(const vae_abi_tensor &tensor);

} // namespace vaedata

#endif // TOOLS_DATA_TENSORSHAPE_H
