// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of AMX beside the vectors of a CPU that has none. Whatever does not run
// them is tested everywhere.
#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/target/cpu/Cpu.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

KernelTarget makeTarget() {
  KernelTarget target = KernelTarget::withWidth(16);
  target.bf16Dot = target.vnni = target.amxInt8 = target.amxBf16 = true;
  return target;
}

Contraction makeConv(Precision precision, int64_t inputs, int64_t outputs) {
  Contraction shape;
  shape.precision = precision;
  shape.inputs = inputs;
  shape.outputs = outputs;
  shape.window[0] = shape.window[1] = 3;
  return shape;
}

TEST(Amx, MultipliesWhereTilesAreFull) {
  KernelTarget target = makeTarget();
  EXPECT_TRUE(usesAmx(target, makeConv(Precision::INT8, 64, 64)));
  EXPECT_TRUE(usesAmx(target, makeConv(Precision::INT8, 11, 8)));
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::INT8, 9, 64)));
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::INT8, 64, 7)));
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::F32, 64, 64)));
  EXPECT_TRUE(usesPatches(target, makeConv(Precision::BF16, 64, 64)));
  // A run of 3 x 16 summands is no multiple of 32.
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::BF16, 16, 64)));
  Contraction dilated = makeConv(Precision::BF16, 64, 64);
  dilated.dilation[1] = 2;
  EXPECT_FALSE(usesAmx(target, dilated));
  Contraction dense = makeConv(Precision::BF16, 100, 64);
  dense.window[0] = dense.window[1] = 1;
  dense.flat = true;
  EXPECT_TRUE(usesAmx(target, dense));
  EXPECT_FALSE(usesPatches(target, dense));
  // Whether a convolution of single pixels is flat is not for bits to depend
  // on.
  dense.pixels = true;
  EXPECT_FALSE(usesAmx(target, dense));
  // The user's tile is one of vectors.
  target.tile = Tile{2, 6};
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::INT8, 64, 64)));
  target = makeTarget();
  target.amxInt8 = false;
  EXPECT_FALSE(usesAmx(target, makeConv(Precision::INT8, 64, 64)));
}

TEST(Amx, PatchesFitTheCache) {
  Patch patch = Patch::of(makeConv(Precision::BF16, 64, 64));
  EXPECT_EQ(patch.rows, 4);
  EXPECT_EQ(patch.height, 6);
  EXPECT_EQ(patch.step, 64);
  EXPECT_EQ(patch.rowWords, (31 + 3) * 64 / 2);
  EXPECT_EQ(patch.words, 6 * patch.rowWords);
  Contraction large = makeConv(Precision::BF16, 1024, 64);
  EXPECT_EQ(Patch::of(large).rows, 4);
  large.stride[0] = large.stride[1] = 2;
  EXPECT_LT(Patch::of(large).rows, 4);
  large.frames = 27;
  EXPECT_FALSE(usesAmx(makeTarget(), large));
}

/// A layer of a model with that input.
struct Layer {
  const char *name;
  std::vector<int64_t> input;
  const char *fields;
  std::vector<int64_t> kernel;
  int64_t outputs;
};

