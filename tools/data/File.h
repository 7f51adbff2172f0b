// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_DATA_FILE_H
#define TOOLS_DATA_FILE_H

#include <string>
#include <string_view>

namespace vaedata {

bool fileExists(const std::string &path);

/// The content of a file. Fails with the path and the system's reason.
std::string readFile(const std::string &path);

/// A file that appears, or replaces an old one, when it is complete. Until
/// then it has a temporary name in the same folder, which goes away with the
/// object, also when a signal ends the program. A path that is no regular file
/// (a pipe, /dev/stdout) is written to directly.
class OutputFile {
public:
  /// Fails at once if the folder does not exist or cannot be written; the
  /// message names the option that chose the path.
  explicit OutputFile(const std::string &path, const char *option = "-o");
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// Writes all the content and gives the file its name. Fails with the path
  /// and the reason, and then leaves an old file as it was. Called once.
  void commit(std::string_view content);

  const std::string &getPath() const { return path; }

private:
  void openTemporary(bool exists, unsigned mode);
  [[noreturn]] void failWrite();

  std::string path;
  const char *option;
  std::string target;    // the path with symbolic links resolved
  std::string temporary; // empty: written directly
  int descriptor = -1;
};

} // namespace vaedata

#endif // TOOLS_DATA_FILE_H
