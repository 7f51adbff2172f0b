// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeConstants.h"

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

static ArrayRef<float> getFloatsOfBf16(ElementsAttr value,
                                       std::vector<float> &storage) {
  ArrayRef<char> bytes = getBytes(value);
  if (bytes.empty())
    return {};
  int64_t count = bytes.size() / sizeof(uint16_t);
  storage.resize(value.getNumElements());
  for (auto [i, out] : llvm::enumerate(storage)) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + sizeof(bits) * (i % count), sizeof(bits));
    out = llvm::bit_cast<float>(uint32_t(bits) << 16);
  }
  return storage;
}

ArrayRef<float> vae::getFloats(ElementsAttr value,
                               std::vector<float> &storage) {
  if (value.getElementType().isBF16())
    return getFloatsOfBf16(value, storage);
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
