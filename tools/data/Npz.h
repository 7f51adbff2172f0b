// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npz files: a zip archive of .npy files.
#ifndef TOOLS_DATA_NPZ_H
#define TOOLS_DATA_NPZ_H

#include "tools/data/Array.h"

namespace vaedata {

bool isZip(std::string_view bytes);

/// Reads one array. `name` is the one wanted; if empty, the only one, or the
/// first of `preferred` that there is. The array's source becomes
/// "source:name". Fails with the names that the file has.
Array parseNpz(std::string_view bytes, const std::string &source,
               const std::string &name,
               const std::vector<std::string> &preferred);

/// An array to write.
struct NamedArray {
  std::string name;
  Shape shape;
  const std::vector<float> *values = nullptr;
};

/// The bytes of a file with f32 arrays; the same bytes for the same arrays.
std::string formatNpz(const std::vector<NamedArray> &arrays);

} // namespace vaedata

#endif // TOOLS_DATA_NPZ_H
