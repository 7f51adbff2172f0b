// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads an HDF5 file on standard input and writes its tensors to standard
// output as a safetensors file. vaec runs it as a process of its own, with
// limits, so that a damaged file cannot harm more than this process.
//
// Every dataset of a float type becomes a tensor named by its path. The text
// attributes of the groups are JSON in the tensor "__attributes__" of bytes:
// {"path of the group": {"name": "text" or ["text", ...]}}. If the file is
// refused, the exit code is 1 and standard output holds the reason.
#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using nlohmann::json;

namespace {

constexpr rlim_t kSeconds = 120;
constexpr unsigned kMaxDepth = 48;
constexpr size_t kMaxObjects = 100'000;
constexpr uint64_t kMaxTensor = uint64_t(2) << 30;
constexpr uint64_t kMaxText = uint64_t(64) << 20;
/// A file may say that much more than it has bytes: compressed and constant
/// data, but no bombs.
constexpr uint64_t kFreeExpansion = uint64_t(64) << 20, kMaxRatio = 100;

[[noreturn]] void refuse(const std::string &reason) {
  // Whatever was written before is not a result.
  if (ftruncate(STDOUT_FILENO, 0) == 0)
    lseek(STDOUT_FILENO, 0, SEEK_SET);
  (void)!write(STDOUT_FILENO, reason.data(), reason.size());
  _exit(1);
}

/// An identifier of the library, released at the end.
template <herr_t (*Close)(hid_t)> class Id {
public:
  explicit Id(hid_t id, const std::string &what = "") : id(id) {
    if (id < 0)
      refuse("cannot read " + (what.empty() ? "it" : what));
  }
  Id(const Id &) = delete;
  Id &operator=(const Id &) = delete;
  ~Id() { Close(id); }
  operator hid_t() const { return id; }

private:
  hid_t id;
};
using File = Id<H5Fclose>;
using Object = Id<H5Oclose>;
using Type = Id<H5Tclose>;
using Space = Id<H5Sclose>;
using Attribute = Id<H5Aclose>;
using Properties = Id<H5Pclose>;

struct Tensor {
  std::string path;
  std::vector<hsize_t> shape;
  bool bfloat = false;
  uint64_t bytes = 0;
};

class Reader {
public:
  Reader(hid_t file, uint64_t fileSize)
      : file(file), budget(kFreeExpansion + fileSize * kMaxRatio) {}

  void run() {
    readGroup(file, "", 0);
    writeAll();
  }

private:
  void readGroup(hid_t group, const std::string &path, unsigned depth);
  void readDataset(hid_t dataset, const std::string &path);
  void readAttributes(hid_t object, const std::string &path);
  std::vector<std::string> readStrings(hid_t attribute, const std::string &what,
                                       bool &scalar);
  void spend(uint64_t bytes, const std::string &what) {
    if (bytes > budget)
      refuse("'" + what + "' is larger than the file can hold");
    budget -= bytes;
  }
  void writeAll();

  hid_t file;
  uint64_t budget, text = 0;
  size_t objects = 0;
  std::vector<Tensor> tensors;
  json attributes = json::object();
};

/// The texts of an attribute; none if it holds something else.
std::vector<std::string>
Reader::readStrings(hid_t attribute, const std::string &what, bool &scalar) {
  Type type(H5Aget_type(attribute), what);
  Space space(H5Aget_space(attribute), what);
  scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR;
  hssize_t count = H5Sget_simple_extent_npoints(space);
  if (H5Tget_class(type) != H5T_STRING || count <= 0)
    return {};
  if (static_cast<size_t>(count) > kMaxObjects)
    refuse("attribute '" + what + "' has " + std::to_string(count) + " texts");
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char *> pointers(count, nullptr);
    Type memory(H5Tcopy(H5T_C_S1), what);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    auto *buffer = static_cast<void *>(pointers.data());
    if (H5Aread(attribute, memory, buffer) < 0)
      refuse("cannot read attribute '" + what + "'");
    for (const char *pointer : pointers)
      texts.emplace_back(pointer ? pointer : "");
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, buffer);
  } else {
    size_t size = H5Tget_size(type);
    if (size > kMaxText / count)
      refuse("attribute '" + what + "' is too large");
    std::vector<char> bytes(size * count);
    if (H5Aread(attribute, type, bytes.data()) < 0)
      refuse("cannot read attribute '" + what + "'");
    for (hssize_t i = 0; i < count; ++i)
      texts.emplace_back(bytes.data() + i * size,
                         strnlen(bytes.data() + i * size, size));
  }
  for (const std::string &one : texts) {
    text += one.size();
    if (text > kMaxText)
      refuse("its attributes are too large");
  }
  return texts;
}