// Rows of tiles and of inputs that end anywhere, windows that are not side by
// side, images that are a part of a tile, or several.
const Layer kLayers[] = {
    {"dense", {784}, R"("type": "dense", "units": 40)", {40, 784}, 40},
    {"narrow", {100}, R"("type": "dense", "units": 9)", {9, 100}, 9},
    {"wide", {1100}, R"("type": "dense", "units": 70)", {70, 1100}, 70},
    // More weights than tiles of channels that follow each other may have.
    {"parts", {2048}, R"("type": "dense", "units": 264)", {264, 2048}, 264},
    {"pairs", {1055}, R"("type": "dense", "units": 17)", {17, 1055}, 17},
    {"pixels",
     {48, 5, 7},
     R"("type": "conv2d", "filters": 24, "kernel_size": 1)",
     {24, 48, 1, 1},
     24},
    {"small",
     {64, 5, 7},
     R"("type": "conv2d", "filters": 48, "kernel_size": 3, "padding": 1)",
     {48, 64, 3, 3},
     48},
    {"image",
     {32, 9, 70},
     R"("type": "conv2d", "filters": 33, "kernel_size": 3, "padding": 1)",
     {33, 32, 3, 3},
     33},
    {"strided",
     {32, 13, 41},
     R"("type": "conv2d", "filters": 16, "kernel_size": [4, 3], "stride": 2)",
     {16, 32, 4, 3},
     16},
    {"rows",
     {64, 12, 20},
     R"("type": "conv2d", "filters": 24, "kernel_size": 3, "dilation": [2, 1])",
     {24, 64, 3, 3},
     24},
    {"columns",
     {64, 12, 20},
     R"("type": "conv2d", "filters": 24, "kernel_size": 3, "dilation": 2)",
     {24, 64, 3, 3},
     24},
    {"groups",
     {128, 6, 9},
     R"("type": "conv2d", "filters": 40, "kernel_size": 3, "groups": 2)",
     {40, 64, 3, 3},
     40},
    {"odd",
     {27, 6, 40},
     R"("type": "conv2d", "filters": 20, "kernel_size": 3)",
     {20, 27, 3, 3},
     20},
    {"transposed",
     {32, 6, 35},
     R"("type": "conv_transpose2d", "filters": 20, "kernel_size": 4,
        "stride": 2, "padding": 1)",
     {32, 20, 4, 4},
     20}};

std::vector<float> draw(std::mt19937 &random, int64_t count) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(random);
  return values;
}

