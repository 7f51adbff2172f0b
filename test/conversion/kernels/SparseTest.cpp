// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that are stored without zeros: how they are packed, that results are
// those of all weights, and that rows which are zero are not read.
#include "compiler/conversion/kernels/SparseWeights.h"
#include "test/conversion/kernels/CompileText.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

template <typename T> T read(const std::vector<int8_t> &bytes, int64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

Contraction getShape(Sparsity sparsity) {
  Contraction shape;
  shape.inputs = 3;
  shape.outputs = 17;
  shape.window[1] = 2;
  shape.weights.sparsity = sparsity;
  return shape;
}

/// Of input 1, nothing; of output 0, tap 1, input 2, nothing.
float getWeight(int64_t, int64_t o, int64_t i, int64_t, int64_t kx) {
  if (i == 1 || (o == 0 && i == 2 && kx == 1))
    return 0;
  return static_cast<float>(1 + o + 100 * i + 1000 * kx);
}

TEST(SparseWeights, BitmapsHaveTheValuesOfEachRow) {
  Contraction shape = getShape(Sparsity::Bitmap);
  std::vector<int8_t> packed = packSparseWeight(shape, getWeight);
  SparseLayout layout(shape);
  EXPECT_EQ(layout.masksAt(), 64);
  EXPECT_EQ(layout.bitmapValuesAt(), 128);
  auto mask = [&](int64_t row) { return read<uint16_t>(packed, 64 + 2 * row); };
  EXPECT_EQ(mask(0), 0xffff);
  EXPECT_EQ(mask(1), 0);
  EXPECT_EQ(mask(5), 0xfffe); // tap 1, input 2
  EXPECT_EQ(mask(6 + 5), 1);  // of output 16, the other block's
  EXPECT_EQ(read<uint32_t>(packed, 4), 16u * 3 + 15);
  EXPECT_EQ(read<float>(packed, 128 + 4 * (16 * 3)), 2 + 200 + 1000);
  EXPECT_EQ(read<float>(packed, 128 + 4 * (16 * 3 + 15)), 17);
}

TEST(SparseWeights, RowsHaveThePlacesOfTheirInputs) {
  Contraction shape = getShape(Sparsity::Rows);
  std::vector<int8_t> packed = packSparseWeight(shape, getWeight);
  int64_t values = SparseLayout(shape).rowValuesAt();
  EXPECT_EQ(values, 64);
  // Two rows of each tap of each block.
  for (uint32_t tap = 0; tap <= 4; ++tap)
    EXPECT_EQ(read<uint32_t>(packed, 4 * tap), 2 * tap);
  constexpr uint16_t kPlaces[] = {0, 2, 3, 5};
  for (int64_t row = 0; row < 8; ++row)
    EXPECT_EQ(read<uint16_t>(packed, values + 64 * 8 + 2 * row),
              kPlaces[row % 4]);
  EXPECT_EQ(read<float>(packed, values + 64 * 3), 0);
  EXPECT_EQ(read<float>(packed, values + 64 * 3 + 4), 2 + 200 + 1000);
  EXPECT_EQ(read<float>(packed, values + 64 * 7), 17 + 200 + 1000);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A layer by itself: its JSON, and shapes of data, NHWC, and of the weight.
struct Layer {
  std::string json;
  std::vector<int64_t> input, kernel;
};

const Layer kDense = {R"("type": "dense", "units": 70)", {37}, {70, 37}};
const Layer kConv = {
    R"("type": "conv2d", "kernel_size": 3, "filters": 40, "padding": "same")",
    {6, 7, 19},
    {40, 19, 3, 3}};
const Layer kLayers[] = {
    kDense,
    kConv,
    {R"("type": "conv2d", "kernel_size": [3, 2], "filters": 36, "groups": 2,
        "dilation": [1, 2])",
     {7, 9, 20},
     {36, 10, 3, 2}},
    {R"("type": "conv2d", "kernel_size": 1, "filters": 33)",
     {5, 3, 65},
     {33, 65, 1, 1}},
    {R"("type": "conv_transpose2d", "kernel_size": 4, "filters": 20,
        "stride": 2, "padding": 1)",
     {3, 5, 18},
     {18, 20, 4, 4}}};

/// Whether a weight is zero, by its place in the tensor.
using IsZero = std::function<bool(const std::vector<int64_t> &index)>;

