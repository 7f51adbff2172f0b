// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Weights.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "test/import/ImportTest.h"

#include <cmath>
#include <limits>

using namespace vae;
using llvm::StringRef;
using namespace vae::test;

namespace {
class WeightsTest : public ImportTest {
protected:
  /// What is wrong with a file; empty if nothing is.
  std::string add(const std::string &file) {
    if (llvm::Error error = store.addFile(getPath(file)))
      return llvm::toString(std::move(error));
    return "";
  }
  std::string addHeader(const std::string &header, size_t bytes) {
    write("w.safetensors", makeSafetensors(header, std::string(bytes, '\1')));
    return add("w.safetensors");
  }
  std::vector<float> getValues(const std::string &name, WeightView view,
                               bool &aliases) {
    auto value = store.getConstant(*store.find(name), view, &context);
    EXPECT_TRUE(static_cast<bool>(value));
    auto resource = llvm::cast<mlir::DenseResourceElementsAttr>(*value);
    auto *blob = resource.getRawHandle().getBlob();
    key = resource.getRawHandle().getKey().str();
    aliases = blob->getData().data() == store.find(name)->data.data();
    auto data = blob->getDataAs<float>();
    return {data.begin(), data.end()};
  }

  WeightStore store;
  std::string key;
};
} // namespace

TEST_F(WeightsTest, AliasesMappedFile) {
  writeTensors({{"a", {2, 2}, {1, 2, 3, 4}}});
  ASSERT_EQ(add("w.safetensors"), "");
  bool aliases = false;
  EXPECT_EQ(getValues("a", {{}, {2, 2}}, aliases),
            (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(aliases);
  EXPECT_EQ(key.substr(0, 3), "a__");
  EXPECT_EQ(key.size(), 3u + 16u);
  EXPECT_EQ(getValues("a", {{1, 0}, {2, 2}}, aliases),
            (std::vector<float>{1, 3, 2, 4}));
  EXPECT_FALSE(aliases);
}

TEST_F(WeightsTest, SameBytesAreOneResource) {
  writeTensors({{"a", {2}, {1, 2}}});
  WeightStore other;
  ASSERT_EQ(add("w.safetensors"), "");
  ASSERT_FALSE(static_cast<bool>(other.addFile(getPath("w.safetensors"))));
  auto first = store.getConstant(*store.find("a"), {{}, {2}}, &context);
  auto second = other.getConstant(*other.find("a"), {{}, {2}}, &context);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(WeightsTest, ConvertsHalfPrecision) {
  std::vector<float> values = {1.5f, -2.0f, 0.25f, 0.0f};
  writeTensors({{"h", {4}, values, "F16"}, {"b", {4}, values, "BF16"}});
  ASSERT_EQ(add("w.safetensors"), "");
  bool aliases = false;
  EXPECT_EQ(getValues("h", {{}, {4}}, aliases), values);
  EXPECT_EQ(getValues("b", {{}, {4}}, aliases), values);
}

TEST_F(WeightsTest, ConvertsEveryHalf) {
  // 2^-24, the largest subnormal, the smallest normal, the largest number.
  std::string data("\x01\x00\xff\x03\x00\x04\xff\x7b", 8);
  write("w.safetensors",
        makeSafetensors("{\"h\":{\"dtype\":\"F16\",\"shape\":[4],"
                        "\"data_offsets\":[0,8]}}",
                        data));
  ASSERT_EQ(add("w.safetensors"), "");
  bool aliases = false;
  EXPECT_EQ(getValues("h", {{}, {4}}, aliases),
            (std::vector<float>{std::ldexp(1.f, -24), std::ldexp(1023.f, -24),
                                std::ldexp(1.f, -14), 65504.f}));
}

TEST_F(WeightsTest, UnalignedDataIsCopied) {
  // The header has 61 bytes, so the data begins at byte 69.
  std::string header =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
  while (header.size() % 4 != 1)
    header += ' ';
  std::string data(4, '\0');
  data[3] = '\x40'; // 2.0
  write("w.safetensors", makeSafetensors(header, data));
  ASSERT_EQ(add("w.safetensors"), "");
  bool aliases = true;
  EXPECT_EQ(getValues("a", {{}, {1}}, aliases), (std::vector<float>{2}));
  EXPECT_FALSE(aliases);
}

TEST_F(WeightsTest, NonfiniteIsNamed) {
  writeTensors({{"a", {2, 3}, {0, 0, 0, 0, 0, std::nanf("")}},
                {"b", {2}, {0, std::numeric_limits<float>::infinity()}}});
  ASSERT_EQ(add("w.safetensors"), "");
  auto a = store.getConstant(*store.find("a"), {{}, {2, 3}}, &context);
  EXPECT_EQ(llvm::toString(a.takeError()),
            "tensor 'a' holds NaN at [1, 2]; --allow-nonfinite accepts such "
            "weights");
  auto b = store.getConstant(*store.find("b"), {{}, {2}}, &context);
  EXPECT_EQ(llvm::toString(b.takeError()),
            "tensor 'b' holds infinity at [1]; --allow-nonfinite accepts such "
            "weights");
  store.allowNonfinite = true;
  EXPECT_TRUE(static_cast<bool>(
      store.getConstant(*store.find("a"), {{}, {2, 3}}, &context)));
}

TEST_F(WeightsTest, ReadsShards) {
  write("a.safetensors", makeSafetensors({{"a", {1}, {}}}));
  write("b.safetensors", makeSafetensors({{"b", {1}, {}}}));
  write("w.safetensors.index.json",
        "{\"metadata\": {}, \"weight_map\": {\"a\": \"a.safetensors\", "
        "\"b\": \"b.safetensors\"}}");
  EXPECT_EQ(add("w.safetensors.index.json"), "");
  EXPECT_TRUE(store.find("a") && store.find("b"));
  write("bad.safetensors.index.json",
        "{\"weight_map\": {\"c\": \"c.safetensors\"}}");
  EXPECT_TRUE(StringRef(add("bad.safetensors.index.json"))
                  .starts_with("cannot read weights file"));
  EXPECT_EQ(add("a.safetensors"),
            "tensor 'a' is in 'a.safetensors' and again in 'a.safetensors'");
}

TEST_F(WeightsTest, ShardWithoutItsTensor) {
  write("a.safetensors", makeSafetensors({{"a", {1}, {}}}));
  write("w.safetensors.index.json",
        "{\"weight_map\": {\"b\": \"a.safetensors\"}}");
  EXPECT_EQ(add("w.safetensors.index.json"),
            "weights index 'w.safetensors.index.json': tensor 'b' is not in "
            "'a.safetensors'");
}

#define FILE "weights file 'w.safetensors': "
#define TENSOR(DTYPE, SHAPE, BEGIN, END)                                       \
  "{\"dtype\":\"" DTYPE "\",\"shape\":[" SHAPE "],\"data_offsets\":[" BEGIN    \
  "," END "]}"

TEST_F(WeightsTest, HeaderLength) {
  write("w.safetensors", "1234567");
  EXPECT_EQ(add("w.safetensors"),
            FILE "has 7 bytes, too few for a safetensors file");
  write("w.safetensors", std::string(8, '\xff') + "{}");
  EXPECT_EQ(add("w.safetensors"),
            FILE "the header claims 18446744073709551615 bytes, the file has "
                 "only 2 after its length; it is truncated or not a "
                 "safetensors file");
}

TEST_F(WeightsTest, HeaderIsMalformed) {
  EXPECT_TRUE(StringRef(addHeader("{\"a\":", 0))
                  .starts_with(FILE "header, line 1, column 6: malformed"));
  EXPECT_EQ(addHeader("[]", 0), FILE "the header is not a JSON object");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "1", "0", "4") ",\"a\":" TENSOR(
                          "F32", "1", "4", "8") "}",
                      8),
            FILE "header, line 1, column 55: duplicate key 'a'; remove one of "
                 "the two");
}

