// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/FillSection.h"

#include "compiler/target/cpu/Codegen.h"
#include "compiler/target/cpu/WeightsSection.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace vae;
using ELFFile = llvm::object::ELF64LEFile;

namespace {

std::string makePlaceholder(uint64_t size) {
  Cpu cpu;
  cpu.triple = "x86_64-unknown-linux-gnu";
  std::string text;
  llvm::raw_string_ostream out(text);
  writeWeightsPlaceholder(size, cpu, out);
  return text;
}

/// The filled file, or "error: ...".
std::string fillWith(llvm::StringRef elf, llvm::StringRef bytes,
                     llvm::StringRef name = kWeightsSection) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::Error error = fillSection(
      elf, name, [&](llvm::raw_ostream &section) { section << bytes; }, out);
  return error ? "error: " + llvm::toString(std::move(error)) : text;
}

std::string toString(llvm::ArrayRef<uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string makeBytes(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(i * 7 + 1);
  return bytes;
}

// Sizes around the alignment; the other sections keep their bytes.
TEST(FillSection, PutsBytesBetweenSections) {
  for (size_t size : {1, 4095, 4096, 4097, 100000}) {
    std::string empty = makePlaceholder(size), bytes = makeBytes(size);
    EXPECT_LT(empty.size(), 1000u);
    std::string full = fillWith(empty, bytes);
    auto before = ELFFile::create(empty), after = ELFFile::create(full);
    ASSERT_TRUE(bool(before) && bool(after));
    auto olds = llvm::cantFail(before->sections());
    auto news = llvm::cantFail(after->sections());
    ASSERT_EQ(olds.size(), news.size());
    bool found = false;
    for (size_t i = 1; i < olds.size(); ++i) {
      auto name = llvm::cantFail(after->getSectionName(news[i]));
      auto contents =
          toString(llvm::cantFail(after->getSectionContents(news[i])));
      EXPECT_EQ(news[i].sh_offset % news[i].sh_addralign, 0u);
      if (name == kWeightsSection) {
        found = true;
        EXPECT_TRUE(contents == bytes);
      } else {
        EXPECT_TRUE(contents == toString(llvm::cantFail(
                                    before->getSectionContents(olds[i]))));
      }
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(fillWith(full, bytes),
              "error: the section .vae_weights has bytes already");
  }
}

TEST(FillSection, RefusesWhatItCannotFill) {
  std::string elf = makePlaceholder(100);
  EXPECT_EQ(fillWith(elf, makeBytes(100), llvm::StringRef(".other")),
            "error: there is no section .other");
  EXPECT_EQ(fillWith(elf, makeBytes(99)),
            "error: the section got another number of bytes");
  EXPECT_EQ(fillWith(elf, makeBytes(101)),
            "error: the section got another number of bytes");
  // A file that ends too early, wherever it does.
  for (size_t size = 0; size < elf.size(); ++size)
    EXPECT_TRUE(llvm::StringRef(fillWith(elf.substr(0, size), makeBytes(100)))
                    .starts_with("error: "))
        << size;
}

} // namespace
