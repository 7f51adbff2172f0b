// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Npz.h"

#include "tools/data/Error.h"
#include "tools/data/Npy.h"

#include <algorithm>
#include <memory>
#include <zip.h>

using namespace vaedata;

static constexpr zip_uint64_t kMostContent = zip_uint64_t(64) << 30;

bool vaedata::isZip(std::string_view bytes) {
  return bytes.substr(0, 4) == std::string_view("PK\3\4", 4) ||
         bytes.substr(0, 4) == std::string_view("PK\5\6", 4);
}

namespace {
struct DiscardArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct FreeSource {
  void operator()(zip_source_t *source) const { zip_source_free(source); }
};
struct CloseEntry {
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, DiscardArchive>;
using Source = std::unique_ptr<zip_source_t, FreeSource>;
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;
} // namespace

/// For what libzip owns from now on.
template <typename T, typename Deleter>
static void giveAway(std::unique_ptr<T, Deleter> &owner) {
  T *object = owner.release();
  static_cast<void>(object);
}

static Archive openArchive(std::string_view bytes, const std::string &source) {
  zip_error_t error;
  zip_error_init(&error);
  Source data(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error));
  Archive archive(data ? zip_open_from_source(data.get(), ZIP_RDONLY, &error)
                       : nullptr);
  if (archive)
    giveAway(data); // the archive's now
  std::string text = archive ? "" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive)
    fail(source, ": truncated or damaged .npz file (", text,
         "); save or copy it again");
  return archive;
}

/// The archive's .npy files without the ending.
static std::vector<std::string> listArrays(zip_t *archive) {
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const char *raw = zip_get_name(archive, i, ZIP_FL_ENC_GUESS);
    std::string name = raw ? raw : "";
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0)
      names.push_back(name.substr(0, name.size() - 4));
  }
  return names;
}

static std::string chooseArray(const std::vector<std::string> &names,
                               const std::string &source, std::string name,
                               const std::vector<std::string> &preferred) {
  std::string list;
  for (const std::string &each : names)
    list += (list.empty() ? "" : ", ") + each;
  if (list.empty())
    fail(source, ": expected arrays, found none; save them with numpy.savez");
  auto has = [&](const std::string &each) {
    return std::find(names.begin(), names.end(), each) != names.end();
  };
  if (!name.empty()) {
    if (!has(name) && name.size() > 4 &&
        name.compare(name.size() - 4, 4, ".npy") == 0)
      name.resize(name.size() - 4);
    if (!has(name))
      fail(source, ": expected an array '", name, "', found ", list,
           "; name one of these");
    return name;
  }
  if (names.size() == 1)
    return names.front();
  for (const std::string &each : preferred)
    if (has(each))
      return each;
  fail(source, ": expected one array, found ", list, "; name one as ", source,
       ":", names.front());
}

Array vaedata::parseNpz(std::string_view bytes, const std::string &source,
                        const std::string &name,
                        const std::vector<std::string> &preferred) {
  Archive archive = openArchive(bytes, source);
  std::string chosen =
      chooseArray(listArrays(archive.get()), source, name, preferred);
  std::string member = source + ":" + chosen;
  auto damaged = [&](const char *why) {
    fail(member, ": truncated or damaged .npz file (", why,
         "); save or copy it again");
  };
  zip_stat_t stat;
  zip_stat_init(&stat);
  std::string file = chosen + ".npy";
  if (zip_stat(archive.get(), file.c_str(), ZIP_FL_ENC_GUESS, &stat) != 0 ||
      !(stat.valid & ZIP_STAT_SIZE))
    damaged(zip_strerror(archive.get()));
  if (stat.size > kMostContent)
    damaged("an array of over 64 GiB");
  Entry entry(zip_fopen_index(archive.get(), stat.index, 0));
  if (!entry)
    damaged(zip_strerror(archive.get()));
  // The size that the archive states is not believed before it was read.
  std::string content;
  std::vector<char> buffer(size_t(1) << 18);
  for (;;) {
    zip_int64_t got = zip_fread(entry.get(), buffer.data(), buffer.size());
    if (got < 0)
      damaged(zip_file_strerror(entry.get()));
    if (got == 0)
      break;
    content.append(buffer.data(), static_cast<size_t>(got));
    if (content.size() > stat.size)
      damaged("more data than stated");
  }
  if (content.size() != stat.size)
    damaged("less data than stated");
  return parseNpy(content, member);
}

std::string vaedata::formatNpz(const std::vector<NamedArray> &arrays) {
  zip_error_t error;
  zip_error_init(&error);
  auto check = [](bool good, const char *what) {
    if (!good)
      throw std::runtime_error(concat("cannot make a zip archive: ", what));
  };
  Source result(zip_source_buffer_create(nullptr, 0, 0, &error));
  check(result != nullptr, zip_error_strerror(&error));
  Archive archive(zip_open_from_source(result.get(), ZIP_TRUNCATE, &error));
  check(archive != nullptr, zip_error_strerror(&error));
  zip_source_keep(result.get()); // closing the archive gives one back
  std::vector<std::string> contents;
  for (const NamedArray &array : arrays)
    contents.push_back(formatNpy(array.shape, *array.values));
  for (size_t i = 0; i < arrays.size(); ++i) {
    Source data(zip_source_buffer(archive.get(), contents[i].data(),
                                  contents[i].size(), 0));
    zip_int64_t index =
        !data ? -1
              : zip_file_add(archive.get(), (arrays[i].name + ".npy").c_str(),
                             data.get(), ZIP_FL_ENC_UTF_8);
    check(index >= 0, zip_strerror(archive.get()));
    giveAway(data);
    // Not compressed, as numpy.savez; a fixed time, that the bytes depend on
    // the arrays alone: 1980-01-01, the first that zip knows.
    check(zip_set_file_compression(archive.get(), index, ZIP_CM_STORE, 0) ==
                  0 &&
              zip_file_set_dostime(archive.get(), index, 0, 0x21, 0) == 0,
          zip_strerror(archive.get()));
  }
  check(zip_close(archive.get()) == 0, zip_strerror(archive.get()));
  giveAway(archive);
  zip_stat_t stat;
  zip_stat_init(&stat);
  check(zip_source_stat(result.get(), &stat) == 0 &&
            zip_source_open(result.get()) == 0,
        "its content is not readable");
  std::string bytes(stat.size, '\0');
  zip_int64_t got = zip_source_read(result.get(), bytes.data(), bytes.size());
  zip_source_close(result.get());
  check(got == static_cast<zip_int64_t>(bytes.size()), "its content is short");
  return bytes;
}
