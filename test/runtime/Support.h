// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the runtime share.
#ifndef VAE_TEST_RUNTIME_SUPPORT_H
#define VAE_TEST_RUNTIME_SUPPORT_H

#include "vae/vae_runtime.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace vae::test {

/// Libraries that the build made from C files of this folder.
inline std::string getModelPath(const std::string &name) {
  return std::string(VAE_TEST_MODEL_DIR) + "/" + name + ".so";
}

/// A folder that goes away with the test.
class Folder {
public:
  Folder() {
    std::string text =
        (std::filesystem::temp_directory_path() / "vae-runtime-XXXXXX")
            .string();
    EXPECT_NE(mkdtemp(text.data()), nullptr);
    path = text;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string &name) const {
    return (path / name).string();
  }

private:
  std::filesystem::path path;
};

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void writeFile(const std::string &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  EXPECT_TRUE(file) << path;
}

/// Replaces the one place where `from` stands by `to`, of the same length.
inline void patch(std::string &bytes, const std::string &from,
                  const std::string &to) {
  ASSERT_EQ(from.size(), to.size());
  size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, to.size(), to);
}

struct LoadResult {
  vae_status_t status;
  std::string message;
};

/// Tries to load a file that may be bad; a model that loads is released.
inline LoadResult tryLoad(const std::string &path) {
  char message[1024] = "untouched";
  vae_model_t *model = nullptr;
  vae_status_t status =
      vae_model_load(path.c_str(), &model, message, sizeof(message));
  EXPECT_EQ(model != nullptr, status == VAE_OK);
  vae_model_release(model);
  return {status, message};
}

class Model {
public:
  explicit Model(const std::string &path) {
    char message[1024];
    EXPECT_EQ(vae_model_load(path.c_str(), &model, message, sizeof(message)),
              VAE_OK)
        << message;
  }
  ~Model() { vae_model_release(model); }
  Model(const Model &) = delete;
  operator vae_model_t *() const { return model; }
  const vae_abi_model &table() const { return *vae_model_table(model); }

private:
  vae_model_t *model = nullptr;
};

class Session {
public:
  explicit Session(const Model &model, uint32_t threads = 2) {
    vae_session_options_t options = VAE_SESSION_OPTIONS_INIT;
    options.threads = threads;
    EXPECT_EQ(vae_session_create(model, &options, &session), VAE_OK);
  }
  Session(const Model &model, const vae_session_options_t &options) {
    EXPECT_EQ(vae_session_create(model, &options, &session), VAE_OK);
  }
  ~Session() { vae_session_release(session); }
  Session(const Session &) = delete;
  operator vae_session_t *() const { return session; }
  std::string message() const { return vae_session_message(session); }

private:
  vae_session_t *session = nullptr;
};

/// A tensor that owns its data and dims.
template <typename T = float> struct Tensor {
  std::vector<int64_t> dims;
  std::vector<T> data;
  int32_t dtype = VAE_DTYPE_F32;

  explicit Tensor(std::vector<int64_t> dims, T value = T(),
                  int32_t dtype = VAE_DTYPE_F32)
      : dims(std::move(dims)), dtype(dtype) {
    int64_t count = 1;
    for (int64_t dim : this->dims)
      count *= dim;
    data.assign(count, value);
  }
  operator vae_tensor_t() {
    return {data.data(), dtype, static_cast<uint32_t>(dims.size()),
            dims.data()};
  }
};

/// Noise that the session shall generate.
inline vae_tensor_t generated() { return {nullptr, 0, 0, nullptr}; }

inline vae_status_t run(vae_session_t *session, const char *entry,
                        std::vector<vae_tensor_t> inputs,
                        std::vector<vae_tensor_t> outputs,
                        const vae_run_options_t *options = nullptr) {
  return vae_session_run(session, entry, options, inputs.data(),
                         static_cast<uint32_t>(inputs.size()), outputs.data(),
                         static_cast<uint32_t>(outputs.size()));
}

} // namespace vae::test

#endif // VAE_TEST_RUNTIME_SUPPORT_H
