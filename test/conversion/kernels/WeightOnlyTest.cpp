// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are stored as integers: how they are packed, and what kernels
// make of them, compared with the interpreter.
#include "compiler/conversion/kernels/Kernels.h"
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/RegisterAll.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/Pass/PassManager.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

Contraction getShape(WeightForm form) {
  Contraction shape;
  shape.weights = form;
  shape.inputs = 5;
  shape.outputs = 17;
  shape.window[0] = 2;
  return shape;
}

float readFloat(const int8_t *from) {
  float value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

float readBf16(const int8_t *from) {
  uint16_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

float getInteger(int64_t, int64_t o, int64_t i, int64_t ky, int64_t) {
  return static_cast<float>((o + 3 * i + 5 * ky) % 15 - 7);
}
float getScale(int64_t, int64_t o, int64_t i, int64_t ky, int64_t) {
  return static_cast<float>(o + 1 + 32 * (i / 4) + 64 * ky);
}

TEST(WeightOnly, BytesFollowTheirScales) {
  Contraction shape = getShape({8});
  std::vector<int8_t> packed = packIntegerWeight(shape, getInteger, getScale);
  constexpr int64_t kBlock = 64 + 2 * 5 * 16;
  ASSERT_EQ(packed.size(), size_t(2 * kBlock));
  EXPECT_EQ(readFloat(&packed[3 * 4]), 4);
  EXPECT_EQ(readFloat(&packed[kBlock]), 17);
  // Output 3, tap 1, input 2.
  EXPECT_EQ(packed[64 + (5 + 2) * 16 + 3], getInteger(0, 3, 2, 1, 0));
  EXPECT_EQ(packed[kBlock + 64 + (5 + 2) * 16], getInteger(0, 16, 2, 1, 0));
  EXPECT_EQ(packed[kBlock + 64 + (5 + 2) * 16 + 1], 0); // no output 17
}

TEST(WeightOnly, NibblesFollowTheScalesOfTheirGroup) {
  for (bool isShort : {false, true}) {
    Contraction shape = getShape({4, 4, isShort});
    std::vector<int8_t> packed = packIntegerWeight(shape, getInteger, getScale);
    // A tap is a group of 4 inputs and one of 1.
    const int64_t size = isShort ? 2 : 4, head = 16 * size;
    const int64_t whole = head + 2 * 16, tap = whole + head + 16;
    ASSERT_EQ(packed.size(), size_t(2 * 2 * tap));
    auto read = [&](int64_t at) {
      return isShort ? readBf16(&packed[at]) : readFloat(&packed[at]);
    };
    EXPECT_EQ(read(3 * size), 4);
    EXPECT_EQ(read(tap + whole + 3 * size), 4 + 32 + 64);
    auto low = [](int8_t byte) { return int8_t(uint8_t(byte) << 4) >> 4; };
    // Output 3, tap 1, inputs 2 and 3, and 4 alone.
    int8_t pair = packed[tap + head + 16 + 3];
    EXPECT_EQ(low(pair), getInteger(0, 3, 2, 1, 0));
    EXPECT_EQ(pair >> 4, getInteger(0, 3, 3, 1, 0));
    int8_t last = packed[tap + whole + head + 3];
    EXPECT_EQ(low(last), getInteger(0, 3, 4, 1, 0));
    EXPECT_EQ(last >> 4, 0);
  }
}

TEST(WeightOnly, ScalesOfFourBitsAreTheBestOfBf16) {
  mlir::MLIRContext context;
  context.loadDialect<VaeDialect>();
  std::mt19937 random(7);
  std::vector<float> values;
  for (int i = 0; i < 3 * 50; ++i)
    values.push_back(static_cast<float>(random() % 2001) / 1000 - 1);
  values[70] = 1e-42F; // of the first block that has nothing else
  auto type = getWeightType4(&context, values, {3, 50}, 1, 32);
  EXPECT_EQ(getWeightGroup(type, 1), 32);
  std::vector<double> scales = getWeightScales({3, 50}, type);
  EXPECT_EQ(scales[31], scales[0]);
  EXPECT_NE(scales[32], scales[0]);
  EXPECT_EQ(scales[49], scales[32]);
  EXPECT_NE(scales[50], scales[49]);
  for (double scale : scales)
    EXPECT_EQ(llvm::bit_cast<uint32_t>(static_cast<float>(scale)) & 0xffff, 0U);
  std::vector<float> back = dequantizeWeight(values, {3, 50}, type);
  auto getError = [&](double factor) {
    double error = 0;
    for (int i = 0; i < 32; ++i) {
      double scale = scales[0] * factor;
      double q = std::fmin(7, std::fmax(-7, std::nearbyint(values[i] / scale)));
      error += std::pow(values[i] - q * scale, 2);
    }
    return error;
  };
  double error = 0;
  for (int i = 0; i < 32; ++i)
    error += std::pow(values[i] - back[i], 2);
  EXPECT_NEAR(error, getError(1), 1e-9);
  float most = 0;
  for (int i = 0; i < 32; ++i)
    most = std::fmax(most, std::fabs(values[i]));
  // The largest magnitude over 7, rounded up.
  uint32_t bits = (llvm::bit_cast<uint32_t>(most / 7) + 0xffff) & 0xffff0000;
  EXPECT_LE(error, getError(llvm::bit_cast<float>(bits) / scales[0]) + 1e-9);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Numbers between -1 and 1.
std::vector<float> draw(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(random() % 4001) / 2000 - 1);
  return values;
}

/// A layer by itself, with the shape of its data, NHWC.
struct Layer {
  std::string name, attributes;
  std::vector<int64_t> input, kernel;
  int64_t outputs;
  std::string algorithm;
};

std::string writeModel(const Layer &layer) {
  int64_t count = 1;
  for (int64_t size : layer.kernel)
    count *= size;
  std::string layout = layer.input.size() > 1 ? R"(, "layout": "NHWC")" : "";
  return R"({"format_version": 1, "name": "layer", "latent": {"kind": "code",
      "shape": [)" +
         joinSizes(layer.input) + "]" + layout +
         R"(}, "decoder": {"layers": [{"name": "a", "activation": "leaky_relu",
      )" +
         layer.attributes + R"(, "weights": {"kernel": {"shape": [)" +
         joinSizes(layer.kernel) + R"(], "data": [)" + join(draw(count, 1)) +
         R"(]}, "bias": [)" + join(draw(layer.outputs, 2)) + "]}}]}}";
}

/// What the interpreter makes of a model after fusion.
Tensor interpret(const std::string &model, const CompileOptions &options,
                 const Tensor &input, bool &isQuantized) {
  llvm::SmallString<128> path;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("model", "json", path));
  std::error_code code;
  llvm::raw_fd_ostream(path, code) << model;
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = importNativeModel(path.str().str(), ImportOptions(), context);
  llvm::sys::fs::remove(path);
  EXPECT_TRUE(module);
  mlir::PassManager pm(&context);
  buildSimplify(pm, options);
  buildCompress(pm, options);
  buildFuse(pm, options);
  EXPECT_TRUE(succeeded(pm.run(*module)));
  isQuantized = false;
  module->walk(
      [&](PrunableOpInterface op) { isQuantized |= isWeightOnlyLayer(op); });
  auto results = reference::interpret(
      module->lookupSymbol<mlir::func::FuncOp>("decode"), input);
  EXPECT_TRUE(bool(results)) << llvm::toString(results.takeError());
  return (*results)[0];
}

