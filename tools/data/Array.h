// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays as files hold them, and the element types that files have.
#ifndef TOOLS_DATA_ARRAY_H
#define TOOLS_DATA_ARRAY_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaedata {

using Shape = std::vector<int64_t>;

/// "[2, 3]".
std::string formatShape(const Shape &shape);

/// The number of elements; nothing if a size is negative or the product
/// exceeds 2^62.
std::optional<int64_t> countElements(const Shape &shape);

struct ElementType {
  enum Kind { Float, Signed, Unsigned, Bool };
  Kind kind = Float;
  unsigned size = 4; // bytes
  bool bigEndian = false;

  bool isInteger() const { return kind != Float; }
};

/// "f32", "u8", "bool": the names that messages and reports use.
std::string formatType(const ElementType &type);

/// A named array in memory. Elements are f32, whatever the file has.
struct Array {
  /// What messages call it: the file, or "file.npz:name".
  std::string source;
  ElementType type;
  Shape shape;
  std::vector<float> values; // row-major
  /// The meaning of the dimensions where the file says it: "NHWC" for images.
  std::string layout;
};

/// Converts `count` elements to f32. `bytes` has exactly that many.
void decodeElements(const ElementType &type, std::string_view bytes,
                    std::vector<float> &values);

/// IEEE half precision to single.
float decodeHalf(uint16_t bits);

/// Fails with the index of the first NaN or infinity.
void checkFinite(const Array &array);

/// Copies with the dimensions in another order: dimension d of the result is
/// dimension order[d] of the array.
void permute(Array &array, const std::vector<size_t> &order);

} // namespace vaedata

#endif // TOOLS_DATA_ARRAY_H
