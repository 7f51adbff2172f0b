// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each type of layer: the operation it becomes.
#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "test/import/ImportTest.h"

using namespace vae::test;

namespace {
class Layers : public ImportTest {
protected:
  /// The operations of an encoder with one layer "out", constants left out,
  /// without their operands: "vae.relu ... : (types) -> type".
  std::string build(const std::string &shape, const std::string &layer,
                    const std::string &more = "") {
    auto module =
        import(encoderModel(shape, "{\"name\": \"out\", " + layer + "}", more));
    if (!module)
      return errors;
    std::string text;
    module->lookupSymbol("encoder")->walk([&](mlir::Operation *op) {
      if (!op->getDialect() || op->getDialect()->getNamespace() != "vae")
        return;
      if (auto constant = llvm::dyn_cast<vae::ConstantOp>(op)) {
        auto resource =
            llvm::cast<mlir::DenseResourceElementsAttr>(constant.getValue());
        auto data = resource.getRawHandle().getBlob()->getDataAs<float>();
        std::string &values =
            constants[resource.getRawHandle().getKey().split("__").first.str()];
        values.clear();
        for (float value : data)
          values += (values.empty() ? "" : " ") +
                    std::to_string(static_cast<int>(value * 16));
        return;
      }
      std::string line;
      llvm::raw_string_ostream stream(line);
      op->print(stream);
      line = line.substr(line.find("vae."));
      size_t colon = line.rfind(" : (");
      text += (text.empty() ? "" : "\n") + line.substr(0, line.find(' ')) +
              getAttributes(line, colon) + line.substr(colon);
    });
    return text;
  }
  std::string getAttributes(const std::string &line, size_t end) {
    size_t begin = line.find_first_of("{<");
    return begin == std::string::npos || begin >= end
               ? ""
               : " " + line.substr(begin, end - begin);
  }

  std::map<std::string, std::string> constants;
};
} // namespace

TEST_F(Layers, Dense) {
  writeTensors({{"out.weight", {2, 3}, {}}, {"out.bias", {2}, {}}});
  EXPECT_EQ(build("[3]", "\"type\": \"dense\", \"units\": 2"),
            "vae.dense : (tensor<?x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> "
            "tensor<?x2xf32>");
  EXPECT_EQ(constants["out.weight"], "1 2 3 4 5 6");
  writeTensors({{"out.weight", {3, 2}, {}}});
  EXPECT_EQ(build("[3]", "\"type\": \"dense\", \"units\": 2, \"bias\": false, "
                         "\"tensor_layout\": \"keras\""),
            "vae.dense : (tensor<?x3xf32>, tensor<2x3xf32>) -> "
            "tensor<?x2xf32>");
  EXPECT_EQ(constants["out.weight"], "1 3 5 2 4 6");
}

TEST_F(Layers, Inline) {
  writeTensors({});
  EXPECT_EQ(build("[2]", "\"type\": \"dense\", \"units\": 1, \"weights\": "
                         "{\"kernel\": [[1, 2]], \"bias\": {\"shape\": [1], "
                         "\"data\": [3]}}"),
            "vae.dense : (tensor<?x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> "
            "tensor<?x1xf32>");
  EXPECT_EQ(constants["out.kernel"], "16 32");
  EXPECT_EQ(constants["out.bias"], "48");
}

TEST_F(Layers, Conv2d) {
  writeTensors({{"out.weight", {4, 1, 3, 2}, {}}, {"out.bias", {4}, {}}});
  EXPECT_EQ(build("[2, 8, 9]",
                  "\"type\": \"conv2d\", \"filters\": 4, \"kernel_size\": [3, "
                  "2], \"stride\": [2, 1], \"padding\": [1, 2, 3, 4], "
                  "\"groups\": 2, \"dilation\": [1, 2]"),
            "vae.conv2d {dilations = array<i64: 1, 2>, groups = 2 : i64, "
            "padding = array<i64: 1, 2, 3, 4>, strides = array<i64: 2, 1>} : "
            "(tensor<?x2x8x9xf32>, tensor<4x1x3x2xf32>, tensor<4xf32>) -> "
            "tensor<?x4x5x13xf32>");
}

