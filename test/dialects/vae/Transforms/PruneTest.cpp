// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What vae-prune-channels leaves computes what the original does with the
// units set to zero, by the reference interpreter.
#include "RandomGraph.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "dialects/vae/Transforms/Passes.h"
#include "dialects/vae/Transforms/UnitSelection.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using reference::Tensor;

namespace {

constexpr double kTolerance = 1e-5;

/// Operations between two convolutions, of an image with 8 channels or
/// multiples of 4.
struct Seam {
  const char *name;
  std::function<Value(GraphBuilder &, Value)> build;
  /// Zeros in, zeros out: then zeros in the weights are a mask.
  bool keepsZeros = true;
};

Location locOf(GraphBuilder &graph) { return graph.builder.getUnknownLoc(); }

Value conv(GraphBuilder &graph, Value x, int64_t outputs, int64_t groups = 1) {
  GraphBuilder::Window window;
  window.kernel = {3, 3};
  window.padding = {1, 1, 1, 1};
  window.groups = groups;
  window.bias = graph.random.coin();
  return graph.conv(x, outputs, window);
}

Value convTranspose(GraphBuilder &graph, Value x, int64_t outputs,
                    int64_t groups) {
  GraphBuilder::Window window;
  window.kernel = {2, 2};
  window.groups = groups;
  return graph.convTranspose(x, outputs, window);
}

std::vector<float> near1(GraphBuilder &graph, int64_t count) {
  std::vector<float> values = graph.random.reals(count);
  for (float &value : values)
    value = 1 + 0.5f * value;
  return values;
}

Value groupNorm(GraphBuilder &graph, Value x, int64_t groups, bool shifts) {
  int64_t channels = GraphBuilder::dim(x, 1);
  Value weight = graph.constant({channels}, near1(graph, channels));
  Value bias = shifts ? graph.constant({channels}) : Value();
  return GroupNormOp::create(graph.builder, locOf(graph), x.getType(), x,
                             weight, bias,
                             graph.builder.getI64IntegerAttr(groups),
                             graph.builder.getF64FloatAttr(1e-3));
}

Value rmsNorm(GraphBuilder &graph, Value x, bool l2) {
  int64_t channels = GraphBuilder::dim(x, 1);
  Value weight = graph.constant({channels}, near1(graph, channels));
  return RmsNormOp::create(graph.builder, locOf(graph), x.getType(), x, weight,
                           Value(), graph.builder.getBoolAttr(l2),
                           graph.builder.getF64FloatAttr(1e-3));
}

Value slice(GraphBuilder &graph, Value x, int64_t axis, int64_t begin,
            int64_t size, int64_t stride = 1) {
  return SliceOp::create(graph.builder, locOf(graph), x, axis, begin,
                         graph.builder.getI64IntegerAttr(size), stride);
}

template <typename OpTy> Value binary(GraphBuilder &graph, Value a, Value b) {
  return OpTy::create(graph.builder, locOf(graph), a, b);
}

Value transpose(GraphBuilder &graph, Value x, ArrayRef<int64_t> order) {
  return TransposeOp::create(graph.builder, locOf(graph), x, order);
}

const std::vector<Seam> &getSeams() {
  static const std::vector<Seam> seams = {
      {"relu",
       [](auto &g, Value x) { return g.activation(x, ActivationKind::Relu); }},
      {"sigmoid",
       [](auto &g, Value x) {
         return g.activation(x, ActivationKind::Sigmoid);
       },
       false},
      {"batch_norm", [](auto &g, Value x) { return g.batchNorm(x); }, false},
      {"channel_affine", [](auto &g, Value x) { return g.channelAffine(x); },
       false},
      {"prelu",
       [](auto &g, Value x) -> Value {
         Value slope = g.constant({GraphBuilder::dim(x, 1)});
         return PreluOp::create(g.builder, locOf(g), x, slope);
       }},
      {"group_norm",
       [](auto &g, Value x) { return groupNorm(g, x, 4, false); }},
      {"group_norm_bias",
       [](auto &g, Value x) { return groupNorm(g, x, 4, true); }, false},
      {"rms_norm", [](auto &g, Value x) { return rmsNorm(g, x, false); }},
      {"l2_norm", [](auto &g, Value x) { return rmsNorm(g, x, true); }},
      {"glu",
       [](auto &g, Value x) -> Value {
         auto gate = ActivationAttr::get(g.builder.getContext(),
                                         ActivationKind::Sigmoid);
         return GluOp::create(g.builder, locOf(g), conv(g, x, 16), gate);
       }},
      {"pixel_shuffle",
       [](auto &g, Value x) -> Value {
         return PixelShuffleOp::create(g.builder, locOf(g), conv(g, x, 16), 2);
       }},
      {"pixel_unshuffle",
       [](auto &g, Value x) -> Value {
         return PixelUnshuffleOp::create(g.builder, locOf(g),
                                         g.upsample(x, {2, 2}), 2);
       }},
      {"repeat_mean",
       [](auto &g, Value x) -> Value {
         x = RepeatChannelsOp::create(g.builder, locOf(g), x, 2);
         x = conv(g, x, 16);
         return MeanChannelsOp::create(g.builder, locOf(g), x, 2);
       }},
      {"pool",
       [](auto &g, Value x) -> Value {
         auto kind = g.random.coin() ? PoolKind::Max : PoolKind::Avg;
         int64_t pair[] = {2, 2}, ones[] = {1, 1}, padding[] = {1, 0, 0, 1};
         return Pool2dOp::create(g.builder, locOf(g), x, kind, pair, ones,
                                 padding, g.random.coin());
       }},
      {"resize",
       [](auto &g, Value x) -> Value {
         return ResizeOp::create(g.builder, locOf(g), x, Value(),
                                 g.builder.getDenseI64ArrayAttr({3, 5}),
                                 ResizeMode::Bilinear, false);
       }},
      {"pad_crop",
       [](auto &g, Value x) -> Value {
         int64_t padding[] = {1, 2, 0, 1}, border[] = {0, 1, 0, 0};
         x = PadOp::create(g.builder, locOf(g), x, padding,
                           llvm::APFloat(0.5f));
         return CropOp::create(g.builder, locOf(g), x, border);
       },
       false},
      {"residual",
       [](auto &g, Value x) {
         return binary<AddOp>(g, x, conv(g, x, GraphBuilder::dim(x, 1)));
       }},
      {"residual_chain",
       [](auto &g, Value x) {
         for (int i = 0; i < 3; ++i) {
           Value y =
               g.activation(groupNorm(g, x, 4, false), ActivationKind::Silu);
           x = binary<AddOp>(g, x, conv(g, y, GraphBuilder::dim(x, 1)));
         }
         return x;
       }},
      {"gate",
       [](auto &g, Value x) {
         return binary<MulOp>(g, conv(g, x, 8), conv(g, x, 8));
       }},
      {"difference",
       [](auto &g, Value x) {
         return binary<SubOp>(g, conv(g, x, 8), conv(g, x, 8));
       }},
      {"concat",
       [](auto &g, Value x) -> Value {
         Value parts[] = {conv(g, x, 4), x, conv(g, x, 8)};
         return ConcatOp::create(g.builder, locOf(g), ValueRange(parts), 1);
       }},
      {"concat_of_sum",
       [](auto &g, Value x) -> Value {
         Value parts[] = {conv(g, x, 4), conv(g, x, 8)};
         Value all =
             ConcatOp::create(g.builder, locOf(g), ValueRange(parts), 1);
         return binary<AddOp>(g, all, conv(g, x, 12));
       }},
      {"split",
       [](auto &g, Value x) -> Value {
         int64_t half = GraphBuilder::dim(x, 1) / 2;
         auto type = cast<RankedTensorType>(x.getType());
         SmallVector<int64_t> shape(type.getShape());
         shape[1] = half;
         Type types[] = {type.clone(shape), type.clone(shape)};
         auto split = SplitOp::create(g.builder, locOf(g), TypeRange(types), x,
                                      1, 2, g.random.coin());
         return binary<AddOp>(g, split.getParts()[0], split.getParts()[1]);
       }},
      {"slices",
       [](auto &g, Value x) -> Value {
         int64_t channels = GraphBuilder::dim(x, 1);
         Value parts[] = {slice(g, x, 1, channels - 4, 4),
                          slice(g, x, 1, 0, channels - 4)};
         return ConcatOp::create(g.builder, locOf(g), ValueRange(parts), 1);
       }},
      {"strided_slices",
       [](auto &g, Value x) {
         int64_t half = GraphBuilder::dim(x, 1) / 2;
         return binary<SubOp>(g, slice(g, x, 1, 1, half, 2),
                              slice(g, x, 1, 0, half, 2));
       }},
      {"depthwise",
       [](auto &g, Value x) {
         return conv(g, x, GraphBuilder::dim(x, 1), GraphBuilder::dim(x, 1));
       }},
      {"grouped", [](auto &g, Value x) { return conv(g, x, 8, 4); }},
      {"transposed",
       [](auto &g, Value x) { return convTranspose(g, x, 8, 1); }},
      {"transposed_grouped",
       [](auto &g, Value x) { return convTranspose(g, x, 8, 4); }},
      {"dense",
       [](auto &g, Value x) {
         return g.reshape(g.dense(g.flatten(x), 8 * 9), {8, 3, 3});
       }},
      {"dense_chain",
       [](auto &g, Value x) {
         Value h =
             g.activation(g.dense(g.flatten(x), 10), ActivationKind::Relu);
         return g.reshape(g.dense(h, 8 * 4), {8, 2, 2});
       }},
      {"dense_on_pixels",
       [](auto &g, Value x) {
         Value pixels = transpose(g, x, {0, 2, 3, 1});
         return transpose(g, g.dense(pixels, 8), {0, 3, 1, 2});
       }},
      {"keras_seam",
       [](auto &g, Value x) {
         Value flat = g.flatten(transpose(g, x, {0, 2, 3, 1}));
         Value image = g.reshape(g.dense(flat, 8 * 6), {2, 3, 8});
         return transpose(g, image, {0, 3, 1, 2});
       }},
      {"global_pool",
       [](auto &g, Value x) {
         Value y = GlobalPoolOp::create(g.builder, locOf(g), x, PoolKind::Max);
         return g.reshape(g.dense(y, 16), {4, 2, 2});
       }},
      {"softmax_of_rows",
       [](auto &g, Value x) -> Value {
         return SoftmaxOp::create(g.builder, locOf(g), x, 3);
       },
       false},
      {"softmax_of_channels",
       [](auto &g, Value x) -> Value {
         return SoftmaxOp::create(g.builder, locOf(g), x, 1);
       }},
      {"layer_norm",
       [](auto &g, Value x) -> Value {
         return LayerNormOp::create(g.builder, locOf(g), x, Value(), Value(), 1,
                                    llvm::APFloat(1e-3));
       }},
      {"attention",
       [](auto &g, Value x) -> Value {
         return AttentionOp::create(g.builder, locOf(g), conv(g, x, 8),
                                    conv(g, x, 8), conv(g, x, 8), 2,
                                    llvm::APFloat(0.5));
       }},
  };
  return seams;
}

class Prune : public testing::Test {
protected:
  Prune() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<VaeDialect, func::FuncDialect>();
  }

