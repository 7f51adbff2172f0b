// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Memory.h"

#include "gtest/gtest.h"

#include <fstream>
#include <sstream>
#include <string>

using namespace vae::runtime;

namespace {

constexpr int64_t kLargePage = 2 << 20;

/// The flags of the mapping that an address lies in, as the kernel lists them.
std::string getFlags(const void *address) {
  std::ifstream maps("/proc/self/smaps");
  auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-')
      inside = begin <= wanted && wanted < end;
    else if (inside && line.rfind("VmFlags:", 0) == 0)
      return line + " ";
  }
  return "";
}

bool hasLargePages() {
  return std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").good();
}

TEST(Memory, LargeBlocksWantLargePages) {
  if (!hasLargePages())
    GTEST_SKIP() << "the kernel has no large pages";
  Allocator allocator;
  Buffer buffer;
  ASSERT_TRUE(buffer.reserve(allocator, 64 * kLargePage));
  auto *middle = static_cast<char *>(buffer.getData()) + 32 * kLargePage;
  EXPECT_NE(getFlags(middle).find(" hg "), std::string::npos)
      << getFlags(middle);
  buffer.release(allocator);
}

TEST(Memory, BlocksWithoutAWholeLargePageAreLeftAlone) {
  // Aligned, so that a page more would be one.
  void *block = nullptr;
  ASSERT_EQ(posix_memalign(&block, kLargePage, 64 * kLargePage), 0);
  auto *first = static_cast<char *>(block);
  wantLargePages(first + 1, 2 * kLargePage - 2);
  EXPECT_EQ(getFlags(first).find(" hg "), std::string::npos);
  EXPECT_EQ(getFlags(first + kLargePage).find(" hg "), std::string::npos);
  std::free(block);
}

} // namespace
