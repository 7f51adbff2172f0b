// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/File.h"

#include "tools/data/Error.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace vaedata;

bool vaedata::fileExists(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

std::string vaedata::readFile(const std::string &path) {
  auto bad = [&] {
    fail(path,
         ": expected a file that can be read, found: ", std::strerror(errno),
         "; check the path");
  };
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    bad();
  struct Closer {
    int descriptor;
    ~Closer() { close(descriptor); }
  } closer{descriptor};
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    bad();
  std::string content;
  if (S_ISREG(status.st_mode))
    content.reserve(static_cast<size_t>(status.st_size));
  std::vector<char> buffer(size_t(1) << 18);
  for (;;) {
    ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got == 0)
      return content;
    if (got > 0)
      content.append(buffer.data(), static_cast<size_t>(got));
    else if (errno != EINTR)
      bad();
  }
}

/// The temporary file that a signal handler removes.
static char signalPath[PATH_MAX];
static volatile std::sig_atomic_t signalArmed = 0;

static void onSignal(int number) {
  if (signalArmed)
    unlink(signalPath);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

static void arm(const std::string &temporary) {
  if (temporary.size() >= sizeof(signalPath))
    return;
  std::memcpy(signalPath, temporary.c_str(), temporary.size() + 1);
  signalArmed = 1;
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, onSignal) == SIG_IGN)
      std::signal(number, SIG_IGN); // as under nohup
}

OutputFile::OutputFile(const std::string &path, const char *option)
    : path(path), option(option), target(path) {
  // A file over the limit of the user shall be an error, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  std::unique_ptr<char, void (*)(void *)> resolved(
      realpath(path.c_str(), nullptr), std::free);
  if (resolved)
    target = resolved.get();
  struct stat status;
  bool exists = stat(target.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor = S_ISDIR(status.st_mode)
                     ? (errno = EISDIR, -1)
                     : open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
      failWrite();
    return;
  }
  openTemporary(exists, exists ? status.st_mode & 0777 : 0);
}

void OutputFile::openTemporary(bool exists, unsigned mode) {
  size_t slash = target.rfind('/');
  std::string folder =
      slash == std::string::npos ? "" : target.substr(0, slash + 1);
  temporary = folder + ".vae-data-XXXXXX";
  descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) {
    temporary.clear();
    failWrite();
  }
  arm(temporary);
  if (!exists) {
    mode_t mask = umask(0);
    umask(mask);
    mode = 0666 & ~mask;
  }
  if (fchmod(descriptor, mode) != 0)
    failWrite();
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty()) {
    unlink(temporary.c_str());
    signalArmed = 0;
  }
}

void OutputFile::failWrite() {
  int code = errno;
  if (!temporary.empty())
    unlink(temporary.c_str());
  fail(path, ": expected an output file that can be written, found: ",
       std::strerror(code), "; choose another with ", option, ", or make room");
}

void OutputFile::commit(std::string_view content) {
  while (!content.empty()) {
    // Some systems refuse more than 2 GiB at once.
    ssize_t done = write(descriptor, content.data(),
                         std::min(content.size(), size_t(1) << 30));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      failWrite();
    content.remove_prefix(static_cast<size_t>(done));
  }
  // Before the rename, that a crash does not leave an empty file. Pipes cannot.
  if (!temporary.empty() && fsync(descriptor) != 0)
    failWrite();
  int closed = close(descriptor);
  descriptor = -1;
  if (closed != 0)
    failWrite();
  if (temporary.empty())
    return;
  if (rename(temporary.c_str(), target.c_str()) != 0)
    failWrite();
  temporary.clear();
  signalArmed = 0;
}
