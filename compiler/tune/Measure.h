// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running entry points of a library in this process, on this thread, to
// measure them.
#ifndef COMPILER_TUNE_MEASURE_H
#define COMPILER_TUNE_MEASURE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

struct vae_abi_model;

namespace vae {

class LoadedLibrary {
public:
  /// Code of the library must be for this machine. The file is not needed
  /// afterwards.
  static llvm::Expected<LoadedLibrary> load(llvm::StringRef path);
  LoadedLibrary(LoadedLibrary &&other) noexcept;
  LoadedLibrary &operator=(LoadedLibrary &&) = delete;
  ~LoadedLibrary();

  /// Milliseconds that each entry point takes for the steps of a layer: the
  /// shortest of several runs, in turn, of this thread's own time. All sizes
  /// of the entry points must be fixed.
  llvm::Expected<std::vector<double>>
  measure(llvm::ArrayRef<std::string> entries, llvm::StringRef layer) const;

private:
  LoadedLibrary(void *handle, const vae_abi_model *table)
      : handle(handle), table(table) {}
  void *handle;
  const vae_abi_model *table;
};

} // namespace vae

#endif // COMPILER_TUNE_MEASURE_H
