// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Fit.h"

#include "test/tools/vae-run/Files.h"

using namespace vaerun;
using namespace vaerun::test;

namespace {

using Values = std::vector<float>;

// Height: at least 16 and a multiple of 8; width: any.
const vae_abi_symbol kSymbols[] = {
    {"batch", 1, 1, 0, 0}, {"height", 16, 8, 0, 0}, {"width", 1, 1, 0, 0}};

/// A model of three symbols and one tensor.
class FitTest : public testing::Test {
protected:
  FitTest() {
    model.num_symbols = 3;
    model.symbols = kSymbols;
    tensor.name = "x";
    tensor.dtype = VAE_DTYPE_F32;
    tensor.has_range = 1;
    tensor.range_max = 1;
    sizes.assign(3, 0);
  }

  /// The tensor's dimensions after the batch; a string names a symbol.
  void setDims(const char *layout, const std::vector<vae_abi_dim> &example) {
    dims = {{0, 0, 1, 0}};
    dims.insert(dims.end(), example.begin(), example.end());
    tensor.layout = layout;
    tensor.rank = static_cast<uint32_t>(dims.size());
    tensor.dims = dims.data();
  }
  static vae_abi_dim fixed(int64_t size) { return {-1, 0, 0, size}; }

  /// An array with the values 0, 1, 2, ...
  static Array makeArray(const Shape &shape) {
    Array array;
    array.source = "x.npy";
    array.shape = shape;
    for (int64_t i = 0; i < countElements(shape).value(); ++i)
      array.values.push_back(static_cast<float>(i));
    return array;
  }
  static Array makeImage(int64_t height, int64_t width, int64_t channels) {
    Array array = makeArray({1, height, width, channels});
    array.source = "x.png";
    array.type = {ElementType::Unsigned, 1, false};
    array.layout = "NHWC";
    return array;
  }
  Data fit(const Array &array) { return fitArray(array, model, tensor, sizes); }
  std::string message(const Array &array) {
    return messageOf([&] { fit(array); });
  }
  int64_t examples(const Shape &shape) {
    return fit(makeArray(shape)).examples;
  }

