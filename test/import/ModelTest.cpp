// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole models: the entry points and their attributes.
#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "test/import/ImportTest.h"

using namespace vae::test;
using llvm::StringRef;

namespace {
class Model : public ImportTest {
protected:
  /// The entry points, "name(argument: type...) -> result: type...".
  std::string signature(mlir::ModuleOp module, StringRef name) {
    auto entry = module.lookupSymbol<mlir::func::FuncOp>(name);
    if (!entry)
      return "none";
    std::string text;
    llvm::raw_string_ostream stream(text);
    auto describe = [&](mlir::Type type, auto get) {
      auto string = [&](StringRef key) {
        return llvm::cast<mlir::StringAttr>(get(key)).getValue();
      };
      stream << " " << string("vae.name") << "/" << string("vae.role") << "/"
             << string("vae.layout") << ":";
      for (int64_t dim : llvm::cast<mlir::RankedTensorType>(type).getShape())
        if (dim < 0)
          stream << " ?";
        else
          stream << " " << dim;
    };
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      describe(entry.getArgumentTypes()[i],
               [&](StringRef key) { return entry.getArgAttr(i, key); });
    stream << " ->";
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      describe(entry.getResultTypes()[i],
               [&](StringRef key) { return entry.getResultAttr(i, key); });
    return text.substr(1);
  }
  /// Attribute vae.dims of an argument.
  std::string dims(mlir::ModuleOp module, StringRef name, unsigned argument) {
    auto entry = module.lookupSymbol<mlir::func::FuncOp>(name);
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::cast<mlir::AffineMapAttr>(entry.getArgAttr(argument, vae::kDimsAttr))
        .getAffineMap()
        .print(stream);
    return text;
  }
};
} // namespace

static const char *const kMlp = R"({
  "format_version": 1,
  "name": "mlp",
  "weights": "w.safetensors",
  "inputs": [{"name": "x", "shape": [6], "range": [0, 1]}],
  "encoder": {"layers": [
    {"name": "hidden", "type": "dense", "units": 4, "activation": "relu"},
    {"name": "mu", "type": "dense", "units": 2},
    {"name": "logvar", "type": "dense", "units": 2, "inputs": ["hidden"]}
  ]},
  "latent": {"kind": "gaussian", "mu": "mu", "logvar": "logvar",
             "logvar_clamp": [-30, 20]},
  "decoder": {"layers": [
    {"name": "dec", "type": "dense", "units": 6}
  ]},
  "likelihood": {"kind": "bernoulli", "parameterization": "logits"},
  "prior": {"kind": "standard_normal"}
})";

static const std::vector<TestTensor> kMlpTensors = {
    {"hidden.weight", {4, 6}, {}}, {"hidden.bias", {4}, {}},
    {"mu.weight", {2, 4}, {}},     {"mu.bias", {2}, {}},
    {"logvar.weight", {2, 4}, {}}, {"logvar.bias", {2}, {}},
    {"dec.weight", {6, 2}, {}},    {"dec.bias", {6}, {}}};

TEST_F(Model, PrintsTheWholeModule) {
  writeTensors(kMlpTensors);
  std::string text = print(kMlp);
  std::string expected;
  // Every function once, every weight once, in the order of the graph.
  for (StringRef line :
       {"module attributes {vae.model = {latent = \"gaussian\", likelihood = "
        "{kind = \"bernoulli\", parameterization = \"logits\"}, name = "
        "\"mlp\", parameters = 66 : i64, prior = {kind = "
        "\"standard_normal\"}}, vae.symbols = [{minimum = 1 : i64, multiple = "
        "1 : i64, name = \"batch\"}]}",
        "func.func private @encoder(%arg0: tensor<?x6xf32>) -> "
        "(tensor<?x2xf32>, tensor<?x2xf32>)",
        "vae.constant dense_resource<hidden.weight__",
        "vae.dense",
        "vae.activation",
        "<relu>",
        "mu.weight__",
        "logvar.weight__",
        "<clamp, alpha = -3.000000e+01 : f64, beta = "
        "2.000000e+01 : f64>",
        "func.func private @decoder(%arg0: tensor<?x2xf32>) -> tensor<?x6xf32>",
        "func.func @encode(%arg0: tensor<?x6xf32> {vae.dims = #map1, "
        "vae.layout = \"NC\", vae.name = \"x\", vae.range = "
        "[0.000000e+00 : f32, 1.000000e+00 : f32], vae.role = \"input\"}) -> "
        "(tensor<?x2xf32> {",
        "attributes {vae.entry}",
        "call @encoder(%arg0)",
        "@encode_sample",
        "vae.reparameterize",
        "@decode(",
        "call @decoder",
        "@reconstruct(",
        "<sigmoid>",
        "@reconstruct_sample(",
        "@sample(",
        "@score(",
        "vae.log_likelihood",
        "vae.kl",
        "vae.sub"}) {
    size_t found = text.find(line.str());
    EXPECT_NE(found, std::string::npos) << line.str() << "\nin\n" << text;
    if (found != std::string::npos)
      text = text.substr(found);
  }
}

