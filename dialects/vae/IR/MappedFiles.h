// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weight files that are mapped into memory.
#ifndef DIALECTS_VAE_IR_MAPPEDFILES_H
#define DIALECTS_VAE_IR_MAPPEDFILES_H

#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace vae {

/// The files whose bytes are weights of a context. Their pages become part of
/// this process when they are read, and stay; here they are given back, so that
/// a model is not held once as its files and once as what is made of them.
/// Thread safety: safe from any thread, also while others read the files: pages
/// come back when they are read again.
class MappedFiles {
public:
  /// The file is known as long as somebody else owns it.
  void add(const std::shared_ptr<llvm::MemoryBuffer> &file);

  /// Says that weights of so many bytes have been read. Once it is enough, the
  /// pages of all files go.
  void countRead(uint64_t bytes);

private:
  std::mutex mutex;
  std::vector<std::weak_ptr<llvm::MemoryBuffer>> files;
  uint64_t read = 0; // since pages went
};

} // namespace vae

#endif // DIALECTS_VAE_IR_MAPPEDFILES_H
