// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Outputs of Winograd's algorithm that do not fill their panels: everything
// that is compared of random layers, of channels around the width of a panel.
#include "test/e2e/ModelCheck.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace vae;
using namespace vae::test;

namespace {

std::string drawNumbers(int64_t count, std::mt19937 &random) {
  std::string text;
  for (int64_t i = 0; i < count; ++i)
    text += llvm::formatv("{0}{1}", i ? ", " : "",
                          static_cast<int64_t>(random() % 65) / 128.0 - 0.25);
  return text;
}

/// A convolution, what is added to its result, and ReLU, on images of 6x5. 70
/// inputs are more than a chunk of block floating point.
std::string makeModel(int64_t inputs, int64_t outputs) {
  std::mt19937 random(7);
  return llvm::formatv(
      R"({"format_version": 1, "name": "panel",
      "latent": {"kind": "code", "shape": [6, 5, {0}], "layout": "NHWC"},
      "decoder": {"layers": [
        {"name": "c", "type": "conv2d", "kernel_size": 3, "padding": 1,
         "filters": {1}, "weights": {
          "kernel": {"shape": [{1}, {0}, 3, 3], "data": [{2}]},
          "bias": [{3}]}},
        {"name": "other", "type": "conv2d", "kernel_size": 1, "inputs": ["z"],
         "filters": {1}, "weights": {
          "kernel": {"shape": [{1}, {0}, 1, 1], "data": [{4}]},
          "bias": [{3}]}},
        {5}]}})",
      inputs, outputs, drawNumbers(inputs * outputs * 9, random),
      drawNumbers(outputs, random), drawNumbers(inputs * outputs, random),
      R"({"name": "sum", "type": "add", "inputs": ["c", "other"],
          "activation": "relu"})");
}

std::string check(llvm::StringRef path, llvm::StringRef algorithm,
                  Precision precision) {
  CompileOptions options;
  options.vectorWidth = 16;
  options.exactEnds = false;
  options.algorithms = {algorithm.str()};
  options.precision = precision;
  return ModelCheck(path.str(), options, std::nullopt, 1).run();
}

class WinogradPanel : public ::testing::TestWithParam<int64_t> {};

TEST_P(WinogradPanel, GivesAllOutputs) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("panel", "json", path));
  std::error_code code;
  llvm::raw_fd_ostream(path, code) << makeModel(70, GetParam());
  ASSERT_FALSE(code);
  EXPECT_EQ(check(path, "winograd4", Precision::F32), "");
  EXPECT_EQ(check(path, "winograd2-stored", Precision::F32), "");
  EXPECT_EQ(check(path, "winograd4", Precision::BFP16), "");
  llvm::sys::fs::remove(path);
}

INSTANTIATE_TEST_SUITE_P(, WinogradPanel, testing::Values(33, 40, 48, 49, 65),
                         [](const testing::TestParamInfo<int64_t> &info) {
                           return std::to_string(info.param);
                         });

} // namespace