TEST_F(Model, EntryPoints) {
  writeTensors(kMlpTensors);
  auto module = import(kMlp);
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "encode"),
            "x/input/NC: ? 6 -> mu/mu/NC: ? 2 logvar/logvar/NC: ? 2");
  EXPECT_EQ(signature(*module, "encode_sample"),
            "x/input/NC: ? 6 noise/noise/NC: ? 2 -> mu/mu/NC: ? 2 "
            "logvar/logvar/NC: ? 2 z/latent/NC: ? 2");
  EXPECT_EQ(signature(*module, "decode"),
            "z/latent/NC: ? 2 -> y/output/NC: ? 6");
  EXPECT_EQ(signature(*module, "reconstruct"),
            "x/input/NC: ? 6 -> y/mean/NC: ? 6");
  EXPECT_EQ(signature(*module, "reconstruct_sample"),
            "x/input/NC: ? 6 noise/noise/NC: ? 2 -> y/mean/NC: ? 6");
  EXPECT_EQ(signature(*module, "sample"),
            "noise/noise/NC: ? 2 -> y/mean/NC: ? 6");
  EXPECT_EQ(signature(*module, "score"),
            "x/input/NC: ? 6 noise/noise/NC: ? 2 -> "
            "log_likelihood/log_likelihood/N: ? kl/kl/N: ? elbo/elbo/N: ?");
  // Locations are the layer's name and place.
  bool found = false;
  module->walk([&](vae::DenseOp op) {
    if (vae::getLayerName(op.getLoc()) != "hidden")
      return;
    found = true;
    auto loc = llvm::cast<mlir::FileLineColLoc>(
        llvm::cast<mlir::NameLoc>(op.getLoc()).getChildLoc());
    EXPECT_EQ(loc.getLine(), 7u);
    EXPECT_EQ(loc.getColumn(), 5u);
  });
  EXPECT_TRUE(found);
}

TEST_F(Model, ImportsTwiceInOneContext) {
  writeTensors(kMlpTensors);
  EXPECT_EQ(print(kMlp), print(kMlp));
}

TEST_F(Model, PlainCode) {
  auto module = import(R"({"format_version": 1, "name": "ae",
    "inputs": [{"name": "x", "shape": [4]}],
    "encoder": {"layers": [{"name": "e", "type": "tanh"}]},
    "latent": {"kind": "code", "code": "e"},
    "decoder": {"layers": [{"name": "d", "type": "relu"}]},
    "likelihood": {"kind": "gaussian", "variance": 0.25}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "encode"),
            "x/input/NC: ? 4 -> z/latent/NC: ? 4");
  EXPECT_EQ(signature(*module, "score"),
            "x/input/NC: ? 4 -> log_likelihood/log_likelihood/N: ?");
  for (StringRef absent : {"encode_sample", "reconstruct_sample", "sample"})
    EXPECT_EQ(signature(*module, absent), "none");
}