  vae_abi_model model = {};
  vae_abi_tensor tensor = {};
  std::vector<vae_abi_dim> dims;
  Sizes sizes;
};

TEST_F(FitTest, TakesAnyShapeWithAsManyNumbersAnExample) {
  setDims("NC", {fixed(12)});
  EXPECT_EQ(examples({5, 12}), 5);
  EXPECT_EQ(examples({5, 3, 4}), 5);
  EXPECT_EQ(examples({5, 1, 3, 4}), 5);
  EXPECT_EQ(examples({12}), 1);
  EXPECT_EQ(examples({3, 4}), 1);
  EXPECT_EQ(fit(makeArray({2, 3, 4})).values[23], 23);
  EXPECT_EQ(message(makeArray({5, 13})),
            "x.npy: input 'x': expected shape [batch, 12] (12 numbers an "
            "example), found [5, 13] (65 numbers); reshape it, batch first");
  EXPECT_NE(message(makeArray({24})), "");
  EXPECT_NE(message(makeArray({6, 4})), "");
  EXPECT_NE(message(makeArray({})), "");
  EXPECT_EQ(message(makeArray({0, 12})),
            "x.npy: expected at least one example, found shape [0, 12]; give a "
            "batch that is not empty");
  EXPECT_NE(message(makeArray({3, 0})), "");
}

TEST_F(FitTest, AddsAndDropsTheDimensionOfASingleChannel) {
  setDims("NCHW", {fixed(1), fixed(2), fixed(3)});
  EXPECT_EQ(examples({4, 2, 3}), 4);
  EXPECT_EQ(examples({4, 6}), 4);
  EXPECT_EQ(examples({2, 3}), 1);
  EXPECT_EQ(examples({4, 2, 3, 1}), 4);
  setDims("NHW", {fixed(2), fixed(3)});
  EXPECT_EQ(examples({4, 1, 2, 3}), 4);
  EXPECT_EQ(examples({4, 2, 3, 1}), 4);
  EXPECT_EQ(examples({2, 3}), 1);
}

TEST_F(FitTest, TransposesTheOtherLayout) {
  // One pixel row of two pixels with three channels.
  Values byPixel = {0, 1, 2, 3, 4, 5}, byChannel = {0, 3, 1, 4, 2, 5};
  setDims("NCHW", {fixed(3), fixed(1), fixed(2)});
  EXPECT_EQ(fit(makeArray({1, 1, 2, 3})).values, byChannel);
  EXPECT_EQ(fit(makeArray({1, 2, 3})).values, byChannel);
  EXPECT_EQ(fit(makeArray({1, 3, 1, 2})).values, byPixel);
  EXPECT_EQ(fit(makeArray({3, 1, 2})).values, byPixel);
  setDims("NHWC", {fixed(1), fixed(2), fixed(3)});
  EXPECT_EQ(fit(makeArray({1, 1, 2, 3})).values, byPixel);
  EXPECT_EQ(fit(makeArray({1, 3, 1, 2})).values, Values({0, 2, 4, 1, 3, 5}));
}

TEST_F(FitTest, FindsDynamicSizes) {
  // [batch, 1, height/4, 2*width+1]
  setDims("NCHW", {fixed(1), {1, 0, 2, 0}, {2, 0, 2, 1}});
  EXPECT_EQ(examples({3, 1, 8, 11}), 3);
  EXPECT_EQ(sizes, Sizes({0, 32, 5}));
  // Now they are known.
  EXPECT_NE(message(makeArray({3, 1, 6, 11})), "");
  EXPECT_EQ(examples({3, 88}), 3);
  EXPECT_EQ(formatExpected(model, tensor, sizes), "[batch, 1, 8, 11]");
  sizes = {0, 0, 0};
  EXPECT_EQ(formatExpected(model, tensor, sizes),
            "[batch, 1, height/4, 2*width+1], height at least 16 and a "
            "multiple of 8");
  EXPECT_EQ(examples({4, 3}), 1);
  EXPECT_EQ(sizes, Sizes({0, 16, 1}));
  for (const Shape &shape :
       {Shape{3, 1, 7, 11}, Shape{3, 1, 8, 10}, Shape{3, 1, 2, 11},
        Shape{3, 2, 8, 11}, Shape{3, 1, 0, 11}, Shape{3, 1, 8, 1}, Shape{88}}) {
    sizes = {0, 0, 0};
    EXPECT_NE(message(makeArray(shape)), "") << formatShape(shape);
    EXPECT_EQ(sizes, Sizes({0, 0, 0}));
  }
  EXPECT_EQ(message(makeArray({3, 1, 7, 11})),
            "x.npy: input 'x': expected shape [batch, 1, height/4, 2*width+1], "
            "height at least 16 and a multiple of 8, found [3, 1, 7, 11] (231 "
            "numbers); reshape it, batch first");
}

TEST_F(FitTest, ChecksGivenSizes) {
  EXPECT_EQ(messageOf([&] { checkSizes(model, {0, 24, 1}); }), "");
  EXPECT_EQ(messageOf([&] { checkSizes(model, {0, 0, 0}); }), "");
  EXPECT_EQ(messageOf([&] { checkSizes(model, {0, 20, 1}); }),
            "expected height at least 16 and a multiple of 8, found 20; the "
            "nearest is 24");
  EXPECT_NE(messageOf([&] { checkSizes(model, {0, 8, 1}); }), "");
}

TEST_F(FitTest, ScalesIntegersIntoTheRange) {
  setDims("NC", {fixed(2)});
  tensor.range_min = -1;
  auto scaled = [&](ElementType::Kind kind, unsigned size, const Values &v) {
    Array array = makeArray({1, 2});
    array.type = {kind, size, false};
    array.values = v;
    return fit(array).values;
  };
  EXPECT_EQ(scaled(ElementType::Unsigned, 1, {0, 255}), Values({-1, 1}));
  EXPECT_EQ(scaled(ElementType::Unsigned, 1, {51, 204}), Values({-.6f, .6f}));
  EXPECT_EQ(scaled(ElementType::Unsigned, 2, {0, 65535}), Values({-1, 1}));
  EXPECT_EQ(scaled(ElementType::Bool, 1, {0, 1}), Values({-1, 1}));
  EXPECT_EQ(scaled(ElementType::Signed, 8, {0, 255}), Values({-1, 1}));
  EXPECT_EQ(scaled(ElementType::Float, 4, {0, 255}), Values({0, 255}));
  EXPECT_EQ(
      messageOf([&] { scaled(ElementType::Signed, 4, {0, 256}); }),
      "x.npy: expected pixels from 0 to 255 in an array of i32, found 256; "
      "scale it to the range [-1, 1] yourself and save it as float32");
  EXPECT_NE(messageOf([&] { scaled(ElementType::Signed, 1, {0, -1}); }), "");
  EXPECT_NE(messageOf([&] { scaled(ElementType::Unsigned, 4, {0, 999}); }), "");
  // No range, or a condition that is a vector: a class, a one-hot code.
  tensor.role = VAE_ROLE_CONDITION;
  EXPECT_EQ(scaled(ElementType::Unsigned, 1, {0, 1}), Values({0, 1}));
  tensor.role = VAE_ROLE_INPUT;
  tensor.has_range = 0;
  EXPECT_EQ(scaled(ElementType::Unsigned, 1, {0, 7}), Values({0, 7}));
}

TEST_F(FitTest, ScalesAsDivisionByFullRangeInF32) {
  setDims("NC", {fixed(256)});
  Array array = makeArray({1, 256});
  array.type = {ElementType::Unsigned, 1, false};
  Values values = fit(array).values;
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(values[i], static_cast<float>(i) / 255.0f);
}

TEST_F(FitTest, NamesTheNearestSizesOfAnImage) {
  setDims("NHWC", {{1, 0, 8, 0}, {2, 0, 1, 0}, fixed(3)});
  EXPECT_EQ(
      message(makeImage(20, 5, 1)),
      "x.png: input 'x', [batch, height, width, 3], height at least 16 "
      "and a multiple of 8: expected an image of height x width (height x "
      "width), found 20 x 5 with 3 channels; resize it; the nearest sizes "
      "are 16 x 5 and 24 x 5");
  std::string one = message(makeImage(15, 5, 1));
  EXPECT_NE(one.find("; the nearest size is 16 x 5"), std::string::npos) << one;
  EXPECT_EQ(sizes, Sizes({0, 0, 0}));
  setDims("NHWC", {{1, 0, 16, -2}, fixed(7), fixed(3)});
  std::string odd = message(makeImage(40, 5, 1));
  EXPECT_NE(odd.find("are 30 x 7 and 46 x 7"), std::string::npos) << odd;
}

TEST_F(FitTest, TakesImagesOfTheRightSize) {
  tensor.range_max = 255;
  setDims("NCHW", {fixed(3), fixed(1), fixed(2)});
  EXPECT_EQ(fit(makeImage(1, 2, 3)).values, Values({0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(fit(makeImage(1, 2, 1)).values, Values({0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(message(makeImage(2, 1, 3)),
            "x.png: input 'x', [batch, 3, 1, 2]: expected an image of 1 x 2 "
            "(height x width), found 2 x 1 with 3 channels; resize it");
  setDims("NHW", {fixed(1), fixed(2)});
  EXPECT_EQ(fit(makeImage(1, 2, 1)).values, Values({0, 1}));
  EXPECT_EQ(fit(makeImage(1, 2, 3)).values, Values({1, 4}));
  setDims("NC", {fixed(4)});
  EXPECT_EQ(fit(makeImage(2, 2, 3)).values, Values({1, 4, 7, 10}));
  EXPECT_EQ(message(makeImage(3, 2, 1)),
            "x.png: input 'x', [batch, 4]: expected an image of 4 pixels, as 2 "
            "x 2, found 3 x 2 with 1 channel; resize it");
  setDims("NC", {fixed(12)});
  EXPECT_EQ(fit(makeImage(2, 2, 3)).values.size(), 12u);
  setDims("NHWC", {{1, 0, 8, 0}, {2, 0, 1, 0}, fixed(3)});
  EXPECT_EQ(fit(makeImage(16, 5, 1)).values.size(), 240u);
  EXPECT_EQ(sizes, Sizes({0, 16, 5}));
  setDims("NCHW", {fixed(4), fixed(1), fixed(2)});
  EXPECT_NE(message(makeImage(1, 2, 3)), "");
}

TEST_F(FitTest, RefusesOtherElementTypes) {
  tensor.dtype = VAE_DTYPE_I64;
  EXPECT_NE(messageOf([&] { requireF32(tensor); }).find("type f32"),
            std::string::npos);
}

} // namespace
