// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IDX files, in which MNIST is distributed: two zero bytes, element type,
// number of dimensions, big-endian sizes and elements.
// Format: http://yann.lecun.com/exdb/mnist/
#ifndef TOOLS_DATA_IDX_H
#define TOOLS_DATA_IDX_H

#include "tools/data/Array.h"

namespace vaedata {

bool isIdx(std::string_view bytes);

/// Reads a file of any of the six element types. `source` names it in messages.
/// Fails unless header and size agree.
Array parseIdx(std::string_view bytes, const std::string &source);

} // namespace vaedata

#endif // TOOLS_DATA_IDX_H
