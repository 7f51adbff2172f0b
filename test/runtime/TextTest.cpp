// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Text.h"

#include "gtest/gtest.h"

using namespace vae::runtime;

namespace {

TEST(Text, AddsUpAndStartsAgain) {
  char buffer[32] = "old";
  Text text(buffer, sizeof(buffer));
  EXPECT_STREQ(buffer, "");
  text.add("%s %d", "number", 42);
  text.add(", %d", 43);
  EXPECT_STREQ(buffer, "number 42, 43");
  text.clear();
  EXPECT_STREQ(buffer, "");
}

TEST(Text, IsCutWhereTheBufferEnds) {
  for (size_t size = 1; size <= 8; ++size) {
    std::string storage(16, '#');
    Text text(storage.data(), size);
    text.add("%s", "abcdefgh");
    text.add("%s", "ij");
    EXPECT_EQ(storage.c_str(), std::string("abcdefgh").substr(0, size - 1));
    EXPECT_EQ(storage.substr(size), std::string(16 - size, '#'));
  }
}

TEST(Text, IsNeverCutInsideACharacter) {
  // 1, 2, 3 and 4 bytes.
  const std::string characters[] = {"a", "\u00e4", "\u20ac", "\U0001f600"};
  std::string whole;
  for (const std::string &character : characters)
    whole += character;
  for (size_t size = 1; size <= whole.size() + 1; ++size) {
    char buffer[16];
    Text(buffer, size).add("%s", whole.c_str());
    std::string expected;
    for (const std::string &character : characters) {
      if (expected.size() + character.size() > size - 1)
        break;
      expected += character;
    }
    EXPECT_EQ(buffer, expected);
  }
}

TEST(Text, SwallowsEverythingWithoutABuffer) {
  Text(nullptr, 10).add("%s", "text");
  char byte = '#';
  Text(&byte, 0).add("%s", "text");
  EXPECT_EQ(byte, '#');
}

} // namespace
