// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a function computes, by the reference interpreter, before and after
// each pass.
#include "RandomGraph.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "dialects/vae/Transforms/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Format.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using reference::Tensor;

namespace {

/// Relative L2 error that summing or scaling weights may cause.
constexpr double kTolerance = 1e-6;

class Equivalence : public testing::Test {
protected:
  Equivalence() : context(getRegistry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
  }

  static DialectRegistry getRegistry() {
    DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }

  std::vector<Tensor> interpret(GraphBuilder &graph) {
    auto function = graph.module->lookupSymbol<func::FuncOp>("f");
    auto results = reference::interpret(function, graph.inputs);
    if (results)
      return std::move(*results);
    ADD_FAILURE() << toString(results.takeError());
    return {};
  }

  /// Runs passes on the graph and compares; 0 asks for the same bits.
  void expectSame(GraphBuilder &graph,
                  function_ref<void(OpPassManager &)> build,
                  double tolerance = kTolerance) {
    ASSERT_TRUE(succeeded(verify(*graph.module)));
    std::string text = print(graph);
    std::vector<Tensor> before = interpret(graph);
    PassManager pm(&context);
    build(pm);
    ASSERT_TRUE(succeeded(pm.run(*graph.module))) << text;
    std::vector<Tensor> after = interpret(graph);
    ASSERT_EQ(before.size(), after.size());
    for (auto [expected, found] : llvm::zip(before, after)) {
      ASSERT_EQ(expected.shape, found.shape) << text << print(graph);
      double error = getError(expected, found);
      worst = std::max(worst, error);
      ASSERT_LE(error, tolerance) << text << print(graph);
    }
  }

  static double getError(const Tensor &expected, const Tensor &found) {
    double difference = 0, norm = 0;
    for (auto [a, b] : llvm::zip(expected.data, found.data)) {
      difference += (double(a) - b) * (double(a) - b);
      norm += double(a) * a;
    }
    return difference == 0 ? 0 : std::sqrt(difference / norm);
  }

  template <typename OpTy> static int count(GraphBuilder &graph) {
    int count = 0;
    graph.module->walk([&](OpTy) { ++count; });
    return count;
  }

  void report() {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.1e", worst);
    RecordProperty("worst_error", text);
  }

  static std::string print(GraphBuilder &graph) {
    std::string text;
    llvm::raw_string_ostream(text) << *graph.module << "\n";
    return text;
  }

