// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Json.h"

#include <gtest/gtest.h>

using namespace vae;
using llvm::StringRef;

static std::string parse(const std::string &text, JsonValue &root) {
  auto error = parseJson(text, root);
  if (!error)
    return "";
  return std::to_string(error->position.line) + ":" +
         std::to_string(error->position.column) + ": " + error->message;
}

static std::string fail(const std::string &text) {
  JsonValue root;
  return parse(text, root);
}

TEST(Json, RemembersPositions) {
  JsonValue root;
  ASSERT_EQ(
      parse("{\n  \"a\\\"\": [1, -2.5e1,\n true, null],\n\t\"b\": \"x\\ny\"}",
            root),
      "");
  ASSERT_EQ(root.members.size(), 2u);
  const JsonValue &a = root.members[0].value;
  EXPECT_EQ(root.members[0].key, "a\"");
  EXPECT_EQ(root.members[0].position.line, 2u);
  EXPECT_EQ(root.members[0].position.column, 3u);
  EXPECT_EQ(a.position.column, 10u);
  ASSERT_EQ(a.items.size(), 4u);
  EXPECT_EQ(a.items[0].integer, 1);
  EXPECT_EQ(a.items[1].number, -25);
  EXPECT_EQ(a.items[1].text, "-2.5e1");
  EXPECT_EQ(a.items[1].position.column, 14u);
  EXPECT_EQ(a.items[2].position.line, 3u);
  EXPECT_TRUE(a.items[3].isNull());
  EXPECT_EQ(root.members[1].value.text, "x\ny");
  EXPECT_EQ(root.members[1].value.position.line, 4u);
  EXPECT_EQ(root.members[1].value.position.column, 7u);
}

TEST(Json, ReportsDuplicateKeys) {
  EXPECT_EQ(fail("{\"a\": 1,\n \"b\": {\"a\": 2},\n \"a\": 3}"),
            "3:2: duplicate key 'a'; remove one of the two");
}

TEST(Json, ReportsTruncation) {
  EXPECT_EQ(fail("{\"a\": [1,\n 2"),
            "2:3: malformed JSON, the file ends too early: syntax error while "
            "parsing array - unexpected end of input; expected ',' or ']'");
  EXPECT_TRUE(StringRef(fail("")).starts_with("1:1: malformed JSON, the file"));
}

TEST(Json, ReportsMalformedText) {
  EXPECT_EQ(fail("{\n  \"a\" 1}").substr(0, 20), "2:7: malformed JSON:");
  EXPECT_EQ(fail("[1, ]").substr(0, 20), "1:5: malformed JSON:");
  EXPECT_EQ(fail("[1] x").substr(0, 20), "1:5: malformed JSON:");
  EXPECT_EQ(fail("[1e999]").substr(0, 20), "1:6: malformed JSON:");
  EXPECT_EQ(fail("[\"\xff\"]").substr(0, 20), "1:3: malformed JSON:");
}

TEST(Json, LimitsDepth) {
  EXPECT_EQ(fail(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_EQ(fail(std::string(1000000, '[')),
            "1:65: more than 64 nested values");
}

TEST(Json, KeepsLargeIntegersAsNumbers) {
  JsonValue root;
  ASSERT_EQ(parse("[9223372036854775807, 9223372036854775808]", root), "");
  EXPECT_TRUE(root.items[0].isInteger());
  EXPECT_FALSE(root.items[1].isInteger());
  EXPECT_EQ(root.items[1].describe(), "9223372036854775808");
}

TEST(Json, SuggestsTheNearestName) {
  EXPECT_EQ(suggestName("kernal_size", {"kernel_size", "stride"}),
            "; did you mean 'kernel_size'?");
  EXPECT_EQ(suggestName("padd", {"stride"}), "");
}
