// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed integers, and kernels whose mistakes only a neighbour would show.
#include "compiler/conversion/kernels/Kernels.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

int32_t readSum(const std::vector<int8_t> &packed, size_t at) {
  int32_t sum;
  std::memcpy(&sum, packed.data() + at, sizeof(sum));
  return sum;
}

TEST(Int8, WeightsAreFoursBehindTheirSums) {
  Contraction shape;
  shape.precision = Precision::INT8;
  shape.inputs = 3;
  shape.outputs = 17;
  shape.window[0] = 2; // two runs of three, each stored as four
  auto packed = packInt8Weight(
      shape, [](int64_t, int64_t o, int64_t i, int64_t ky, int64_t) {
        return static_cast<int8_t>(50 * ky + 16 * i + o % 16 + 1);
      });
  // Of each block: 16 sums, then two fours of 16 outputs.
  constexpr size_t block = 64 + 2 * 64;
  ASSERT_EQ(packed.size(), 2 * block);
  // o = 5: 6 + 22 + 38, and the same with 50 added to each.
  EXPECT_EQ(readSum(packed, 5 * 4), 66 + 66 + 150);
  EXPECT_EQ(readSum(packed, block), 51 + 51 + 150); // o = 16
  EXPECT_EQ(readSum(packed, block + 4), 0);         // no output 17
  auto at = [&](size_t four, size_t lane, size_t which) {
    return int(packed[64 + (four * 16 + lane) * 4 + which]);
  };
  EXPECT_EQ(at(0, 5, 0), 6);
  EXPECT_EQ(at(0, 5, 2), 38);
  EXPECT_EQ(at(0, 5, 3), 0); // no fourth input
  EXPECT_EQ(at(1, 5, 1), 72);
}

TEST(Int8, WeightsOfFewOutputsAreRuns) {
  Contraction shape;
  shape.precision = Precision::INT8;
  shape.inputs = 40;
  shape.outputs = 2;
  ASSERT_TRUE(shape.dotProducts());
  auto packed = packInt8Weight(
      shape, [](int64_t, int64_t o, int64_t i, int64_t, int64_t) {
        return static_cast<int8_t>(o ? -i : i);
      });
  ASSERT_EQ(packed.size(), size_t(64 + 2 * 64));
  EXPECT_EQ(readSum(packed, 0), 780);
  EXPECT_EQ(readSum(packed, 4), -780);
  EXPECT_EQ(packed[64 + 39], 39);
  EXPECT_EQ(packed[64 + 40], 0);
  EXPECT_EQ(packed[64 + 64 + 39], -39);
}

/// Two convolutions, the second of which reads a border of what the first
/// gives.
std::string makeModel(int64_t channels) {
  auto makeLayer = [](const char *name, int64_t in, int64_t out) {
    std::vector<float> kernel, bias;
    for (int64_t i = 0; i < out * in * 9; ++i)
      kernel.push_back((i * 37 % 19 - 9) * 0.125F);
    for (int64_t i = 0; i < out; ++i)
      bias.push_back(i % 5 * 0.25F);
    return llvm::formatv(
               R"({{"name": "{0}", "type": "conv2d", "filters": {1},
                   "kernel_size": 3, "padding": 1, "weights":
                   {{"kernel": {{"shape": [{1}, {2}, 3, 3], "data": [{3}]},
                     "bias": [{4}]}})",
               name, out, in, join(kernel), join(bias))
        .str();
  };
  return R"({"format_version": 1, "name": "two",
    "inputs": [{"name": "x", "shape": [1, 5, 6]}], "encoder": {"layers": [)" +
         makeLayer("a", 1, channels) + "," + makeLayer("b", channels, 4) +
         R"(]}, "latent": {"kind": "code", "code": "b"}})";
}

/// What the two make of numbers from 0 to 1.
std::vector<float> run(const std::string &model, int64_t width, bool expose,
                       std::vector<std::string> layers = {"int8"}) {
  CompileOptions options;
  options.vectorWidth = width;
  options.exposeLayers = expose;
  options.quantize = Quantize::Int8;
  options.quantizeLayers = std::move(layers);
  options.rangeTable.emplace();
  for (auto [name, low, high] : {std::tuple("x", 0.0f, 1.0f), {"a", -4, 4}}) {
    TensorRanges &tensor = options.rangeTable->tensors.emplace_back();
    tensor.name = name;
    tensor.ranges[options.rangeMethod] = {low, high};
  }
  options.rangeTable->hash = hashText(model);
  auto library = compileText(model, options);
  if (!library)
    return {};
  EXPECT_STREQ(library->getTable().quantization, "int8");
  Tensor data;
  data.shape = {2, 1, 5, 6};
  for (size_t i = 0; i < 60; ++i)
    data.data.push_back(static_cast<float>(i * 7 % 60) / 59);
  std::string error;
  auto results = library->run(*library->findEntry("encode"), {2}, {data},
                              Split::Whole, Edge::End, error);
  EXPECT_EQ(error, "");
  return results.empty() ? std::vector<float>() : results[0].data;
}

/// Where layers are exposed, their results have no border. With 17 channels,
/// the last vector of a pixel has one lane, behind which may be the border.
TEST(Int8, ResultsLeaveTheirBorder) {
  for (int64_t channels : {16, 17, 18, 33})
    for (int64_t width : {0, 4, 8}) { // 0: as the CPU has them
      std::string model = makeModel(channels);
      std::vector<float> found = run(model, width, /*expose=*/false);
      EXPECT_EQ(found.size(), size_t(2 * 4 * 5 * 6));
      EXPECT_EQ(found, run(model, width, /*expose=*/true))
          << channels << " channels, vectors of " << width;
    }
}

/// A layer of f32 with so few outputs could store them channels first, where a
/// change of the layout follows; it is not one of the numbers.
TEST(Int8, FewOutputsOfF32BecomeIntegers) {
  for (int64_t width : {0, 8}) {
    std::string model = makeModel(3);
    std::vector<std::string> layers = {"int8", "a=none"};
    std::vector<float> found = run(model, width, /*expose=*/false, layers);
    EXPECT_EQ(found.size(), size_t(2 * 4 * 5 * 6));
    EXPECT_EQ(found, run(model, width, /*expose=*/true, layers)) << width;
  }
}

} // namespace