  LogicalResult run(ModuleOp module, double fraction, bool mask) {
    PruneChannelsPassOptions options;
    options.channels = fraction;
    options.mask = mask;
    PassManager pm(&context);
    pm.addPass(createPruneChannelsPass(options));
    return pm.run(module);
  }

  static std::string print(ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream(text) << module << "\n";
    return text;
  }

  void expectSame(ModuleOp expected, ModuleOp found, ArrayRef<Tensor> inputs) {
    auto interpret = [&](ModuleOp module) {
      auto results =
          reference::interpret(module.lookupSymbol<func::FuncOp>("f"), inputs);
      if (results)
        return std::move(*results);
      ADD_FAILURE() << toString(results.takeError()) << print(module);
      return std::vector<Tensor>();
    };
    std::vector<Tensor> a = interpret(expected), b = interpret(found);
    ASSERT_EQ(a.size(), b.size());
    for (auto [x, y] : llvm::zip(a, b)) {
      ASSERT_EQ(x.shape, y.shape);
      double error = 0, norm = 0;
      for (auto [p, q] : llvm::zip(x.data, y.data)) {
        error += (double(p) - q) * (double(p) - q);
        norm += double(p) * p;
      }
      ASSERT_LE(std::sqrt(error), kTolerance * std::sqrt(norm))
          << print(expected) << print(found);
    }
  }