void Reader::readAttributes(hid_t object, const std::string &path) {
  H5O_info_t info;
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0)
    refuse("cannot read '" + path + "'");
  if (info.num_attrs > kMaxObjects)
    refuse("'" + path + "' has too many attributes");
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    Attribute attribute(H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC,
                                       i, H5P_DEFAULT, H5P_DEFAULT),
                        "an attribute of '" + path + "'");
    char name[256] = "";
    if (H5Aget_name(attribute, sizeof(name), name) < 0)
      refuse("cannot read the attributes of '" + path + "'");
    bool scalar = false;
    auto texts = readStrings(attribute, path + ":" + name, scalar);
    if (texts.empty())
      continue;
    json &value = attributes[path][name];
    if (scalar)
      value = texts.front();
    else
      value = texts;
  }
}

void Reader::readDataset(hid_t dataset, const std::string &path) {
  Type type(H5Dget_type(dataset), "'" + path + "'");
  Space space(H5Dget_space(dataset), "'" + path + "'");
  Properties creation(H5Dget_create_plist(dataset), "'" + path + "'");
  if (H5Pget_external_count(creation) != 0 ||
      H5Pget_layout(creation) == H5D_VIRTUAL)
    refuse("'" + path + "' lies in another file");
  Tensor tensor;
  tensor.path = path;
  H5T_class_t kind = H5Tget_class(type);
  if ((kind == H5T_INTEGER || kind == H5T_OPAQUE) && H5Tget_size(type) == 2 &&
      H5Aexists(dataset, "dtype") > 0) {
    // Keras stores bfloat16 as two bytes and says so.
    Attribute attribute(H5Aopen(dataset, "dtype", H5P_DEFAULT), path);
    bool scalar;
    auto texts = readStrings(attribute, path + ":dtype", scalar);
    tensor.bfloat = texts.size() == 1 && texts[0] == "bfloat16";
  }
  if (kind != H5T_FLOAT && !tensor.bfloat)
    return; // counters, seeds
  int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > H5S_MAX_RANK)
    refuse("cannot read the shape of '" + path + "'");
  tensor.shape.resize(rank);
  if (rank &&
      H5Sget_simple_extent_dims(space, tensor.shape.data(), nullptr) < 0)
    refuse("cannot read the shape of '" + path + "'");
  uint64_t bytes = tensor.bfloat ? 2 : 4;
  for (hsize_t dim : tensor.shape)
    if (__builtin_mul_overflow(bytes, dim, &bytes) || bytes > kMaxTensor)
      refuse("'" + path + "' has more than " + std::to_string(kMaxTensor) +
             " bytes");
  tensor.bytes = bytes;
  spend(bytes, path);
  tensors.push_back(std::move(tensor));
}

void Reader::readGroup(hid_t group, const std::string &path, unsigned depth) {
  if (depth > kMaxDepth)
    refuse("its groups are nested more than " + std::to_string(kMaxDepth) +
           " deep");
  readAttributes(group, path);
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0)
    refuse("cannot read the group '" + path + "'");
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    if (++objects > kMaxObjects)
      refuse("it has more than " + std::to_string(kMaxObjects) + " objects");
    char name[1024] = "";
    ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC,
                                        i, name, sizeof(name), H5P_DEFAULT);
    if (length <= 0 || static_cast<size_t>(length) >= sizeof(name))
      refuse("cannot read the names in '" + path + "'");
    std::string child = path.empty() ? name : path + "/" + name;
    H5L_info_t link;
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0)
      refuse("cannot read '" + child + "'");
    if (link.type != H5L_TYPE_HARD)
      refuse("'" + child +
             "' is a link to another place; save the model again");
    // The state of an optimizer may be larger than the model.
    if (path.empty() && std::string(name).rfind("optimizer", 0) == 0)
      continue;
    Object object(H5Oopen(group, name, H5P_DEFAULT), "'" + child + "'");
    H5I_type_t kind = H5Iget_type(object);
    if (kind == H5I_GROUP)
      readGroup(object, child, depth + 1);
    else if (kind == H5I_DATASET)
      readDataset(object, child);
  }
}

