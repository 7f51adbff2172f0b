// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Array.h"

#include "tools/data/Error.h"

#include <cmath>
#include <cstring>

using namespace vaedata;

std::string vaedata::formatShape(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::optional<int64_t> vaedata::countElements(const Shape &shape) {
  constexpr int64_t most = int64_t(1) << 62;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    empty |= size == 0;
  }
  if (empty)
    return 0;
  int64_t count = 1;
  for (int64_t size : shape) {
    if (count > most / size)
      return std::nullopt;
    count *= size;
  }
  return count;
}

std::string vaedata::formatType(const ElementType &type) {
  switch (type.kind) {
  case ElementType::Bool:
    return "bool";
  case ElementType::Float:
    return "f" + std::to_string(8 * type.size);
  case ElementType::Signed:
    return "i" + std::to_string(8 * type.size);
  case ElementType::Unsigned:
    return "u" + std::to_string(8 * type.size);
  }
  return "unknown";
}

float vaedata::decodeHalf(uint16_t bits) {
  int exponent = (bits >> 10) & 31;
  int mantissa = bits & 1023;
  float value =
      exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
      : exponent == 31
          ? (mantissa ? NAN : INFINITY)
          : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  return bits >> 15 ? -value : value;
}

/// The first sizeof(T) bytes as a little-endian number.
template <typename T> static T fromLittle(const unsigned char *bytes) {
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    bits |= uint64_t(bytes[i]) << (8 * i);
  T value;
  if constexpr (sizeof(T) == 8) {
    std::memcpy(&value, &bits, 8);
  } else {
    auto low = static_cast<uint32_t>(bits);
    if constexpr (sizeof(T) == 4) {
      std::memcpy(&value, &low, 4);
    } else {
      value = static_cast<T>(low);
    }
  }
  return value;
}

static float toFloat(const ElementType &type, const unsigned char *bytes) {
  switch (type.kind) {
  case ElementType::Bool:
    return *bytes ? 1.0f : 0.0f;
  case ElementType::Float:
    if (type.size == 2)
      return decodeHalf(fromLittle<uint16_t>(bytes));
    if (type.size == 4)
      return fromLittle<float>(bytes);
    return static_cast<float>(fromLittle<double>(bytes));
  case ElementType::Signed:
    switch (type.size) {
    case 1:
      return static_cast<float>(fromLittle<int8_t>(bytes));
    case 2:
      return static_cast<float>(fromLittle<int16_t>(bytes));
    case 4:
      return static_cast<float>(fromLittle<int32_t>(bytes));
    default:
      return static_cast<float>(fromLittle<int64_t>(bytes));
    }
  case ElementType::Unsigned:
    switch (type.size) {
    case 1:
      return static_cast<float>(fromLittle<uint8_t>(bytes));
    case 2:
      return static_cast<float>(fromLittle<uint16_t>(bytes));
    case 4:
      return static_cast<float>(fromLittle<uint32_t>(bytes));
    default:
      return static_cast<float>(fromLittle<uint64_t>(bytes));
    }
  }
  return 0;
}

void vaedata::decodeElements(const ElementType &type, std::string_view bytes,
                             std::vector<float> &values) {
  size_t count = bytes.size() / type.size;
  values.resize(count);
  const auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
  for (size_t i = 0; i < count; ++i, data += type.size) {
    unsigned char element[8];
    for (unsigned b = 0; b < type.size; ++b)
      element[b] = data[type.bigEndian ? type.size - 1 - b : b];
    values[i] = toFloat(type, element);
  }
}

void vaedata::checkFinite(const Array &array) {
  for (size_t i = 0; i < array.values.size(); ++i) {
    float value = array.values[i];
    if (std::isfinite(value))
      continue;
    Shape index(array.shape.size());
    size_t rest = i;
    for (size_t d = index.size(); d-- > 0;) {
      index[d] = static_cast<int64_t>(rest % array.shape[d]);
      rest /= array.shape[d];
    }
    fail(array.source, ": expected finite numbers, found ",
         std::isnan(value) ? "NaN"
         : value > 0       ? "+Inf (as f32)"
                           : "-Inf (as f32)",
         " at index ", formatShape(index),
         "; clean the data, or accept it with --allow-nonfinite");
  }
}

void vaedata::permute(Array &array, const std::vector<size_t> &order) {
  size_t rank = order.size();
  if (array.values.empty()) {
    Shape shape;
    for (size_t d : order)
      shape.push_back(array.shape[d]);
    array.shape = std::move(shape);
    return;
  }
  std::vector<int64_t> strides(rank, 1);
  for (size_t d = rank; d-- > 1;)
    strides[d - 1] = strides[d] * array.shape[d];
  Shape shape(rank), step(rank);
  for (size_t d = 0; d < rank; ++d) {
    shape[d] = array.shape[order[d]];
    step[d] = strides[order[d]];
  }
  std::vector<float> values(array.values.size());
  Shape index(rank, 0);
  int64_t from = 0;
  for (float &value : values) {
    value = array.values[from];
    for (size_t d = rank; d-- > 0;) {
      from += step[d];
      if (++index[d] < shape[d])
        break;
      from -= step[d] * shape[d];
      index[d] = 0;
    }
  }
  array.shape = std::move(shape);
  array.values = std::move(values);
}