  /// Zeros in the weights and biases that give the units that `pruned` has
  /// lost.
  void zeroWeights(ModuleOp module, ModuleOp pruned) {
    auto removed = pruned->getAttrOfType<DictionaryAttr>(kPrunedAttr);
    UnitFlow flow(module);
    module.walk([&](PrunableOpInterface op) {
      auto units = removed.getAs<DenseI64ArrayAttr>(flow.findLayer(op)->name);
      if (!units)
        return;
      auto zero = [&](OpOperand &operand, int64_t axis, int64_t groups) {
        ElementsAttr old = getConstant(operand.get()).getValue();
        std::vector<float> storage;
        std::vector<float> values = getFloats(old, storage).vec();
        ArrayRef<int64_t> shape = old.getShapedType().getShape();
        int64_t inner = 1, all = units.size();
        (void)all;
        for (int64_t dim : shape.drop_front(axis + 1))
          inner *= dim;
        for (auto [i, value] : llvm::enumerate(values)) {
          int64_t unit = int64_t(i) / inner % shape[axis];
          if (groups > 1) // transposed: axis 0 has the inputs
            unit +=
                int64_t(i) / (int64_t(values.size()) / groups) * shape[axis];
          if (llvm::is_contained(units.asArrayRef(), unit))
            value = 0;
        }
        OpBuilder builder(op);
        operand.set(ConstantOp::create(
            builder, op->getLoc(), makeWeightLike(old, "w", shape, values)));
      };
      bool transposed = isa<ConvTranspose2dOp>(op.getOperation());
      Value bias = op.getBiasValue();
      zero(op->getOpOperand(op.getWeightIndex()), op.getOutputUnitAxis(),
           transposed ? op.getUnitGroups() : 1);
      if (bias)
        zero(*llvm::find_if(op->getOpOperands(),
                            [&](OpOperand &o) { return o.get() == bias; }),
             0, 1);
    });
  }

