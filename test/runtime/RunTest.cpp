// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What vae_session_run and its short forms compute and refuse.
#include "test/runtime/Support.h"

#include <cmath>
#include <memory>

using namespace vae::test;

namespace {

class RunTest : public testing::Test {
protected:
  RunTest() {
    for (const char *entry : {"reconstruct_sample", "score", "noises"})
      EXPECT_EQ(vae_session_prepare_batch(session, entry, 8), VAE_OK);
  }

  void expectInvalid(const char *entry, std::vector<vae_tensor_t> inputs,
                     std::vector<vae_tensor_t> outputs,
                     const std::string &message) {
    EXPECT_EQ(run(session, entry, inputs, outputs), VAE_INVALID_ARGUMENT);
    EXPECT_EQ(session.message(), message);
  }

  Model model{getModelPath("toy")};
  Session session{model};
  Tensor<> x{{2, 4}}, y{{2, 4}}, mu{{2, 2}}, logvar{{2, 2}}, z{{2, 2}};
};

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

TEST_F(RunTest, EveryEntryPointGivesTheNumbersWorkedOutByHand) {
  x.data = {1, 2, 3, 4, 0.5f, 0, 0, -1};
  ASSERT_EQ(run(session, "encode", {x}, {mu, logvar}), VAE_OK);
  EXPECT_EQ(mu.data, (std::vector<float>{3, 7, 0.5f, -1}));
  EXPECT_EQ(logvar.data, (std::vector<float>{-1, -1, 0.5f, 1}));
  ASSERT_EQ(run(session, "decode", {mu}, {y}), VAE_OK);
  EXPECT_EQ(y.data, (std::vector<float>{3, 6, 21, 28, 0.5f, 1, -3, -4}));
  Tensor<> mean({2, 4});
  ASSERT_EQ(run(session, "reconstruct", {x}, {mean}), VAE_OK);
  EXPECT_EQ(mean.data, y.data);
  Tensor<> noise({2, 2}), a({2}), b({2}), c({2});
  noise.data = {1, 0, 0, -2};
  ASSERT_EQ(run(session, "encode_sample", {x, noise}, {mu, logvar, z}), VAE_OK);
  EXPECT_FLOAT_EQ(z.data[0], 3 + std::exp(-0.5f));
  EXPECT_FLOAT_EQ(z.data[1], 7);
  EXPECT_FLOAT_EQ(z.data[3], -1 - 2 * std::exp(0.5f));
  ASSERT_EQ(run(session, "sample", {noise}, {y}), VAE_OK);
  EXPECT_EQ(y.data, (std::vector<float>{1, 2, 0, 0, 0, 0, -6, -8}));
  noise.data = {0, 0, 0, 0};
  ASSERT_EQ(run(session, "score", {x, noise}, {a, b, c}), VAE_OK);
  EXPECT_FLOAT_EQ(a.data[0], -(4 + 16 + 18 * 18 + 24 * 24) / 2.0f);
  EXPECT_FLOAT_EQ(b.data[0], (2 * std::exp(-1.0f) + 9 + 49 - 2 + 2) / 2);
  EXPECT_FLOAT_EQ(c.data[0], a.data[0] - b.data[0]);
}

TEST_F(RunTest, DynamicHeightAndWidthFollowFromTheInput) {
  Model spatial(getModelPath("spatial"));
  Session session(spatial);
  Tensor<> image({2, 1, 24, 8}, 1), code({2, 1, 3, 3}, -1);
  ASSERT_EQ(run(session, "encode", {image}, {code}), VAE_OK);
  EXPECT_EQ(code.data[0], 24 * 8);
  EXPECT_EQ(code.data[1], 0);
  EXPECT_EQ(code.data[9], 24 * 8);
}

TEST_F(RunTest, GeneratedNoiseIsThatOfVaeNoiseNormal) {
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = 77;
  options.stream = 5;
  Tensor<> noise({2, 2}), expected({2, 4});
  ASSERT_EQ(vae_noise_normal(77, 5, 0, 4, noise.data.data()), VAE_OK);
  ASSERT_EQ(run(session, "sample", {noise}, {expected}), VAE_OK);
  vae_tensor_t shape = noise;
  shape.data = nullptr;
  ASSERT_EQ(run(session, "sample", {shape}, {y}, &options), VAE_OK);
  EXPECT_EQ(y.data, expected.data);
  // The type of what is not there does not matter.
  shape.dtype = 0;
  ASSERT_EQ(run(session, "sample", {shape}, {y}, &options), VAE_OK);
  EXPECT_EQ(y.data, expected.data);
}

TEST_F(RunTest, NoiseDoesNotDependOnHowABatchIsSplit) {
  Tensor<> whole({7, 4}), xs({7, 4}, 0.5f);
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = 9;
  ASSERT_EQ(
      run(session, "reconstruct_sample", {xs, generated()}, {whole}, &options),
      VAE_OK);
  std::vector<float> parts;
  for (int64_t size : {1, 2, 4}) {
    Tensor<> part({size, 4}), in({size, 4}, 0.5f);
    ASSERT_EQ(
        run(session, "reconstruct_sample", {in, generated()}, {part}, &options),
        VAE_OK);
    parts.insert(parts.end(), part.data.begin(), part.data.end());
    options.first_example += size;
  }
  EXPECT_EQ(parts, whole.data);
}

TEST_F(RunTest, SeveralNoiseInputsDivideOneSequence) {
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = 3;
  options.first_example = 10;
  Tensor<> out({3, 4}), expected({3, 4}), first({3, 1});
  vae_tensor_t shape = first;
  shape.data = nullptr;
  ASSERT_EQ(run(session, "noises", {shape, generated(), generated()}, {out},
                &options),
            VAE_OK);
  vae_noise_normal(3, 0, 40, 12, expected.data.data());
  EXPECT_EQ(out.data, expected.data);
  // One that is given does not move the others.
  first.data = {1, 2, 3};
  ASSERT_EQ(run(session, "noises", {first, generated(), generated()}, {out},
                &options),
            VAE_OK);
  for (int n = 0; n < 3; ++n)
    expected.data[4 * n] = static_cast<float>(n + 1);
  EXPECT_EQ(out.data, expected.data);
}

TEST_F(RunTest, LargeBatchesOfNoiseAreSharedAndTheSame) {
  constexpr int64_t kBatch = 5000;
  ASSERT_EQ(vae_session_prepare_batch(session, "sample", kBatch), VAE_OK);
  Tensor<> noise({kBatch, 2}), expected({kBatch, 4}), out({kBatch, 4});
  vae_noise_normal(1, 0, 0, 2 * kBatch, noise.data.data());
  ASSERT_EQ(run(session, "sample", {noise}, {expected}), VAE_OK);
  ASSERT_EQ(vae_session_sample(session, kBatch, 1, out.data.data()), VAE_OK);
  EXPECT_EQ(out.data, expected.data);
}

TEST_F(RunTest, OtherTypesPassThrough) {
  Tensor<int64_t> label({2}, 0, VAE_DTYPE_I64);
  Tensor<uint8_t> q({2}, 0, VAE_DTYPE_U8);
  Tensor<> out({2});
  label.data = {7, 9};
  ASSERT_EQ(run(session, "labelled", {x, label}, {out, q}), VAE_OK);
  EXPECT_EQ(out.data, (std::vector<float>{7, 9}));
  EXPECT_EQ(q.data, (std::vector<uint8_t>{7, 9}));
}

TEST_F(RunTest, AFailureOfTheLibraryIsInternal) {
  EXPECT_EQ(run(session, "fail", {x}, {y}), VAE_INTERNAL);
  EXPECT_EQ(session.message(),
            "entry 'fail' failed with code 7: report a defect of the compiler");
}

TEST_F(RunTest, NanStaysNan) {
  x.data[0] = NAN;
  ASSERT_EQ(run(session, "encode", {x}, {mu, logvar}), VAE_OK);
  EXPECT_TRUE(std::isnan(mu.data[0]));
}

TEST_F(RunTest, TellsOfTheLastRunWhatDidNotFit) {
  EXPECT_EQ(vae_session_clamped(session), nullptr);
  z.data = {1e5f, 0, 0, 0};
  ASSERT_EQ(run(session, "decode", {z}, {y}), VAE_OK);
  EXPECT_STREQ(vae_session_clamped(session), "wide");
  z.data[0] = 1;
  ASSERT_EQ(run(session, "decode", {z}, {y}), VAE_OK);
  EXPECT_EQ(vae_session_clamped(session), nullptr);
}

//===----------------------------------------------------------------------===//
// Refusals
//===----------------------------------------------------------------------===//

TEST_F(RunTest, EntriesAndOptionsAreChecked) {
  EXPECT_EQ(run(session, "encoder", {x}, {mu, logvar}), VAE_NOT_FOUND);
  EXPECT_EQ(session.message().rfind("no entry point 'encoder'; the library has "
                                    "encode, encode_sample, ",
                                    0),
            0u);
  EXPECT_EQ(run(session, nullptr, {x}, {mu, logvar}), VAE_INVALID_ARGUMENT);
  auto status = [&](auto change) {
    vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
    change(options);
    vae_status_t result = run(session, "encode", {x}, {mu, logvar}, &options);
    EXPECT_EQ(session.message().empty(), result == VAE_OK);
    return result;
  };
  EXPECT_EQ(status([](auto &) {}), VAE_OK);
  EXPECT_EQ(status([](auto &o) { o.struct_size = 8; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.flags = 1; }), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(status([](auto &o) { o.reserved[0] = 1; }), VAE_INVALID_ARGUMENT);
}

TEST_F(RunTest, CountsOfTensorsAreChecked) {
  expectInvalid("score", {x}, {y},
                "entry 'score': expected 2 inputs (x, noise), found 1");
  expectInvalid("score", {x, generated()}, {y},
                "entry 'score': expected 3 outputs (log_likelihood, kl, elbo), "
                "found 1");
  vae_tensor_t in = x;
  EXPECT_EQ(
      vae_session_run(session, "reconstruct", nullptr, nullptr, 1, &in, 1),
      VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(), "entry 'reconstruct': inputs is NULL");
  EXPECT_EQ(
      vae_session_run(session, "reconstruct", nullptr, &in, 1, nullptr, 1),
      VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(), "entry 'reconstruct': outputs is NULL");
}

TEST_F(RunTest, WrongShapesAreNamed) {
  Tensor<> wide({2, 5}), flat({8}), none({0, 4}), deep({2, 2, 2}),
      large({3, 4});
  expectInvalid("reconstruct", {wide}, {y},
                "entry 'reconstruct', input 'x': expected shape [2, 4], found "
                "[2, 5]");
  expectInvalid("reconstruct", {flat}, {y},
                "entry 'reconstruct', input 'x': expected shape [batch, 4], "
                "found [8]");
  expectInvalid("reconstruct", {deep}, {y},
                "entry 'reconstruct', input 'x': expected shape [batch, 4], "
                "found [2, 2, 2]");
  expectInvalid(
      "reconstruct", {none}, {y},
      "entry 'reconstruct', input 'x': expected shape [batch, 4] with "
      "batch at least 1, found [0, 4]");
  expectInvalid("reconstruct", {x}, {large},
                "entry 'reconstruct', output 'y': expected shape [2, 4], found "
                "[3, 4]");
  expectInvalid("reconstruct", {x}, {flat},
                "entry 'reconstruct', output 'y': expected shape [2, 4], found "
                "[8]");
  vae_tensor_t tensor = x;
  tensor.dims = nullptr;
  expectInvalid("reconstruct", {tensor}, {y},
                "entry 'reconstruct', input 'x': expected shape [batch, 4], "
                "found none (dims is NULL)");
  expectInvalid("reconstruct", {x}, {tensor},
                "entry 'reconstruct', output 'y': expected shape [2, 4], found "
                "none (dims is NULL)");
  Tensor<> noise({3, 2});
  expectInvalid("reconstruct_sample", {x, noise}, {y},
                "entry 'reconstruct_sample', input 'noise': expected shape "
                "[2, 2], found [3, 2]");
  vae_tensor_t shape = noise;
  shape.data = nullptr;
  expectInvalid("reconstruct_sample", {x, shape}, {y},
                "entry 'reconstruct_sample', input 'noise': expected shape "
                "[2, 2], found [3, 2]");
  expectInvalid("sample", {generated()}, {y},
                "entry 'sample', input 'noise': expected its dims, which alone "
                "tell batch, found NULL");
}

TEST_F(RunTest, AbsurdSizesAreRefusedBeforeAnythingIsTouched) {
  for (int64_t batch : {INT64_MAX, INT64_MAX / 8, int64_t(1) << 60}) {
    int64_t dims[] = {batch, 4};
    vae_tensor_t huge = {x.data.data(), VAE_DTYPE_F32, 2, dims};
    EXPECT_EQ(run(session, "reconstruct", {huge}, {y}), VAE_INVALID_ARGUMENT);
    EXPECT_NE(session.message().find("beyond 63 bits"), std::string::npos)
        << session.message();
  }
  int64_t dims[] = {int64_t(1) << 40, 4};
  vae_tensor_t huge = {x.data.data(), VAE_DTYPE_F32, 2, dims};
  EXPECT_EQ(run(session, "reconstruct", {huge}, {huge}), VAE_INVALID_ARGUMENT);
  dims[0] = INT64_MIN;
  EXPECT_EQ(run(session, "reconstruct", {huge}, {y}), VAE_INVALID_ARGUMENT);
  // Far too long for a message.
  std::vector<int64_t> many(10'000, 1);
  vae_tensor_t ranked = {x.data.data(), VAE_DTYPE_F32, 10'000, many.data()};
  EXPECT_EQ(run(session, "reconstruct", {ranked}, {y}), VAE_INVALID_ARGUMENT);
  EXPECT_LT(session.message().size(), 2000u);
}

TEST_F(RunTest, WrongDynamicSizesAreNamed) {
  Model spatial(getModelPath("spatial"));
  Session session(spatial);
  struct {
    std::vector<int64_t> dims;
    const char *message;
  } cases[] = {
      {{1, 1, 20, 8},
       "expected shape [batch, 1, height, width] with height at least 9 and a "
       "multiple of 8, found [1, 1, 20, 8]"},
      {{1, 1, 8, 8},
       "expected shape [batch, 1, height, width] with height at least 9 and a "
       "multiple of 8, found [1, 1, 8, 8]"},
      {{1, 1, 16, 6},
       "expected shape [batch, 1, height, width] with width at least 4 and a "
       "multiple of 4, found [1, 1, 16, 6]"},
      {{1, 2, 16, 8}, "expected shape [1, 1, 16, 8], found [1, 2, 16, 8]"}};
  for (const auto &c : cases) {
    Tensor<> image(c.dims), code({1, 1, 2, 3});
    EXPECT_EQ(run(session, "encode", {image}, {code}), VAE_INVALID_ARGUMENT);
    EXPECT_EQ(session.message(),
              std::string("entry 'encode', input 'x': ") + c.message);
  }
  Tensor<> image({1, 1, 16, 8}), code({1, 1, 2, 2});
  EXPECT_EQ(run(session, "encode", {image}, {code}), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(), "entry 'encode', output 'z': expected shape "
                               "[1, 1, 2, 3], found [1, 1, 2, 2]");
}

TEST_F(RunTest, WrongTypesAndPointersAreNamed) {
  vae_tensor_t tensor = x;
  tensor.dtype = VAE_DTYPE_F16;
  expectInvalid(
      "reconstruct", {tensor}, {y},
      "entry 'reconstruct', input 'x': expected elements of type f32, "
      "found f16 (2)");
  tensor.dtype = 99;
  expectInvalid("reconstruct", {x}, {tensor},
                "entry 'reconstruct', output 'y': expected elements of type "
                "f32, found ? (99)");
  tensor = x;
  tensor.data = nullptr;
  expectInvalid("reconstruct", {tensor}, {y},
                "entry 'reconstruct', input 'x': its data is NULL");
  expectInvalid("reconstruct", {x}, {tensor},
                "entry 'reconstruct', output 'y': its data is NULL");
  tensor.data = reinterpret_cast<char *>(y.data.data()) + 2;
  EXPECT_EQ(run(session, "reconstruct", {x}, {tensor}), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message().rfind("entry 'reconstruct', output 'y': expected "
                                    "data at a multiple of 4 bytes, found 0x",
                                    0),
            0u)
      << session.message();
  tensor.data = reinterpret_cast<void *>(~uintptr_t(15));
  EXPECT_EQ(run(session, "reconstruct", {x}, {tensor}), VAE_INVALID_ARGUMENT);
  EXPECT_NE(session.message().find("does not fit into memory"),
            std::string::npos);
}

TEST_F(RunTest, OverlapIsNamed) {
  std::vector<float> memory(64);
  int64_t wide[] = {2, 4}, narrow[] = {2, 2};
  auto at = [&](size_t offset, const int64_t *dims) {
    return vae_tensor_t{memory.data() + offset, VAE_DTYPE_F32, 2, dims};
  };
  for (size_t offset : {0, 1, 7})
    expectInvalid("reconstruct", {at(0, wide)}, {at(offset, wide)},
                  "entry 'reconstruct', output 'y': its data overlaps input "
                  "'x'; give it memory of its own");
  expectInvalid("reconstruct", {at(7, wide)}, {at(0, wide)},
                "entry 'reconstruct', output 'y': its data overlaps input 'x'; "
                "give it memory of its own");
  expectInvalid("encode", {at(0, wide)}, {at(8, narrow), at(11, narrow)},
                "entry 'encode', output 'logvar': its data overlaps output "
                "'mu'; give it memory of its own");
  // Neighbours are fine, and so are inputs that share memory.
  EXPECT_EQ(
      run(session, "encode", {at(0, wide)}, {at(8, narrow), at(12, narrow)}),
      VAE_OK);
  EXPECT_EQ(run(session, "reconstruct_sample", {at(0, wide), at(0, narrow)},
                {at(8, wide)}),
            VAE_OK);
}

//===----------------------------------------------------------------------===//
// Short forms
//===----------------------------------------------------------------------===//

TEST_F(RunTest, ShortFormsAreTheLongOnes) {
  x.data = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f};
  vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
  options.seed = 11;
  Tensor<> a({2}), b({2}), c({2}), out({2, 4}), m({2, 2}), l({2, 2}), s({2, 2});
  Tensor<> ll({2}), kl({2}), elbo({2});
  float *px = x.data.data();

  ASSERT_EQ(run(session, "encode_sample", {x, generated()}, {mu, logvar, z},
                &options),
            VAE_OK);
  ASSERT_EQ(vae_session_encode(session, px, 2, m.data.data(), l.data.data()),
            VAE_OK);
  EXPECT_EQ(m.data, mu.data);
  EXPECT_EQ(l.data, logvar.data);
  ASSERT_EQ(vae_session_encode_sample(session, px, 2, 11, m.data.data(),
                                      l.data.data(), s.data.data()),
            VAE_OK);
  EXPECT_EQ(s.data, z.data);

  ASSERT_EQ(run(session, "decode", {z}, {y}), VAE_OK);
  ASSERT_EQ(vae_session_decode(session, z.data.data(), 2, out.data.data()),
            VAE_OK);
  EXPECT_EQ(out.data, y.data);
  ASSERT_EQ(vae_session_reconstruct_sample(session, px, 2, 11, out.data.data()),
            VAE_OK);
  EXPECT_EQ(out.data, y.data);
  ASSERT_EQ(run(session, "reconstruct", {x}, {y}), VAE_OK);
  ASSERT_EQ(vae_session_reconstruct(session, px, 2, out.data.data()), VAE_OK);
  EXPECT_EQ(out.data, y.data);

  vae_tensor_t shape = z;
  shape.data = nullptr;
  ASSERT_EQ(run(session, "sample", {shape}, {y}, &options), VAE_OK);
  ASSERT_EQ(vae_session_sample(session, 2, 11, out.data.data()), VAE_OK);
  EXPECT_EQ(out.data, y.data);

  ASSERT_EQ(run(session, "score", {x, generated()}, {ll, kl, elbo}, &options),
            VAE_OK);
  ASSERT_EQ(vae_session_score(session, px, 2, 11, a.data.data(), b.data.data(),
                              c.data.data()),
            VAE_OK);
  EXPECT_EQ(a.data, ll.data);
  EXPECT_EQ(b.data, kl.data);
  EXPECT_EQ(c.data, elbo.data);
}

TEST_F(RunTest, ShortFormsRefuse) {
  float *px = x.data.data(), *py = y.data.data();
  EXPECT_EQ(vae_session_reconstruct(session, px, 0, py), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(), "batch: expected at least 1, found 0");
  EXPECT_EQ(vae_session_reconstruct(session, nullptr, 2, py),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(),
            "entry 'reconstruct', input 'x': its data is NULL");
  EXPECT_EQ(vae_session_encode(session, px, 2, mu.data.data(), nullptr),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(session.message(),
            "entry 'encode', output 'logvar': its data is NULL");
  EXPECT_EQ(vae_session_reconstruct(session, px, 2, px), VAE_INVALID_ARGUMENT);
  std::vector<float> in(4000), out(4000);
  EXPECT_EQ(vae_session_reconstruct(session, in.data(), 1000, out.data()),
            VAE_NOT_PREPARED);
}

TEST_F(RunTest, ShortFormsLeaveTheRestToTheLongOne) {
  Model spatial(getModelPath("spatial"));
  Session other(spatial);
  EXPECT_EQ(vae_session_encode(other, x.data.data(), 1, z.data.data(), nullptr),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(other.message(), "entry 'encode' has more dynamic dimensions than "
                             "the batch; call vae_session_run");
  EXPECT_EQ(vae_session_decode(other, z.data.data(), 1, y.data.data()),
            VAE_NOT_FOUND);

  Model deterministic(getModelPath("code"));
  Session code(deterministic);
  EXPECT_EQ(vae_session_encode(code, x.data.data(), 2, z.data.data(), nullptr),
            VAE_OK);
  EXPECT_EQ(vae_session_encode(code, x.data.data(), 2, mu.data.data(),
                               logvar.data.data()),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(code.message(), "entry 'encode' has no output 'logvar': expected "
                            "NULL");
  float score[2];
  EXPECT_EQ(
      vae_session_score(code, x.data.data(), 2, 0, score, nullptr, nullptr),
      VAE_OK);
  EXPECT_EQ(vae_session_score(code, x.data.data(), 2, 0, score, score, nullptr),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_session_decode(code, z.data.data(), 2, y.data.data()),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(code.message(), "entry 'decode' has tensors that the short form "
                            "does not know; call vae_session_run");
}

} // namespace
