// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged files: whatever comes in, the importer gives a module that verifies
// or an error with a place. A short, repeatable share of what test/fuzz does.
#include "compiler/import/Weights.h"
#include "mlir/IR/Verifier.h"
#include "test/import/ImportTest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <random>

using namespace vae;
using namespace vae::test;

namespace {

std::string readSource(const std::string &file) {
  auto buffer = llvm::MemoryBuffer::getFile(VAEC_SOURCE_DIR "/" + file);
  EXPECT_TRUE(static_cast<bool>(buffer)) << file;
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

/// Changes texts in ways that break formats. The same seed gives the same
/// changes everywhere: only the engine is used, no distribution of the library.
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  std::string mutate(std::string text) {
    for (size_t i = 0, count = 1 + below(3); i < count; ++i)
      change(text);
    return text;
  }

private:
  size_t below(size_t limit) { return limit ? random() % limit : 0; }

  const char *piece() {
    static const char *const pieces[] = {
        "0",    "-1",  "1e30", "2147483648", "9223372036854775807",
        "null", "[]",  "{}",   "\"x\"",      "true",
        "\"",   "\\u", "\xff", "[[[[",       ",",
        "1.5",  "]",   "}",    "NaN",        "18446744073709551616"};
    return pieces[below(std::size(pieces))];
  }

  void change(std::string &text) {
    size_t at = below(text.size()), length = below(16);
    switch (below(9)) {
    case 0:
      if (!text.empty())
        text[at] = static_cast<char>(random());
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(below(text.size()), length));
      break;
    case 3:
      text.resize(at);
      break;
    case 4:
      text.insert(at, piece());
      break;
    case 5:
    case 6:
      replaceToken(text);
      break;
    default: // another number, of the same length
      at = text.find_first_of("0123456789", at);
      if (at != std::string::npos)
        text[at] = static_cast<char>('0' + below(10));
    }
  }

  /// Puts a piece in the place of a number or a string: what is still JSON
  /// comes further than what is not.
  void replaceToken(std::string &text) {
    size_t begin = text.find_first_of("0123456789\"", below(text.size()));
    if (begin == std::string::npos)
      return;
    bool string = text[begin] == '"';
    size_t end = string ? text.find('"', begin + 1)
                        : text.find_first_not_of("0123456789.", begin);
    if (end != std::string::npos)
      text.replace(begin, end - begin + string, piece());
  }

  std::mt19937 random;
};

class Mutation : public ImportTest {};

} // namespace

TEST_F(Mutation, ModelsImportOrFailWithAPlace) {
  const std::string seeds[] = {
      readSource("test/fuzz/seeds/model/dense.json"),
      readSource("test/fuzz/seeds/model/image.json"),
      readSource("test/models/mnist-conv/model.json"),
      encoderModel("[2]", "{\"name\": \"out\", \"type\": \"dense\", \"units\": "
                          "3, \"weights\": {\"kernel\": [[1, 2], [3, 4], [5, "
                          "6]], \"bias\": [0, 0, 0]}}")};
  write("weights.safetensors",
        readSource("test/models/mnist-conv/weights.safetensors"));
  writeTensors({});
  Mutator mutator(1);
  unsigned imported = 0, refused = 0;
  for (int round = 0; round < 300; ++round)
    for (const std::string &seed : seeds) {
      std::string json = mutator.mutate(seed);
      if (import(json)) {
        ++imported;
        EXPECT_EQ(errors, "") << json;
        continue;
      }
      ++refused;
      // One error: a line, a column and a text; not one of the verifier.
      EXPECT_EQ(llvm::StringRef(errors).count('\n'), 0u) << errors << json;
      EXPECT_EQ(errors.find("no position"), std::string::npos) << json;
      EXPECT_EQ(errors.find("' op "), std::string::npos) << errors << json;
      EXPECT_GT(errors.size(), 20u) << json;
    }
  EXPECT_GT(imported, 20u);
  EXPECT_GT(refused, 200u);
}

TEST_F(Mutation, SafetensorsAreReadWithinTheFileOrRefused) {
  const std::string seed =
      makeSafetensors({{"a", {2, 3}, {}}, {"b", {4}, {}}, {"c", {1}, {}}});
  Mutator mutator(2);
  unsigned read = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = mutator.mutate(seed);
    write("w.safetensors", bytes);
    auto tensors = readSafetensors(getPath("w.safetensors"));
    if (!tensors) {
      ++refused;
      EXPECT_NE(llvm::toString(tensors.takeError()), "");
      continue;
    }
    ++read;
    size_t total = 0;
    for (const WeightTensor &tensor : *tensors) {
      llvm::StringRef file = tensor.file->getBuffer();
      EXPECT_GE(tensor.data.begin(), file.begin());
      EXPECT_LE(tensor.data.end(), file.end());
      total += tensor.data.size();
    }
    EXPECT_LE(total, bytes.size());
  }
  EXPECT_GT(read, 50u);
  EXPECT_GT(refused, 500u);
}
