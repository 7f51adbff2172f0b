// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Libraries with several versions of their code.
#include "test/runtime/Support.h"

#include <cstring>

using namespace vae::test;

namespace {

vae_load_options_t wanting(const char *version) {
  vae_load_options_t options = VAE_LOAD_OPTIONS_INIT;
  options.version = version;
  return options;
}

struct Loaded {
  vae_status_t status;
  std::string message, version;
  float sum = 0; // of 10 and what the version adds
};

/// Loads a library, and runs it.
Loaded load(const char *name, const vae_load_options_t *options) {
  char message[1024] = "untouched";
  vae_model_t *model = nullptr;
  Loaded result;
  result.status = vae_model_load_with(getModelPath(name).c_str(), options,
                                      &model, message, sizeof(message));
  result.message = message;
  if (result.status)
    return result;
  if (const char *version = vae_model_version(model))
    result.version = version;
  vae_session_t *session = nullptr;
  EXPECT_EQ(vae_session_create(model, nullptr, &session), VAE_OK);
  EXPECT_EQ(vae_session_prepare_batch(session, "encode", 1), VAE_OK);
  Tensor<> x({1}, 10), z({1});
  if (std::strcmp(name, "versions") == 0) {
    EXPECT_EQ(run(session, "encode", {x}, {z}), VAE_OK);
  }
  result.sum = z.data[0];
  vae_session_release(session);
  vae_model_release(model);
  return result;
}

TEST(Versions, TheLastThatTheMachineCanRunIsChosen) {
  Loaded best = load("versions", nullptr);
  EXPECT_EQ(best.status, VAE_OK) << best.message;
  EXPECT_EQ(best.version, "better");
  EXPECT_EQ(best.sum, 12);
  EXPECT_EQ(best.message, "");
  EXPECT_EQ(tryLoad(getModelPath("versions")).status, VAE_OK);
}

TEST(Versions, AnotherCanBeAskedFor) {
  vae_load_options_t options = wanting("plain");
  Loaded plain = load("versions", &options);
  EXPECT_EQ(plain.status, VAE_OK) << plain.message;
  EXPECT_EQ(plain.version, "plain");
  EXPECT_EQ(plain.sum, 11);
  options = VAE_LOAD_OPTIONS_INIT;
  EXPECT_EQ(load("versions", &options).version, "better");
}

TEST(Versions, OneThatTheMachineCannotRunIsRefused) {
  vae_load_options_t options = wanting("future");
  Loaded future = load("versions", &options);
  EXPECT_EQ(future.status, VAE_UNSUPPORTED_CPU);
  EXPECT_NE(future.message.find("the version 'future' of the library needs CPU "
                                "features that this runtime ("),
            std::string::npos)
      << future.message;
  EXPECT_NE(future.message.find("warp9"), std::string::npos) << future.message;
}

TEST(Versions, OneThatTheLibraryDoesNotHaveIsNotFound) {
  vae_load_options_t options = wanting("x86-64-v9");
  Loaded other = load("versions", &options);
  EXPECT_EQ(other.status, VAE_NOT_FOUND);
  EXPECT_EQ(other.message,
            getModelPath("versions") +
                ": the library has no version 'x86-64-v9'; it has plain, "
                "better, future");
  other = load("toy", &options);
  EXPECT_EQ(other.status, VAE_NOT_FOUND);
  EXPECT_EQ(other.message, getModelPath("toy") +
                               ": the library has no version 'x86-64-v9'; it "
                               "has one version only; name several CPUs for "
                               "vaec --mcpu");
}

TEST(Versions, ALibraryMayHaveOneOnly) {
  Loaded toy = load("toy", nullptr);
  EXPECT_EQ(toy.status, VAE_OK) << toy.message;
  EXPECT_EQ(toy.version, "");
  EXPECT_EQ(vae_model_version(nullptr), nullptr);
}

TEST(Versions, EveryTableListsThem) {
  Model model(getModelPath("versions"));
  ASSERT_EQ(model.table().num_versions, 3u);
  EXPECT_EQ(model.table().versions[1].table, &model.table());
  EXPECT_STREQ(model.table().versions[2].table->cpu_features, "warp9");
}

TEST(Versions, TheChoiceIsKnownWithoutLoading) {
  auto choose = [](const char *library, const char *version) {
    vae_load_options_t options = wanting(version);
    char *name = nullptr, message[512] = "untouched";
    vae_status_t status =
        vae_model_choose_version(getModelPath(library).c_str(), &options, &name,
                                 message, sizeof(message));
    EXPECT_EQ(status == VAE_OK, !*message) << message;
    std::string chosen = name ? name : "";
    vae_string_free(name);
    return std::pair(status, chosen);
  };
  EXPECT_EQ(choose("versions", nullptr),
            std::pair(VAE_OK, std::string("better")));
  EXPECT_EQ(choose("versions", "plain"),
            std::pair(VAE_OK, std::string("plain")));
  EXPECT_EQ(choose("versions", "future").first, VAE_UNSUPPORTED_CPU);
  EXPECT_EQ(choose("versions", "none").first, VAE_NOT_FOUND);
  EXPECT_EQ(choose("toy", nullptr), std::pair(VAE_OK, std::string()));
  EXPECT_EQ(choose("no-such-file", nullptr).first, VAE_NOT_FOUND);
}

TEST(Versions, ATableThatTheNoteDoesNotDescribeIsNoCrash) {
  // The note says that the machine has what the last version needs.
  Folder folder;
  std::string bytes = readFile(getModelPath("versions"));
  patch(bytes, "\"features\":[\"warp9\"]}]}", "\"features\":[ ]      }]}");
  writeFile(folder.file("m.so"), bytes);
  LoadResult result = tryLoad(folder.file("m.so"));
  EXPECT_EQ(result.status, VAE_OK) << result.message;
  vae_load_options_t options = wanting("future");
  vae_model_t *model = nullptr;
  EXPECT_EQ(vae_model_load_with(folder.file("m.so").c_str(), &options, &model,
                                nullptr, 0),
            VAE_UNSUPPORTED_CPU);
}

TEST(Versions, OptionsMustBeKnown) {
  std::string path = getModelPath("toy");
  auto status = [&](auto change) {
    vae_load_options_t options = VAE_LOAD_OPTIONS_INIT;
    change(options);
    vae_model_t *model = nullptr;
    char message[512];
    vae_status_t result = vae_model_load_with(path.c_str(), &options, &model,
                                              message, sizeof(message));
    vae_model_release(model);
    return result;
  };
  EXPECT_EQ(status([](auto &) {}), VAE_OK);
  EXPECT_EQ(status([](auto &o) { o.struct_size -= 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.flags = 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.reserved[5] = 1; }), VAE_INVALID_ARGUMENT);
  vae_model_t *model = nullptr;
  EXPECT_EQ(vae_model_load_with(nullptr, nullptr, &model, nullptr, 0),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_load_with(path.c_str(), nullptr, nullptr, nullptr, 0),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(
      vae_model_choose_version(path.c_str(), nullptr, nullptr, nullptr, 0),
      VAE_INVALID_ARGUMENT);
}

} // namespace