std::string writeModel(const Layer &layer, const IsZero &isZero) {
  std::mt19937 random(5);
  std::vector<float> values;
  std::vector<int64_t> index(layer.kernel.size());
  int64_t count = 1;
  for (int64_t size : layer.kernel)
    count *= size;
  for (int64_t i = 0; i < count; ++i) {
    float value = static_cast<float>(random() % 4001) / 2000 - 1;
    values.push_back(isZero(index) ? 0 : value);
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < layer.kernel[axis])
        break;
      index[axis] = 0;
    }
  }
  std::string layout = layer.input.size() > 1 ? R"(, "layout": "NHWC")" : "";
  return R"({"format_version": 1, "name": "layer", "latent": {"kind": "code",
      "shape": [)" +
         joinSizes(layer.input) + "]" + layout +
         R"(}, "decoder": {"layers": [{"name": "a", "bias": false, )" +
         layer.json + R"(, "weights": {"kernel": {"shape": [)" +
         joinSizes(layer.kernel) + R"(], "data": [)" + join(values) + "]}}}]}}";
}

Tensor drawInput(const Layer &layer, int64_t batch) {
  Tensor input;
  input.shape.push_back(batch);
  int64_t count = batch;
  for (int64_t size : layer.input) {
    input.shape.push_back(size);
    count *= size;
  }
  std::mt19937 random(6);
  for (int64_t i = 0; i < count; ++i)
    input.data.push_back(static_cast<float>(random() % 4001) / 2000 - 1);
  return input;
}

std::vector<float> run(const ModelLibrary &library, const Tensor &input) {
  std::string error;
  auto results = library.run(*library.findEntry("decode"), {input.shape[0]},
                             {input}, Split::Whole, Edge::End, error);
  EXPECT_EQ(error, "");
  return results[0].data;
}

class SparseKernels : public ::testing::TestWithParam<int64_t> {
protected:
  std::unique_ptr<ModelLibrary> compile(const Layer &layer,
                                        const IsZero &isZero,
                                        const std::string &sparse,
                                        const std::string &algorithm = "") {
    CompileOptions options;
    options.vectorWidth = GetParam();
    options.sparse = sparse;
    if (!algorithm.empty())
      options.algorithms = {algorithm};
    return compileText(writeModel(layer, isZero), options);
  }

  /// The same numbers as with all weights, in any batch: sums have one order.
  void expectSame(const Layer &layer, const IsZero &isZero,
                  const std::string &algorithm = "") {
    auto sparse = compile(layer, isZero, "size", algorithm);
    auto all = compile(layer, isZero, "none", algorithm);
    ASSERT_TRUE(sparse && all);
    for (int64_t batch : {1, 2, 5, 8, 30}) {
      SCOPED_TRACE(layer.json + ", batch " + std::to_string(batch));
      Tensor input = drawInput(layer, batch);
      EXPECT_EQ(run(*sparse, input), run(*all, input));
    }
  }
};

TEST_P(SparseKernels, GiveTheResultsOfAllWeights) {
  for (const Layer &layer : kLayers) {
    bool transposed = layer.json.find("transpose") != std::string::npos;
    // Single weights, rows of blocks, nothing left of an output's block, and
    // nothing at all.
    const IsZero kinds[] = {
        [](const auto &index) {
          int64_t hash = 7;
          for (int64_t place : index)
            hash = (hash * 31 + place * 17) % 1009;
          return hash % 5 < 4;
        },
        [&](const auto &index) {
          int64_t out = index[transposed], in = index[!transposed];
          int64_t tap = index.size() > 2 ? index[2] + index[3] : 0;
          return (out / 16 * 5 + in * 3 + tap) % 4 != 1;
        },
        [&](const auto &index) { return index[transposed] < 17; },
        [](const auto &) { return true; }};
    for (const IsZero &isZero : kinds)
      expectSame(layer, isZero);
  }
}

TEST_P(SparseKernels, AreExpandedForWinograd) {
  expectSame(
      kConv,
      [](const auto &index) { return (index[0] + 3 * index[1]) % 4 != 0; },
      "winograd4");
}

/// Work is left out, not only bytes: what nothing reads may be no number.
TEST_P(SparseKernels, DoNotReadInputsOfRowsThatAreZero) {
  for (const Layer &layer : {kDense, kConv}) {
    auto isUnread = [](int64_t input) { return input % 3 != 1; };
    auto isZero = [&](const auto &index) { return isUnread(index[1]); };
    auto sparse = compile(layer, isZero, "speed", "direct");
    auto all = compile(layer, isZero, "none", "direct");
    ASSERT_TRUE(sparse && all);
    for (int64_t batch : {1, 9}) {
      Tensor clean = drawInput(layer, batch), spoiled = clean;
      int64_t channels = layer.input.back();
      for (size_t i = 0; i < spoiled.data.size(); ++i)
        if (isUnread(static_cast<int64_t>(i) % channels))
          spoiled.data[i] = std::nanf("");
      EXPECT_EQ(run(*sparse, spoiled), run(*all, clean));
      EXPECT_TRUE(std::isnan(run(*all, spoiled)[0]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, SparseKernels, ::testing::Values(0, 4, 8, 16));

} // namespace
