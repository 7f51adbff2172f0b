// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions as compiled models compute them, for every vector width,
// beside the same functions in f64: every 4,099th f32, and all numbers around
// the points where something special happens.
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "test/e2e/ModelLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Models that compute a function of one number.
enum class Use {
  Layer, // the only layer of an encoder
  Hit,   // the log-likelihood of 1 where the decoder says x: log(x)
  Miss,  // that of 0: log(1 - x)
  // (x, -x) divided by its standard deviation: x / sqrt(x^2 + 1). The root is
  // exact, being an instruction, and the quotient rounded twice.
  Variance
};

struct Function {
  const char *name;
  Use use;
  /// The layer, without its name.
  const char *layer;
  double (*exact)(double);
  /// Units in the last place that a result may be off.
  double limit = 4;
  /// Where the function is looked at.
  float low = -kInfinity, high = kInfinity;
};

/// For messages and test names.
void PrintTo(const Function &function, std::ostream *os) {
  *os << function.name;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) {
  return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}
double selu(double x) {
  return 1.05070098735548 * (x > 0 ? x : 1.67326324235437 * std::expm1(x));
}
double geluTanh(double x) {
  return x * sigmoid(2 * 0.79788456080286536 * (x + 0.044715 * x * x * x));
}
/// A log-likelihood is clamped, as PyTorch does; a NaN stays one.
double clamp(double x) { return x < -100 ? -100 : x; }
double clampedLog(double x) { return clamp(std::log(x)); }
double clampedLog1m(double x) { return clamp(std::log1p(-x)); }

const Function kFunctions[] = {
    {"exp", Use::Layer, R"("type": "exp")",
     [](double x) { return std::exp(x); }},
    {"sigmoid", Use::Layer, R"("type": "sigmoid")", sigmoid},
    {"tanh", Use::Layer, R"("type": "tanh")",
     [](double x) { return std::tanh(x); }},
    {"silu", Use::Layer, R"("type": "silu")",
     [](double x) { return x * sigmoid(x); }},
    {"gelu", Use::Layer, R"("type": "gelu")",
     [](double x) { return x * std::erfc(-x * M_SQRT1_2) / 2; }},
    {"gelu_tanh", Use::Layer, R"("type": "gelu", "approximate": "tanh")",
     geluTanh},
    {"softplus", Use::Layer, R"("type": "softplus")", softplus},
    {"mish", Use::Layer, R"("type": "mish")",
     [](double x) { return x * std::tanh(softplus(x)); }},
    {"elu", Use::Layer, R"("type": "elu")",
     [](double x) { return x > 0 ? x : std::expm1(x); }},
    {"selu", Use::Layer, R"("type": "selu")", selu},
    {"log", Use::Hit, "", clampedLog, 4, 0, 1},
    {"log1p", Use::Miss, "", clampedLog1m, 4, 0, 1},
    {"sqrt", Use::Variance,
     R"("type": "layer_norm", "shape": [2], "epsilon": 1, "affine": false)",
     [](double x) { return x / std::sqrt(x * x + 1); }, 2, -1e37f, 1e37f},
};

std::string modelOf(const Function &function) {
  std::string text = R"({"format_version": 1, "name": "f", )";
  if (function.use == Use::Hit || function.use == Use::Miss)
    return text + R"("inputs": [{"name": "x", "shape": [1]},
        {"name": "probability", "shape": [1]}],
      "encoder": {"inputs": ["x", "probability"], "layers": [
        {"name": "x_", "type": "scale", "factor": 0, "inputs": ["x"]},
        {"name": "e", "type": "add", "inputs": ["probability", "x_"]}]},
      "latent": {"kind": "code", "code": "e"},
      "decoder": {"layers": [{"name": "y", "type": "scale", "factor": 1}]},
      "likelihood": {"kind": "bernoulli",
                     "parameterization": "probabilities"}})";
  return text + R"("inputs": [{"name": "x", "shape": [)" +
         (function.use == Use::Variance ? "2" : "1") + R"(]}],
      "encoder": {"layers": [{"name": "e", )" +
         function.layer + R"(}]}, "latent": {"kind": "code", "code": "e"}})";
}

/// Batches with one number an example.
std::vector<Tensor> inputsOf(const Function &function,
                             const std::vector<float> &values) {
  int64_t count = static_cast<int64_t>(values.size());
  Tensor numbers{{count, 1}, values};
  switch (function.use) {
  case Use::Layer:
    return {numbers};
  case Use::Hit:
    return {{{count, 1}, std::vector<float>(count, 1)}, numbers};
  case Use::Miss:
    return {{{count, 1}, std::vector<float>(count, 0)}, numbers};
  case Use::Variance:
    break;
  }
  Tensor pairs{{count, 2}, {}};
  for (float value : values)
    for (float element : {value, -value})
      pairs.data.push_back(element);
  return {pairs};
}

float toFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// Every 4,099th number, and all those near special points, of both signs.
std::vector<float> samples(float low, float high) {
  constexpr uint32_t kAround = 1000;
  std::vector<float> values;
  auto add = [&](uint32_t bits) {
    float value = toFloat(bits);
    if (std::isnan(value) || (low <= value && value <= high))
      values.push_back(value);
  };
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 4099)
    add(static_cast<uint32_t>(bits));
  // The smallest denormal and normal number, limits of exp in f32, limits of
  // tanh, erf and log1p, 1, the largest number and infinity; and NaN.
  for (float point :
       {0.0f,     0x1p-126f, 0x1p-24f, 0x1p-12f, 0.25f,        0.5f,
        0.625f,   1.0f,      2.0f,     4.0f,     5.5f,         8.0f,
        9.0f,     14.0f,     17.0f,    40.0f,    87.3365f,     88.7228f,
        103.279f, 103.972f,  104.0f,   128.0f,   3.4028235e38f})
    for (uint32_t i = 0; i <= 2 * kAround; ++i) {
      uint32_t bits = toBits(point) + i;
      if (point != 0)
        bits -= kAround;
      add(bits);
      add(bits | 0x80000000u);
    }
  for (uint32_t bits : {0x7f800000u, 0x7fc00000u, 0x7f800001u, 0x7fffffffu}) {
    add(bits);
    add(bits | 0x80000000u);
  }
  return values;
}

