// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/BiasCorrection.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace vae;

namespace {

TEST(ResultDifference, MeansAndErrorsByUnits) {
  // Two examples of two units of two elements.
  ResultDifference difference(2);
  difference.add({1, 2, 10, 20}, {0, 1, 10, 24}, 2);
  difference.add({3, 4, 30, 40}, {2, 3, 30, 44}, 2);
  std::vector<double> shift = difference.getShift();
  ASSERT_EQ(shift.size(), 2u);
  EXPECT_DOUBLE_EQ(shift[0], 1);
  EXPECT_DOUBLE_EQ(shift[1], -2);
  // Variances: 5 of 1 to 4, 500 of 10 to 40. Errors: 4 times 1 and 2 times 16.
  EXPECT_DOUBLE_EQ(difference.getError({0, 0}), 36.0 / 505);
  // What is left of unit 1: 2, -2, 2, -2.
  EXPECT_DOUBLE_EQ(difference.getError(shift), 16.0 / 505);
  // No other shift is better.
  for (double step : {-0.1, 0.1})
    EXPECT_GT(difference.getError({1 + step, -2}), 16.0 / 505);
}

TEST(ResultDifference, WithoutElementsThereIsNothing) {
  ResultDifference difference(1);
  EXPECT_EQ(difference.getShift(), (std::vector<double>{0}));
  difference.add({2, 2}, {1, 1}, 2);
  EXPECT_EQ(difference.getError({0}), 0); // it is constant
}

class ShiftBiases : public testing::Test {
protected:
  ShiftBiases() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<VaeDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(R"(
func.func @f(%x: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<1.0> : tensor<2x2xf32>
  %b = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %v = vae.constant dense<1.0> : tensor<1x2xf32>
  %h = vae.dense %x, %w bias(%b) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("with")
  %y = vae.dense %h, %v : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32> loc("without")
  return %y : tensor<?x1xf32>
})",
                                         &context);
  }

  std::vector<float> getBias(llvm::StringRef name) {
    std::vector<float> values;
    module->walk([&](PrunableOpInterface layer) {
      if (getLayerName(layer->getLoc()) != name || !layer.getBiasValue())
        return;
      std::vector<float> storage;
      values = getFloats(getConstant(layer.getBiasValue()).getValue(), storage)
                   .vec();
    });
    return values;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(ShiftBiases, AddsToABiasOrMakesOne) {
  CorrectBiasStep step;
  step.layers = {{"with", {0.5, -1}, 1, 0},
                 {"without", {0.25}, 1, 0},
                 {"elsewhere", {1, 2, 3}, 1, 0}};
  ASSERT_TRUE(succeeded(shiftBiases(*module, step)));
  EXPECT_EQ(getBias("with"), (std::vector<float>{1.5f, 1}));
  EXPECT_EQ(getBias("without"), (std::vector<float>{0.25f}));
}

TEST_F(ShiftBiases, UnitsOfAnotherModelAreRefused) {
  CorrectBiasStep step;
  step.layers = {{"without", {0.25, 1}, 1, 0}};
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(shiftBiases(*module, step)));
  EXPECT_EQ(message, "layer 'without': the recipe has biases for 2 units, the "
                     "layer has 1; make the recipe again");
}

} // namespace
