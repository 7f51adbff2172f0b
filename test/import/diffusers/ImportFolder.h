// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports folders of diffusers whose weights are made up, for the fuzzer and
// the test of mutations.
#ifndef TEST_IMPORT_DIFFUSERS_IMPORTFOLDER_H
#define TEST_IMPORT_DIFFUSERS_IMPORTFOLDER_H

#include <string>

namespace vae::test {

/// A folder as diffusers saves it; it disappears with this.
class DiffusersFolder {
public:
  DiffusersFolder();
  ~DiffusersFolder();
  DiffusersFolder(const DiffusersFolder &) = delete;
  DiffusersFolder &operator=(const DiffusersFolder &) = delete;

  /// What came of a model.
  struct Outcome {
    bool imported = false;
    /// "line:column: text" of the only error of a model that was refused.
    std::string error;
    /// What must not be, whatever is in the folder: a module that does not
    /// verify, no error or several, an error without a place or of a verifier.
    std::string fault;
  };

  /// Imports this config.json. Tensors that the model asks for are there and
  /// zero, unless they are very large or very many.
  Outcome import(const std::string &config);
  /// The same with this index of shards, which holds nothing that the model
  /// asks for: shard a.safetensors has tensor `one`, b.safetensors `two` and
  /// `three`.
  Outcome importShards(const std::string &config, const std::string &index);

private:
  Outcome run(const std::string &folder, bool makeTensors);

  std::string plain, shards;
};

} // namespace vae::test

#endif // TEST_IMPORT_DIFFUSERS_IMPORTFOLDER_H
