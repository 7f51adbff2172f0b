// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads safetensors: eight bytes with the header's length, a JSON header,
// the data. Nothing that the header says is believed before it is checked.
#include "compiler/import/Json.h"
#include "compiler/import/Weights.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/Path.h"

#include <algorithm>

using namespace llvm;
using namespace vae;

static constexpr uint64_t kMaxHeader = 100'000'000;

/// Bits of an element; 0 for an unknown type.
static unsigned getBits(StringRef dtype) {
  return StringSwitch<unsigned>(dtype)
      .Cases({"F64", "I64", "U64", "C64"}, 64)
      .Cases({"F32", "I32", "U32"}, 32)
      .Cases({"F16", "BF16", "I16", "U16"}, 16)
      .Cases({"I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"}, 8)
      .Default(0);
}

namespace {
/// One file while its header is read.
class HeaderReader {
public:
  HeaderReader(StringRef path, std::shared_ptr<MemoryBuffer> file)
      : fileName(sys::path::filename(path)), file(std::move(file)) {}

  Expected<std::vector<WeightTensor>> read();

private:
  Error fail(const Twine &message) const {
    return createStringError("weights file '" + fileName + "': " + message);
  }
  Error readTensor(const JsonValue::Member &member);
  Error readShape(const JsonValue *shape, WeightTensor &tensor,
                  uint64_t &count) const;
  Error checkLayout() const;

  std::string fileName;
  std::shared_ptr<MemoryBuffer> file;
  StringRef data;
  std::vector<WeightTensor> tensors;
};
} // namespace

Error HeaderReader::readShape(const JsonValue *shape, WeightTensor &tensor,
                              uint64_t &count) const {
  if (!shape || !shape->isArray())
    return fail("tensor '" + tensor.name + "' has no shape");
  count = 1;
  for (const JsonValue &dim : shape->items) {
    if (!dim.isInteger() || dim.integer < 0 || dim.integer > kMaxDim)
      return fail("tensor '" + tensor.name + "' has the dimension " +
                  dim.describe() + ", expected 0 to " + Twine(kMaxDim));
    tensor.shape.push_back(dim.integer);
    count *= static_cast<uint64_t>(dim.integer);
    if (count > static_cast<uint64_t>(kMaxElements))
      return fail("tensor '" + tensor.name + "' has more than 2^40 elements");
  }
  return Error::success();
}

Error HeaderReader::readTensor(const JsonValue::Member &member) {
  WeightTensor tensor;
  tensor.name = member.key;
  tensor.fileName = fileName;
  if (!member.value.isObject())
    return fail("the header's entry '" + tensor.name +
                "' is not an object with dtype, shape and data_offsets");
  const JsonValue *dtype = member.value.find("dtype");
  if (!dtype || !dtype->isString())
    return fail("tensor '" + tensor.name + "' has no dtype");
  tensor.dtype = dtype->text;
  unsigned bits = getBits(tensor.dtype);
  if (!bits)
    return fail("tensor '" + tensor.name + "' has the unknown dtype '" +
                tensor.dtype + "'");
  uint64_t count;
  if (Error error = readShape(member.value.find("shape"), tensor, count))
    return error;
  const JsonValue *offsets = member.value.find("data_offsets");
  if (!offsets || !offsets->isArray() || offsets->items.size() != 2 ||
      !offsets->items[0].isInteger() || !offsets->items[1].isInteger())
    return fail("tensor '" + tensor.name +
                "' has no data_offsets [begin, end]");
  int64_t begin = offsets->items[0].integer, end = offsets->items[1].integer;
  if (begin < 0 || end < begin)
    return fail("tensor '" + tensor.name + "' has data_offsets [" +
                Twine(begin) + ", " + Twine(end) +
                "], expected 0 <= begin <= end");
  if (static_cast<uint64_t>(end) > data.size())
    return fail("tensor '" + tensor.name + "' ends at byte " + Twine(end) +
                " of the data, which has only " + Twine(data.size()) +
                " bytes; the file may be truncated");
  uint64_t bytes = count * bits / 8;
  if (static_cast<uint64_t>(end - begin) != bytes)
    return fail("tensor '" + tensor.name + "' of type " + tensor.dtype +
                " and shape " + formatShape(tensor.shape) + " needs " +
                Twine(bytes) + " bytes, its data_offsets give " +
                Twine(end - begin));
  tensor.data = ArrayRef<char>(data.data() + begin, end - begin);
  tensor.file = file;
  tensors.push_back(std::move(tensor));
  return Error::success();
}

