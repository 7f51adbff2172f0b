// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Archive.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Path.h"

#include <memory>
#include <zip.h>

using namespace llvm;
using namespace vae;
using namespace vae::keras;

static constexpr uint64_t kMaxText = uint64_t(64) << 20;
static constexpr uint64_t kMaxWeights = uint64_t(16) << 30;
/// Keras stores members as they are; weights hardly become smaller if somebody
/// packs them again, texts do.
static constexpr uint64_t kMaxRatio = 200, kFreeExpansion = uint64_t(1) << 20;

namespace {
struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct Close {
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};

class ArchiveReader {
public:
  explicit ArchiveReader(StringRef path) : path(path) {}

  Expected<Archive> read();

private:
  Error fail(const Twine &message) const {
    return createStringError("'" + sys::path::filename(path) + "': " + message);
  }
  /// Gives the content of a member in pieces; false if there is none.
  Expected<bool> readMember(const char *name, uint64_t limit,
                            function_ref<Error(ArrayRef<char>)> take);
  Expected<bool> readText(const char *name, std::string &text) {
    return readMember(name, kMaxText, [&](ArrayRef<char> bytes) {
      text.append(bytes.data(), bytes.size());
      return Error::success();
    });
  }

  std::string path;
  std::unique_ptr<zip_t, Discard> archive;
};
} // namespace

Expected<bool>
ArchiveReader::readMember(const char *name, uint64_t limit,
                          function_ref<Error(ArrayRef<char>)> take) {
  zip_int64_t index = zip_name_locate(archive.get(), name, 0);
  if (index < 0)
    return false;
  zip_stat_t info;
  constexpr auto needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat_index(archive.get(), index, 0, &info) != 0 ||
      (info.valid & needed) != needed)
    return fail("damaged archive: " + Twine(zip_strerror(archive.get())));
  uint64_t most = std::min(limit, info.comp_size * kMaxRatio + kFreeExpansion);
  if (info.size > most)
    return fail("member '" + Twine(name) + "' unpacks " +
                Twine(info.comp_size) + " bytes to " + Twine(info.size) +
                ", more than the limit of " + Twine(most));
  std::unique_ptr<zip_file_t, Close> file(
      zip_fopen_index(archive.get(), index, 0));
  if (!file)
    return fail("cannot read member '" + Twine(name) +
                "': " + zip_strerror(archive.get()));
  std::vector<char> buffer(1 << 16);
  uint64_t total = 0;
  while (true) {
    zip_int64_t count = zip_fread(file.get(), buffer.data(), buffer.size());
    if (count < 0)
      return fail("damaged member '" + Twine(name) +
                  "': " + zip_file_strerror(file.get()));
    if (count == 0)
      break;
    total += count;
    if (total > info.size)
      return fail("damaged member '" + Twine(name) +
                  "': it has more bytes than it says");
    if (Error error = take(ArrayRef<char>(buffer.data(), count)))
      return error;
  }
  if (total != info.size)
    return fail("damaged member '" + Twine(name) + "': it has " + Twine(total) +
                " of " + Twine(info.size) + " bytes");
  return true;
}

Expected<Archive> ArchiveReader::read() {
  int code = 0;
  archive.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return fail("damaged archive: " + text +
                "; the file may be truncated, save or copy it again");
  }
  Archive result;
  auto config = readText("config.json", result.config);
  if (!config)
    return config.takeError();
  if (!*config)
    return fail("the archive has no member 'config.json', so it is no Keras "
                "model");
  if (auto metadata = readText("metadata.json", result.metadata); !metadata)
    return metadata.takeError();
  auto memory = MemoryFile::create();
  if (!memory)
    return memory.takeError();
  auto weights =
      readMember("model.weights.h5", kMaxWeights,
                 [&](ArrayRef<char> bytes) { return memory->append(bytes); });
  if (!weights)
    return weights.takeError();
  if (*weights)
    result.weights = std::move(*memory);
  return result;
}

Expected<Archive> keras::readArchive(StringRef path) {
  return ArchiveReader(path).read();
}

bool keras::isZip(StringRef bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}
