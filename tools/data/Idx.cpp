// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Idx.h"

#include "tools/data/Error.h"

using namespace vaedata;

static unsigned byteAt(std::string_view bytes, size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

bool vaedata::isIdx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 &&
         byteAt(bytes, 2) >= 0x08 && byteAt(bytes, 2) <= 0x0e &&
         byteAt(bytes, 3) > 0;
}

static std::optional<ElementType> findType(unsigned code) {
  switch (code) {
  case 0x08:
    return ElementType{ElementType::Unsigned, 1, true};
  case 0x09:
    return ElementType{ElementType::Signed, 1, true};
  case 0x0b:
    return ElementType{ElementType::Signed, 2, true};
  case 0x0c:
    return ElementType{ElementType::Signed, 4, true};
  case 0x0d:
    return ElementType{ElementType::Float, 4, true};
  case 0x0e:
    return ElementType{ElementType::Float, 8, true};
  default:
    return std::nullopt;
  }
}

Array vaedata::parseIdx(std::string_view bytes, const std::string &source) {
  if (!isIdx(bytes))
    fail(source, ": expected an IDX file, found other data; download it again");
  auto type = findType(byteAt(bytes, 2));
  if (!type)
    fail(source,
         ": expected an IDX element type 8, 9, 11, 12, 13 or 14, found ",
         byteAt(bytes, 2), "; download the file again");
  size_t rank = byteAt(bytes, 3);
  size_t start = 4 + 4 * rank;
  if (bytes.size() < start)
    fail(source, ": truncated IDX file: expected a header of ", start,
         " bytes, found ", bytes.size(), " bytes in all; download it again");
  Array array;
  array.source = source;
  array.type = *type;
  for (size_t d = 0; d < rank; ++d) {
    uint32_t size = 0;
    for (size_t b = 0; b < 4; ++b)
      size = size << 8 | byteAt(bytes, 4 + 4 * d + b);
    array.shape.push_back(size);
  }
  std::string_view data = bytes.substr(start);
  auto count = countElements(array.shape);
  if (!count || static_cast<uint64_t>(*count) > UINT64_MAX / type->size ||
      data.size() != static_cast<uint64_t>(*count) * type->size)
    fail(source, ": truncated or damaged IDX file: expected data for shape ",
         formatShape(array.shape), " of ", formatType(*type), ", found ",
         data.size(), " bytes; download it again");
  decodeElements(array.type, data, array.values);
  return array;
}
