// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged files: whatever comes in, the importer gives a module that verifies
// or an error with a place. A short, repeatable share of what test/fuzz does.
#include "compiler/import/Weights.h"
#include "mlir/IR/Verifier.h"
#include "test/import/ImportTest.h"
#include "test/import/Mutator.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace vae;
using namespace vae::test;

namespace {

std::string readSource(const std::string &file) {
  auto buffer = llvm::MemoryBuffer::getFile(VAEC_SOURCE_DIR "/" + file);
  EXPECT_TRUE(static_cast<bool>(buffer)) << file;
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

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