  MLIRContext context;
  double worst = 0;
};

//===----------------------------------------------------------------------===//
// vae-fuse-upsample
//===----------------------------------------------------------------------===//

struct Axis {
  int64_t kernel, scale, before, after;
};

/// Every kernel, factor and padding.
std::vector<Axis> getAxes() {
  std::vector<Axis> axes;
  for (int64_t kernel = 1; kernel <= 5; ++kernel)
    for (int64_t scale = 1; scale <= 3; ++scale)
      for (int64_t before = 0; before < kernel; ++before)
        for (int64_t after = 0; after < kernel; ++after)
          axes.push_back({kernel, scale, before, after});
  return axes;
}

TEST_F(Equivalence, UpsampleWithEveryKernelFactorAndPadding) {
  Random random(1);
  std::vector<Axis> axes = getAxes();
  ASSERT_EQ(axes.size(), 165u);
  std::vector<std::pair<Axis, Axis>> cases;
  for (const Axis &axis : axes) {
    // Another combination on the other axis; one of the two enlarges.
    for (int i = 0; i < 2; ++i) {
      Axis other = axes[random.pick(0, axes.size() - 1)];
      if (axis.scale == 1 && other.scale == 1)
        other.scale = random.pick(2, 3);
      cases.push_back({axis, other});
      cases.push_back({other, axis});
    }
  }
  for (int64_t scale = 1; scale <= 3; ++scale)
    for (int i = 0; i < 6; ++i)
      cases.push_back({{1, scale, 0, 0}, {1, 2, 0, 0}});
  int fused = 0, moved = 0;
  for (auto [y, x] : cases) {
    GraphBuilder graph(context, random);
    GraphBuilder::Window window;
    window.kernel = {y.kernel, x.kernel};
    window.padding = {y.before, x.before, y.after, x.after};
    window.groups = random.pick(1, 2);
    window.bias = random.coin();
    if (random.coin())
      window.activation =
          ActivationAttr::get(&context, ActivationKind::LeakyRelu, 0.5, 0);
    // Sizes odd and even, but such that the kernel fits.
    int64_t height = random.pick(2, 5) + y.kernel / y.scale,
            width = random.pick(2, 5) + x.kernel / x.scale;
    bool dynamic = random.coin();
    int64_t outputs = 2 * random.pick(1, 2);
    if (random.coin())
      window.residual = graph.argument(
          {1, outputs, height * y.scale + y.before + y.after - y.kernel + 1,
           width * x.scale + x.before + x.after - x.kernel + 1},
          dynamic);
    Value image = graph.argument({1, 2, height, width}, dynamic);
    Value large = graph.upsample(image, {y.scale, x.scale});
    graph.finish(graph.conv(large, outputs, window));
    bool pointwise = y.kernel == 1 && x.kernel == 1 && !window.residual;
    expectSame(
        graph, [](auto &pm) { pm.addPass(createFuseUpsamplePass()); },
        pointwise ? 0 : kTolerance);
    ASSERT_EQ(count<UpsampleOp>(graph), pointwise);
    ASSERT_EQ(count<ConvTranspose2dOp>(graph), !pointwise);
    (pointwise ? moved : fused) += 1;
  }
  EXPECT_GT(fused, 600);
  EXPECT_GT(moved, 5);
  report();
}

//===----------------------------------------------------------------------===//
// vae-fold-batch-norm
//===----------------------------------------------------------------------===//

void foldBatchNorm(OpPassManager &pm) { pm.addPass(createFoldBatchNormPass()); }

TEST_F(Equivalence, BatchNormAfterConvolutions) {
  Random random(2);
  for (int i = 0; i < 60; ++i) {
    GraphBuilder graph(context, random);
    GraphBuilder::Window window;
    window.kernel = {random.pick(1, 3), random.pick(1, 3)};
    window.strides = {random.pick(1, 2), random.pick(1, 2)};
    window.groups = random.pick(1, 2);
    window.bias = random.coin();
    Value x = graph.argument({1, 4, 5, 6}, random.coin());
    bool transposed = random.coin();
    Value y = transposed ? graph.convTranspose(x, 6, window)
                         : graph.conv(x, 6, window);
    y = random.coin() ? graph.batchNorm(y) : graph.channelAffine(y);
    graph.finish(y);
    expectSame(graph, foldBatchNorm);
    ASSERT_EQ(count<ConstantAffineOpInterface>(graph), 0);
  }
}

TEST_F(Equivalence, BatchNormAfterDenseThroughReshape) {
  Random random(3);
  for (int i = 0; i < 40; ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument({1, 5});
    Value y = graph.dense(x, 12);
    switch (random.pick(0, 3)) {
    case 0:
      break;
    case 1:
      y = graph.reshape(y, {3, 2, 2});
      break;
    case 2:
      y = graph.reshape(graph.reshape(y, {2, 6}), {4, 3});
      break;
    case 3:
      y = graph.reshape(y, {12, 1, 1});
      break;
    }
    graph.finish(graph.batchNorm(y));
    expectSame(graph, foldBatchNorm);
    ASSERT_EQ(count<ConstantAffineOpInterface>(graph), 0);
  }
}

TEST_F(Equivalence, BatchNormBeforeLayers) {
  Random random(4);
  for (int i = 0; i < 80; ++i) {
    GraphBuilder graph(context, random);
    GraphBuilder::Window window;
    window.kernel = {random.pick(1, 3), random.pick(1, 3)};
    window.groups = random.pick(1, 2);
    window.bias = random.coin();
    bool padded = random.coin(), shifts = random.coin();
    if (padded)
      window.padding = {1, 0, 0, 1};
    Value x = graph.argument({1, 4, 4, 3});
    Value n = random.coin() ? graph.activation(x, ActivationKind::Relu) : x;
    n = graph.channelAffine(n, shifts);
    bool folds = true;
    Value y;
    switch (random.pick(0, 2)) {
    case 0:
      y = graph.conv(n, 6, window);
      folds = !(padded && shifts);
      break;
    case 1:
      window.padding = {0, 0, 0, 0};
      y = graph.convTranspose(n, 6, window);
      folds = !shifts;
      break;
    case 2:
      y = graph.dense(graph.flatten(n), 5);
      break;
    }
    graph.finish(y);
    expectSame(graph, foldBatchNorm);
    ASSERT_EQ(count<ChannelAffineOp>(graph), !folds) << print(graph);
  }
}

//===----------------------------------------------------------------------===//
// vae-fuse-epilogue
//===----------------------------------------------------------------------===//

void fuseEpilogue(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createFuseEpiloguePass());
}

