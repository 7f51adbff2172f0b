// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged folders of diffusers: a module that verifies, or one error with a
// place. A short, repeatable share of what test/fuzz does.
#include "test/import/Mutator.h"
#include "test/import/diffusers/ImportFolder.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

using namespace vae::test;

namespace {

std::string readSeed(const std::string &name) {
  auto buffer = llvm::MemoryBuffer::getFile(
      VAEC_SOURCE_DIR "/test/fuzz/seeds/diffusers/" + name);
  EXPECT_TRUE(static_cast<bool>(buffer)) << name;
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

/// Damages a text over and over; returns how often `import` succeeded.
template <typename Import>
unsigned mutate(Mutator &mutator, const std::string &seed, int rounds,
                Import import) {
  unsigned imported = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string text = mutator.mutate(seed);
    DiffusersFolder::Outcome outcome = import(text);
    EXPECT_EQ(outcome.fault, "") << text;
    EXPECT_EQ(outcome.imported, outcome.error.empty()) << text;
    imported += outcome.imported;
  }
  return imported;
}

} // namespace

TEST(DiffusersMutation, ConfigsAreImportedOrRefusedWithAPlace) {
  DiffusersFolder folder;
  Mutator mutator(4);
  constexpr int kRounds = 150;
  for (const char *name :
       {"kl.json", "asymmetric.json", "flux2.json", "tiny.json", "dc.json",
        "dc-conv.json", "vq.json", "wan.json", "wan-residual.json", "qwen.json",
        "temporal.json"}) {
    std::string seed = readSeed(name);
    DiffusersFolder::Outcome whole = folder.import(seed);
    EXPECT_TRUE(whole.imported) << name << ": " << whole.error << whole.fault;
    unsigned imported =
        mutate(mutator, seed, kRounds, [&](const std::string &config) {
          return folder.import(config);
        });
    EXPECT_GT(imported, 2u) << name;
    EXPECT_LT(imported, kRounds / 2u) << name;
  }
}

TEST(DiffusersMutation, ShardIndexesAreReadOrRefused) {
  DiffusersFolder folder;
  Mutator mutator(5);
  std::string seed = readSeed("shards.json");
  size_t separator = seed.find("\n---\n");
  ASSERT_NE(separator, std::string::npos);
  std::string config = seed.substr(0, separator),
              index = seed.substr(separator + 5);
  // The shards have nothing that the model asks for.
  const std::string missing = "is not in 'a.safetensors', 'b.safetensors'";
  std::string error = folder.importShards(config, index).error;
  EXPECT_NE(error.find(missing), std::string::npos) << error;
  unsigned read = 0;
  mutate(mutator, index, 500, [&](const std::string &text) {
    DiffusersFolder::Outcome outcome = folder.importShards(config, text);
    EXPECT_FALSE(outcome.imported) << text;
    read += outcome.error.find("is not in 'a.") != std::string::npos;
    return outcome;
  });
  EXPECT_GT(read, 25u);
  EXPECT_LT(read, 475u);
}
