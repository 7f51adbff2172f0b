// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Png.h"

#include "test/tools/vae-run/Files.h"

#include <zlib.h>

using namespace vaerun;
using namespace vaerun::test;

namespace {

using Values = std::vector<float>;

std::string bigEndian(uint32_t value) {
  std::string bytes;
  for (int b = 3; b >= 0; --b)
    bytes += static_cast<char>(value >> (8 * b));
  return bytes;
}

std::string makeChunk(const std::string &type, const std::string &data) {
  std::string body = type + data;
  auto sum = crc32(0, reinterpret_cast<const Bytef *>(body.data()),
                   static_cast<uInt>(body.size()));
  return bigEndian(static_cast<uint32_t>(data.size())) + body +
         bigEndian(static_cast<uint32_t>(sum));
}

/// An image from its rows, each of which begins with a filter byte.
std::string makePng(uint32_t width, uint32_t height, int depth, int color,
                    const std::string &rows, const std::string &more = "") {
  std::string header = bigEndian(width) + bigEndian(height);
  header += static_cast<char>(depth);
  header += static_cast<char>(color);
  header += std::string(3, '\0');
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef *>(packed.data()), &size,
                     reinterpret_cast<const Bytef *>(rows.data()), rows.size()),
            Z_OK);
  packed.resize(size);
  return std::string("\x89PNG\r\n\x1a\n", 8) + makeChunk("IHDR", header) +
         more + makeChunk("IDAT", packed) + makeChunk("IEND", "");
}

enum { kGray = 0, kColor = 2, kPalette = 3, kGrayAlpha = 4, kColorAlpha = 6 };

TEST(Png, ReadsGrayOfAnyDepth) {
  Array array = parsePng(
      makePng(2, 2, 8, kGray, std::string("\0\x01\x02\0\x03\xff", 6)), "f");
  EXPECT_EQ(array.shape, Shape({1, 2, 2, 1}));
  EXPECT_EQ(array.layout, "NHWC");
  EXPECT_EQ(array.values, Values({1, 2, 3, 255}));
  EXPECT_EQ(formatType(array.type), "u8");

  array = parsePng(
      makePng(2, 1, 16, kGray, std::string("\0\x01\x02\xff\xff", 5)), "f");
  EXPECT_EQ(array.values, Values({258, 65535}));
  EXPECT_EQ(formatType(array.type), "u16");

  // Bits 1010 and 2-bit values 0 1 2 3.
  EXPECT_EQ(
      parsePng(makePng(4, 1, 1, kGray, std::string("\0\xa0", 2)), "f").values,
      Values({255, 0, 255, 0}));
  EXPECT_EQ(
      parsePng(makePng(4, 1, 2, kGray, std::string("\0\x1b", 2)), "f").values,
      Values({0, 85, 170, 255}));
}

TEST(Png, ReadsColoursAndPalettes) {
  Array array =
      parsePng(makePng(2, 1, 8, kColor, std::string("\0\1\2\3\4\5\6", 7)), "f");
  EXPECT_EQ(array.shape, Shape({1, 1, 2, 3}));
  EXPECT_EQ(array.values, Values({1, 2, 3, 4, 5, 6}));
  array = parsePng(makePng(2, 1, 8, kPalette, std::string("\0\1\0", 3),
                           makeChunk("PLTE", "abcdef")),
                   "f");
  EXPECT_EQ(array.values, Values({100, 101, 102, 97, 98, 99}));
}

TEST(Png, LaysTransparentPixelsOverWhite) {
  // 100 fully, not at all, and half covering.
  Array array = parsePng(makePng(3, 1, 8, kGrayAlpha,
                                 std::string("\0\x64\xff\x64\x00\x64\x80", 7)),
                         "f");
  EXPECT_EQ(array.shape, Shape({1, 1, 3, 1}));
  EXPECT_EQ(array.values, Values({100, 255, 177})); // 255 - 155 * 128/255
  array = parsePng(
      makePng(1, 1, 8, kColorAlpha, std::string("\0\x01\x02\x03\xff", 5)), "f");
  EXPECT_EQ(array.values, Values({1, 2, 3}));
}

TEST(Png, ConvertsChannels) {
  Array array;
  array.shape = {1, 1, 3, 3};
  array.values = {7, 7, 7, 255, 0, 0, 0, 255, 0};
  convertChannels(array, 1);
  EXPECT_EQ(array.shape, Shape({1, 1, 3, 1}));
  EXPECT_EQ(array.values, Values({7, 76, 150})); // .299 * 255, .587 * 255
  convertChannels(array, 3);
  EXPECT_EQ(array.values, Values({7, 7, 7, 76, 76, 76, 150, 150, 150}));
}

TEST(Png, WritesWhatItReads) {
  Pixels gray{2, 3, 1, {0, 1, 2, 3, 4, 255}};
  Array array = parsePng(formatPng(gray), "f");
  EXPECT_EQ(array.shape, Shape({1, 2, 3, 1}));
  EXPECT_EQ(array.values, Values({0, 1, 2, 3, 4, 255}));
  Pixels color{1, 2, 3, {0, 1, 2, 3, 4, 5}};
  array = parsePng(formatPng(color), "f");
  EXPECT_EQ(array.shape, Shape({1, 1, 2, 3}));
  EXPECT_EQ(array.values, Values({0, 1, 2, 3, 4, 5}));
}

TEST(Png, RefusesLiesAboutTheSize) {
  // A header that asks for gigabytes, with a row of data.
  std::string bytes =
      makePng(900000, 900000, 8, kColorAlpha, std::string("\0abcd", 5));
  EXPECT_EQ(messageOf([&] { parsePng(bytes, "x.png"); }),
            "x.png: truncated or damaged PNG image (it is too short for its "
            "stated size); save or copy it again");
}

TEST(Png, SurvivesTruncationAndDamage) {
  for (const std::string &bytes :
       {makePng(2, 2, 8, kGray, std::string("\0\x01\x02\0\x03\xff", 6)),
        makePng(2, 1, 8, kPalette, std::string("\0\1\0", 3),
                makeChunk("PLTE", "abcdef") + makeChunk("tRNS", "a"))}) {
    expectTruncationIsAnError(bytes);
    expectDamageIsHarmless(bytes);
  }
}

} // namespace
