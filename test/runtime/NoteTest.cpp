// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Note.h"

#include "gtest/gtest.h"

#include <cstring>

#include <string>

using namespace vae::runtime;

namespace {

struct Result {
  vae_status_t status;
  std::string message;
};

Result check(const std::string &note) {
  char message[512];
  Text text(message, sizeof(message));
  vae_status_t status =
      checkNote(note.data(), note.size(), nullptr, nullptr, text);
  return {status, message};
}

TEST(Note, AMinimalOneIsAccepted) {
  Result result = check(R"({"schema":1,"abi_version":1,"features":[]})");
  EXPECT_EQ(result.status, VAE_OK) << result.message;
}

TEST(Note, KeysThatThisVersionDoesNotKnowAreSkipped) {
  Result result = check(
      R"({"new":{"deep":[1,[2]]},"schema":1,"abi_version":1,"features":[]})");
  EXPECT_EQ(result.status, VAE_OK) << result.message;
}

TEST(Note, DamageIsNamed) {
  struct {
    const char *note, *part;
  } cases[] = {
      {"", "it is no JSON text"},
      {"{", "it is no JSON text"},
      {"{\"schema\":1,\"abi_version\":1,\"features\":[]} x", "no JSON text"},
      {"{\"schema\":1,\"abi_version\":1,\"features\":[\"\xff\"]}",
       "no JSON text"},
      {"[]", "it is no JSON object"},
      {"3", "it is no JSON object"},
      {"{}", "no \"abi_version\""},
      {R"({"schema":1,"abi_version":"1","features":[]})", "no \"abi_version\""},
      {R"({"schema":1,"abi_version":1.5,"features":[]})", "no \"abi_version\""},
      {R"({"schema":1,"abi_version":0,"features":[]})", "no \"abi_version\""},
      {R"({"schema":-1,"abi_version":1,"features":[]})", "no \"schema\""},
      {R"({"schema":1,"abi_version":1})", "no list \"features\""},
      {R"({"schema":1,"abi_version":1,"features":"avx"})", "no list"},
      {R"({"schema":1,"abi_version":1,"features":[1]})", "that is no name"},
      {R"({"schema":1,"abi_version":1,"features":[],"versions":{}})",
       "no list of versions"},
      {R"({"schema":1,"abi_version":1,"features":[],"versions":[]})",
       "no list of versions"},
      {R"({"schema":1,"abi_version":1,"features":[],"versions":[1]})",
       "one without a name"},
      {R"({"schema":1,"abi_version":1,"versions":[{"features":[]}]})",
       "one without a name"},
      {R"({"schema":1,"abi_version":1,"versions":[{"name":"a"}]})",
       "no list \"features\""},
  };
  for (const auto &c : cases) {
    Result result = check(c.note);
    EXPECT_EQ(result.status, VAE_INVALID_MODEL) << c.note;
    EXPECT_NE(result.message.find(c.part), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("compile or copy it again"),
              std::string::npos)
        << result.message;
  }
}

TEST(Note, DeepNestingIsNoProblem) {
  std::string deep(1'000'000, '[');
  EXPECT_EQ(check(deep).status, VAE_INVALID_MODEL);
  deep += std::string(1'000'000, ']');
  EXPECT_EQ(check(deep).status, VAE_INVALID_MODEL);
}

TEST(Note, NewerVersionsAreRefusedWhateverElseTheySay) {
  Result result = check(R"({"schema":1,"abi_version":2,"features":7})");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_ABI);
  EXPECT_EQ(result.message,
            std::string("the library speaks version 2 of the model ABI, this "
                        "runtime (") +
                vae_runtime_version() +
                ") knows up to 1; use a newer runtime, or compile the model "
                "with the vaec of this one");
  result = check(R"({"schema":2,"abi_version":1})");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_ABI);
  EXPECT_NE(result.message.find("version 2 of the note"), std::string::npos);
  result = check(R"({"schema":1,"abi_version":18446744073709551615})");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_ABI);
}

TEST(Note, UnknownCpuFeaturesAreNamed) {
  Result result =
      check(R"({"schema":1,"abi_version":1,"features":["mmx2000","sse9"]})");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_CPU);
  EXPECT_EQ(result.message,
            std::string("the library needs CPU features that this runtime (") +
                vae_runtime_version() +
                ") does not know: mmx2000, sse9; use a newer runtime");
}

TEST(Note, MissingCpuFeaturesAreNamed) {
  // One that this machine does not have; a machine that has all needs none.
  std::string missing;
  for (const char *name : {
#if defined(__x86_64__)
#define VAE_X86_FEATURE(NAME, REGISTER, BIT, STATE) NAME,
#else
#define VAE_ARM_FEATURE(NAME, WORD, BITS) NAME,
#endif
#include "runtime/src/CpuFeatures.def"
       }) {
    char unused[256];
    Text text(unused, sizeof(unused));
    if (checkFeatures(name, text) != VAE_OK)
      missing = name;
  }
  if (missing.empty())
    GTEST_SKIP() << "this CPU has every feature that the runtime knows";
  Result result =
      check(R"({"schema":1,"abi_version":1,"features":["mmx2000",")" + missing +
            "\"]}");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_CPU);
  EXPECT_NE(result.message.find("features that this machine lacks: " + missing +
                                "; compile the model for this machine, for "
                                "example with --mcpu=native here"),
            std::string::npos)
      << result.message;
  EXPECT_NE(result.message.find("does not know: mmx2000"), std::string::npos);
}

TEST(Note, ALibraryIsRefusedIfNoVersionFits) {
  EXPECT_EQ(check(R"({"schema":1,"abi_version":1,"features":["warp9"],)"
                  R"("versions":[{"name":"a","features":["warp9"]},)"
                  R"({"name":"b","features":[]}]})")
                .status,
            VAE_OK);
  Result result = check(R"({"schema":1,"abi_version":1,"features":[],)"
                        R"("versions":[{"name":"a","features":["warp9"]},)"
                        R"({"name":"b","features":["warp9","warp10"]}]})");
  EXPECT_EQ(result.status, VAE_UNSUPPORTED_CPU);
  std::string unknown = std::string(" (this runtime, ") +
                        vae_runtime_version() + ", does not know ";
  EXPECT_EQ(result.message,
            "this machine can run no version of the library; missing for 'a': "
            "warp9" +
                unknown + "warp9); missing for 'b': warp9, warp10" + unknown +
                "warp9, warp10); compile the model for this machine, for "
                "example with --mcpu=native here");
}

TEST(Note, ListsOfFeaturesAreSplitAtCommas) {
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkFeatures("", text), VAE_OK);
  EXPECT_EQ(checkFeatures(",", text), VAE_OK);
#if defined(__x86_64__)
  EXPECT_EQ(checkFeatures("sse3,ssse3", text), VAE_OK);
#endif
  EXPECT_EQ(checkFeatures("a1,b22,", text), VAE_UNSUPPORTED_CPU);
  EXPECT_NE(std::strstr(message, "a1, b22;"), nullptr) << message;
}

} // namespace
