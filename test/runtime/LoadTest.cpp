// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Good libraries, bad ones, and files that are none.
#include "test/runtime/Support.h"

#include <cstring>
#include <elf.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace vae::test;

namespace {

void expectRefused(const std::string &path, vae_status_t status,
                   const std::string &text) {
  LoadResult result = tryLoad(path);
  EXPECT_EQ(result.status, status) << result.message;
  EXPECT_EQ(result.message, path + ": " + text);
}

/// A copy of the toy model with other bytes.
void expectRefusedBytes(const std::string &bytes, vae_status_t status,
                        const std::string &text) {
  Folder folder;
  writeFile(folder.file("m.so"), bytes);
  expectRefused(folder.file("m.so"), status, text);
}

template <typename T> T &at(std::string &bytes, size_t offset) {
  EXPECT_LE(offset + sizeof(T), bytes.size());
  return *reinterpret_cast<T *>(bytes.data() + offset);
}

/// The program header of a type, the last one if there are several.
Elf64_Phdr &getSegment(std::string &bytes, uint32_t type) {
  auto &header = at<Elf64_Ehdr>(bytes, 0);
  Elf64_Phdr *found = nullptr;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto &segment =
        at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == type)
      found = &segment;
  }
  EXPECT_NE(found, nullptr);
  return *found;
}

Elf64_Nhdr &getNote(std::string &bytes) {
  size_t owner = bytes.find(std::string("vae\0{\"", 6));
  EXPECT_NE(owner, std::string::npos);
  return at<Elf64_Nhdr>(bytes, owner - sizeof(Elf64_Nhdr));
}

std::string toy() { return readFile(getModelPath("toy")); }

TEST(Load, AModelTellsWhatItHas) {
  Model model(getModelPath("toy"));
  EXPECT_STREQ(model.table().name, "toy");
  EXPECT_EQ(vae_model_table(nullptr), nullptr);
  const vae_abi_entry *entry = nullptr;
  EXPECT_EQ(vae_model_find_entry(model, "score", &entry), VAE_OK);
  EXPECT_STREQ(entry->name, "score");
  EXPECT_EQ(vae_model_find_entry(model, "scor", &entry), VAE_NOT_FOUND);
  EXPECT_EQ(vae_model_find_entry(nullptr, "score", &entry),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_find_entry(model, nullptr, &entry), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_find_entry(model, "score", nullptr),
            VAE_INVALID_ARGUMENT);
}

TEST(Load, DimsFollowFromSymbols) {
  Model model(getModelPath("spatial"));
  const vae_abi_tensor *z = &model.table().entries[0].outputs[0];
  int64_t symbols[] = {3, 32, 8}, dims[4] = {};
  EXPECT_EQ(vae_model_tensor_dims(model, z, symbols, dims), VAE_OK);
  EXPECT_EQ(std::vector<int64_t>(dims, dims + 4),
            (std::vector<int64_t>{3, 1, 4, 3}));
  for (std::vector<int64_t> bad : {std::vector<int64_t>{0, 32, 8},
                                   {3, 33, 8},
                                   {3, 8, 8},
                                   {3, -16, 8},
                                   {INT64_MAX, 32, 8},
                                   {INT64_MAX / 8, 32, 8}})
    EXPECT_EQ(vae_model_tensor_dims(model, z, bad.data(), dims),
              VAE_INVALID_ARGUMENT);
  EXPECT_EQ(dims[0], 3); // written on success only
  EXPECT_EQ(vae_model_tensor_dims(nullptr, z, symbols, dims),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_tensor_dims(model, nullptr, symbols, dims),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_tensor_dims(model, z, nullptr, dims),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_tensor_dims(model, z, symbols, nullptr),
            VAE_INVALID_ARGUMENT);
}

TEST(Load, TheNoteIsReadWithoutLoading) {
  char *note = nullptr, message[256] = "untouched";
  ASSERT_EQ(vae_model_read_note(getModelPath("toy").c_str(), &note, message,
                                sizeof(message)),
            VAE_OK);
  EXPECT_EQ(std::string(note).rfind("{\"schema\":1,\"abi_version\":1,", 0), 0u)
      << note;
  EXPECT_STREQ(message, "");
  vae_string_free(note);
  vae_string_free(nullptr);
}

// A library for another machine or another runtime still says what it is.
TEST(Load, TheNoteOfAnyMachineAndVersionIsRead) {
  Folder folder;
  std::string bytes = toy();
  at<Elf64_Ehdr>(bytes, 0).e_machine = EM_RISCV;
  patch(bytes, "\"abi_version\":1", "\"abi_version\":9");
  writeFile(folder.file("m.so"), bytes);
  char *note = nullptr;
  ASSERT_EQ(vae_model_read_note(folder.file("m.so").c_str(), &note, nullptr, 0),
            VAE_OK);
  EXPECT_NE(std::strstr(note, "\"abi_version\":9"), nullptr);
  vae_string_free(note);
}