  /// Whether units were removed.
  bool check(GraphBuilder &graph, double fraction, bool keepsZeros) {
    EXPECT_TRUE(succeeded(verify(*graph.module)));
    OwningOpRef<ModuleOp> pruned = graph.module->clone(),
                          masked = graph.module->clone();
    ScopedDiagnosticHandler quiet(&context,
                                  [](Diagnostic &) { return success(); });
    if (failed(run(*pruned, fraction, false)))
      return false; // nothing to remove, or nothing would be left
    EXPECT_TRUE(succeeded(run(*masked, fraction, true)));
    if (failed(verify(*pruned)) || failed(verify(*masked))) {
      ADD_FAILURE() << print(*graph.module) << print(*pruned);
      return false;
    }
    expectSame(*masked, *pruned, graph.inputs);
    auto removed = (*pruned)->getAttrOfType<DictionaryAttr>(kPrunedAttr);
    if (keepsZeros) {
      zeroWeights(*graph.module, *pruned);
      expectSame(*graph.module, *pruned, graph.inputs);
    }
    return !removed.empty();
  }

  MLIRContext context;
};

TEST_F(Prune, EachSeam) {
  Random random(11);
  for (const Seam &seam : getSeams()) {
    SCOPED_TRACE(seam.name);
    int removed = 0;
    for (int i = 0; i < 6 && !HasFatalFailure(); ++i) {
      GraphBuilder graph(context, random);
      Value x = conv(graph, graph.argument({1, 3, 4, 4}), 8);
      x = seam.build(graph, x);
      graph.finish(conv(graph, x, 3));
      removed += check(graph, i % 2 ? 0.5 : 0.3, seam.keepsZeros);
    }
    // Whatever needs all channels.
    bool fixed = StringRef(seam.name) == "softmax_of_channels";
    EXPECT_EQ(removed, fixed ? 0 : 6);
  }
}

