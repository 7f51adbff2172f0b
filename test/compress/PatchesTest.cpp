// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows times the weight's matrix are what the reference interpreter computes.
#include "compiler/compress/Patches.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "test/dialects/vae/Transforms/RandomGraph.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace vae;

namespace {

class PatchesTest : public testing::Test {
protected:
  PatchesTest() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<VaeDialect, func::FuncDialect>();
  }

  /// `y` is a layer of the first argument.
  void check(GraphBuilder &graph, Value y) {
    Operation *layer = y.getDefiningOp();
    graph.finish(y);
    auto results = reference::interpret(
        graph.module->lookupSymbol<func::FuncOp>("f"), graph.inputs);
    ASSERT_TRUE(bool(results)) << toString(results.takeError());
    const reference::Tensor &x = graph.inputs[0], &expected = (*results)[0];
    auto patches = Patches::create(layer);
    ASSERT_TRUE(patches);
    patches->setShapes(x.shape, expected.shape);
    auto op = cast<PrunableOpInterface>(layer);
    std::vector<float> storage;
    ElementsAttr attribute =
        getConstant(layer->getOperand(op.getWeightIndex())).getValue();
    std::vector<float> weight = getFloats(attribute, storage).vec();
    RealMatrix matrix = patches->toMatrix(weight);
    EXPECT_EQ(patches->toWeight(matrix), weight);
    int64_t batch = x.shape[0];
    int64_t in = x.data.size() / batch, out = expected.data.size() / batch;
    ASSERT_EQ(patches->getPositions() * patches->getOutputs(), out);
    Eigen::RowVectorXd row(patches->getInputs()), found(patches->getOutputs());
    std::vector<double> wanted(patches->getOutputs());
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t p = 0; p < patches->getPositions(); ++p) {
        patches->readInputs(x.data.data() + n * in, p, row.data());
        patches->readOutputs(expected.data.data() + n * out, p, wanted.data());
        found = row * matrix;
        for (int64_t u = 0; u < found.size(); ++u)
          ASSERT_NEAR(found[u], wanted[u], 1e-5) << p << " " << u;
      }
  }

  GraphBuilder::Window anyWindow(bool transposed) {
    GraphBuilder::Window window;
    window.bias = false;
    for (int axis : {0, 1}) {
      window.kernel[axis] = random.pick(1, 3);
      window.strides[axis] = random.pick(1, 3);
      window.dilations[axis] = random.pick(1, 2);
      for (int side : {axis, axis + 2})
        window.padding[side] =
            random.pick(0, transposed ? window.kernel[axis] - 1 : 2);
    }
    return window;
  }

  MLIRContext context;
  Random random{3};
};

TEST_F(PatchesTest, Convolutions) {
  for (int i = 0; i < 40; ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument({1, 3, random.pick(5, 7), random.pick(5, 7)});
    check(graph, graph.conv(x, 4, anyWindow(false)));
  }
}

TEST_F(PatchesTest, TransposedConvolutions) {
  for (int i = 0; i < 40; ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument({1, 3, random.pick(3, 5), random.pick(3, 5)});
    check(graph, graph.convTranspose(x, 4, anyWindow(true)));
  }
}

TEST_F(PatchesTest, Videos) {
  GraphBuilder graph(context, random);
  Value x = graph.argument({1, 2, 4, 5, 3});
  Value weight = graph.constant({3, 2, 2, 3, 2});
  int64_t strides[] = {1, 2, 1}, padding[] = {1, 1, 0, 0, 1, 1},
          dilations[] = {2, 1, 1};
  check(graph,
        Conv3dOp::create(graph.builder, x.getLoc(), x, weight, Value(), Value(),
                         strides, padding, dilations, 1, ActivationAttr()));
}

TEST_F(PatchesTest, Dense) {
  for (bool tokens : {false, true}) {
    GraphBuilder graph(context, random);
    Value x = tokens ? graph.argument({1, 3, 5}) : graph.argument({1, 5});
    Value weight = graph.constant({4, 5});
    check(graph, DenseOp::create(graph.builder, x.getLoc(), x, weight, Value(),
                                 Value(), ActivationAttr()));
  }
}

TEST_F(PatchesTest, NotInGroups) {
  GraphBuilder graph(context, random);
  GraphBuilder::Window window;
  window.groups = 2;
  Value y = graph.conv(graph.argument({1, 4, 3, 3}), 4, window);
  EXPECT_FALSE(Patches::create(y.getDefiningOp()));
  graph.finish(y);
}

} // namespace