TEST_F(Model, FurtherOutputsOfTheEncoder) {
  std::string head = R"({"format_version": 1, "name": "vq",
    "inputs": [{"name": "x", "shape": [4, 6, 2], "layout": "NHWC"}],
    "encoder": {"layers": [
      {"name": "e", "type": "tanh"},
      {"name": "parts", "type": "split", "sections": 2, "inputs": ["e"]},
      {"name": "i", "type": "nearest_codebook", "entries": 3, "inputs": ["e"],
       "weights": {"codebook": [[1, 2], [3, 4], [5, 6]]}}],
      "outputs": ["i", "parts:1"]},
    "decoder": {"layers": [{"name": "d", "type": "relu"}]}, "latent": )";
  auto code = import(head + R"({"kind": "code", "code": "e",
                                "layout": "NHWC"}})");
  ASSERT_TRUE(code) << errors;
  EXPECT_EQ(signature(*code, "encode"),
            "x/input/NHWC: ? 4 6 2 -> z/latent/NHWC: ? 4 6 2 "
            "i/layer/NHW: ? 4 6 parts:1/layer/NHWC: ? 4 6 1");
  EXPECT_EQ(signature(*code, "reconstruct"),
            "x/input/NHWC: ? 4 6 2 -> y/mean/NHWC: ? 4 6 2");
  auto gaussian = import(head + R"({"kind": "gaussian", "mu": "e",
                                    "logvar": "e"}})");
  ASSERT_TRUE(gaussian) << errors;
  EXPECT_EQ(signature(*gaussian, "encode_sample"),
            "x/input/NHWC: ? 4 6 2 noise/noise/NCHW: ? 2 4 6 -> "
            "mu/mu/NCHW: ? 2 4 6 logvar/logvar/NCHW: ? 2 4 6 "
            "z/latent/NCHW: ? 2 4 6 i/layer/NHW: ? 4 6 "
            "parts:1/layer/NCHW: ? 1 4 6");
}

TEST_F(Model, ScaledLatent) {
  auto scaling = [&](const std::string &keys) {
    auto module = import(R"({"format_version": 1, "name": "scaled",
      "latent": {"kind": "gaussian", "shape": [2, 3, 4], "layout": "NHWC")" +
                         keys + R"(},
      "decoder": {"layers": [{"name": "d", "type": "relu"}]}})");
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (module)
      (*module)
          ->getAttrOfType<mlir::DictionaryAttr>(vae::kModelAttr)
          .get(vae::kLatentScalingAttr)
          .print(stream);
    return text + errors;
  };
  EXPECT_EQ(scaling(", \"scale\": 0.5"),
            "{scale = [5.000000e-01], shift = [0.000000e+00]}");
  EXPECT_EQ(scaling(", \"shift\": [1, 2, 3, -4], \"scale\": 0.5"),
            "{scale = [5.000000e-01, 5.000000e-01, 5.000000e-01, "
            "5.000000e-01], shift = [1.000000e+00, 2.000000e+00, "
            "3.000000e+00, -4.000000e+00]}");
}

TEST_F(Model, Conditional) {
  auto module = import(R"({"format_version": 1, "name": "cvae",
    "inputs": [{"name": "x", "shape": [4]}, {"name": "label", "shape": [2]},
               {"name": "style", "shape": [2]}],
    "encoder": {"inputs": ["x", "label"], "layers": [
      {"name": "cat", "type": "concat", "inputs": ["x", "label"]}]},
    "latent": {"kind": "gaussian", "head": "cat", "split": "interleaved"},
    "decoder": {"inputs": ["z", "style"], "layers": [
      {"name": "d", "type": "concat", "inputs": ["z", "style"]},
      {"name": "s", "type": "split", "sections": 5},
      {"name": "y", "type": "concat", "inputs": ["s:0", "s:1", "s:2", "s:3"]}
    ]},
    "likelihood": {"kind": "laplace", "scale": 2}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "encode"),
            "x/input/NC: ? 4 label/condition/NC: ? 2 -> mu/mu/NC: ? 3 "
            "logvar/logvar/NC: ? 3");
  EXPECT_EQ(signature(*module, "decode"),
            "z/latent/NC: ? 3 style/condition/NC: ? 2 -> y/output/NC: ? 4");
  EXPECT_EQ(signature(*module, "score"),
            "x/input/NC: ? 4 noise/noise/NC: ? 3 label/condition/NC: ? 2 "
            "style/condition/NC: ? 2 -> log_likelihood/log_likelihood/N: ? "
            "kl/kl/N: ? elbo/elbo/N: ?");
}