TEST(Load, ArgumentsAreChecked) {
  vae_model_t *model = nullptr;
  char *note = nullptr, message[64];
  EXPECT_EQ(vae_model_load(nullptr, &model, message, sizeof(message)),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_load("m.so", nullptr, nullptr, 0), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_read_note(nullptr, &note, message, sizeof(message)),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_read_note("m.so", nullptr, nullptr, 0),
            VAE_INVALID_ARGUMENT);
  vae_model_release(nullptr);
}

TEST(Load, MessagesFitTheirBuffer) {
  for (size_t size : {size_t(0), size_t(1), size_t(2), size_t(20)}) {
    std::string buffer(32, '#');
    vae_model_t *model = nullptr;
    EXPECT_EQ(vae_model_load("/no/such/m.so", &model, buffer.data(), size),
              VAE_NOT_FOUND);
    EXPECT_EQ(buffer.substr(size), std::string(32 - size, '#'));
    if (size)
      EXPECT_EQ(std::strlen(buffer.c_str()), size - 1);
  }
}

//===----------------------------------------------------------------------===//
// Paths
//===----------------------------------------------------------------------===//

TEST(Load, ANameWithoutSlashIsInTheCurrentFolder) {
  Folder folder;
  writeFile(folder.file("libm.so.6"), toy()); // not the one of the system
  auto old = std::filesystem::current_path();
  std::filesystem::current_path(folder.file(""));
  {
    EXPECT_STREQ(Model("libm.so.6").table().name, "toy");
  }
  expectRefused("libdl.so.2", VAE_NOT_FOUND,
                "cannot open the file: No such file or directory");
  std::filesystem::current_path(old);
}

TEST(Load, FilesThatAreNone) {
  Folder folder;
  expectRefused(folder.file("m.so"), VAE_NOT_FOUND,
                "cannot open the file: No such file or directory");
  expectRefused("", VAE_NOT_FOUND,
                "cannot open the file: No such file or directory");
  expectRefused(getModelPath("toy") + "/m.so", VAE_NOT_FOUND,
                "cannot open the file: Not a directory");
  expectRefused(folder.file(""), VAE_INVALID_MODEL,
                "expected a model library, found a folder");
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  expectRefused(folder.file("pipe"), VAE_INVALID_MODEL,
                "expected a model library, found no regular file");
  std::filesystem::create_symlink("loop", folder.file("loop"));
  expectRefused(folder.file("loop"), VAE_IO_ERROR,
                "cannot open the file: Too many levels of symbolic links");
  if (geteuid() != 0) {
    writeFile(folder.file("secret"), toy());
    chmod(folder.file("secret").c_str(), 0);
    expectRefused(folder.file("secret"), VAE_IO_ERROR,
                  "cannot open the file: Permission denied");
  }
}

TEST(Load, AFileThatWasReplacedIsAnotherModel) {
  Folder folder;
  std::string path = folder.file("m.so");
  std::filesystem::copy(getModelPath("toy"), path);
  Model first(path);
  Model again(path);
  EXPECT_EQ(&first.table(), &again.table()); // the same bytes are shared
  std::filesystem::copy(getModelPath("spatial"), folder.file("new"));
  std::filesystem::rename(folder.file("new"), path);
  Model second(path);
  EXPECT_STREQ(first.table().name, "toy");
  EXPECT_STREQ(second.table().name, "spatial");
  std::filesystem::copy(getModelPath("toy"), folder.file("new"));
  std::filesystem::rename(folder.file("new"), path);
  Model third(path);
  EXPECT_STREQ(third.table().name, "toy");
  EXPECT_NE(&third.table(), &first.table());
}

TEST(Load, AFileThatWasOverwrittenIsNotTouched) {
  Folder folder;
  std::string path = folder.file("m.so");
  writeFile(path, toy());
  {
    Model model(path);
    std::ofstream(path, std::ios::app) << "more"; // the same inode
    expectRefused(path, VAE_INVALID_MODEL,
                  "the file was overwritten while a model is loaded from it; "
                  "replace such a file by renaming a new one");
  }
  EXPECT_EQ(tryLoad(path).status, VAE_OK);
}

TEST(Load, ManyThreadsMayLoadAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([i] {
      for (int k = 0; k < 20; ++k) {
        Model model(getModelPath(i % 2 ? "toy" : "spatial"));
        EXPECT_STREQ(model.table().name, i % 2 ? "toy" : "spatial");
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

//===----------------------------------------------------------------------===//
// Bad files
//===----------------------------------------------------------------------===//

TEST(Load, FilesOfAnotherKind) {
  expectRefusedBytes("", VAE_INVALID_MODEL,
                     "expected a model library, found an empty file");
  for (const std::string &text :
       {std::string("{\"format_version\": 1}"), std::string(4, '\0'),
        std::string(10'000, 'x')})
    expectRefusedBytes(text, VAE_INVALID_MODEL,
                       "expected a model library (an ELF file), found "
                       "something else; compile the model with vaec first");
  std::string bytes = toy();
  bytes[EI_CLASS] = ELFCLASS32;
  expectRefusedBytes(bytes, VAE_INVALID_MODEL,
                     "expected a 64-bit little-endian ELF file, found another "
                     "kind of ELF file");
  bytes = toy();
  at<Elf64_Ehdr>(bytes, 0).e_type = ET_REL;
  expectRefusedBytes(bytes, VAE_INVALID_MODEL,
                     "expected a shared library, found an ELF file of another "
                     "type");
}

TEST(Load, ALibraryThatIsNoModel) {
  expectRefused(getModelPath("plain"), VAE_INVALID_MODEL,
                "expected a model library, found a shared library without the "
                "note that vaec writes; compile the model with vaec");
}

// No length makes the loader touch what is not there.
TEST(Load, TruncatedAtEveryLength) {
  Folder folder;
  std::string path = folder.file("m.so"), bytes = toy();
  writeFile(path, bytes);
  for (size_t size = bytes.size(); size-- > 0;) {
    ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(size)), 0);
    LoadResult result = tryLoad(path);
    ASSERT_EQ(result.status, VAE_INVALID_MODEL) << size;
    if (size >= 4)
      ASSERT_NE(result.message.find("the file is truncated: "),
                std::string::npos)
          << result.message;
  }
}

// The dynamic loader needs no section headers, and strip may remove them.
TEST(Load, SectionHeadersAreNotNeeded) {
  Folder folder;
  std::string bytes = toy();
  auto &header = at<Elf64_Ehdr>(bytes, 0);
  header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
  writeFile(folder.file("m.so"), bytes);
  EXPECT_EQ(tryLoad(folder.file("m.so")).status, VAE_OK);
}

TEST(Load, AnotherMachine) {
  std::string bytes = toy();
  at<Elf64_Ehdr>(bytes, 0).e_machine = EM_RISCV;
#if defined(__x86_64__)
  const std::string host = "x86-64";
#else
  const std::string host = "AArch64";
#endif
  expectRefusedBytes(
      bytes, VAE_INVALID_MODEL,
      "the library is for RISC-V (ELF machine 243), this machine "
      "is " +
          host +
          "; compile the model for it, for example with "
          "--mcpu=native");
}

TEST(Load, ANewerAbi) {
  std::string bytes = toy();
  patch(bytes, "\"abi_version\":1", "\"abi_version\":2");
  expectRefusedBytes(bytes, VAE_UNSUPPORTED_ABI,
                     std::string("the library speaks version 2 of the model "
                                 "ABI, this runtime (") +
                         vae_runtime_version() +
                         ") knows up to 1; use a newer runtime, or compile the "
                         "model with the vaec of this one");
}

TEST(Load, AMissingCpuFeature) {
  std::string bytes = toy();
  patch(bytes, "[                ]", "[\"no-such-cpu\"   ]");
  expectRefusedBytes(bytes, VAE_UNSUPPORTED_CPU,
                     std::string("the library needs CPU features that this "
                                 "runtime (") +
                         vae_runtime_version() +
                         ") does not know: no-such-cpu; use a newer runtime");
}

TEST(Load, ANoteThatLiesAboutItsSize) {
  for (uint32_t size : {5000u, 0x7fffffffu, 0xfffffffcu, 0xffffffffu}) {
    std::string bytes = toy();
    getNote(bytes).n_descsz = size;
    Folder folder;
    writeFile(folder.file("m.so"), bytes);
    LoadResult result = tryLoad(folder.file("m.so"));
    EXPECT_EQ(result.status, VAE_INVALID_MODEL);
    EXPECT_NE(result.message.find("a note claims " +
                                  std::to_string(uint64_t(size) + 4)),
              std::string::npos)
        << result.message;
  }
  for (uint32_t size : {5000u, 0xffffffffu}) {
    std::string bytes = toy();
    getNote(bytes).n_namesz = size;
    Folder folder;
    writeFile(folder.file("m.so"), bytes);
    LoadResult result = tryLoad(folder.file("m.so"));
    EXPECT_EQ(result.status, VAE_INVALID_MODEL);
    EXPECT_NE(result.message.find("a note claims "), std::string::npos)
        << result.message;
  }
  std::string bytes = toy();
  getNote(bytes).n_descsz -= 1; // the closing brace
  expectRefusedBytes(bytes, VAE_INVALID_MODEL,
                     "the library's note is damaged: it is no JSON text; "
                     "compile or copy it again");
  bytes = toy();
  getNote(bytes).n_descsz = 0;
  expectRefusedBytes(bytes, VAE_INVALID_MODEL,
                     "the library's note is damaged: it is no JSON text; "
                     "compile or copy it again");
}

TEST(Load, HeadersThatLie) {
  struct {
    void (*lie)(std::string &bytes);
    const char *part;
  } cases[] = {
      {[](std::string &b) { at<Elf64_Ehdr>(b, 0).e_phentsize = 55; },
       "program headers of 55 bytes"},
      {[](std::string &b) { at<Elf64_Ehdr>(b, 0).e_phnum = 0; },
       "has 0 program headers"},
      {[](std::string &b) { at<Elf64_Ehdr>(b, 0).e_phnum = 0xffff; },
       "has 65535 program headers"},
      {[](std::string &b) { at<Elf64_Ehdr>(b, 0).e_phoff = ~0ull; },
       "is truncated: the table of program headers"},
      {[](std::string &b) { at<Elf64_Ehdr>(b, 0).e_shoff = ~0ull; },
       "is truncated: the table of section headers"},
      {[](std::string &b) { getSegment(b, PT_LOAD).p_filesz = ~0ull; },
       "is truncated: segment"},
      {[](std::string &b) { getSegment(b, PT_LOAD).p_offset = ~0ull; },
       "is truncated: segment"},
      {[](std::string &b) { getSegment(b, PT_LOAD).p_memsz = 0; },
       "is larger in the file than in memory"},
      {[](std::string &b) { getSegment(b, PT_NOTE).p_filesz = 1ull << 40; },
       "is truncated: segment"},
      {[](std::string &b) { getSegment(b, PT_DYNAMIC).p_vaddr = 1ull << 40; },
       "its dynamic section is in no segment"},
      {[](std::string &b) { getSegment(b, PT_DYNAMIC).p_type = PT_NULL; },
       "its dynamic section is in no segment"},
  };
  for (const auto &c : cases) {
    Folder folder;
    std::string bytes = toy();
    c.lie(bytes);
    writeFile(folder.file("m.so"), bytes);
    LoadResult result = tryLoad(folder.file("m.so"));
    EXPECT_EQ(result.status, VAE_INVALID_MODEL) << c.part;
    EXPECT_NE(result.message.find(c.part), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("compile or copy it again"),
              std::string::npos);
  }
}

TEST(Load, TablesThatLie) {
  expectRefused(
      getModelPath("liar0"), VAE_INVALID_MODEL,
      "the library exports no vae_model_query; compile the model with "
      "vaec");
  std::string version = vae_runtime_version();
  expectRefused(getModelPath("liar1"), VAE_UNSUPPORTED_ABI,
                "the library refuses version 1 of the ABI; compile the model "
                "with the vaec of this runtime (" +
                    version + ")");
  expectRefused(getModelPath("liar2"), VAE_UNSUPPORTED_ABI,
                "the library speaks version 99 of the ABI, this runtime (" +
                    version + ") knows up to 1; use a newer runtime");
  LoadResult result = tryLoad(getModelPath("liar3"));
  EXPECT_EQ(result.status, VAE_INVALID_MODEL);
  EXPECT_NE(result.message.find("number of entries"), std::string::npos)
      << result.message;
  result = tryLoad(getModelPath("liar4"));
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_CPU);
  EXPECT_NE(result.message.find("mmx2000"), std::string::npos)
      << result.message;
}

TEST(Load, ALibraryThatCannotBeLinked) {
  LoadResult result = tryLoad(getModelPath("unlinked"));
  EXPECT_EQ(result.status, VAE_INVALID_MODEL);
  EXPECT_NE(result.message.find("the library cannot be loaded: "),
            std::string::npos)
      << result.message;
  EXPECT_NE(result.message.find("vae_no_such_function"), std::string::npos)
      << result.message;
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

TEST(Status, EveryCodeHasNameAndText) {
#define VAE_STATUS(NAME, VALUE, TEXT)                                          \
  EXPECT_EQ(VAE_##NAME, VALUE);                                                \
  EXPECT_STREQ(vae_status_name(VAE_##NAME), "VAE_" #NAME);                     \
  EXPECT_STREQ(vae_status_text(VAE_##NAME), TEXT);
#include "vae/vae_status.def"
  for (int other : {10, 69, 71, 1 << 30}) {
    EXPECT_STREQ(vae_status_name(static_cast<vae_status_t>(other)), "unknown");
    EXPECT_STREQ(vae_status_text(static_cast<vae_status_t>(other)), "unknown");
  }
}

TEST(Status, TheVersionIsTheProjects) {
  EXPECT_STREQ(vae_runtime_version(), VAE_TEST_VERSION);
}

} // namespace
