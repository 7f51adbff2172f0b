// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Npy.h"

#include "test/tools/vae-run/Files.h"

#include <cmath>

using namespace vaerun;
using namespace vaerun::test;

namespace {

/// A file of version 1, 2 or 3 with this dictionary and data.
std::string makeNpy(const std::string &header, const std::string &data,
                    int version = 1) {
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  std::string text = header + "\n";
  for (int b = 0; b < (version == 1 ? 2 : 4); ++b)
    bytes += static_cast<char>(text.size() >> (8 * b));
  return bytes + text + data;
}

std::string makeHeader(const std::string &descr, const std::string &shape,
                       const std::string &fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran +
         ", 'shape': " + shape + ", }";
}

std::vector<float> parseValues(const std::string &descr,
                               const std::string &shape,
                               const std::string &data) {
  return parseNpy(makeNpy(makeHeader(descr, shape), data), "f").values;
}

/// Bytes written as hexadecimal digits.
std::string hex(const std::string &digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

using Values = std::vector<float>;

TEST(Npy, ReadsEveryTypeInBothByteOrders) {
  // 1 and -2 (unsigned: 1 and 254, 65534, ...), as IEEE 754 and two's
  // complement have them.
  EXPECT_EQ(parseValues("<f4", "(2,)", hex("0000803f000000c0")),
            Values({1, -2}));
  EXPECT_EQ(parseValues(">f4", "(2,)", hex("3f800000c0000000")),
            Values({1, -2}));
  EXPECT_EQ(parseValues("<f8", "(2,)", hex("000000000000f03f00000000000000c0")),
            Values({1, -2}));
  EXPECT_EQ(parseValues(">f8", "(1,)", hex("c000000000000000")), Values({-2}));
  EXPECT_EQ(parseValues("<f2", "(2,)", hex("003c00c0")), Values({1, -2}));
  EXPECT_EQ(parseValues(">f2", "(1,)", hex("c000")), Values({-2}));
  EXPECT_EQ(parseValues("|u1", "(2,)", hex("01fe")), Values({1, 254}));
  EXPECT_EQ(parseValues("|i1", "(2,)", hex("01fe")), Values({1, -2}));
  EXPECT_EQ(parseValues("<u2", "(2,)", hex("0100feff")), Values({1, 65534}));
  EXPECT_EQ(parseValues(">i2", "(2,)", hex("0001fffe")), Values({1, -2}));
  EXPECT_EQ(parseValues("<i4", "(1,)", hex("feffffff")), Values({-2}));
  EXPECT_EQ(parseValues(">u4", "(1,)", hex("00010000")), Values({65536}));
  EXPECT_EQ(parseValues("<i8", "(1,)", hex("feffffffffffffff")), Values({-2}));
  EXPECT_EQ(parseValues(">u8", "(1,)", hex("0000000100000000")),
            Values({4294967296.f}));
  EXPECT_EQ(parseValues("|b1", "(3,)", hex("000102")), Values({0, 1, 1}));
}

TEST(Npy, DecodesHalfPrecision) {
  EXPECT_EQ(decodeHalf(0x3555), 0.333251953125f);
  EXPECT_EQ(decodeHalf(0x7bff), 65504.f);
  EXPECT_EQ(decodeHalf(0x0001), std::ldexp(1.f, -24));
  EXPECT_EQ(decodeHalf(0x03ff), std::ldexp(1023.f, -24));
  EXPECT_TRUE(std::signbit(decodeHalf(0x8000)));
  EXPECT_EQ(decodeHalf(0xfc00), -INFINITY);
  EXPECT_TRUE(std::isnan(decodeHalf(0x7e00)));
}

TEST(Npy, ReadsFortranOrder) {
  // [[1, 2, 3], [4, 5, 6]] column by column.
  Array array = parseNpy(
      makeNpy(makeHeader("|u1", "(2, 3)", "True"), hex("010402050306")), "f");
  EXPECT_EQ(array.shape, Shape({2, 3}));
  EXPECT_EQ(array.values, Values({1, 2, 3, 4, 5, 6}));
  array = parseNpy(
      makeNpy(makeHeader("|u1", "(2, 2, 2)", "True"), hex("0004020601050307")),
      "f");
  EXPECT_EQ(array.values, Values({0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Npy, ReadsVersionsAndShapes) {
  for (int version : {1, 2, 3})
    EXPECT_EQ(
        parseNpy(makeNpy(makeHeader("|u1", "(2, 1)"), hex("0102"), version),
                 "f")
            .shape,
        Shape({2, 1}));
  EXPECT_EQ(parseNpy(makeNpy(makeHeader("|u1", "()"), hex("07")), "f").values,
            Values({7}));
  EXPECT_EQ(parseNpy(makeNpy(makeHeader("|u1", "(0, 3)"), ""), "f").shape,
            Shape({0, 3}));
  EXPECT_EQ(
      parseNpy(makeNpy(makeHeader("|u1", "(2L, 1L)"), hex("0102")), "f").shape,
      Shape({2, 1}));
  // Any order of keys, any quotes, no last comma.
  EXPECT_EQ(parseNpy(makeNpy("{\"shape\":(2,), \"fortran_order\" : False,"
                             "\"descr\":\"|u1\"}",
                             hex("0102")),
                     "f")
                .values,
            Values({1, 2}));
}

TEST(Npy, WritesWhatItReads) {
  for (const Shape &shape : {Shape{6}, Shape{2, 3}, Shape{1, 2, 3, 1}}) {
    Values values = {0.5f, -1, 2, NAN, INFINITY, 1e-45f};
    std::string bytes = formatNpy(shape, values);
    Array array = parseNpy(bytes, "f");
    EXPECT_EQ(array.shape, shape);
    ASSERT_EQ(array.values.size(), 6u);
    EXPECT_TRUE(std::isnan(array.values[3]));
    array.values[3] = values[3] = 0;
    EXPECT_EQ(array.values, values);
    EXPECT_EQ((bytes.size() - 24) % 64, 0u);
  }
  EXPECT_EQ(parseNpy(formatNpy({}, {5}), "f").values, Values({5}));
}

TEST(Npy, NamesWhatIsWrong) {
  auto message = [](const std::string &bytes) {
    return messageOf([&] { parseNpy(bytes, "x.npy"); });
  };
  EXPECT_EQ(message(makeNpy(makeHeader("<f4", "(2, 3)"), std::string(20, 'a'))),
            "x.npy: truncated .npy file: expected 24 bytes of data for shape "
            "[2, 3] of f32, found 20; save or copy it again");
  EXPECT_EQ(message(makeNpy(makeHeader("<f4", "(2,)"), std::string(9, 'a'))),
            "x.npy: damaged .npy file: expected 8 bytes of data for shape [2] "
            "of f32, found 9; save or copy it again");
  EXPECT_EQ(
      message(makeNpy(makeHeader("<c8", "(1,)"), std::string(8, 'a'))),
      "x.npy: expected f2, f4, f8, integers of 1 to 8 bytes or booleans, found "
      "complex numbers (dtype '<c8'); convert it, for example with "
      ".astype('float32')");
  EXPECT_NE(message(makeNpy(makeHeader("|O", "(1,)"), "")).find("Python obj"),
            std::string::npos);
  EXPECT_NE(message(makeNpy(makeHeader("<U5", "(1,)"), "")).find("strings"),
            std::string::npos);
  EXPECT_NE(message(makeNpy(makeHeader("|S3", "(1,)"), "")).find("strings"),
            std::string::npos);
  EXPECT_NE(message(makeNpy(makeHeader("<f16", "(1,)"), "")).find("of a size"),
            std::string::npos);
  EXPECT_NE(message(makeNpy(makeHeader("<M8[s]", "(1,)"), "")).find("dates"),
            std::string::npos);
  EXPECT_NE(message(makeNpy("{'descr': [('a', '<f4')], 'fortran_order': False, "
                            "'shape': (1,), }",
                            ""))
                .find("a structured array"),
            std::string::npos);
  EXPECT_NE(message(makeNpy(makeHeader("<f4", "(1,)"), "abcd", 4))
                .find("version 1, 2 or 3, found 4"),
            std::string::npos);
}

TEST(Npy, RefusesAbsurdHeaders) {
  for (const char *shape :
       {"(4611686018427387904, 4)", "(9223372036854775807,)",
        "(99999999999999999999,)", "(-1,)", "(1.5,)", "(1 2)", "(1,", "1",
        "(,)", "(4611686018427387904,)"})
    EXPECT_NE(messageOf([&] {
                parseNpy(makeNpy(makeHeader("<f4", shape), "abcd"), "f");
              }),
              "")
        << shape;
  std::string deep = "(";
  for (int i = 0; i < 65; ++i)
    deep += "1, ";
  for (const std::string &header :
       {std::string(), std::string("{"), std::string("{}"),
        std::string("{'descr': '<f4'}"), makeHeader("<f4", deep + ")"),
        std::string("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}"),
        makeHeader("<f4", "(1,)", "Maybe"), std::string("{'descr': '<f4"),
        std::string("{'other': 1}")})
    EXPECT_NE(messageOf([&] { parseNpy(makeNpy(header, "abcd"), "f"); }), "")
        << header;
}

TEST(Npy, SurvivesTruncationAndDamage) {
  for (const std::string &bytes :
       {formatNpy({2, 3}, {1, 2, 3, 4, 5, 6}),
        makeNpy(makeHeader("|u1", "(2, 3)", "True"), "abcdef", 2)}) {
    expectTruncationIsAnError(bytes);
    expectDamageIsHarmless(bytes);
  }
}

TEST(Npy, FindsWhatIsNotFinite) {
  Array array;
  array.source = "x.npy";
  array.shape = {2, 3};
  array.values = {1, 2, 3, 4, NAN, 6};
  EXPECT_EQ(messageOf([&] { checkFinite(array); }),
            "x.npy: expected finite numbers, found NaN at index [1, 1]; clean "
            "the data, or accept it with --allow-nonfinite");
  array.values[4] = -INFINITY;
  EXPECT_NE(messageOf([&] { checkFinite(array); }).find("-Inf"),
            std::string::npos);
  array.values[4] = 0;
  EXPECT_EQ(messageOf([&] { checkFinite(array); }), "");
}

TEST(Array, ChangesTheOrderOfDimensions) {
  Array array;
  array.shape = {1, 2, 2, 3};
  array.values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  permute(array, {0, 3, 1, 2});
  EXPECT_EQ(array.shape, Shape({1, 3, 2, 2}));
  EXPECT_EQ(array.values, Values({0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  array.shape = {0, int64_t(1) << 40, int64_t(1) << 40};
  array.values.clear();
  permute(array, {2, 1, 0});
  EXPECT_EQ(array.shape, Shape({int64_t(1) << 40, int64_t(1) << 40, 0}));
}

TEST(Array, CountsElements) {
  EXPECT_EQ(countElements({}), 1);
  EXPECT_EQ(countElements({2, 3}), 6);
  EXPECT_EQ(countElements({INT64_MAX, INT64_MAX, 0}), 0);
  EXPECT_EQ(countElements({INT64_MAX, INT64_MAX}), std::nullopt);
  EXPECT_EQ(countElements({-1}), std::nullopt);
}

} // namespace
