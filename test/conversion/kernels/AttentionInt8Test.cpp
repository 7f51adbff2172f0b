// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of integers: its weights, and the same integers from every form of
// its code as from the interpreter.
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/IR/VaeQuantAttention.h"
#include "mlir/Parser/Parser.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

struct Shape {
  int64_t heads, width, valueWidth, queries, keys;
};

/// More than one block of keys, and parts of blocks, fours and vectors.
constexpr Shape kShapes[] = {{1, 1, 1, 1, 1},       {1, 4, 16, 7, 64},
                             {2, 5, 3, 13, 65},     {3, 18, 33, 50, 130},
                             {1, 64, 64, 96, 256},  {2, 37, 20, 97, 191},
                             {1, 130, 129, 3, 1000}};

/// Numbers as their tensor's range has them; the last are beyond it.
struct Ranges {
  float low, high;
};
constexpr Ranges kRanges[] = {{-1, 1}, {0, 2}, {-3, 0}, {-0.5, 4}};

/// Attention of three inputs, of which a layer makes integers again.
std::string makeModel(const Shape &shape) {
  std::vector<float> kernel;
  int64_t channels = shape.heads * shape.valueWidth;
  for (int64_t i = 0; i < 3 * channels; ++i)
    kernel.push_back(static_cast<float>(i * 37 % 19 - 9) * 0.125F);
  return llvm::formatv(
             R"({{"format_version": 1, "name": "attention", "inputs": [
               {{"name": "q", "shape": [{0}, {1}]},
               {{"name": "k", "shape": [{2}, {1}]},
               {{"name": "v", "shape": [{2}, {3}]}],
               "encoder": {{"layers": [
               {{"name": "attn", "type": "attention", "heads": {4},
                 "inputs": ["q", "k", "v"]},
               {{"name": "fc", "type": "dense", "units": 3, "bias": false,
                 "weights": {{"kernel": {{"shape": [3, {3}], "data": [{5}]}}}]},
               "latent": {{"kind": "code", "code": "fc"}})",
             shape.queries, shape.heads * shape.width, shape.keys, channels,
             shape.heads, join(kernel))
      .str();
}

Tensor makeInput(std::vector<int64_t> dims, const Ranges &range,
                 std::mt19937 &random) {
  Tensor result;
  result.shape.assign(dims.begin(), dims.end());
  std::uniform_real_distribution<float> draw(range.low * 1.1F,
                                             range.high * 1.1F);
  int64_t count = result.shape[0] * result.shape[1] * result.shape[2];
  for (int64_t i = 0; i < count; ++i)
    result.data.push_back(draw(random));
  return result;
}

std::vector<Tensor> makeInputs(const Shape &shape, size_t seed) {
  std::mt19937 random(seed);
  constexpr int64_t kBatch = 2;
  auto range = [&](size_t which) {
    return kRanges[(seed + which) % std::size(kRanges)];
  };
  return {makeInput({kBatch, shape.queries, shape.heads * shape.width},
                    range(0), random),
          makeInput({kBatch, shape.keys, shape.heads * shape.width}, range(1),
                    random),
          makeInput({kBatch, shape.keys, shape.heads * shape.valueWidth},
                    range(2), random)};
}

CompileOptions makeOptions(const std::string &model, size_t seed) {
  CompileOptions options;
  options.quantize = Quantize::Int8;
  options.quantizeLayers = {"int8"};
  options.rangeTable.emplace();
  const char *kNames[] = {"q", "k", "v", "attn"};
  for (auto [i, name] : llvm::enumerate(kNames)) {
    TensorRanges &tensor = options.rangeTable->tensors.emplace_back();
    tensor.name = name;
    const Ranges &range = kRanges[(seed + std::min<size_t>(i, 2)) % 4];
    tensor.ranges[options.rangeMethod] = {range.low, range.high};
  }
  options.rangeTable->hash = hashText(model);
  return options;
}

/// The first result, by any partition of the kernels' work; empty if partitions
/// give different ones.
std::vector<float> run(const std::string &model, const CompileOptions &options,
                       const std::vector<Tensor> &inputs, size_t result) {
  auto library = compileText(model, options);
  if (!library)
    return {};
  EXPECT_STREQ(library->getTable().quantization, "int8");
  std::vector<float> first;
  for (Split split : kSplits) {
    std::string error;
    auto results = library->run(*library->findEntry("encode"), {2}, inputs,
                                split, Edge::End, error);
    EXPECT_EQ(error, "");
    if (results.size() <= result)
      return {};
    if (first.empty())
      first = results[result].data;
    EXPECT_EQ(first, results[result].data) << getName(split);
  }
  return first;
}

/// What the interpreter makes of the same.
std::vector<float> interpret(const Shape &shape, const CompileOptions &options,
                             const std::vector<Tensor> &inputs) {
  mlir::MLIRContext context;
  context.loadDialect<VaeDialect, mlir::func::FuncDialect>();
  std::vector<std::string> types;
  for (const TensorRanges &tensor : options.rangeTable->tensors) {
    const Range &range = tensor.ranges[options.rangeMethod];
    types.emplace_back();
    llvm::raw_string_ostream(types.back())
        << getActivationType(&context, range.low, range.high);
  }
  auto tensor = [&](int64_t positions, int64_t channels,
                    const std::string &element) {
    return llvm::formatv("tensor<2x{0}x{1}x{2}>", positions, channels, element)
        .str();
  };
  int64_t channels = shape.heads * shape.width;
  int64_t values = shape.heads * shape.valueWidth;
  std::string text = llvm::formatv(
      R"(func.func @f(%q: {0}, %k: {1}, %v: {2}) -> {3} {{
           %0 = vae.convert_layout %q : ({0}) -> {4}
           %1 = vae.convert_layout %k : ({1}) -> {5}
           %2 = vae.convert_layout %v : ({2}) -> {6}
           %3 = vae.attention %0, %1, %2 {{heads = {8} : i64, scale = {9} : f64}
             : ({4}, {5}, {6}) -> {7}
           %4 = vae.convert_layout %3 : ({7}) -> {3}
           return %4 : {3}
         })",
      tensor(shape.queries, channels, "f32"),
      tensor(shape.keys, channels, "f32"), tensor(shape.keys, values, "f32"),
      tensor(shape.queries, values, "f32"),
      tensor(shape.queries, channels, types[0]),
      tensor(shape.keys, channels, types[1]),
      tensor(shape.keys, values, types[2]),
      tensor(shape.queries, values, types[3]), shape.heads,
      llvm::format("%.17e", 1 / std::sqrt(static_cast<double>(shape.width))));
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return {};
  auto results = reference::interpret(
      module->lookupSymbol<mlir::func::FuncOp>("f"), inputs);
  if (results)
    return (*results)[0].data;
  ADD_FAILURE() << toString(results.takeError());
  return {};
}

/// A CPU, and lanes of a vector; 0: as the CPU has them.
using Target = std::pair<std::string, int64_t>;

std::vector<Target> getTargets() {
  auto host = llvm::sys::getHostCPUFeatures();
  std::vector<Target> targets = {{"native", 0}, {"native", 4}, {"native", 8}};
  if (host.lookup("avx2") && host.lookup("fma"))
    targets.emplace_back("x86-64-v3", 0); // pairs instead of fours
  if (host.lookup("avx512vl"))
    targets.emplace_back("x86-64-v4", 0);
  return targets;
}

TEST(AttentionInt8, EqualIntegersOnEveryTarget) {
  for (auto [seed, shape] : llvm::enumerate(kShapes)) {
    std::string model = makeModel(shape);
    std::vector<Tensor> inputs = makeInputs(shape, seed);
    CompileOptions options = makeOptions(model, seed);
    std::vector<float> expected = interpret(shape, options, inputs), last;
    for (const auto &[cpu, width] : getTargets()) {
      std::string label =
          llvm::formatv("shape {0}, {1}, vectors of {2}", seed, cpu, width);
      options.cpus = {cpu};
      options.vectorWidth = width;
      options.exposeLayers = true;
      // Its integers, as the numbers that they stand for.
      EXPECT_EQ(run(model, options, inputs, 1), expected) << label;
      options.exposeLayers = false;
      std::vector<float> found = run(model, options, inputs, 0);
      EXPECT_EQ(found.size(), size_t(2 * shape.queries * 3)) << label;
      if (last.empty())
        last = found;
      EXPECT_EQ(found, last) << label;
    }
  }
}

TEST(AttentionInt8, WeightsArePowersOfTwo) {
  mlir::MLIRContext context;
  context.loadDialect<VaeDialect, mlir::func::FuncDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      R"(!q = !quant.uniform<u8:f32, 0.015625>
         func.func @f(%q: tensor<1x2x4x!q>) -> tensor<1x2x4xf32> {
           %y = vae.attention %q, %q, %q {scale = 0.3 : f64}
             : (tensor<1x2x4x!q>, tensor<1x2x4x!q>, tensor<1x2x4x!q>)
             -> tensor<1x2x4xf32>
           return %y : tensor<1x2x4xf32>
         })",
      &context);
  ASSERT_TRUE(module);
  module->walk([](AttentionOp op) {
    AttentionNumbers numbers(op);
    double scale = numbers.exponentScale;
    EXPECT_NEAR(scale, 0.3 * 0.015625 * 0.015625 / std::log(2), 1e-11);
    EXPECT_EQ(numbers.getWeight(0), 1);
    float before = 1;
    for (int64_t distance = 1; distance < std::numeric_limits<int32_t>::max();
         distance += 1 + distance / 64) {
      float weight = numbers.getWeight(static_cast<int32_t>(distance));
      double exact = std::exp2(-std::min(126.0, scale * distance));
      // The exponent is rounded, and what it is multiplied by.
      EXPECT_NEAR(weight, exact, exact * 1e-5) << distance;
      EXPECT_LE(weight, before);
      EXPECT_EQ(AttentionNumbers::quantize(weight),
                std::nearbyint(255 * weight));
      before = weight;
    }
  });
}

/// Numbers that the ranges hold, and scores some units apart: what integers
/// lose is a small part of what attention gives.
TEST(AttentionInt8, LosesLittle) {
  Shape shape = {2, 32, 32, 64, 256};
  std::string model = makeModel(shape);
  CompileOptions options = makeOptions(model, 0);
  options.exposeLayers = true;
  std::vector<Tensor> inputs = makeInputs(shape, 0);
  for (Tensor &input : inputs)
    for (float &value : input.data)
      value /= 1.1F;
  for (float &value : inputs[0].data)
    value *= 0.9F;
  std::vector<float> found = run(model, options, inputs, 1);
  CompileOptions exact;
  exact.exposeLayers = true;
  auto library = compileText(model, exact);
  ASSERT_TRUE(library);
  std::string error;
  auto results = library->run(*library->findEntry("encode"), {2}, inputs,
                              Split::Whole, Edge::End, error);
  ASSERT_EQ(results.size(), 2u) << error;
  ASSERT_EQ(results[1].data.size(), found.size());
  double square = 0, variance = 0, mean = 0;
  for (float value : results[1].data)
    mean += value / static_cast<double>(found.size());
  for (auto [a, b] : llvm::zip(found, results[1].data)) {
    square += (a - b) * (a - b);
    variance += (b - mean) * (b - mean);
  }
  EXPECT_LT(square, 0.02 * variance);
  EXPECT_GT(square, 0);
}

} // namespace