void writeBytes(const void *data, size_t size) {
  if (std::fwrite(data, 1, size, stdout) != size)
    _exit(2);
}

void Reader::writeAll() {
  std::string text =
      attributes.dump(-1, ' ', false, json::error_handler_t::replace);
  json header = json::object();
  uint64_t end = 0;
  auto add = [&](const std::string &name, const char *dtype, const json &shape,
                 uint64_t bytes) {
    header[name] = {{"dtype", dtype},
                    {"shape", shape},
                    {"data_offsets", {end, end + bytes}}};
    end += bytes;
  };
  add("__attributes__", "U8", {text.size()}, text.size());
  for (const Tensor &tensor : tensors)
    add(tensor.path, tensor.bfloat ? "BF16" : "F32", tensor.shape,
        tensor.bytes);
  std::string head =
      header.dump(-1, ' ', false, json::error_handler_t::replace);
  // The first tensor's bytes lie at a multiple of 8.
  head.resize((head.size() + text.size() + 7) / 8 * 8 - text.size(), ' ');
  uint64_t length = head.size();
  unsigned char prefix[8];
  for (int i = 0; i < 8; ++i)
    prefix[i] = static_cast<unsigned char>(length >> (8 * i));
  writeBytes(prefix, 8);
  writeBytes(head.data(), head.size());
  writeBytes(text.data(), text.size());
  std::vector<char> data;
  for (const Tensor &tensor : tensors) {
    if (!tensor.bytes)
      continue;
    Id<H5Dclose> dataset(H5Dopen2(file, tensor.path.c_str(), H5P_DEFAULT),
                         "'" + tensor.path + "'");
    data.resize(tensor.bytes);
    Type stored(H5Dget_type(dataset), "'" + tensor.path + "'");
    hid_t type = !tensor.bfloat                        ? H5T_IEEE_F32LE
                 : H5Tget_class(stored) == H5T_INTEGER ? H5T_STD_U16LE
                                                       : hid_t(stored);
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0)
      refuse("cannot read '" + tensor.path + "'");
    writeBytes(data.data(), data.size());
  }
  if (std::fflush(stdout) != 0)
    _exit(2);
}

void setLimits() {
  struct rlimit cpu = {kSeconds, kSeconds}, none = {0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &none);
  alarm(2 * kSeconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(VAEC_SANITIZED)
  // Shadow memory of a sanitizer is address space too.
  constexpr rlim_t kMemory = rlim_t(8) << 30;
  struct rlimit memory = {kMemory, kMemory};
  setrlimit(RLIMIT_AS, &memory);
#endif
}

/// The file's bytes, which the library takes as its own copy of the image.
void *image = nullptr;

void *giveImage(size_t, H5FD_file_image_op_t, void *) { return image; }
void *copyImage(void *to, const void *from, size_t size, H5FD_file_image_op_t,
                void *) {
  return to == from ? to : std::memcpy(to, from, size);
}
void *growImage(void *, size_t, H5FD_file_image_op_t, void *) {
  return nullptr;
}
herr_t freeImage(void *, H5FD_file_image_op_t, void *) { return 0; }

/// Opens the file on standard input, which may have no name, without a copy.
hid_t openInput(size_t size) {
  if (!size)
    refuse("it is empty");
  image =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, STDIN_FILENO, 0);
  if (image == MAP_FAILED)
    refuse("it cannot be mapped");
  Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5FD_file_image_callbacks_t callbacks = {
      giveImage, copyImage, growImage, freeImage, nullptr, nullptr, nullptr};
  if (H5Pset_fapl_core(access, 1 << 20, false) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
      H5Pset_file_image(access, image, size) < 0)
    refuse("HDF5 has no images of files");
  return H5Fopen("model", H5F_ACC_RDONLY, access);
}

} // namespace

int main() {
  setLimits();
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0); // no code but our own
  struct stat status;
  if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
    refuse("it is not a regular file");
  try {
    File file(openInput(static_cast<size_t>(status.st_size)), "it as HDF5");
    Reader(file, static_cast<uint64_t>(status.st_size)).run();
  } catch (const std::bad_alloc &) {
    refuse("it needs too much memory");
  } catch (const std::exception &error) {
    refuse(error.what());
  }
  // What the library would do at its end does not matter any more.
  _exit(0);
}