Tensor run(const ModelLibrary &library, const Tensor &input, Split split) {
  std::string error;
  auto results = library.run(*library.findEntry("decode"), {input.shape[0]},
                             {input}, split, Edge::End, error);
  EXPECT_EQ(error, "");
  return results[0];
}

const Layer kLayers[] = {
    // Of one example each, and tiles of several.
    {"dense", R"("type": "dense", "units": 70)", {37}, {70, 37}, 70, ""},
    {"dense of 5", R"("type": "dense", "units": 5)", {259}, {5, 259}, 5, ""},
    {"dense of 128",
     R"("type": "dense", "units": 128)",
     {128},
     {128, 128},
     128,
     ""},
    {"convolution",
     R"("type": "conv2d", "kernel_size": 3, "filters": 20, "padding": "same",
        "stride": 2)",
     {7, 9, 19},
     {20, 19, 3, 3},
     20,
     ""},
    {"groups",
     R"("type": "conv2d", "kernel_size": [3, 2], "filters": 24, "groups": 2,
        "dilation": [1, 2])",
     {7, 9, 40},
     {24, 20, 3, 2},
     24,
     ""},
    {"pointwise",
     R"("type": "conv2d", "kernel_size": 1, "filters": 34)",
     {5, 3, 65},
     {34, 65, 1, 1},
     34,
     ""},
    {"winograd",
     R"("type": "conv2d", "kernel_size": 3, "filters": 20, "padding": "same")",
     {7, 9, 37},
     {20, 37, 3, 3},
     20,
     "winograd4"},
    {"transposed",
     R"("type": "conv_transpose2d", "kernel_size": 4, "filters": 20,
        "stride": 2, "padding": 1)",
     {3, 5, 36},
     {36, 20, 4, 4},
     20,
     ""},
    {"of a pixel",
     R"("type": "conv_transpose2d", "kernel_size": 4, "filters": 9)",
     {1, 1, 36},
     {36, 9, 4, 4},
     9,
     ""}};

