// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files.
// Format:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef TOOLS_DATA_NPY_H
#define TOOLS_DATA_NPY_H

#include "tools/data/Array.h"

namespace vaedata {

bool isNpy(std::string_view bytes);

/// Reads a file of version 1, 2 or 3, in C or Fortran order, of numbers or
/// booleans. `source` names it in messages. Fails unless the header and the
/// size of the data agree.
Array parseNpy(std::string_view bytes, const std::string &source);

/// The bytes of a file of version 1 with f32 elements in C order.
std::string formatNpy(const Shape &shape, const std::vector<float> &values);

} // namespace vaedata

#endif // TOOLS_DATA_NPY_H
