// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Idx.h"

#include "test/tools/vae-run/Files.h"
#include "tools/data/Gzip.h"

#include <zlib.h>

using namespace vaerun;
using namespace vaerun::test;

namespace {

using Values = std::vector<float>;

std::string makeIdx(int type, const Shape &shape, const std::string &data) {
  std::string bytes(2, '\0');
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(shape.size());
  for (int64_t size : shape)
    for (int b = 3; b >= 0; --b)
      bytes += static_cast<char>(size >> (8 * b));
  return bytes + data;
}

std::string gzip(const std::string &content) {
  z_stream stream = {};
  EXPECT_EQ(
      deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string bytes(deflateBound(&stream, content.size()), '\0');
  stream.next_in =
      reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST(Idx, ReadsEveryType) {
  struct Case {
    int type;
    std::string data;
  };
  // 1 and -2, or 1 and 254.
  for (const Case &c :
       {Case{0x09, "\x01\xfe"}, Case{0x0b, std::string("\0\1\xff\xfe", 4)},
        Case{0x0c, std::string("\0\0\0\1\xff\xff\xff\xfe", 8)},
        Case{0x0d, std::string("\x3f\x80\0\0\xc0\0\0\0", 8)},
        Case{0x0e, std::string("\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16)}})
    EXPECT_EQ(parseIdx(makeIdx(c.type, {2}, c.data), "f").values,
              Values({1, -2}))
        << c.type;
  Array array = parseIdx(makeIdx(0x08, {1, 2, 1}, "\x01\xfe"), "f");
  EXPECT_EQ(array.values, Values({1, 254}));
  EXPECT_EQ(array.shape, Shape({1, 2, 1}));
  EXPECT_EQ(array.type.kind, ElementType::Unsigned);
}

TEST(Idx, ReadsGzip) {
  std::string bytes = makeIdx(0x08, {2, 1}, "ab");
  EXPECT_EQ(parseArray(gzip(bytes), "f", "", {}).values, Values({97, 98}));
  // Two members, one after the other, make one content.
  EXPECT_EQ(gunzip(gzip("ab") + gzip("c"), "f"), "abc");
  EXPECT_EQ(gunzip(gzip(std::string(1000000, 'x')), "f").size(), 1000000u);
  EXPECT_NE(messageOf([&] {
              parseArray(gzip(gzip(bytes)), "f", "", {});
            }).find("gzip in gzip"),
            std::string::npos);
}

TEST(Idx, NamesWhatIsWrong) {
  EXPECT_EQ(messageOf([] { parseIdx(makeIdx(8, {2, 3}, "abcde"), "x.idx"); }),
            "x.idx: truncated or damaged IDX file: expected data for shape "
            "[2, 3] of u8, found 5 bytes; download it again");
  EXPECT_NE(messageOf([] {
              parseIdx(makeIdx(10, {1}, "a"), "f");
            }).find("element type"),
            std::string::npos);
  // 2^128 elements.
  int64_t most = 0xffffffff;
  EXPECT_NE(messageOf([&] {
              parseIdx(makeIdx(8, {most, most, most, most}, ""), "f");
            }).find("[4294967295, "),
            std::string::npos);
}

TEST(Idx, SurvivesTruncationAndDamage) {
  for (int type : {0x08, 0x0b}) {
    std::string bytes = makeIdx(type, {2, 2}, type == 8 ? "abcd" : "abcdefgh");
    expectTruncationIsAnError(bytes);
    expectDamageIsHarmless(bytes);
    expectTruncationIsAnError(gzip(bytes));
    expectDamageIsHarmless(gzip(bytes));
  }
}

} // namespace
