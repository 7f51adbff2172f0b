// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeConstants.h"

#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace vae;

ArrayRef<char> vae::getBytes(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  return cast<DenseElementsAttr>(value).getRawData();
}

uint16_t vae::roundToBf16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  constexpr uint32_t kInfinity = 0x7f80, kLargest = 0x7f7f, kSign = 0x8000;
  uint32_t high = bits >> 16;
  if (std::isnan(value))
    return high | 0x40; // quiet, and not infinity if its bits were the low ones
  if (std::isinf(value))
    return high;
  high = (bits + 0x7fff + (high & 1)) >> 16;
  return (high & ~kSign) == kInfinity ? (high & kSign) | kLargest : high;
}

/// From here on, f32 would be rounded to infinity.
static constexpr uint32_t kBeyondF16 = 0x477ff000; // 65520
/// Below, f16 has fewer digits.
static constexpr uint32_t kLeastNormalF16 = 0x38800000; // 2^-14

uint16_t vae::roundToF16(float value) {
  constexpr uint32_t kInfinity = 0x7f800000, kDropped = 13;
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t sign = (bits >> 16) & 0x8000, size = bits & 0x7fffffff;
  if (size > kInfinity) // quiet NaN, with what fits of its payload
    return sign | 0x7e00 | (size >> kDropped & 0x3ff);
  if (size == kInfinity)
    return sign | 0x7c00;
  if (size >= kBeyondF16)
    return sign | 0x7bff;
  if (size < kLeastNormalF16) {
    // The last digit of 0.5 in f32 is that of all these in f16.
    float sum = llvm::bit_cast<float>(size) + 0.5f;
    return sign |
           (llvm::bit_cast<uint32_t>(sum) - llvm::bit_cast<uint32_t>(0.5f));
  }
  size += 0xfff + (size >> kDropped & 1);
  constexpr uint32_t kBias = (127 - 15) << 23;
  return sign | (size - kBias) >> kDropped;
}

float vae::getFloatOfF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, size = bits & 0x7fff;
  if (size >= 0x7c00)
    return llvm::bit_cast<float>(sign | 0x7f800000 | (size & 0x3ff) << 13);
  // A normal f32 whose exponent is set right by a product, which is exact.
  float scaled = llvm::bit_cast<float>(sign | size << 13);
  return scaled * 0x1p112f;
}

template <typename DecodeFn>
static ArrayRef<float>
decodeFloats(ElementsAttr value, std::vector<float> &storage, DecodeFn decode) {
  ArrayRef<char> bytes = getBytes(value);
  if (bytes.empty())
    return {};
  int64_t count = bytes.size() / sizeof(uint16_t);
  storage.resize(value.getNumElements());
  for (auto [i, out] : llvm::enumerate(storage)) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + sizeof(bits) * (i % count), sizeof(bits));
    out = decode(bits);
  }
  return storage;
}

ArrayRef<float> vae::getFloats(ElementsAttr value,
                               std::vector<float> &storage) {
  if (value.getElementType().isBF16())
    return decodeFloats(value, storage, [](uint16_t bits) {
      return llvm::bit_cast<float>(uint32_t(bits) << 16);
    });
  if (value.getElementType().isF16())
    return decodeFloats(value, storage, getFloatOfF16);
  if (!value.getElementType().isF32())
    return {};
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return {};
    ArrayRef<float> values = blob->getDataAs<float>();
    if (static_cast<int64_t>(values.size()) != value.getNumElements())
      return {};
    return values;
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return {};
  storage.assign(dense.value_begin<float>(), dense.value_end<float>());
  return storage;
}

ConstantOp vae::getConstant(Value value) {
  return value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
}

std::optional<std::vector<double>> vae::getConstantVector(Value value) {
  ConstantOp constant = getConstant(value);
  if (!constant || constant.getValue().getShapedType().getRank() != 1)
    return std::nullopt;
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(constant.getValue(), storage);
  if (values.empty())
    return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

ElementsAttr vae::getResourceConstant(StringRef name, RankedTensorType type,
                                      ArrayRef<char> bytes,
                                      std::shared_ptr<void> owner) {
  uint64_t hash = llvm::xxh3_64bits(StringRef(bytes.data(), bytes.size()));
  std::string key =
      (name + "__" + llvm::utohexstr(hash, /*LowerCase=*/true, 16)).str();
  type.getContext()->getOrLoadDialect<VaeDialect>()->getMappedFiles().countRead(
      bytes.size());
  auto *dialect = type.getContext()->getOrLoadDialect<BuiltinDialect>();
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(type.getContext())
          .getBlobManager();
  AsmResourceBlob blob(
      bytes, alignof(float),
      [owner = std::move(owner)](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  if (auto *entry = manager.lookup(key)) {
    const AsmResourceBlob *known = entry->getBlob();
    // The data of a resource may have been released since.
    bool released = !known || known->getData().empty();
    DenseResourceElementsHandle handle(entry, dialect);
    if (released) {
      entry->setBlob(std::move(blob));
      return DenseResourceElementsAttr::get(type, handle);
    }
    if (known->getData() == bytes)
      return DenseResourceElementsAttr::get(type, handle);
  }
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}

template <typename T>
static ElementsAttr makeWeightOf(StringRef name, ArrayRef<int64_t> shape,
                                 std::vector<T> values, Type element) {
  auto owner = std::make_shared<std::vector<T>>(std::move(values));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(owner->data()),
                       owner->size() * sizeof(T));
  auto type = RankedTensorType::get(shape, element);
  return getResourceConstant(name, type, bytes, std::move(owner));
}

ElementsAttr vae::makeWeight(StringRef name, ArrayRef<int64_t> shape,
                             std::vector<float> values, MLIRContext *context) {
  return makeWeightOf(name, shape, std::move(values),
                      Float32Type::get(context));
}

ElementsAttr vae::makeBf16Weight(StringRef name, ArrayRef<int64_t> shape,
                                 std::vector<uint16_t> values,
                                 MLIRContext *context) {
  return makeWeightOf(name, shape, std::move(values),
                      BFloat16Type::get(context));
}

ElementsAttr vae::makeF16Weight(StringRef name, ArrayRef<int64_t> shape,
                                std::vector<uint16_t> values,
                                MLIRContext *context) {
  return makeWeightOf(name, shape, std::move(values),
                      Float16Type::get(context));
}

ElementsAttr vae::makeInt8Weight(StringRef name, ArrayRef<int64_t> shape,
                                 std::vector<int8_t> values,
                                 MLIRContext *context) {
  return makeWeightOf(name, shape, std::move(values),
                      IntegerType::get(context, 8));
}

ElementsAttr vae::makeWeightLike(ElementsAttr form, StringRef name,
                                 ArrayRef<int64_t> shape,
                                 ArrayRef<double> values) {
  std::vector<float> rounded(values.begin(), values.end());
  if (!llvm::all_of(rounded, [](float value) { return std::isfinite(value); }))
    return {};
  return makeWeightLike(form, name, shape, std::move(rounded));
}

ElementsAttr vae::makeWeightLike(ElementsAttr form, StringRef name,
                                 ArrayRef<int64_t> shape,
                                 std::vector<float> values) {
  MLIRContext *context = form.getContext();
  if (isa<DenseResourceElementsAttr>(form))
    return makeWeight(name, shape, std::move(values), context);
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  return cast<ElementsAttr>(
      Attribute(DenseElementsAttr::get(type, ArrayRef<float>(values))));
}

StringRef vae::getWeightName(ElementsAttr value) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return {};
  StringRef key = resource.getRawHandle().getKey();
  return key.substr(0, key.rfind("__"));
}