TEST_F(Layers, Conv2dKerasSame) {
  writeTensors({{"out.weight", {1, 2, 2, 3}, {}}, {"out.bias", {3}, {}}});
  // Width 5, stride 2, kernel 2: one column of padding, on the right.
  EXPECT_EQ(build("[2, 4, 5]",
                  "\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": [1, "
                  "2], \"stride\": 2, \"padding\": \"same\"",
                  ", \"tensor_layout\": \"keras\""),
            "vae.conv2d {padding = array<i64: 0, 0, 0, 1>, strides = "
            "array<i64: 2, 2>} : (tensor<?x2x4x5xf32>, tensor<3x2x1x2xf32>, "
            "tensor<3xf32>) -> tensor<?x3x2x3xf32>");
  EXPECT_EQ(constants["out.weight"], "1 7 4 10 2 8 5 11 3 9 6 12");
}

TEST_F(Layers, DepthwiseConv2d) {
  writeTensors({{"out.weight", {1, 1, 2, 2}, {}}, {"out.bias", {4}, {}}});
  EXPECT_EQ(build("[2, 4, 4]",
                  "\"type\": \"depthwise_conv2d\", \"multiplier\": 2, "
                  "\"kernel_size\": 1",
                  ", \"tensor_layout\": \"keras\""),
            "vae.conv2d {groups = 2 : i64} : (tensor<?x2x4x4xf32>, "
            "tensor<4x1x1x1xf32>, tensor<4xf32>) -> tensor<?x4x4x4xf32>");
  EXPECT_EQ(constants["out.weight"], "1 2 3 4");
}

TEST_F(Layers, ConvTranspose2d) {
  writeTensors({{"out.weight", {2, 3, 3, 3}, {}}, {"out.bias", {3}, {}}});
  std::string type = "\"type\": \"conv_transpose2d\", \"filters\": 3, "
                     "\"kernel_size\": 3, \"stride\": 2, ";
  EXPECT_EQ(build("[2, 4, 4]", type + "\"padding\": 1, \"output_padding\": 1"),
            "vae.conv_transpose2d {output_padding = array<i64: 1, 1>, padding "
            "= array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : "
            "(tensor<?x2x4x4xf32>, tensor<2x3x3x3xf32>, tensor<3xf32>) -> "
            "tensor<?x3x8x8xf32>");
  EXPECT_EQ(build("[2, 4, 4]", type + "\"padding\": \"same\""),
            "vae.conv_transpose2d {padding = array<i64: 0, 0, 1, 1>, strides = "
            "array<i64: 2, 2>} : (tensor<?x2x4x4xf32>, tensor<2x3x3x3xf32>, "
            "tensor<3xf32>) -> tensor<?x3x8x8xf32>");
  EXPECT_EQ(build("[2, 4, 4]", type + "\"padding\": \"valid\""),
            "vae.conv_transpose2d {strides = array<i64: 2, 2>} : "
            "(tensor<?x2x4x4xf32>, tensor<2x3x3x3xf32>, tensor<3xf32>) -> "
            "tensor<?x3x9x9xf32>");
  EXPECT_EQ(build("[4, 4, 4]", type + "\"padding\": 1"),
            "6:1: layer 'out' expects 2 channels, 'x' gives 4");
}

TEST_F(Layers, ConvTranspose2dKernelSmallerThanStride) {
  writeTensors({{"out.weight", {1, 1, 3, 2}, {}}, {"out.bias", {3}, {}}});
  EXPECT_EQ(build("[2, 4, 4]",
                  "\"type\": \"conv_transpose2d\", \"filters\": 3, "
                  "\"kernel_size\": 1, \"stride\": 2, \"padding\": \"same\"",
                  ", \"tensor_layout\": \"keras\""),
            "vae.conv_transpose2d {output_padding = array<i64: 1, 1>, strides "
            "= array<i64: 2, 2>} : (tensor<?x2x4x4xf32>, tensor<2x3x1x1xf32>, "
            "tensor<3xf32>) -> tensor<?x3x8x8xf32>");
  EXPECT_EQ(constants["out.weight"], "1 3 5 2 4 6");
}

TEST_F(Layers, Normalization) {
  writeTensors({{"out.weight", {4}, {}},
                {"out.bias", {4}, {}},
                {"out.running_mean", {4}, {}},
                {"out.running_var", {4}, {}},
                {"w", {4, 2}, {}}});
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"batch_norm\", \"epsilon\": 0.5"),
            "vae.batch_norm {epsilon = 5.000000e-01 : f64} : "
            "(tensor<?x4x2x2xf32>, tensor<4xf32>, tensor<4xf32>, "
            "tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x2x2xf32>");
  EXPECT_EQ(build("[4]", "\"type\": \"batch_norm\", \"epsilon\": 0.5, "
                         "\"weights\": {\"weight\": null}"),
            "vae.batch_norm {epsilon = 5.000000e-01 : f64} : "
            "(tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) "
            "-> tensor<?x4xf32>");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"group_norm\", \"groups\": 2, "
                               "\"epsilon\": 0.5"),
            "vae.group_norm {epsilon = 5.000000e-01 : f64, groups = 2 : i64} : "
            "(tensor<?x4x2x2xf32>, tensor<4xf32>, tensor<4xf32>) -> "
            "tensor<?x4x2x2xf32>");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"group_norm\", \"groups\": 3"),
            "6:49: layer 'out': 3 groups do not divide 4 channels");
  EXPECT_EQ(build("[4]", "\"type\": \"layer_norm\", \"epsilon\": 0.5"),
            "vae.layer_norm {epsilon = 5.000000e-01 : f64} : "
            "(tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> "
            "tensor<?x4xf32>");
  EXPECT_EQ(build("[3, 4, 2]",
                  "\"type\": \"layer_norm\", \"epsilon\": 0.5, \"shape\": [4, "
                  "2], \"weights\": {\"weight\": \"w\", \"bias\": null}"),
            "vae.layer_norm {axes = 2 : i64, epsilon = 5.000000e-01 : f64} : "
            "(tensor<?x3x4x2xf32>, tensor<4x2xf32>) -> tensor<?x3x4x2xf32>");
  EXPECT_EQ(build("[3, 4, 2]", "\"type\": \"layer_norm\", \"shape\": [4, 3]"),
            "6:1: layer 'out' normalizes the last axes [4, 3], 'x' gives [N, "
            "3, 4, 2]");
}

