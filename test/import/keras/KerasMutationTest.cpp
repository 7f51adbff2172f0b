// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged configs of Keras: a model of the native format or one problem with a
// place. A short, repeatable share of what test/fuzz does.
#include "compiler/import/keras/KerasImporter.h"
#include "test/import/Mutator.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

using namespace vae;
using namespace vae::test;

namespace {

std::string readSeed(const std::string &name) {
  auto buffer = llvm::MemoryBuffer::getFile(
      VAEC_SOURCE_DIR "/test/fuzz/seeds/keras/" + name);
  EXPECT_TRUE(static_cast<bool>(buffer)) << name;
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

} // namespace

TEST(KerasMutation, ConfigsAreTranslatedOrRefusedWithAPlace) {
  Mutator mutator(3);
  unsigned translated = 0, refused = 0;
  for (const char *name : {"vae.json", "conv.json", "nested.json"}) {
    std::string seed = readSeed(name);
    ModelDocument whole;
    auto problem = keras::translateConfig(seed, "", whole);
    EXPECT_FALSE(problem) << name << ": " << problem->message;
    for (int round = 0; round < 8000; ++round) {
      std::string text = mutator.mutate(seed);
      ModelDocument document;
      problem = keras::translateConfig(text, round % 3 ? "" : "mean,logvar",
                                       document);
      if (!problem) {
        ++translated;
        EXPECT_TRUE(document.root.isObject()) << text;
        EXPECT_TRUE(document.root.find("latent")) << text;
        continue;
      }
      ++refused;
      EXPECT_GT(problem->message.size(), 10u) << text;
      EXPECT_EQ(problem->position.file, 0u);
      EXPECT_GE(problem->position.column, 1u) << text;
    }
  }
  EXPECT_GT(translated, 800u);
  EXPECT_GT(refused, 2400u);
}
