// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/File.h"

#include "test/tools/vae-run/Files.h"
#include "tools/data/Npy.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

using namespace vaerun;
using namespace vaerun::test;
namespace fs = std::filesystem;

namespace {

class FileTest : public testing::Test {
protected:
  FileTest() {
    std::string pattern = (fs::temp_directory_path() / "vae-run-XXXXXX");
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  ~FileTest() override { fs::remove_all(folder); }
  std::string path(const std::string &name) const { return folder / name; }
  void write(const std::string &name, const std::string &content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  size_t countFiles() const {
    return std::distance(fs::directory_iterator(folder),
                         fs::directory_iterator());
  }
  fs::path folder;
};

TEST_F(FileTest, AppearsOnlyWhenComplete) {
  {
    OutputFile file(path("a"));
    EXPECT_FALSE(fileExists(path("a")));
    file.commit("new");
    EXPECT_EQ(readFile(path("a")), "new");
  }
  EXPECT_EQ(countFiles(), 1u);
  {
    OutputFile file(path("a"));
  }
  EXPECT_EQ(readFile(path("a")), "new");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(FileTest, LeavesTheOldFileWholeWhenTheDiskIsFull) {
  write("a", "old");
  // As on a full disk: no file may have more than 4 bytes.
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit limit = before;
  limit.rlim_cur = 4;
  {
    OutputFile file(path("a"));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::string message = messageOf([&] { file.commit("longer than that"); });
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(message, path("a") +
                           ": expected an output file that can be written, "
                           "found: File too large; choose another with -o, or "
                           "make room");
  }
  EXPECT_EQ(readFile(path("a")), "old");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(FileTest, RefusesWhatCannotBeWrittenAtOnce) {
  EXPECT_NE(messageOf([&] {
              OutputFile file(path("no/a"));
            }).find("No such file or directory"),
            std::string::npos);
  EXPECT_NE(messageOf([&] { OutputFile file(path("")); }).find("directory"),
            std::string::npos);
  EXPECT_NE(messageOf([] {
              OutputFile file("/dev/full");
              file.commit("x");
            }).find("No space left"),
            std::string::npos);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(FileTest, KeepsLinksAndModes) {
  write("real", "old");
  fs::permissions(path("real"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real", path("link"));
  OutputFile file(path("link"));
  file.commit("new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(readFile(path("real")), "new");
  EXPECT_EQ(fs::status(path("real")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FileTest, DisappearsWithASignal) {
  EXPECT_EXIT(
      {
        OutputFile file(path("a"));
        std::raise(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "");
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(FileTest, LoadsArraysByContent) {
  write("x.npy", formatNpy({2}, {1, 2}));
  write("odd:name", formatNpy({2}, {3, 4}));
  EXPECT_EQ(loadArray(path("x.npy"), {}).values, std::vector<float>({1, 2}));
  EXPECT_EQ(loadArray(path("odd:name"), {}).values, std::vector<float>({3, 4}));
  EXPECT_NE(messageOf([&] {
              loadArray(path("x.npy:mu"), {});
            }).find("leave ':mu' out"),
            std::string::npos);
  EXPECT_EQ(messageOf([&] { loadArray(path("none.npy"), {}); }),
            path("none.npy") + ": expected a file that can be read, found: No "
                               "such file or directory; check the path");
  EXPECT_NE(messageOf([&] { loadArray(folder, {}); }).find("Is a directory"),
            std::string::npos);
  write("empty", "");
  EXPECT_NE(messageOf([&] {
              loadArray(path("empty"), {});
            }).find("found an empty file"),
            std::string::npos);
}

} // namespace
