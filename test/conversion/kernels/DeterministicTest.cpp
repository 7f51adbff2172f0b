// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What vaec --deterministic guarantees where the code, without it, gives other
// bits: a small image with a border is worked on alone, or one pixel of several
// images at a time, and that decides which taps of the border are read.
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "test/e2e/ModelLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

constexpr int64_t kBatch = 24;

/// A convolution of a 3x3 image of zeros. Sums of the top row are -0 if no tap
/// of the row above is read, where the kernel has the value `border`.
std::string makeModel(llvm::StringRef weights) {
  return R"({"format_version": 1, "name": "zeros", "weights": ")" +
         weights.str() + R"(",
    "inputs": [{"name": "x", "shape": [1, 3, 3]}],
    "encoder": {"layers": [
      {"name": "c", "type": "conv2d", "filters": 1, "kernel_size": 3,
       "padding": "same"}]},
    "latent": {"kind": "code", "code": "c"}})";
}

/// A safetensors file with the kernel and a bias of -0.
std::string makeWeights(float border) {
  std::vector<float> data;
  for (int tap = 0; tap < 9; ++tap)
    data.push_back(tap / 3 > 0 ? -1 : border);
  data.push_back(-0.0f);
  std::string header =
      R"({"c.weight":{"dtype":"F32","shape":[1,1,3,3],"data_offsets":[0,36]},)"
      R"("c.bias":{"dtype":"F32","shape":[1],"data_offsets":[36,40]}})";
  uint64_t size = header.size();
  std::string file(reinterpret_cast<const char *>(&size), sizeof(size));
  file += header;
  file.append(reinterpret_cast<const char *>(data.data()),
              data.size() * sizeof(float));
  return file;
}

void write(llvm::StringRef path, llvm::StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  out << bytes;
  EXPECT_FALSE(code) << path.str();
}

/// Whether every example of a batch of zeros gives the bits that it gives
/// alone.
bool isSameAlone(float border, bool deterministic) {
  llvm::SmallString<128> input, output, weights;
  EXPECT_FALSE(
      llvm::sys::fs::createTemporaryFile("zeros", "safetensors", weights));
  write(weights, makeWeights(border));
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("zeros", "json", input));
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("zeros", "so", output));
  write(input, makeModel(llvm::sys::path::filename(weights)));
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  CompileOptions options;
  options.deterministic = deterministic;
  options.allowNonfinite = true;
  EXPECT_TRUE(succeeded(compileModel(input, output, options, context)));
  std::string error;
  ModelLibrary library(output.str().str(), error);
  llvm::sys::fs::remove(input);
  llvm::sys::fs::remove(weights);
  llvm::sys::fs::remove(output);
  EXPECT_EQ(error, "");
  if (!error.empty())
    return false;
  const vae_abi_entry &entry = *library.findEntry("encode");
  auto run = [&](int64_t batch) {
    Tensor x;
    x.shape = {batch, 1, 3, 3};
    x.data.assign(batch * 9, 0.0f);
    auto results =
        library.run(entry, {batch}, {x}, Split::Whole, Edge::End, error);
    EXPECT_EQ(error, "");
    return results[0].data;
  };
  std::vector<float> alone = run(1), all = run(kBatch);
  for (int64_t i = 0; i < kBatch * 9; ++i) {
    float one = alone[i % 9], other = all[i];
    if (std::isnan(one) != std::isnan(other) ||
        std::signbit(one) != std::signbit(other) ||
        (one != other && !std::isnan(one)))
      return false;
  }
  return true;
}

TEST(Deterministic, ZerosHaveOneSign) {
  EXPECT_TRUE(isSameAlone(1, true));
  EXPECT_FALSE(isSameAlone(1, false)); // else this test could not fail
}

TEST(Deterministic, InfiniteWeightsMeetTheBorderAlways) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(isSameAlone(kInfinity, true));
  EXPECT_FALSE(isSameAlone(kInfinity, false));
}

} // namespace