TEST_F(Model, ChannelsLastAndFlatOutput) {
  auto module = import(R"({"format_version": 1, "name": "nhwc",
    "inputs": [{"name": "x", "shape": [4, 6, 2], "layout": "NHWC"}],
    "encoder": {"layers": [
      {"name": "pool", "type": "max_pool2d", "kernel_size": 2}]},
    "latent": {"kind": "code", "code": "pool", "layout": "NHWC"},
    "decoder": {"layers": [
      {"name": "up", "type": "upsample", "scale": 2},
      {"name": "flat", "type": "flatten", "order": "NHWC"}]},
    "likelihood": {"kind": "bernoulli", "parameterization": "probabilities"}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "encode"),
            "x/input/NHWC: ? 4 6 2 -> z/latent/NHWC: ? 2 3 2");
  EXPECT_EQ(signature(*module, "decode"),
            "z/latent/NHWC: ? 2 3 2 -> y/output/NC: ? 48");
  EXPECT_EQ(signature(*module, "reconstruct"),
            "x/input/NHWC: ? 4 6 2 -> y/mean/NHWC: ? 4 6 2");
}

TEST_F(Model, DynamicHeightAndWidth) {
  auto module = import(R"({"format_version": 1, "name": "dynamic",
    "dynamic": {"height": {"min": 16, "multiple": 8}, "width": {"multiple": 8}},
    "inputs": [{"name": "x", "shape": [2, "height", "width"]}],
    "encoder": {"layers": [
      {"name": "pool", "type": "avg_pool2d", "kernel_size": 2}]},
    "latent": {"kind": "gaussian", "mu": "pool", "logvar": "pool"},
    "decoder": {"layers": [{"name": "up", "type": "upsample", "scale": 2}]},
    "likelihood": {"kind": "gaussian"},
    "prior": {"kind": "normal", "mean": [0, 1], "std": 2}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(dims(*module, "encode", 0),
            "()[s0, s1, s2] -> (s0, 2, s1 * 8, s2 * 8)");
  EXPECT_EQ(dims(*module, "decode", 0),
            "()[s0, s1, s2] -> (s0, 2, s1 * 4, s2 * 4)");
  EXPECT_EQ(signature(*module, "sample"),
            "noise/noise/NCHW: ? 2 ? ? -> y/mean/NCHW: ? 2 ? ?");
}

TEST_F(Model, DynamicSizesAreRecognizedThroughPaddedLayers) {
  writeTensors({{"down.weight", {2, 2, 3, 3}, {}},
                {"up.weight", {2, 2, 4, 4}, {}},
                {"up2.weight", {2, 2, 3, 3}, {}}});
  auto module = import(R"({"format_version": 1, "name": "dynamic",
    "weights": "w.safetensors",
    "dynamic": {"height": {"multiple": 4}, "width": {"multiple": 4}},
    "inputs": [{"name": "x", "shape": [2, "height", "width"]}],
    "encoder": {"layers": [
      {"name": "p", "type": "avg_pool2d", "kernel_size": 2},
      {"name": "down", "type": "conv2d", "filters": 2, "kernel_size": 3,
       "stride": 2, "padding": 1, "bias": false}]},
    "latent": {"kind": "code", "code": "down"},
    "decoder": {"layers": [
      {"name": "up", "type": "conv_transpose2d", "filters": 2,
       "kernel_size": 4, "stride": 2, "padding": 1, "bias": false},
      {"name": "up2", "type": "conv_transpose2d", "filters": 2,
       "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1,
       "bias": false}]}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(dims(*module, "decode", 0), "()[s0, s1, s2] -> (s0, 2, s1, s2)");
}

TEST_F(Model, DynamicShapesMustFollow) {
  EXPECT_EQ(fail(R"({"format_version": 1, "name": "dynamic",
    "dynamic": {"height": {"min": 2}, "width": {"min": 2}},
    "inputs": [{"name": "x", "shape": [2, "height", "width"]}],
    "latent": {"kind": "code", "code": "pool"},
    "encoder": {"layers": [
      {"name": "pool", "type": "avg_pool2d", "kernel_size": 2}]}})"),
            "4:15: latent: its height or width is no linear function of the "
            "input's; enlarge \"multiple\" in \"dynamic\"");
  EXPECT_EQ(fail(R"({"format_version": 1, "name": "dynamic",
    "dynamic": {"height": {"min": 2}, "width": {"min": 2}},
    "inputs": [{"name": "x", "shape": [2, "height", "width"]}],
    "latent": {"kind": "code", "code": "pool"},
    "encoder": {"layers": [
{"name": "pool", "type": "avg_pool2d", "kernel_size": 3, "stride": 1}]}})"),
            "6:1: layer 'pool': the result would be [N, 2, height-2, width-2], "
            "with nothing left at the smallest height and width");
}