TEST_F(Layers, Activations) {
  writeTensors({{"out.weight", {1}, {}}});
  auto type = [&](const std::string &layer) {
    std::string text = build("[2]", "\"type\": " + layer);
    return text.substr(0, text.rfind(" : "));
  };
  for (std::string plain : {"relu", "sigmoid", "tanh", "silu", "gelu", "mish",
                            "softplus", "selu", "hard_swish", "relu6", "exp"})
    EXPECT_EQ(type("\"" + plain + "\""), "vae.activation <" + plain + ">");
  EXPECT_EQ(type("\"leaky_relu\""),
            "vae.activation <leaky_relu, alpha = 1.000000e-02 : f64>");
  EXPECT_EQ(type("\"elu\""),
            "vae.activation <elu, alpha = 1.000000e+00 : f64>");
  EXPECT_EQ(type("\"gelu\", \"approximate\": \"tanh\""),
            "vae.activation <gelu_tanh>");
  EXPECT_EQ(type("\"hard_sigmoid\", \"slope\": 0.25"),
            "vae.activation <hard_sigmoid, alpha = 2.500000e-01 : f64, beta = "
            "5.000000e-01 : f64>");
  EXPECT_EQ(type("\"clamp\", \"min\": -1, \"max\": 1"),
            "vae.activation <clamp, alpha = -1.000000e+00 : f64, beta = "
            "1.000000e+00 : f64>");
  EXPECT_EQ(type("\"scale\", \"factor\": 2, \"offset\": -1"),
            "vae.activation <affine, alpha = 2.000000e+00 : f64, beta = "
            "-1.000000e+00 : f64>");
  EXPECT_EQ(type("\"relu\", \"activation\": {\"type\": \"leaky_relu\", "
                 "\"alpha\": 0.5}"),
            "vae.activation <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>\n"
            "vae.activation <leaky_relu, alpha = 5.000000e-01 : f64>");
  EXPECT_EQ(type("\"softmax\""), "vae.softmax {axis = 1 : i64}");
  EXPECT_EQ(type("\"dropout\", \"rate\": 0.25"),
            "vae.dropout {rate = 2.500000e-01 : f64}");
  EXPECT_EQ(type("\"dropout\", \"rate\": 1"),
            "6:1: layer 'out': rate must be in [0, 1)");
  EXPECT_EQ(type("\"prelu\""), "vae.prelu");
}

