// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's objects with owners, its status codes as exceptions.
#ifndef TOOLS_DATA_MODEL_H
#define TOOLS_DATA_MODEL_H

#include "tools/data/Fit.h"

#include "vae/vae_runtime.h"

#include <functional>
#include <optional>

namespace vaedata {

/// What a library says of itself, as JSON; nothing of it is executed.
std::string readNote(const std::string &path);

/// The version that would run of a library with several, or why none.
struct VersionChoice {
  std::optional<std::string> name;
  std::string refusal;
};
/// `version`: the one that is wanted; empty: the best. Nothing is executed.
VersionChoice chooseVersion(const std::string &path,
                            const std::string &version);

/// A loaded library: its version of that name; empty: the best.
class Model {
public:
  explicit Model(const std::string &path, const std::string &version = "");
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const vae_abi_model &getTable() const { return *vae_model_table(model); }
  const vae_model_t *get() const { return model; }
  const std::string &getPath() const { return path; }
  /// The version of the code that runs; null if there is only one.
  const char *getVersion() const { return vae_model_version(model); }
  /// The entry point of that name. Fails with the names there are.
  const vae_abi_entry &getEntry(const std::string &name) const;
  const vae_abi_entry *findEntry(const std::string &name) const;

private:
  std::string path;
  vae_model_t *model = nullptr;
};

/// A session of a model, which must outlive it.
class Session {
public:
  /// threads: 0 for one per available CPU. maxMemory: bytes for arena and
  /// outputs; 0: no limit. progress: called before each step of a run, if
  /// given.
  Session(const Model &model, uint32_t threads, uint64_t maxMemory = 0,
          vae_progress_fn progress = nullptr, void *progressContext = nullptr);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  /// What is called once if a run has numbers that their storage cannot hold.
  void setWarning(std::function<void(const std::string &)> callback) {
    onWarning = std::move(callback);
  }

  void prepare(const vae_abi_entry &entry, const Sizes &sizes);
  void run(const vae_abi_entry &entry, const vae_run_options_t &options,
           const std::vector<vae_tensor_t> &inputs,
           const std::vector<vae_tensor_t> &outputs);
  uint32_t getThreads() const { return vae_session_threads(session); }
  int64_t getMemory() const { return vae_session_memory(session); }

private:
  void check(vae_status_t status) const;

  vae_session_t *session = nullptr;
  std::function<void(const std::string &)> onWarning;
  bool warned = false;
};

} // namespace vaedata

#endif // TOOLS_DATA_MODEL_H
