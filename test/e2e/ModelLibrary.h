// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model called through vae_abi.h alone, in ways that bring errors to
// light: exact buffers between guard pages, NaN where nothing was written, and
// any partition of the parallel loops.
#ifndef TEST_E2E_MODELLIBRARY_H
#define TEST_E2E_MODELLIBRARY_H

#include "compiler/reference/Interpreter.h"
#include "runtime/include/vae/vae_abi.h"
#include "test/e2e/GuardedBuffer.h"

#include <string>
#include <vector>

namespace vae::test {

/// How parallel_for divides a loop.
enum class Split {
  Whole,       // one part, as with one thread
  TwoThreads,  // two parts of different size, at the same time
  OneByOne,    // parts of one item, the last first
  UnevenParts, // parts of 1, 2, 3, .. items, the last first
};
inline constexpr Split kSplits[] = {Split::Whole, Split::TwoThreads,
                                    Split::OneByOne, Split::UnevenParts};
const char *getName(Split split);

/// What one launch of a kernel works on.
struct LaunchBuffers {
  std::vector<int64_t> bytes; // of the operands, then of the result
  int64_t sizes = 0;          // numbers that the kernel takes besides
};

class ModelLibrary {
public:
  /// Loads a library: the version of its code that is called so, if it has
  /// several. `error` says why not.
  ModelLibrary(const std::string &path, std::string &error,
               llvm::StringRef version = "");
  ~ModelLibrary();
  ModelLibrary(const ModelLibrary &) = delete;

  const vae_abi_model &getTable() const { return *table; }
  const vae_abi_entry *findEntry(llvm::StringRef name) const;
  /// The shape of a tensor for values of the model's symbols.
  llvm::SmallVector<int64_t> getShape(const vae_abi_tensor &tensor,
                                      llvm::ArrayRef<int64_t> symbols) const;

  /// Runs an entry point. With `launches`, each launch works on copies of its
  /// buffers between guard pages, and its operands cannot be written. `error`
  /// names an output with elements that were never written, an arena of a size
  /// that is no multiple of its alignment, or steps that are not those of the
  /// table.
  std::vector<reference::Tensor>
  run(const vae_abi_entry &entry, llvm::ArrayRef<int64_t> symbols,
      llvm::ArrayRef<reference::Tensor> inputs, Split split, Edge edge,
      std::string &error, llvm::ArrayRef<LaunchBuffers> launches = {}) const;

private:
  void *handle = nullptr;
  const vae_abi_model *table = nullptr;
};

/// What is being run, for the message of a crash.
void setActivity(const std::string &text);
/// A fault prints what was being run, and ends the process with exit code 1.
void reportFaults();

} // namespace vae::test

#endif // TEST_E2E_MODELLIBRARY_H
