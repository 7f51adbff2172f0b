// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Weights.h"

#include "compiler/import/Json.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace mlir;
using namespace vae;

std::string vae::formatShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, dim] : enumerate(shape))
    text += (i ? ", " : "") + std::to_string(dim);
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

Error WeightStore::addTensor(WeightTensor tensor) {
  auto [it, inserted] = tensors.try_emplace(tensor.name);
  if (!inserted)
    return createStringError("tensor '" + tensor.name + "' is in '" +
                             it->second->fileName + "' and again in '" +
                             tensor.fileName + "'");
  it->second = std::make_unique<WeightTensor>(std::move(tensor));
  return Error::success();
}

Error WeightStore::addSafetensors(StringRef path) {
  auto read = readSafetensors(path);
  if (!read)
    return read.takeError();
  paths.push_back(path.str());
  for (WeightTensor &tensor : *read)
    if (Error error = addTensor(std::move(tensor)))
      return error;
  return Error::success();
}

Error WeightStore::addIndex(StringRef path) {
  auto fail = [&](const Twine &message) {
    return createStringError("weights index '" + sys::path::filename(path) +
                             "': " + message);
  };
  auto buffer = readText(path);
  if (!buffer)
    return createStringError("cannot read weights index '" + path +
                             "': " + toString(buffer.takeError()));
  JsonValue root;
  if (auto error = parseJson((*buffer)->getBuffer(), root))
    return fail("line " + Twine(error->position.line) + ", column " +
                Twine(error->position.column) + ": " + error->message);
  const JsonValue *map = root.find("weight_map");
  if (!map || !map->isObject())
    return fail("has no object 'weight_map'");
  StringMap<bool> shards;
  for (const JsonValue::Member &member : map->members) {
    if (!member.value.isString() || member.value.text.empty())
      return fail("tensor '" + member.key + "' names no file");
    if (!shards.try_emplace(member.value.text).second)
      continue;
    // The index may come from anywhere: it says nothing about other folders.
    if (sys::path::filename(member.value.text) != member.value.text ||
        member.value.text == "..")
      return fail("tensor '" + member.key + "' names the file '" +
                  member.value.text +
                  "'; only files beside the index are read");
    SmallString<256> shard(sys::path::parent_path(path));
    sys::path::append(shard, member.value.text);
    if (Error error = addSafetensors(shard))
      return error;
  }
  for (const JsonValue::Member &member : map->members) {
    const WeightTensor *tensor = find(member.key);
    if (!tensor || tensor->fileName != sys::path::filename(member.value.text))
      return fail("tensor '" + member.key + "' is not in '" +
                  member.value.text + "'");
  }
  return Error::success();
}

Error WeightStore::addFile(StringRef path) {
  if (path.ends_with(".json"))
    return addIndex(path);
  return addSafetensors(path);
}

const WeightTensor *WeightStore::find(StringRef name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : it->second.get();
}

std::vector<std::string> WeightStore::getUnused() const {
  llvm::DenseSet<const WeightTensor *> known(used.begin(), used.end());
  std::vector<std::string> names;
  for (const auto &entry : tensors)
    if (!known.contains(entry.second.get()) &&
        !scalars.contains(entry.second.get()))
      names.push_back(entry.getKey().str());
  sort(names);
  return names;
}

std::string WeightStore::suggest(StringRef name) const {
  std::vector<StringRef> names;
  for (const auto &entry : tensors)
    names.push_back(entry.getKey());
  sort(names);
  return suggestName(name, names);
}

std::string WeightStore::describeFiles() const {
  std::string text;
  for (StringRef path : paths)
    text +=
        ((text.empty() ? "'" : ", '") + sys::path::filename(path) + "'").str();
  return text.empty() ? "missing: the model names no weights file"
                      : "not in " + text;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static unsigned getFloatBytes(StringRef dtype) {
  return dtype == "F32" ? 4 : dtype == "F16" || dtype == "BF16" ? 2 : 0;
}

static float halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, rest = bits & 0x7fff;
  uint32_t result;
  if (rest >= 0x7c00) { // infinity, NaN
    result = 0x7f800000 | (rest & 0x3ff) << 13;
  } else if (rest >= 0x400) {
    result = (rest << 13) + ((127u - 15u) << 23);
  } else { // zero, subnormal: an exact multiple of 2^-24
    float value = std::ldexp(static_cast<float>(rest), -24);
    std::memcpy(&result, &value, 4);
  }
  result |= sign;
  float value;
  std::memcpy(&value, &result, 4);
  return value;
}