TEST_F(Layers, ChannelsLast) {
  // The kernel [inputs, units] of Keras, on the channels of an image.
  writeTensors({{"out.weight", {2, 3}, {}},
                {"out.bias", {3}, {}},
                {"norm.weight", {2}, {}},
                {"norm.bias", {2}, {}}});
  const std::string keras = ", \"tensor_layout\": \"keras\"";
  EXPECT_EQ(build("[2, 4, 5]",
                  "\"type\": \"dense\", \"units\": 3, \"order\": \"NHWC\"",
                  keras)
                .substr(0, 11),
            "vae.conv2d ");
  EXPECT_EQ(constants["out.weight"], "1 4 2 5 3 6");
  EXPECT_EQ(build("[4, 2]",
                  "\"type\": \"dense\", \"units\": 3, \"order\": \"NHWC\"",
                  keras)
                .substr(0, 10),
            "vae.dense ");
  std::string norm =
      build("[2, 4, 5]", "\"type\": \"layer_norm\", \"order\": \"NHWC\", "
                         "\"weights\": {\"weight\": \"norm.weight\", "
                         "\"bias\": \"norm.bias\"}");
  EXPECT_NE(norm.find("tensor<2xf32>) -> tensor<?x4x5x2xf32>"),
            std::string::npos)
      << norm;
}

TEST_F(Layers, SlopesPerElement) {
  const std::string keras = ", \"tensor_layout\": \"keras\"";
  const std::string prelu = "\"type\": \"prelu\"",
                    each = prelu + ", \"per\": \"element\"";
  // [height, width, channels] becomes [channels, height, width].
  writeTensors({{"out.weight", {2, 1, 3}, {}}});
  build("[3, 2, 1]", each, keras);
  EXPECT_EQ(constants["out.weight"], "1 4 2 5 3 6");
  EXPECT_EQ(build("[3, 2, 1]", each),
            "6:1: layer 'out': tensor 'out.weight' has the shape [2, 1, 3], "
            "expected [3, 2, 1] = the shape of an input");
  writeTensors({{"out.weight", {1, 1, 3}, {}}});
  build("[3, 2, 1]", prelu, keras);
  EXPECT_EQ(constants["out.weight"], "1 2 3");
  writeTensors({{"out.weight", {1, 1, 1}, {}}});
  build("[3, 2, 1]", prelu, keras);
  EXPECT_EQ(constants["out.weight"], "1");
  EXPECT_NE(build("[3, 2, 1]", prelu).find("has the shape [1, 1, 1]"),
            std::string::npos);
}

TEST_F(Layers, Resampling) {
  writeTensors({});
  EXPECT_EQ(build("[2, 4, 4]", "\"type\": \"upsample\", \"scale\": [2, 3], "
                               "\"mode\": \"bilinear\", \"align_corners\": "
                               "true"),
            "vae.upsample {align_corners = true, mode = #vae.resize<bilinear>, "
            "scale = array<i64: 2, 3>} : (tensor<?x2x4x4xf32>) -> "
            "tensor<?x2x8x12xf32>");
  EXPECT_EQ(build("[2, 5, 5]", "\"type\": \"avg_pool2d\", \"kernel_size\": 2, "
                               "\"padding\": \"same\""),
            "vae.pool2d {count_include_pad = false, kernel = array<i64: 2, 2>, "
            "kind = #vae.pool<avg>, padding = array<i64: 0, 0, 1, 1>, strides "
            "= array<i64: 2, 2>} : (tensor<?x2x5x5xf32>) -> "
            "tensor<?x2x3x3xf32>");
  EXPECT_EQ(build("[2, 5, 5]", "\"type\": \"global_max_pool2d\""),
            "vae.global_pool {kind = #vae.pool<max>} : (tensor<?x2x5x5xf32>) "
            "-> tensor<?x2xf32>");
}