/// |found - exact| in units in the last place of the exact value, as an f32.
/// Infinity counts as the number that would come after the largest one.
double unitsOff(float found, double exact) {
  if (std::isnan(exact) || std::isnan(found))
    return std::isnan(exact) && std::isnan(found)
               ? 0
               : std::numeric_limits<double>::infinity();
  auto limit = [](double x) {
    return std::fmax(-0x1p128, std::fmin(x, 0x1p128));
  };
  exact = limit(exact);
  int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return std::fabs(limit(found) - exact) /
         std::ldexp(1, std::min(exponent, 127) - 23);
}

/// f of every number, by a model compiled for vectors of a width.
std::vector<float> run(const Function &function, int64_t width,
                       const std::vector<float> &values) {
  llvm::SmallString<128> folder;
  if (llvm::sys::fs::createUniqueDirectory("vector-math", folder))
    return {};
  std::string model = (folder + "/m.json").str();
  std::string library = (folder + "/m.so").str();
  {
    std::error_code code;
    llvm::raw_fd_ostream(model, code) << modelOf(function);
  }
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  CompileOptions options;
  options.vectorWidth = width;
  std::string error;
  std::vector<float> results;
  if (failed(compileModel(model, library, options, context)))
    error = "cannot be compiled";
  else if (ModelLibrary compiled(library, error); error.empty()) {
    bool scores = function.use == Use::Hit || function.use == Use::Miss;
    auto outputs = compiled.run(
        *compiled.findEntry(scores ? "score" : "encode"),
        {static_cast<int64_t>(values.size())}, inputsOf(function, values),
        Split::Whole, Edge::End, error);
    size_t elements = outputs[0].data.size() / values.size();
    for (size_t i = 0; i < values.size(); ++i)
      results.push_back(outputs[0].data[i * elements]);
  }
  EXPECT_EQ(error, "");
  llvm::sys::fs::remove_directories(folder);
  return results;
}

class VectorMath
    : public testing::TestWithParam<std::tuple<Function, int64_t>> {};

TEST_P(VectorMath, IsWithinItsLimitEverywhere) {
  const auto &[function, width] = GetParam();
  std::vector<float> inputs = samples(function.low, function.high);
  ASSERT_GT(inputs.size(), 100000u);
  std::vector<float> outputs = run(function, width, inputs);
  ASSERT_EQ(outputs.size(), inputs.size());
  double worst = -1;
  size_t at = 0, wrong = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    double exact = function.exact(inputs[i]);
    double off = unitsOff(outputs[i], exact);
    wrong += off > function.limit;
    if (off > worst) {
      worst = off;
      at = i;
    }
    if (function.use == Use::Layer && inputs[i] == 0)
      EXPECT_EQ(std::signbit(outputs[i]), std::signbit(exact))
          << "at " << inputs[i];
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, function.limit)
      << function.name << "(" << inputs[at] << ") gives " << outputs[at]
      << ", exactly it is " << function.exact(inputs[at]) << "; " << wrong
      << " of " << inputs.size() << " results are outside";
}

std::string nameOf(const testing::TestParamInfo<VectorMath::ParamType> &info) {
  return std::string(std::get<0>(info.param).name) + "_width" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Functions, VectorMath,
                         testing::Combine(testing::ValuesIn(kFunctions),
                                          testing::Values(4, 8, 16)),
                         nameOf);

} // namespace