int64_t multiply(llvm::ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

std::string makeModel(const Layer &layer) {
  std::mt19937 random(7);
  std::string kernel = join(draw(random, multiply(layer.kernel)));
  std::string bias = join(draw(random, layer.outputs));
  return llvm::formatv(R"({{"format_version": 1, "name": "{0}",
    "inputs": [{{"name": "x", "shape": [{1}]}], "encoder": {{"layers": [
      {{"name": "layer", {2}, "activation": "relu", "weights":
        {{"kernel": {{"shape": [{3}], "data": [{4}]}, "bias": [{5}]}}]},
    "latent": {{"kind": "code", "code": "layer"}})",
                       layer.name, joinSizes(layer.input), layer.fields,
                       joinSizes(layer.kernel), kernel, bias)
      .str();
}

std::unique_ptr<ModelLibrary> compile(const std::string &model,
                                      Precision precision, const char *cpu) {
  CompileOptions options;
  options.cpus = {cpu};
  options.exactEnds = false;
  options.algorithms = {"direct"};
  if (precision == Precision::INT8) {
    options.quantize = Quantize::Int8;
    options.quantizeLayers = {"int8"};
    options.rangeTable.emplace();
    TensorRanges &tensor = options.rangeTable->tensors.emplace_back();
    tensor.name = "x";
    tensor.ranges[options.rangeMethod] = {-1, 1};
    options.rangeTable->hash = hashText(model);
  } else {
    options.precision = precision;
  }
  return compileText(model, options);
}

std::vector<float> run(const ModelLibrary &library, const Layer &layer,
                       int64_t batch, std::vector<float> values) {
  Tensor data;
  data.shape = {batch};
  data.shape.append(layer.input.begin(), layer.input.end());
  data.data = std::move(values);
  std::string error;
  auto results = library.run(*library.findEntry("encode"), {batch}, {data},
                             Split::TwoThreads, Edge::End, error);
  EXPECT_EQ(error, "");
  return results.empty() ? std::vector<float>() : results[0].data;
}

bool hasAmx() {
  auto cpu = resolveCpu("native", "");
  if (cpu)
    return cpu->kernels.amxInt8 && cpu->kernels.amxBf16;
  llvm::consumeError(cpu.takeError());
  return false;
}

class AmxLayer : public testing::TestWithParam<Layer> {};

TEST_P(AmxLayer, IntegersAreThoseOfVectors) {
  if (!hasAmx())
    GTEST_SKIP() << "this CPU has no AMX";
  std::string model = makeModel(GetParam());
  auto tiles = compile(model, Precision::INT8, "native");
  auto vectors = compile(model, Precision::INT8, "cascadelake");
  ASSERT_TRUE(tiles && vectors);
  std::mt19937 random(1);
  for (int64_t batch : {1, 2, 16, 17, 33, 70}) {
    std::vector<float> x = draw(random, batch * multiply(GetParam().input));
    EXPECT_EQ(run(*tiles, GetParam(), batch, x),
              run(*vectors, GetParam(), batch, x))
        << batch;
  }
}

// Sums of bf16 have another order there.
TEST_P(AmxLayer, SumsOfBf16AreThoseOfVectors) {
  if (!hasAmx())
    GTEST_SKIP() << "this CPU has no AMX";
  std::string model = makeModel(GetParam());
  auto tiles = compile(model, Precision::BF16, "native");
  auto vectors = compile(model, Precision::BF16, "cooperlake");
  ASSERT_TRUE(tiles && vectors);
  std::mt19937 random(2);
  for (int64_t batch : {1, 16, 17, 40}) {
    std::vector<float> x = draw(random, batch * multiply(GetParam().input));
    std::vector<float> y = run(*tiles, GetParam(), batch, x);
    std::vector<float> expected = run(*vectors, GetParam(), batch, x);
    ASSERT_EQ(y.size(), expected.size());
    for (size_t i = 0; i < y.size(); ++i)
      ASSERT_NEAR(y[i], expected[i], 1e-4) << batch << ", " << i;
  }
}

TEST_P(AmxLayer, BitsDoNotDependOnTheBatch) {
  if (!hasAmx())
    GTEST_SKIP() << "this CPU has no AMX";
  auto library = compile(makeModel(GetParam()), Precision::BF16, "native");
  ASSERT_TRUE(library);
  std::mt19937 random(3);
  constexpr int64_t kBatch = 35;
  int64_t size = multiply(GetParam().input);
  std::vector<float> x = draw(random, kBatch * size);
  std::vector<float> all = run(*library, GetParam(), kBatch, x);
  size_t results = all.size() / kBatch;
  for (int64_t i : {0, 17, 34}) {
    auto one = run(*library, GetParam(), 1,
                   {x.begin() + i * size, x.begin() + (i + 1) * size});
    EXPECT_EQ(one, std::vector<float>(all.begin() + i * results,
                                      all.begin() + (i + 1) * results));
  }
}

// What a tile reads beside a row must not reach the row.
TEST_P(AmxLayer, NaNStaysInItsImage) {
  if (!hasAmx())
    GTEST_SKIP() << "this CPU has no AMX";
  auto library = compile(makeModel(GetParam()), Precision::BF16, "native");
  ASSERT_TRUE(library);
  std::mt19937 random(4);
  constexpr int64_t kBatch = 20;
  size_t size = multiply(GetParam().input);
  std::vector<float> x = draw(random, kBatch * size);
  std::vector<float> clean = run(*library, GetParam(), kBatch, x);
  for (size_t i = 3 * size; i < 4 * size; ++i)
    x[i] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> y = run(*library, GetParam(), kBatch, x);
  size_t results = y.size() / kBatch;
  for (size_t i = 0; i < y.size(); ++i)
    if (i / results == 3)
      ASSERT_TRUE(std::isnan(y[i])) << i;
    else
      ASSERT_EQ(y[i], clean[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(Amx, AmxLayer, testing::ValuesIn(kLayers),
                         [](const auto &info) { return info.param.name; });

} // namespace