TEST_F(Equivalence, Epilogues) {
  Random random(5);
  for (int i = 0; i < 60; ++i) {
    GraphBuilder graph(context, random);
    GraphBuilder::Window window;
    window.bias = random.coin();
    Value x = graph.argument({1, 3, 4, 5}, random.coin());
    Value skip = random.coin() ? graph.conv(x, 3, window) : x;
    Value y = graph.conv(x, 3, window);
    if (random.coin())
      std::swap(y, skip);
    if (y == x)
      y = graph.conv(x, 3, window);
    Value sum = AddOp::create(graph.builder, y.getLoc(), y, skip);
    graph.finish(graph.anyActivation(sum));
    expectSame(graph, fuseEpilogue);
    ASSERT_EQ(count<AddOp>(graph), 0);
    ASSERT_EQ(count<ActivationOp>(graph), 0);
  }
}

TEST_F(Equivalence, ReluInTheEpilogueKeepsBits) {
  Random random(6);
  for (int i = 0; i < 20; ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument({1, 7});
    graph.finish(graph.activation(graph.dense(x, 5), ActivationKind::Relu));
    expectSame(graph, fuseEpilogue, 0);
    ASSERT_EQ(count<ActivationOp>(graph), 0);
  }
}

//===----------------------------------------------------------------------===//
// vae-absorb-flatten
//===----------------------------------------------------------------------===//

TEST_F(Equivalence, FlattenBetweenConvolutionsAndDenseLayers) {
  Random random(8);
  for (int i = 0; i < 60; ++i) {
    GraphBuilder graph(context, random);
    GraphBuilder::Window window;
    window.bias = random.coin();
    int64_t channels = random.pick(2, 5), height = random.pick(1, 4),
            width = random.pick(2, 4), units = channels * height * width;
    bool flattens = random.coin();
    Value x = flattens ? graph.argument({2, 3, height, width})
                       : graph.argument({2, 7});
    if (flattens)
      x = graph.flatten(graph.conv(x, channels, window));
    bool between = random.coin();
    if (between)
      x = graph.dense(x, 6);
    x = graph.anyActivation(graph.dense(x, units));
    x = graph.reshape(x, {channels, height, width});
    graph.finish(graph.conv(x, 2, window));
    expectSame(graph, [](auto &pm) {
      pm.template addNestedPass<func::FuncOp>(createFuseEpiloguePass());
      pm.addPass(createAbsorbFlattenPass());
    });
    ASSERT_EQ(count<TransposeOp>(graph), 1 + flattens) << print(graph);
  }
  report();
}

//===----------------------------------------------------------------------===//
// Whole stages on random graphs
//===----------------------------------------------------------------------===//

class Stages : public Equivalence,
               public testing::WithParamInterface<unsigned> {};

/// Convolutions of enlarged images.
int countEnlarged(GraphBuilder &graph) {
  int count = 0;
  graph.module->walk([&](Conv2dOp op) {
    count += op.getX().getDefiningOp<UpsampleOp>() != nullptr;
  });
  return count;
}

/// Activations of the only use of a layer that has none.
int countSeparate(GraphBuilder &graph) {
  int count = 0;
  graph.module->walk([&](ActivationOp op) {
    auto layer = op.getX().getDefiningOp<EpilogueOpInterface>();
    count += layer && op.getX().hasOneUse() && !layer.getEpilogueActivation();
  });
  return count;
}

/// Canonicalization and what else -O0 does may change no bit; fusion rounds
/// less often, folding rounds weights.
TEST_P(Stages, KeepRandomGraphs) {
  Random random(7);
  CompileOptions options;
  options.optLevel = GetParam();
  int norms = 0, enlargedConvs = 0, separate = 0;
  for (int i = 0; i < 150; ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument(
        {1, 2 * random.pick(1, 2), random.pick(2, 4), random.pick(2, 4)});
    SmallVector<Value> results;
    for (int64_t step = 0, end = random.pick(3, 9); step < end; ++step) {
      x = graph.anyStep(x);
      if (random.pick(0, 5) == 0)
        results.push_back(x);
    }
    results.push_back(x);
    graph.finish(results);
    expectSame(
        graph,
        [&](auto &pm) {
          buildSimplify(pm, options);
          buildCompress(pm, options);
          buildFuse(pm, options);
        },
        GetParam() == 0 ? 0 : kTolerance);
    norms += count<BatchNormOp>(graph);
    enlargedConvs += countEnlarged(graph);
    separate += countSeparate(graph);
  }
  // The levels do what they say, so that this test compares something.
  EXPECT_EQ(norms > 0, GetParam() == 0);
  EXPECT_EQ(separate > 0, GetParam() == 0);
  EXPECT_EQ(enlargedConvs > 0, GetParam() < 2);
  report();
}

INSTANTIATE_TEST_SUITE_P(Levels, Stages, testing::Values(0, 1, 2, 3));

} // namespace
