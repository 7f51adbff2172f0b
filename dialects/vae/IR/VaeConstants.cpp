// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeConstants.h"

#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;
using namespace vae;

ArrayRef<float> vae::getFloats(ElementsAttr value,
                               std::vector<float> &storage) {
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

ElementsAttr vae::makeWeight(StringRef name, ArrayRef<int64_t> shape,
                             std::vector<float> values, MLIRContext *context) {
  auto owner = std::make_shared<std::vector<float>>(std::move(values));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(owner->data()),
                       owner->size() * sizeof(float));
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  return getResourceConstant(name, type, bytes, std::move(owner));
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
