// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of all elementwise functions beside central differences in f64.
#include "compiler/gradient/Vjp.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace vae;

namespace {
struct Function {
  ActivationKind kind;
  double alpha, beta;
};
} // namespace

/// Parameters with which every piece of a function has arguments below.
static Function describe(uint32_t kind) {
  auto known = static_cast<ActivationKind>(kind);
  switch (known) {
  case ActivationKind::LeakyRelu:
  case ActivationKind::Elu:
    return {known, 0.3, 0};
  case ActivationKind::HardSigmoid:
    return {known, 0.2, 0.5};
  case ActivationKind::Clamp:
    return {known, -1.5, 2};
  case ActivationKind::Affine:
    return {known, 0.7, -3};
  default:
    return {known, 0, 0};
  }
}

TEST(activations, DerivativesAreThoseOfDifferences) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<VaeDialect>();
  uint32_t count = 0;
  for (uint32_t kind = 0; symbolizeActivationKind(kind); ++kind, ++count) {
    Function function = describe(kind);
    auto attribute = ActivationAttr::get(&context, function.kind,
                                         function.alpha, function.beta);
    // Between all places where a function has no derivative.
    for (double x = -8.03; x < 8.1; x += 0.247) {
      const double h = 1e-5;
      double expected = (reference::activate(attribute, x + h) -
                         reference::activate(attribute, x - h)) /
                        (2 * h);
      EXPECT_NEAR(gradient::differentiate(attribute, x), expected,
                  1e-7 * (1 + std::abs(expected)))
          << stringifyActivationKind(function.kind).str() << " at " << x;
    }
  }
  EXPECT_EQ(count, 17u);
}

TEST(activations, FarOutAndNotANumber) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<VaeDialect>();
  auto at = [&](ActivationKind kind, double x) {
    return gradient::differentiate(
        ActivationAttr::get(&context, kind, 0.0, 0.0), x);
  };
  for (ActivationKind kind :
       {ActivationKind::Sigmoid, ActivationKind::Tanh, ActivationKind::Silu,
        ActivationKind::Gelu, ActivationKind::GeluTanh, ActivationKind::Mish,
        ActivationKind::Softplus, ActivationKind::Relu}) {
    EXPECT_NEAR(at(kind, -1000), 0, 1e-300);
    bool saturates =
        kind == ActivationKind::Sigmoid || kind == ActivationKind::Tanh;
    EXPECT_NEAR(at(kind, 1000), saturates ? 0 : 1, 1e-12);
    EXPECT_TRUE(std::isnan(at(kind, NAN)));
  }
  // Of two limits that of the constant piece.
  EXPECT_EQ(at(ActivationKind::Relu, 0), 0);
  EXPECT_EQ(at(ActivationKind::Relu6, 6), 0);
}
