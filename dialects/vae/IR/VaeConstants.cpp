// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeConstants.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

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

ElementsAttr vae::makeWeight(StringRef name, ArrayRef<int64_t> shape,
                             std::vector<float> values, MLIRContext *context) {
  auto owner = std::make_unique<std::vector<float>>(std::move(values));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(owner->data()),
                       owner->size() * sizeof(float));
  uint64_t hash = llvm::xxh3_64bits(ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string key =
      (name + "__" + llvm::utohexstr(hash, /*LowerCase=*/true, /*Width=*/16))
          .str();
  AsmResourceBlob blob(
      bytes, alignof(float),
      [owner = std::shared_ptr<std::vector<float>>(std::move(owner))](
          void *, size_t, size_t) mutable { owner.reset(); },
      /*dataIsMutable=*/false);
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}

StringRef vae::getWeightName(ElementsAttr value) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return {};
  StringRef key = resource.getRawHandle().getKey();
  return key.substr(0, key.rfind("__"));
}