TEST_F(Model, LearnedVariance) {
  std::string head = R"({"format_version": 1, "name": "learned",
    "inputs": [{"name": "x", "shape": [4]}],
    "encoder": {"layers": [{"name": "e", "type": "relu"}]},
    "latent": {"kind": "gaussian", "mu": "e", "logvar": "e"},
    "decoder": {"layers": [{"name": "d", "type": "relu"},
                           {"name": "v", "type": "tanh"},
                           {"name": "both", "type": "concat",
                            "inputs": ["d", "v"]}], )";
  auto two = import(head + R"("output": "d", "output_logvar": "v"},
    "likelihood": {"kind": "gaussian", "variance": "learned"}})");
  ASSERT_TRUE(two) << errors;
  EXPECT_EQ(signature(*two, "decode"), "z/latent/NC: ? 4 -> y/output/NC: ? 4 "
                                       "y_logvar/output_logvar/NC: ? 4");
  auto one = import(head + R"("output": "both"},
    "likelihood": {"kind": "gaussian", "variance": "learned",
                   "split": "halves"}})");
  ASSERT_TRUE(one) << errors;
  EXPECT_EQ(signature(*one, "decode"), signature(*two, "decode"));
  EXPECT_EQ(signature(*one, "reconstruct"),
            "x/input/NC: ? 4 -> y/mean/NC: ? 4");
}

TEST_F(Model, OnlyDecoder) {
  auto module = import(R"({"format_version": 1, "name": "decoder",
    "latent": {"kind": "gaussian", "shape": [2, 3, 4], "layout": "NHWC"},
    "decoder": {"layers": [{"name": "d", "type": "relu"}]}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "decode"),
            "z/latent/NHWC: ? 2 3 4 -> y/output/NCHW: ? 4 2 3");
  EXPECT_EQ(signature(*module, "sample"),
            "noise/noise/NHWC: ? 2 3 4 -> y/mean/NCHW: ? 4 2 3");
  for (StringRef absent : {"encode", "reconstruct", "score", "encoder"})
    EXPECT_EQ(signature(*module, absent), "none");
}

TEST_F(Model, OnlyEncoder) {
  auto module = import(R"({"format_version": 1, "name": "encoder",
    "inputs": [{"name": "x", "shape": [4]}],
    "encoder": {"layers": [{"name": "e", "type": "relu"}]},
    "latent": {"kind": "gaussian", "mu": "e", "logvar": "e"}})");
  ASSERT_TRUE(module) << errors;
  EXPECT_EQ(signature(*module, "encode_sample"),
            "x/input/NC: ? 4 noise/noise/NC: ? 4 -> mu/mu/NC: ? 4 "
            "logvar/logvar/NC: ? 4 z/latent/NC: ? 4");
  for (StringRef absent : {"decode", "reconstruct", "score", "sample"})
    EXPECT_EQ(signature(*module, absent), "none");
}

TEST_F(Model, LayersInAnyOrder) {
  auto module = import(R"({"format_version": 1, "name": "residual",
    "inputs": [{"name": "x", "shape": [4]}],
    "encoder": {"layers": [
      {"name": "sum", "type": "add", "inputs": ["b", "x", "a"]},
      {"name": "b", "type": "tanh", "inputs": ["a"]},
      {"name": "a", "type": "relu", "inputs": ["x"]}]},
    "latent": {"kind": "code", "code": "sum"}})");
  EXPECT_TRUE(module) << errors;
}
