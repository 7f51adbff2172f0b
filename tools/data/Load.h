// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Input files of all formats.
#ifndef TOOLS_DATA_LOAD_H
#define TOOLS_DATA_LOAD_H

#include "tools/data/Array.h"

namespace vaedata {

/// Reads bytes of a format that they show themselves: .npy, .npz, IDX or PNG,
/// or one of these in gzip. `name` and `preferred` choose in an .npz file.
Array parseArray(std::string_view bytes, const std::string &source,
                 const std::string &name,
                 const std::vector<std::string> &preferred);

/// Reads a file; `path` may be "file.npz:name".
Array loadArray(const std::string &path,
                const std::vector<std::string> &preferred);

} // namespace vaedata

#endif // TOOLS_DATA_LOAD_H
