// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Hdf5.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;
using namespace vae;
using namespace vae::keras;

Expected<MemoryFile> MemoryFile::create() {
  int fd = memfd_create("vaec", MFD_CLOEXEC);
  if (fd < 0)
    return createStringError("cannot make a file in memory: " +
                             Twine(std::strerror(errno)));
  return MemoryFile(fd);
}

MemoryFile::~MemoryFile() {
  if (fd >= 0)
    close(fd);
}

Error MemoryFile::append(ArrayRef<char> bytes) const {
  while (!bytes.empty()) {
    ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return createStringError("cannot write a file in memory: " +
                               Twine(std::strerror(errno)));
    bytes = bytes.drop_front(count);
  }
  return Error::success();
}

const JsonValue *Hdf5File::findAttribute(StringRef group,
                                         StringRef name) const {
  const JsonValue *object = attributes.find(group);
  return object ? object->find(name) : nullptr;
}

bool keras::isHdf5(StringRef bytes) {
  return bytes.starts_with("\x89HDF\r\n\x1a\n");
}

static std::string findReader(StringRef reader) {
  if (!reader.empty())
    return reader.str();
  SmallString<256> path(
      sys::path::parent_path(sys::fs::getMainExecutable(nullptr, nullptr)));
  sys::path::append(path, "vaec-read-hdf5");
  return path.str().str();
}

/// What a child gives: a result in `output`, or why there is none.
static Error run(StringRef reader, StringRef input, const MemoryFile &output) {
  std::string program = findReader(reader);
  if (!sys::fs::can_execute(program))
    return createStringError("the program '" + program +
                             "', which reads HDF5, is missing; install it "
                             "beside vaec");
  std::string target =
      "/proc/self/fd/" + std::to_string(output.getDescriptor());
  std::optional<StringRef> redirects[] = {input, StringRef(target),
                                          StringRef("/dev/null")};
  std::string message;
  bool failed = false;
  int code = sys::ExecuteAndWait(program, {program}, std::nullopt, redirects,
                                 /*SecondsToWait=*/0, /*MemoryLimit=*/0,
                                 &message, &failed);
  if (failed)
    return createStringError("cannot run '" + program + "': " + message);
  if (code == 0)
    return Error::success();
  char reason[1024];
  ssize_t length = pread(output.getDescriptor(), reason, sizeof(reason), 0);
  if (code == 1 && length > 0)
    return createStringError("damaged HDF5 file: " +
                             Twine(StringRef(reason, length)));
  return createStringError(
      "damaged HDF5 file: reading it " +
      Twine(code < 0 ? "ended with a crash or took too long" : "failed"));
}

Expected<Hdf5File> keras::readHdf5(StringRef path, const MemoryFile *memory,
                                   StringRef reader) {
  auto fail = [&](const Twine &message) {
    return createStringError("'" + sys::path::filename(path) + "': " + message);
  };
  auto output = MemoryFile::create();
  if (!output)
    return output.takeError();
  std::string input = path.str();
  if (!memory && !sys::fs::exists(path))
    return createStringError("cannot read '" + path +
                             "': No such file or directory");
  if (memory)
    input = "/proc/self/fd/" + std::to_string(memory->getDescriptor());
  if (Error error = run(reader, input, *output))
    return fail(toString(std::move(error)));
  struct stat status;
  if (fstat(output->getDescriptor(), &status) != 0)
    return fail(std::strerror(errno));
  auto buffer = MemoryBuffer::getOpenFile(
      sys::fs::convertFDToNativeFile(output->getDescriptor()), path,
      status.st_size, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail(buffer.getError().message());
  auto tensors = readSafetensors(path, std::move(*buffer));
  if (!tensors)
    return tensors.takeError();
  Hdf5File file;
  for (WeightTensor &tensor : *tensors) {
    if (tensor.name != "__attributes__") {
      file.tensors.push_back(std::move(tensor));
      continue;
    }
    if (auto error = parseJson(
            StringRef(tensor.data.data(), tensor.data.size()), file.attributes))
      return fail("attributes: " + error->message);
  }
  return file;
}
