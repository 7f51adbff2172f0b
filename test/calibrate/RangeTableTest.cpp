// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/RangeTable.h"

#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cfloat>

using namespace vae;

static RangeTable makeTable() {
  RangeTable table;
  table.model = "a \"b\" \\ \n c";
  table.hash = std::string(64, 'e');
  table.data = "x.npy";
  table.samples = 12;
  table.seed = UINT64_MAX;
  TensorRanges tensor;
  tensor.name = "conv 1+relu";
  tensor.count = 1000;
  tensor.nonfinite = 3;
  for (size_t i = 0; i < kNumRangeMethods; ++i)
    tensor.ranges.of[i] = {-1.0f / 3 * float(i), FLT_MAX};
  tensor.channels = {tensor.ranges, tensor.ranges};
  tensor.channels[1].of[0] = {-FLT_TRUE_MIN, FLT_MIN};
  table.tensors.push_back(tensor);
  tensor.name = "z";
  tensor.channels.clear();
  table.tensors.push_back(tensor);
  return table;
}

static std::string print(const RangeTable &table) {
  std::string text;
  llvm::raw_string_ostream out(text);
  printRangeTable(table, out);
  return text;
}

/// The message for a table in which the first `from` is replaced.
static std::string getError(const std::string &from, const std::string &to) {
  std::string text = print(makeTable());
  size_t at = text.find(from);
  if (at == std::string::npos)
    return "not found";
  text.replace(at, from.size(), to);
  auto table = parseRangeTable(text, "r.txt");
  return table ? "no error" : llvm::toString(table.takeError());
}

static const std::string kRemedy =
    "; write the table again with vaec calibrate";

TEST(RangeTable, RoundTrip) {
  RangeTable table = makeTable();
  std::string text = print(table);
  auto parsed = parseRangeTable(text, "r.txt");
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_EQ(*parsed, table);
  EXPECT_EQ(print(*parsed), text);
  ASSERT_NE(parsed->find("z"), nullptr);
  EXPECT_EQ(parsed->find("z")->nonfinite, 3u);
  EXPECT_EQ(parsed->find("y"), nullptr);
}

TEST(RangeTable, LinesOfWindowsAndComments) {
  std::string text;
  for (char c : print(makeTable()) + "# end\n\n")
    text += c == '\n' ? "\r\n" : std::string(1, c);
  auto parsed = parseRangeTable(text, "r.txt");
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_EQ(*parsed, makeTable());
}

TEST(RangeTable, Errors) {
  EXPECT_EQ(getError("format 1", "format 2"),
            "r.txt:2: error: expected format 1, which is all that this vaec "
            "reads, found 2" +
                kRemedy);
  EXPECT_EQ(getError("model ", "modle "),
            "r.txt:3: error: expected a line 'model ...', found 'modle'" +
                kRemedy);
  EXPECT_EQ(getError("\"x.npy\"", "x.npy"),
            "r.txt:5: error: expected the data in quotes" + kRemedy);
  EXPECT_EQ(getError("\"x.npy\"", "\"x.npy"),
            "r.txt:5: error: expected the closing quote of the data" + kRemedy);
  EXPECT_EQ(getError("\"x.npy\"", "\"\\q\""),
            "r.txt:5: error: expected two hexadecimal digits behind '\\' in "
            "the data" +
                kRemedy);
  EXPECT_EQ(getError("eeee", "xeee"),
            "r.txt:4: error: expected the model's hash, 64 hexadecimal digits" +
                kRemedy);
  EXPECT_EQ(getError("samples 12", "samples -1"),
            "r.txt:6: error: expected the number of samples, found '-1'" +
                kRemedy);
  EXPECT_EQ(getError("seed", "seed 1"),
            "r.txt:7: error: expected the end of the line, found "
            "'18446744073709551615'" +
                kRemedy);
  EXPECT_EQ(getError("channel 1", "channel 2"),
            "r.txt:12: error: expected channel 1, found 2" + kRemedy);
  EXPECT_EQ(getError("\"z\"", "\"conv 1+relu\""),
            "r.txt:13: error: expected each tensor once, found 'conv 1+relu' "
            "again" +
                kRemedy);
  EXPECT_EQ(getError("-0.333333343", "nan"),
            "r.txt:10: error: expected the range percentile-99.9, found 'nan'" +
                kRemedy);
  EXPECT_EQ(getError("-0.333333343", "1e39"),
            "r.txt:10: error: expected the range percentile-99.9, found "
            "'1e39'" +
                kRemedy);
  EXPECT_EQ(getError("-0 ", "3.4e38 1 "),
            "r.txt:10: error: expected the range min-max with the lower end "
            "first" +
                kRemedy);
  EXPECT_EQ(getError("tensors 2", "tensors 3"),
            "r.txt:14: error: expected a line 'tensor ...', found the end of "
            "the file" +
                kRemedy);
  EXPECT_EQ(
      getError("tensors 2", "tensors 1"),
      "r.txt:13: error: expected the end of the line, found 'tensor \"z\" "
      "1000 3 0 -0 3.40282347e+38 -0'" +
          kRemedy);
}

TEST(RangeTable, EveryTruncationIsAnError) {
  std::string text = print(makeTable());
  // The last byte is the end of the last line.
  for (size_t size = 0; size + 15 < text.size(); ++size) {
    auto table = parseRangeTable(llvm::StringRef(text).take_front(size), "r");
    EXPECT_FALSE(bool(table)) << size;
    llvm::consumeError(table.takeError());
  }
}

TEST(RangeTable, OtherModels) {
  RangeTable table = makeTable();
  table.model = "vae";
  EXPECT_FALSE(bool(checkRangeTable(table, "r.txt", "vae", table.hash)));
  std::string other(64, '0');
  EXPECT_EQ(llvm::toString(checkRangeTable(table, "r.txt", "vae", other)),
            "r.txt: error: the ranges are of another model, 'vae', whose "
            "layers or weights have changed" +
                kRemedy);
  EXPECT_EQ(llvm::toString(checkRangeTable(table, "r.txt", "ae", other)),
            "r.txt: error: the ranges are of another model, 'vae', while the "
            "model is 'ae'" +
                kRemedy);
}