void check(const Layer &layer, CompileOptions options) {
  options.exactEnds = false;
  if (!layer.algorithm.empty())
    options.algorithms = {layer.algorithm};
  const std::string model = writeModel(layer);
  auto library = compileText(model, options);
  ASSERT_TRUE(library);
  Tensor all;
  all.shape.push_back(9);
  int64_t each = 1;
  for (int64_t size : layer.input) {
    all.shape.push_back(size);
    each *= size;
  }
  all.data = draw(9 * each, 3);
  bool isQuantized;
  Tensor expected = interpret(model, options, all, isQuantized);
  EXPECT_TRUE(isQuantized);
  Tensor found = run(*library, all, Split::Whole);
  ASSERT_EQ(found.data.size(), expected.data.size());
  double error = 0, norm = 0;
  for (auto [x, y] : llvm::zip(found.data, expected.data)) {
    error += std::pow(double(x) - y, 2);
    norm += std::pow(y, 2);
  }
  double limit = options.storage == Storage::F16 ? 1e-3 : 3e-6;
  EXPECT_LT(std::sqrt(error / norm), limit);
  EXPECT_EQ(run(*library, all, Split::OneByOne).data, found.data);
  // The last example alone.
  Tensor last;
  last.shape = all.shape;
  last.shape[0] = 1;
  last.data.assign(all.data.end() - each, all.data.end());
  std::vector<float> alone = run(*library, last, Split::Whole).data;
  EXPECT_EQ(alone, std::vector<float>(found.data.end() - alone.size(),
                                      found.data.end()));
}

class WeightOnlyKernels : public ::testing::TestWithParam<int64_t> {};

TEST_P(WeightOnlyKernels, AreThoseOfTheInterpreter) {
  for (Quantize quantize : {Quantize::W8, Quantize::W4})
    for (const Layer &layer : kLayers) {
      SCOPED_TRACE(layer.name + (quantize == Quantize::W8 ? " W8" : " W4"));
      CompileOptions options;
      options.vectorWidth = GetParam();
      options.quantize = quantize;
      options.deterministic = true;
      check(layer, options);
    }
}

TEST_P(WeightOnlyKernels, MultiplyDataOfF16) {
  for (Quantize quantize : {Quantize::W8, Quantize::W4})
    for (const Layer &layer : llvm::ArrayRef(kLayers).take_front(4)) {
      SCOPED_TRACE(layer.name + (quantize == Quantize::W8 ? " W8" : " W4"));
      CompileOptions options;
      options.vectorWidth = GetParam();
      options.quantize = quantize;
      options.deterministic = true;
      options.storage = Storage::F16;
      check(layer, options);
    }
}

TEST_P(WeightOnlyKernels, HaveAnyTileAndGroup) {
  for (Tile tile : {Tile{1, 5}, Tile{2, 3}, Tile{3, 1}})
    for (int64_t group : {8, 11, 64}) {
      SCOPED_TRACE(
          llvm::formatv("{0}x{1}, {2}", tile.positions, tile.vectors, group)
              .str());
      CompileOptions options;
      options.vectorWidth = GetParam();
      options.quantize = Quantize::W4;
      options.weightGroup = group;
      options.tile = tile;
      options.deterministic = true;
      check(kLayers[0], options);
      check(kLayers[3], options);
    }
}

INSTANTIATE_TEST_SUITE_P(Widths, WeightOnlyKernels,
                         ::testing::Values(0, 4, 8, 16));

} // namespace