/// The format wants the data covered without overlap and without a hole.
Error HeaderReader::checkLayout() const {
  std::vector<const WeightTensor *> order;
  for (const WeightTensor &tensor : tensors)
    if (!tensor.data.empty())
      order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](auto *a, auto *b) { return a->data.data() < b->data.data(); });
  const char *expected = data.data();
  const WeightTensor *before = nullptr;
  for (const WeightTensor *tensor : order) {
    if (tensor->data.data() < expected)
      return fail("the data of tensors '" + before->name + "' and '" +
                  tensor->name + "' overlap");
    if (tensor->data.data() > expected)
      return fail(Twine(tensor->data.data() - expected) +
                  " bytes before tensor '" + tensor->name +
                  "' belong to no tensor");
    expected = tensor->data.data() + tensor->data.size();
    before = tensor;
  }
  if (expected != data.data() + data.size())
    return fail(Twine(data.data() + data.size() - expected) +
                " bytes at the end belong to no tensor");
  return Error::success();
}

Expected<std::vector<WeightTensor>> HeaderReader::read() {
  StringRef bytes = file->getBuffer();
  if (bytes.size() < 8)
    return fail("has " + Twine(bytes.size()) +
                " bytes, too few for a safetensors file");
  uint64_t length = support::endian::read64le(bytes.data());
  if (length > bytes.size() - 8)
    return fail("the header claims " + Twine(length) +
                " bytes, the file has only " + Twine(bytes.size() - 8) +
                " after its length; it is truncated or not a safetensors "
                "file");
  if (length > kMaxHeader)
    return fail("the header has " + Twine(length) + " bytes, more than " +
                Twine(kMaxHeader));
  JsonValue root;
  if (auto error = parseJson(bytes.substr(8, length), root))
    return fail("header, line " + Twine(error->position.line) + ", column " +
                Twine(error->position.column) + ": " + error->message);
  if (!root.isObject())
    return fail("the header is not a JSON object");
  data = bytes.drop_front(8 + length);
  tensors.reserve(root.members.size());
  for (const JsonValue::Member &member : root.members) {
    if (member.key == "__metadata__")
      continue;
    if (Error error = readTensor(member))
      return error;
  }
  if (Error error = checkLayout())
    return error;
  return std::move(tensors);
}

Expected<std::vector<WeightTensor>> vae::readSafetensors(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(
        "cannot read weights file '" + path +
        "': " + buffer.getError().message() +
        (buffer.getError() == std::errc::no_such_file_or_directory
             ? "; its name is relative to the file that names it"
             : ""));
  return readSafetensors(path, std::move(*buffer));
}

Expected<std::vector<WeightTensor>>
vae::readSafetensors(StringRef path, std::unique_ptr<MemoryBuffer> file) {
  return HeaderReader(path, std::move(file)).read();
}

void vae::writeSafetensors(ArrayRef<const WeightTensor *> tensors,
                           raw_ostream &out) {
  JsonValue header = JsonValue::makeObject({});
  uint64_t end = 0;
  auto makeNumbers = [](ArrayRef<int64_t> numbers) {
    JsonValue array = JsonValue::makeArray({});
    for (int64_t number : numbers)
      array.items.push_back(JsonValue::makeInteger(number, {}));
    return array;
  };
  for (const WeightTensor *tensor : tensors) {
    JsonValue &entry = header.set(tensor->name, JsonValue::makeObject({}));
    entry.set("dtype", JsonValue::makeString(tensor->dtype, {}));
    entry.set("shape", makeNumbers(tensor->shape));
    int64_t begin = end;
    end += tensor->data.size();
    entry.set("data_offsets", makeNumbers({begin, static_cast<int64_t>(end)}));
  }
  std::string text;
  raw_string_ostream stream(text);
  printJson(header, stream);
  text.back() = ' '; // the data begin at a multiple of eight
  while (text.size() % 8)
    text += ' ';
  support::endian::write<uint64_t>(out, text.size(), endianness::little);
  out << text;
  for (const WeightTensor *tensor : tensors)
    out.write(tensor->data.data(), tensor->data.size());
}
