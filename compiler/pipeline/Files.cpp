// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Files.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace llvm;
using namespace vae;

static Error fail(std::error_code code) {
  return createStringError(code, "cannot be written: " + code.message());
}

/// Takes the error of a stream, which would otherwise end the process.
static std::error_code takeError(raw_fd_ostream &out) {
  std::error_code code = out.error();
  out.clear_error();
  return code;
}

static StringRef getFolder(StringRef path) {
  StringRef folder = sys::path::parent_path(path);
  return folder.empty() ? StringRef(".") : folder;
}

/// A device or a pipe, which must not be replaced by a file.
static bool isSpecial(StringRef path) {
  sys::fs::file_status status;
  return !sys::fs::status(path, status) && sys::fs::exists(status) &&
         !sys::fs::is_regular_file(status) && !sys::fs::is_directory(status);
}

static Error writeTo(raw_fd_ostream &out,
                     function_ref<Error(raw_pwrite_stream &)> body) {
  Error failure = body(out);
  out.close();
  if (!out.has_error())
    return failure;
  std::error_code code = takeError(out);
  consumeError(std::move(failure)); // most likely a consequence
  return fail(code);
}

static Error writeSpecial(StringRef path,
                          function_ref<Error(raw_pwrite_stream &)> body) {
  std::error_code code;
  raw_fd_ostream out(path, code, sys::fs::CD_OpenExisting);
  if (code)
    return fail(code);
  return writeTo(out, body);
}

Expected<TemporaryFile> TemporaryFile::create(StringRef beside,
                                              bool removeOnSignal) {
  SmallString<128> model(getFolder(beside)), path;
  if (isSpecial(beside))
    sys::path::system_temp_directory(/*erasedOnReboot=*/true, model);
  sys::path::append(model, ".vaec-%%%%%%%%.tmp");
  // A signal must find the name registered as soon as there is a file.
  for (int attempt = 0;; ++attempt) {
    if (std::error_code code =
            sys::fs::getPotentiallyUniqueFileName(model, path))
      return fail(code);
    if (removeOnSignal)
      sys::RemoveFileOnSignal(path);
    int descriptor = -1;
    std::error_code code = sys::fs::openFileForReadWrite(
        path, descriptor, sys::fs::CD_CreateNew, sys::fs::OF_None);
    if (!code) {
      TemporaryFile file(path, removeOnSignal);
      code = sys::Process::SafelyCloseFileDescriptor(descriptor);
      if (code)
        return fail(code);
      return file;
    }
    if (removeOnSignal)
      sys::DontRemoveFileOnSignal(path);
    if (code != std::errc::file_exists || attempt == 128)
      return fail(code);
  }
}

TemporaryFile::TemporaryFile(TemporaryFile &&other) noexcept
    : path(std::move(other.path)), removeOnSignal(other.removeOnSignal) {
  other.path.clear();
}

TemporaryFile::~TemporaryFile() {
  if (path.empty())
    return;
  (void)sys::fs::remove(path); // nobody is left to be told
  if (removeOnSignal)
    sys::DontRemoveFileOnSignal(path);
}

Error TemporaryFile::write(
    function_ref<Error(raw_pwrite_stream &)> body) const {
  std::error_code code;
  raw_fd_ostream out(path, code);
  if (code)
    return fail(code);
  return writeTo(out, body);
}

Error TemporaryFile::checkSpace(uint64_t bytes) const {
  int file;
  if (std::error_code code =
          sys::fs::openFileForWrite(path, file, sys::fs::CD_OpenExisting))
    return fail(code);
  int failed = ::fallocate(file, 0, 0, bytes) ? errno : 0;
  if (::ftruncate(file, 0))
    failed = errno;
  ::close(file);
  if (failed == ENOSPC || failed == EDQUOT || failed == EFBIG)
    return fail(std::error_code(failed, std::generic_category()));
  return Error::success(); // perhaps the file system cannot tell
}

Error TemporaryFile::moveTo(StringRef target) {
  if (isSpecial(target)) {
    auto bytes = MemoryBuffer::getFile(path, /*IsText=*/false,
                                       /*RequiresNullTerminator=*/false);
    if (!bytes)
      return fail(bytes.getError());
    return writeSpecial(target, [&](raw_pwrite_stream &stream) {
      stream << (*bytes)->getBuffer();
      return Error::success();
    });
  }
  if (std::error_code code = sys::fs::rename(path, target))
    return fail(code);
  if (removeOnSignal)
    sys::DontRemoveFileOnSignal(path);
  path.clear();
  return Error::success();
}

static Error
writeStandardOutput(function_ref<Error(raw_pwrite_stream &)> body) {
  raw_fd_ostream &out = outs();
  Error failure = body(out);
  out.flush();
  if (!out.has_error())
    return failure;
  std::error_code code = takeError(out);
  consumeError(std::move(failure));
  if (code == std::errc::broken_pipe)
    return Error::success();
  return fail(code);
}

Error vae::writeFile(StringRef path, bool removeOnSignal,
                     function_ref<Error(raw_pwrite_stream &)> body) {
  if (path == "-")
    return writeStandardOutput(body);
  if (Error error = checkOutput(path))
    return error;
  if (isSpecial(path))
    return writeSpecial(path, body);
  auto file = TemporaryFile::create(path, removeOnSignal);
  if (!file)
    return file.takeError();
  if (Error error = file->write(body))
    return error;
  return file->moveTo(path);
}

Error vae::checkOutput(StringRef path) {
  if (path == "-")
    return Error::success();
  auto error = [](const Twine &message) {
    return createStringError(std::make_error_code(std::errc::invalid_argument),
                             message);
  };
  if (sys::fs::is_directory(path))
    return error("is a folder; name a file in it");
  StringRef folder = getFolder(path);
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(folder, status)) {
    if (code == std::errc::no_such_file_or_directory)
      return error("the folder '" + folder +
                   "' does not exist; make it, or choose another");
    return error("the folder '" + folder +
                 "' cannot be used: " + code.message());
  }
  if (!sys::fs::is_directory(status))
    return error("'" + folder + "' is not a folder; choose another");
  if (!isSpecial(path))
    if (std::error_code code =
            sys::fs::access(folder, sys::fs::AccessMode::Write))
      return error("no file can be made in the folder '" + folder +
                   "': " + code.message() + "; choose another");
  return Error::success();
}