TEST_F(WeightsTest, Offsets) {
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "2", "0", "8") "}", 4),
            FILE "tensor 'a' ends at byte 8 of the data, which has only 4 "
                 "bytes; the file may be truncated");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "1", "8", "4") "}", 8),
            FILE "tensor 'a' has data_offsets [8, 4], expected 0 <= begin <= "
                 "end");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "1", "-4", "0") "}", 8),
            FILE "tensor 'a' has data_offsets [-4, 0], expected 0 <= begin <= "
                 "end");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "3", "0", "8") "}", 8),
            FILE "tensor 'a' of type F32 and shape [3] needs 12 bytes, its "
                 "data_offsets give 8");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "2", "0", "8") ",\"b\":" TENSOR(
                          "F32", "2", "4", "12") "}",
                      12),
            FILE "the data of tensors 'a' and 'b' overlap");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "1", "4", "8") "}", 8),
            FILE "4 bytes before tensor 'a' belong to no tensor");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "1", "0", "4") "}", 8),
            FILE "4 bytes at the end belong to no tensor");
  EXPECT_EQ(
      addHeader("{\"a\":" TENSOR("F32", "1", "0", "18446744073709551620") "}",
                8),
      FILE "tensor 'a' has no data_offsets [begin, end]");
}

TEST_F(WeightsTest, ShapesAndTypes) {
  EXPECT_EQ(
      addHeader("{\"a\":" TENSOR("F32", "4294967296,4294967296", "0", "0") "}",
                0),
      FILE "tensor 'a' has the dimension 4294967296, expected 0 to "
           "2147483647");
  EXPECT_EQ(
      addHeader(
          "{\"a\":" TENSOR("F32", "2147483647,2147483647,8", "0", "0") "}", 0),
      FILE "tensor 'a' has more than 2^40 elements");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("F32", "-1", "0", "4") "}", 4),
            FILE "tensor 'a' has the dimension -1, expected 0 to 2147483647");
  EXPECT_EQ(addHeader("{\"a\":" TENSOR("Q4", "1", "0", "4") "}", 4),
            FILE "tensor 'a' has the unknown dtype 'Q4'");
  EXPECT_EQ(addHeader("{\"a\":3}", 4),
            FILE "the header's entry 'a' is not an object with dtype, shape "
                 "and data_offsets");
}