static float readElement(const char *data, StringRef dtype) {
  uint32_t bits;
  if (dtype == "F32")
    bits = support::endian::read32le(data);
  else if (dtype == "BF16")
    bits = uint32_t(support::endian::read16le(data)) << 16;
  else
    return halfToFloat(support::endian::read16le(data));
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// "[2, 5]", where element `index` of a tensor stands.
static std::string formatIndex(size_t index, ArrayRef<int64_t> shape) {
  SmallVector<int64_t, 4> position(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    position[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return formatShape(position);
}

/// Without a branch per element, so that large files are scanned fast.
template <typename Word>
static bool isAllFinite(ArrayRef<char> data, Word exponent) {
  bool found = false;
  for (size_t i = 0; i + sizeof(Word) <= data.size(); i += sizeof(Word)) {
    Word word;
    std::memcpy(&word, data.data() + i, sizeof(Word));
    found |= (word & exponent) == exponent;
  }
  return !found;
}

Error WeightStore::checkFinite(const WeightTensor &tensor) {
  if (allowNonfinite || finite.contains(&tensor))
    return Error::success();
  finite.insert(&tensor);
  unsigned size = getFloatBytes(tensor.dtype);
  if (size == 4 ? isAllFinite<uint32_t>(tensor.data, 0x7f800000)
                : isAllFinite<uint16_t>(
                      tensor.data, tensor.dtype == "F16" ? 0x7c00 : 0x7f80))
    return Error::success();
  finite.erase(&tensor);
  for (size_t i = 0; i < tensor.data.size() / size; ++i) {
    float value = readElement(tensor.data.data() + i * size, tensor.dtype);
    if (!std::isfinite(value))
      return createStringError("tensor '" + tensor.name + "' holds " +
                               (std::isnan(value) ? "NaN" : "infinity") +
                               " at " + formatIndex(i, tensor.shape) +
                               "; --allow-nonfinite accepts such weights");
  }
  return Error::success();
}

/// The elements as f32, axes permuted.
static void convert(const WeightTensor &tensor, ArrayRef<int64_t> permutation,
                    MutableArrayRef<float> out) {
  unsigned size = getFloatBytes(tensor.dtype);
  float *next = out.data();
  visitPermuted(tensor.shape, permutation, [&](int64_t offset) {
    *next++ = readElement(tensor.data.data() + offset * size, tensor.dtype);
  });
}

Expected<float> WeightStore::readScalar(StringRef name) {
  const WeightTensor *tensor = find(name);
  if (!tensor)
    return createStringError("tensor '" + name + "' is " + describeFiles() +
                             suggest(name));
  unsigned size = getFloatBytes(tensor->dtype);
  if (!size || tensor->data.size() != size)
    return createStringError("tensor '" + name + "' has the type " +
                             tensor->dtype + " and the shape " +
                             formatShape(tensor->shape) +
                             ", expected one F32, F16 or BF16");
  if (Error error = checkFinite(*tensor))
    return error;
  scalars.insert(tensor);
  return readElement(tensor->data.data(), tensor->dtype);
}

Expected<ElementsAttr> WeightStore::getConstant(const WeightTensor &tensor,
                                                const WeightView &view,
                                                MLIRContext *context) {
  if (!getFloatBytes(tensor.dtype))
    return createStringError("tensor '" + tensor.name + "' has the type " +
                             tensor.dtype +
                             ", expected F32, F16 or BF16; convert it");
  if (find(tensor.name) == &tensor && !is_contained(used, &tensor))
    used.push_back(&tensor);
  auto [it, inserted] = constants.try_emplace(
      {&tensor, formatShape(view.permutation) + formatShape(view.shape)});
  if (!inserted)
    return it->second;
  if (Error error = checkFinite(tensor)) {
    constants.erase(it);
    return error;
  }
  views[tensor.name].push_back({tensor.shape, view});
  if (files.insert(tensor.file.get()).second)
    context->getOrLoadDialect<VaeDialect>()->getMappedFiles().add(tensor.file);
  auto type = RankedTensorType::get(view.shape, Float32Type::get(context));
  bool inOrder = is_sorted(view.permutation) && tensor.dtype == "F32" &&
                 sys::IsLittleEndianHost &&
                 reinterpret_cast<uintptr_t>(tensor.data.data()) % 4 == 0;
  if (inOrder) {
    it->second =
        getResourceConstant(tensor.name, type, tensor.data, tensor.file);
    return it->second;
  }
  auto copy = std::make_shared<std::vector<float>>(type.getNumElements());
  convert(tensor, view.permutation, *copy);
  ArrayRef<char> bytes(reinterpret_cast<const char *>(copy->data()),
                       copy->size() * sizeof(float));
  it->second = getResourceConstant(tensor.name, type, bytes, copy);
  return it->second;
}