TEST_F(Layers, Movement) {
  writeTensors({});
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"flatten\""),
            "vae.reshape {shape = array<i64: -1>} : (tensor<?x2x3x4xf32>) -> "
            "tensor<?x24xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"flatten\", \"order\": \"NHWC\""),
            "vae.transpose {permutation = array<i64: 0, 2, 3, 1>} : "
            "(tensor<?x2x3x4xf32>) -> tensor<?x3x4x2xf32>\n"
            "vae.reshape {shape = array<i64: -1>} : (tensor<?x3x4x2xf32>) -> "
            "tensor<?x24xf32>");
  EXPECT_EQ(build("[24]", "\"type\": \"reshape\", \"shape\": [3, -1, 2], "
                          "\"order\": \"NHWC\""),
            "vae.reshape {shape = array<i64: 3, -1, 2>} : (tensor<?x24xf32>) "
            "-> tensor<?x3x4x2xf32>\n"
            "vae.transpose {permutation = array<i64: 0, 3, 1, 2>} : "
            "(tensor<?x3x4x2xf32>) -> tensor<?x2x3x4xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"transpose\", \"perm\": [0, 3, 1, "
                               "2]"),
            "vae.transpose {permutation = array<i64: 0, 3, 1, 2>} : "
            "(tensor<?x2x3x4xf32>) -> tensor<?x4x2x3xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"pad\", \"padding\": [1, 2, 3, 4], "
                               "\"value\": 0.5"),
            "vae.pad {padding = array<i64: 1, 2, 3, 4>, value = 5.000000e-01 : "
            "f32} : (tensor<?x2x3x4xf32>) -> tensor<?x2x7x10xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"crop\", \"border\": [0, 1, 1, 0]"),
            "vae.crop {border = array<i64: 0, 1, 1, 0>} : "
            "(tensor<?x2x3x4xf32>) -> tensor<?x2x2x3xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"concat\", \"axis\": -1, "
                               "\"inputs\": [\"x\", \"x\"]"),
            "vae.concat {axis = 3 : i64} : (tensor<?x2x3x4xf32>, "
            "tensor<?x2x3x4xf32>) -> tensor<?x2x3x8xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"mul\", \"inputs\": [\"x\", "
                               "\"x\"]"),
            "vae.mul : (tensor<?x2x3x4xf32>, tensor<?x2x3x4xf32>) -> "
            "tensor<?x2x3x4xf32>");
  EXPECT_EQ(build("[2, 3, 4]", "\"type\": \"add\""),
            "6:1: layer 'out': type 'add' takes 2 to 64 inputs, found 1");
}

TEST_F(Layers, RmsNorm) {
  writeTensors({{"out.weight", {4}, {}}, {"out.bias", {4}, {}}});
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"rms_norm\", \"epsilon\": 0.5, "
                               "\"l2\": true, \"weights\": {\"bias\": null}"),
            "vae.rms_norm {epsilon = 5.000000e-01 : f64, l2 = true} : "
            "(tensor<?x4x2x2xf32>, tensor<4xf32>) -> tensor<?x4x2x2xf32>");
}