TEST_F(Prune, RandomSeamsInARow) {
  Random random(12);
  int removed = 0;
  for (int i = 0; i < 300 && !HasFatalFailure(); ++i) {
    GraphBuilder graph(context, random);
    Value x = conv(graph, graph.argument({1, 3, 4, 4}), 8);
    bool keepsZeros = true;
    std::string names;
    for (int step = 0; step < 3; ++step) {
      if (GraphBuilder::dim(x, 1) % 4 || GraphBuilder::dim(x, 2) > 12 ||
          GraphBuilder::dim(x, 2) < 2 || GraphBuilder::dim(x, 3) < 2)
        x = conv(graph,
                 graph.reshape(graph.dense(graph.flatten(x), 48), {3, 4, 4}),
                 8);
      const Seam &seam = getSeams()[random.pick(0, getSeams().size() - 1)];
      names += std::string(" ") + seam.name;
      x = seam.build(graph, x);
      keepsZeros &= seam.keepsZeros;
    }
    SCOPED_TRACE(names);
    graph.finish(conv(graph, x, 3));
    removed += check(graph, random.coin() ? 0.5 : 0.25, keepsZeros);
  }
  EXPECT_GT(removed, 200);
}

/// The graphs of the other passes' tests: small layers, of which little can go.
TEST_F(Prune, RandomGraphs) {
  Random random(13);
  int removed = 0;
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
    GraphBuilder graph(context, random);
    Value x = graph.argument(
        {1, 2 * random.pick(1, 2), random.pick(2, 4), random.pick(2, 4)});
    for (int64_t step = 0, end = random.pick(4, 9); step < end; ++step)
      x = graph.anyStep(x);
    graph.finish(x);
    removed += check(graph, 0.5, false);
  }
  EXPECT_GT(removed, 50);
}

TEST_F(Prune, NormsOfFilters) {
  // [O, C] = [2, 3], and transposed in 2 groups: [C, O / 2] = [4, 1].
  Random random(14);
  GraphBuilder graph(context, random);
  Value x = graph.argument({1, 3});
  Value weight = graph.constant({2, 3}, {3, 0, 4, 0, 0, 2});
  auto dense = DenseOp::create(graph.builder, locOf(graph), x, weight, Value(),
                               Value(), ActivationAttr());
  EXPECT_EQ(getUnitNorms(dense), (std::vector<double>{5, 2}));
  Value image = graph.argument({1, 4, 1, 1});
  Value kernel = graph.constant({4, 1, 1, 1}, {3, 4, 6, 8});
  auto conv = ConvTranspose2dOp::create(
      graph.builder, locOf(graph), image, kernel, Value(), Value(),
      ArrayRef<int64_t>({1, 1}), ArrayRef<int64_t>({0, 0, 0, 0}),
      ArrayRef<int64_t>({0, 0}), ArrayRef<int64_t>({1, 1}), 2,
      ActivationAttr());
  EXPECT_EQ(getUnitNorms(conv), (std::vector<double>{5, 10}));
  graph.finish({dense.getY(), conv.getY()});
}

} // namespace
