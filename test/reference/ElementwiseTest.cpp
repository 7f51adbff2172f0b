// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

#include <limits>

using namespace vae::reference;

static const float kNaN = std::numeric_limits<float>::quiet_NaN();
static const float kInf = std::numeric_limits<float>::infinity();

namespace {
struct ActivationCase {
  const char *function;
  std::vector<float> x;
  std::vector<double> y;
};
} // namespace

// With e^2 = 7.389056098930650 and e^-2 = 0.135335283236613:
static const ActivationCase kCases[] = {
    {"relu", {-2, 0, 2, kInf, -kInf}, {0, 0, 2, kInf, 0}},
    {"leaky_relu, alpha = 0.25", {-2, 0, 2}, {-0.5, 0, 2}},
    {"leaky_relu", {-2, 2}, {0, 2}},
    // e^2 / (e^2 + 1), 1 / (e^2 + 1); no overflow far out.
    {"sigmoid",
     {0, 2, -2, 1000, -1000},
     {0.5, 0.880797077977882, 0.119202922022118, 1, 0}},
    // (e^4 - 1) / (e^4 + 1), e^4 = 54.598150033144236
    {"tanh", {0, 2, -2, 1000}, {0, 0.964027580075817, -0.964027580075817, 1}},
    // 2 * 0.880797077977882, -2 * 0.119202922022118
    {"silu", {0, 2, -2}, {0, 1.761594155955765, -0.238405844044235}},
    // 2 * Phi(2), -2 * Phi(-2), Phi(2) = 0.977249868051821
    {"gelu", {0, 2, -2}, {0, 1.954499736103642, -0.045500263896358}},
    // Phi(-8) = 6.22096057427178e-16: no cancellation.
    {"gelu", {-8}, {-8 * 6.22096057427178e-16}},
    // 0.7978845608 * (2 + 0.044715 * 8) = 1.8811943860; tanh = 0.9545976941
    {"gelu_tanh", {0, 2, -2}, {0, 1.954597694087775, -0.045402305912225}},
    // tanh(log(1 + e^2)) = ((1+e^2)^2 - 1) / ((1+e^2)^2 + 1)
    //   = 69.376262 / 71.376262 = 0.971979480
    {"mish", {0, 2}, {0, 1.943958959533998}},
    // log(1 + e^2) = 2 + log(1 + e^-2)
    {"softplus",
     {0, 2, -2, 1000, -1000},
     {0.693147180559945, 2.126928011042973, 0.126928011042973, 1000, 0}},
    // 1.0507009874 * 2; 1.7580993408 * (e^-2 - 1)
    {"selu", {0, 2, -2}, {0, 2.101401974710960, -1.520166468595695}},
    // 1.5 * (e^-2 - 1)
    {"elu, alpha = 1.5", {0, 2, -2}, {0, 2, -1.296997075145081}},
    // 0.25 * x + 0.5, cut off
    {"hard_sigmoid, alpha = 0.25, beta = 0.5",
     {0, 1, -1, 3, -3},
     {0.5, 0.75, 0.25, 1, 0}},
    // 2 * (2/6 + 1/2) = 10/6, -2 * (1/2 - 2/6) = -2/6
    {"hard_swish", {0, 2, -2, 4, -4}, {0, 10. / 6, -2. / 6, 4, 0}},
    {"relu6", {-1, 3, 7}, {0, 3, 6}},
    {"exp", {0, 2, -2, -kInf}, {1, 7.389056098930650, 0.135335283236613, 0}},
    {"clamp, alpha = -1.0, beta = 1.5", {-2, 0.5, 2}, {-1, 0.5, 1.5}},
    {"affine, alpha = 2.0, beta = -1.0", {-2, 0.5, 2}, {-5, 0, 3}},
};

TEST(reference, Activations) {
  for (const ActivationCase &test : kCases) {
    SCOPED_TRACE(test.function);
    int64_t size = test.x.size();
    expectOp(std::string("vae.activation %0 <") + test.function + ">",
             {{{1, size}, test.x}}, {1, size}, test.y);
  }
}

TEST(reference, ActivationsPropagateNaN) {
  for (const ActivationCase &test : kCases) {
    SCOPED_TRACE(test.function);
    expectOp(std::string("vae.activation %0 <") + test.function + ">",
             {{{1, 1}, {kNaN}}}, {1, 1}, {kNaN});
  }
}

TEST(reference, EveryActivationIsTested) {
  for (uint32_t kind = 0; kind <= vae::getMaxEnumValForActivationKind();
       ++kind) {
    auto name = stringifyActivationKind(vae::ActivationKind(kind));
    EXPECT_TRUE(llvm::any_of(kCases, [&](const ActivationCase &test) {
      return llvm::StringRef(test.function).split(',').first == name;
    })) << name.str();
  }
}

TEST(reference, Prelu) {
  Tensor x = {{1, 2, 1, 2}, {-2, 2, -2, kNaN}};
  Tensor slope = {{2}, {0.5, -3}};
  // -2 * 0.5; -2 * -3
  expectOp("vae.prelu %0, %1", {x, slope}, {1, 2, 1, 2}, {-1, 2, 6, kNaN});
  Tensor shared = {{1}, {0.5}};
  expectOp("vae.prelu %0, %1", {x, shared}, {1, 2, 1, 2}, {-1, 2, -1, kNaN});
}

TEST(reference, Arithmetic) {
  Tensor a = {{2, 2}, {1, 2, 3, kNaN}};
  Tensor b = {{2, 2}, {10, -2, 0.5, 1}};
  expectOp("vae.add %0, %1", {a, b}, {2, 2}, {11, 0, 3.5, kNaN});
  expectOp("vae.sub %0, %1", {a, b}, {2, 2}, {-9, 4, 2.5, kNaN});
  expectOp("vae.mul %0, %1", {a, b}, {2, 2}, {10, -4, 1.5, kNaN});
}

TEST(reference, Softmax) {
  // e^0 : e^log(3) = 1 : 3
  Tensor x = {{1, 2}, {0, 1.0986122886681098f}};
  expectOp("vae.softmax %0 {axis = 1 : i64}", {x}, {1, 2}, {0.25, 0.75});
  // Far out, no overflow.
  Tensor large = {{2, 2}, {1000, 1000, -1000, 1000}};
  expectOp("vae.softmax %0 {axis = 1 : i64}", {large}, {2, 2},
           {0.5, 0.5, 0, 1});
  Tensor bad = {{1, 2}, {kNaN, 1}};
  expectOp("vae.softmax %0 {axis = 1 : i64}", {bad}, {1, 2}, {kNaN, kNaN});
}

TEST(reference, SoftmaxOfAnInnerAxis) {
  // Columns (0, 0) and (0, log 3).
  Tensor x = {{1, 2, 2}, {0, 0, 0, 1.0986122886681098f}};
  expectOp("vae.softmax %0 {axis = 1 : i64}", {x}, {1, 2, 2},
           {0.5, 0.25, 0.5, 0.75});
}

TEST(reference, Dropout) {
  Tensor x = {{1, 3}, {1, -2, kNaN}};
  expectOp("vae.dropout %0 {rate = 0.5}", {x}, {1, 3}, {1, -2, kNaN});
}