TEST_F(Layers, Attention) {
  writeTensors({});
  EXPECT_EQ(build("[16, 2, 2]", "\"type\": \"attention\", \"heads\": 4, "
                                "\"inputs\": [\"x\", \"x\", \"x\"]"),
            "vae.attention {heads = 4 : i64, scale = 5.000000e-01 : f64} : "
            "(tensor<?x16x2x2xf32>, tensor<?x16x2x2xf32>, "
            "tensor<?x16x2x2xf32>) -> tensor<?x16x2x2xf32>");
  EXPECT_EQ(build("[5, 16]", "\"type\": \"attention\", \"scale\": 2, "
                             "\"inputs\": [\"x\", \"x\", \"x\"]"),
            "vae.attention {scale = 2.000000e+00 : f64} : "
            "(tensor<?x5x16xf32>, tensor<?x5x16xf32>, tensor<?x5x16xf32>) -> "
            "tensor<?x5x16xf32>");
  EXPECT_EQ(build("[16]", "\"type\": \"attention\", "
                          "\"inputs\": [\"x\", \"x\", \"x\"]"),
            "6:1: layer 'out' expects [N, S, C] or [N, C, H, W] with channels "
            "that 1 heads divide, 'x' gives [N, 16]");
  EXPECT_EQ(build("[12, 2, 2]", "\"type\": \"linear_attention\", "
                                "\"head_dim\": 2"),
            "vae.linear_attention {epsilon = 1.000000e-15 : f64, head_dim = 2 "
            ": i64} : (tensor<?x12x2x2xf32>) -> tensor<?x4x2x2xf32>");
  EXPECT_EQ(build("[6]", "\"type\": \"glu\""),
            "vae.glu <sigmoid> : (tensor<?x6xf32>) -> tensor<?x3xf32>");
  EXPECT_EQ(build("[6]", "\"type\": \"glu\", \"gate\": "
                         "{\"type\": \"elu\", \"alpha\": 2}"),
            "vae.glu <elu, alpha = 2.000000e+00 : f64> : "
            "(tensor<?x6xf32>) -> tensor<?x3xf32>");
}

TEST_F(Layers, Codebooks) {
  writeTensors({{"out.weight", {3, 4}, {}}});
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"nearest_codebook\", "
                               "\"entries\": 3"),
            "vae.nearest_codebook : (tensor<?x4x2x2xf32>, tensor<3x4xf32>) -> "
            "tensor<?x2x2xf32>");
  EXPECT_EQ(build("[2, 2]", "\"type\": \"embedding\", \"entries\": 3, "
                            "\"units\": 4"),
            "vae.embedding : (tensor<?x2x2xf32>, tensor<3x4xf32>) -> "
            "tensor<?x4x2x2xf32>");
}

TEST_F(Layers, ResizeAndPixelShuffle) {
  writeTensors({});
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"resize\", \"size\": [3, 5], "
                               "\"mode\": \"nearest_exact\""),
            "vae.resize {mode = #vae.resize<nearest_exact>, size = array<i64: "
            "3, 5>} : (tensor<?x4x2x2xf32>) -> tensor<?x4x3x5xf32>");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"resize\", "
                               "\"inputs\": [\"x\", \"x\"], \"size\": 3"),
            "6:65: layer 'out': 'size' goes with one input; the second one "
            "gives the size");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"pixel_shuffle\", \"factor\": 2"),
            "vae.pixel_shuffle {factor = 2 : i64} : (tensor<?x4x2x2xf32>) -> "
            "tensor<?x1x4x4xf32>");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"pixel_unshuffle\", "
                               "\"factor\": 2"),
            "vae.pixel_unshuffle {factor = 2 : i64} : (tensor<?x4x2x2xf32>) -> "
            "tensor<?x16x1x1xf32>");
  EXPECT_EQ(build("[4, 3, 2]", "\"type\": \"pixel_unshuffle\", "
                               "\"factor\": 2"),
            "6:54: layer 'out': factor 2 needs a height and width that are "
            "multiples of it, found [N, 4, 3, 2]");
  EXPECT_EQ(build("[4, 2, 2]", "\"type\": \"mean_channels\", \"group\": 2"),
            "vae.mean_channels {group = 2 : i64} : (tensor<?x4x2x2xf32>) -> "
            "tensor<?x2x2x2xf32>");
  EXPECT_EQ(build("[4]", "\"type\": \"repeat_channels\", \"repeats\": 3"),
            "vae.repeat_channels {repeats = 3 : i64} : (tensor<?x4xf32>) -> "
            "tensor<?x12xf32>");
}
