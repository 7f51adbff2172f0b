// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of file formats share.
#ifndef TEST_TOOLS_VAE_RUN_FILES_H
#define TEST_TOOLS_VAE_RUN_FILES_H

#include "tools/data/Load.h"
#include "tools/vae-run/Error.h"

#include "gtest/gtest.h"

#include <functional>

namespace vaerun::test {

/// The message of the UserError that `action` throws; "" if it throws none.
inline std::string messageOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}

/// Reads the file cut at every length, each of which must be an error.
inline void expectTruncationIsAnError(const std::string &bytes) {
  ASSERT_NO_THROW(parseArray(bytes, "f", "", {}));
  for (size_t length = 0; length < bytes.size(); ++length) {
    // A copy of exactly that size: AddressSanitizer sees any read beyond it.
    std::string part(bytes.data(), length);
    part.shrink_to_fit();
    EXPECT_NE(messageOf([&] { parseArray(part, "f", "", {}); }), "")
        << "cut at " << length << " of " << bytes.size();
  }
}

/// Reads the file with every byte changed, in several ways: an array whose
/// shape and values agree, or an error.
inline void expectDamageIsHarmless(const std::string &bytes) {
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int mask : {0x01, 0x10, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      try {
        Array array = parseArray(damaged, "f", "", {});
        EXPECT_EQ(countElements(array.shape),
                  static_cast<int64_t>(array.values.size()));
      } catch (const UserError &) {
      }
    }
}

} // namespace vaerun::test

#endif // TEST_TOOLS_VAE_RUN_FILES_H
