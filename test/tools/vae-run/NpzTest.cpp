// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Npz.h"

#include "test/tools/vae-run/Files.h"

#include <cstring>

using namespace vaerun;
using namespace vaerun::test;

namespace {

using Values = std::vector<float>;
const Values kMu = {1, 2}, kLogvar = {3, 4, 5};

std::string makeNpz(const std::vector<std::string> &names) {
  std::vector<NamedArray> arrays;
  for (const std::string &name : names)
    arrays.push_back(name == "mu" ? NamedArray{name, {2, 1}, &kMu}
                                  : NamedArray{name, {3}, &kLogvar});
  return formatNpz(arrays);
}

TEST(Npz, WritesWhatItReads) {
  std::string bytes = makeNpz({"mu", "logvar"});
  EXPECT_EQ(bytes, makeNpz({"mu", "logvar"}));
  Array mu = parseNpz(bytes, "z.npz", "mu", {});
  EXPECT_EQ(mu.values, kMu);
  EXPECT_EQ(mu.shape, Shape({2, 1}));
  EXPECT_EQ(mu.source, "z.npz:mu");
  EXPECT_EQ(parseNpz(bytes, "z.npz", "logvar.npy", {}).values, kLogvar);
}

TEST(Npz, ChoosesTheArray) {
  EXPECT_EQ(parseNpz(makeNpz({"other"}), "z.npz", "", {"z", "mu"}).source,
            "z.npz:other");
  EXPECT_EQ(
      parseNpz(makeNpz({"logvar", "mu", "z"}), "z.npz", "", {"z", "mu"}).source,
      "z.npz:z");
  EXPECT_EQ(
      parseNpz(makeNpz({"logvar", "mu"}), "z.npz", "", {"z", "mu"}).source,
      "z.npz:mu");
  EXPECT_EQ(messageOf([] { parseNpz(makeNpz({"a", "b"}), "z.npz", "", {}); }),
            "z.npz: expected one array, found a, b; name one as z.npz:a");
  EXPECT_EQ(messageOf([] { parseNpz(makeNpz({"a", "b"}), "z.npz", "c", {}); }),
            "z.npz: expected an array 'c', found a, b; name one of these");
  std::string none = std::string("PK\5\6", 4) + std::string(18, '\0');
  EXPECT_EQ(messageOf([&] { parseNpz(none, "z.npz", "", {}); }),
            "z.npz: expected arrays, found none; save them with numpy.savez");
}

TEST(Npz, SurvivesTruncationAndDamage) {
  std::string bytes = makeNpz({"mu"});
  expectTruncationIsAnError(bytes);
  expectDamageIsHarmless(bytes);
}

TEST(Npz, ChecksSums) {
  std::string bytes = makeNpz({"mu"});
  float one = 1;
  std::string number(reinterpret_cast<const char *>(&one), 4);
  size_t position = bytes.find(number);
  ASSERT_NE(position, std::string::npos);
  bytes[position] ^= 1;
  EXPECT_NE(messageOf([&] { parseNpz(bytes, "z.npz", "", {}); }).find("CRC"),
            std::string::npos);
}

} // namespace
