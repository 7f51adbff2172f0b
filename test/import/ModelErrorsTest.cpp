// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Wrong models: where the error is, and what it says.
#include "test/import/ImportTest.h"

#include <cmath>

using namespace vae::test;

namespace {
class ModelErrors : public ImportTest {
protected:
  void SetUp() override {
    writeTensors({{"a.weight", {4, 8}, {}},
                  {"a.bias", {4}, {}},
                  {"out.weight", {2, 4}, {}},
                  {"out.bias", {2}, {}},
                  {"int.weight", {4, 8}, {}, "I64"},
                  {"nan.weight", {4, 8}, std::vector<float>(32, NAN)},
                  {"c.weight", {6, 3, 3, 3}, {}},
                  {"c.bias", {6}, {}}});
  }
  std::string encoder(const std::string &layers,
                      const std::string &shape = "[8]") {
    return fail(encoderModel(shape, layers));
  }
};
} // namespace

#define OUT "{\"name\": \"out\", \"type\": \"dense\", \"units\": 2}"

TEST_F(ModelErrors, File) {
  EXPECT_EQ(fail("{\"format_version\": 1,"),
            "1:22: malformed JSON, the file ends too early: syntax error while "
            "parsing object key - unexpected end of input; expected string "
            "literal");
  EXPECT_EQ(fail("[]"),
            "1:1: expected a model, an object, found an array of 0");
}

TEST_F(ModelErrors, Version) {
  EXPECT_EQ(
      fail("{\"name\": \"x\"}"),
      "1:1: key 'format_version' is missing; write \"format_version\": 1");
  EXPECT_EQ(fail("{\"format_version\": 2, \"new\": 1}"),
            "1:20: the file has format_version 2, this program knows 1; use a "
            "newer vaec");
  EXPECT_EQ(fail("{\"format_version\": \"1\"}"),
            "1:20: 'format_version': expected 1, found the string '1'");
}

TEST_F(ModelErrors, Keys) {
  EXPECT_EQ(fail("{\"format_version\": 1,\n \"nmae\": \"x\"}"),
            "2:2: model: unknown key 'nmae'; did you mean 'name'?");
  EXPECT_EQ(
      fail("{\"format_version\": 1,\n \"name\": 3}"),
      "2:10: model: 'name': expected a string that is not empty, found 3");
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv2d\", \"filters\": 6,\n"
                    " \"kernal_size\": 3}"),
            "7:2: layer 'c': unknown key 'kernal_size'; did you mean "
            "'kernel_size'?");
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv2d\", \"filters\": 6}",
                    "[3, 8, 8]"),
            "6:1: layer 'c': key 'kernel_size' is missing");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4,\n"
                    "\"units\": 5}"),
            "7:1: duplicate key 'units'; remove one of the two");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"weights\": {\"weight\": \"q\"}}"),
            "6:56: layer 'a', weights: unknown key 'weight'; known keys: "
            "kernel, bias");
}

TEST_F(ModelErrors, Types) {
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dens\", \"units\": 4}"),
            "6:23: layer 'a': unknown type 'dens'; did you mean 'dense'?");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"relu\", \"activation\": "
                    "\"rleu\"}"),
            "6:45: layer 'a': unknown activation the string 'rleu'; did you "
            "mean 'relu'?");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"relu\", \"activation\": "
                    "{\"type\": \"elu\", \"alhpa\": 1}}"),
            "6:61: layer 'a': activation 'elu': unknown key 'alhpa'; did you "
            "mean 'alpha'?");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"softmax\", \"axis\": "
                    "\"x\"}"),
            "6:42: layer 'a': 'axis': expected a whole number from -7 to 7, "
            "found the string 'x'");
}

TEST_F(ModelErrors, Graph) {
  EXPECT_EQ(
      encoder("{\"name\": \"a\", \"type\": \"relu\", \"inputs\": "
              "[\"b\"]},\n{\"name\": \"b\", \"type\": \"relu\"},\n" OUT),
      "6:1: layer 'a' depends on itself: 'a' needs 'b' needs 'a'; change one "
      "of their 'inputs'");
  EXPECT_EQ(
      encoder("{\"name\": \"a\", \"type\": \"relu\", \"inputs\": "
              "[\"a\"]}"),
      "6:1: layer 'a' depends on itself: 'a' needs 'a'; change one of their "
      "'inputs'");
  EXPECT_EQ(encoder("{\"name\": \"conv_a\", \"type\": \"relu\"},\n"
                    "{\"name\": \"b\", \"type\": \"relu\", \"inputs\": "
                    "[\"conv_b\"]}"),
            "7:42: layer 'b': unknown input 'conv_b'; did you mean 'conv_a'?");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"relu\"},\n"
                    "{\"name\": \"a\", \"type\": \"relu\"}"),
            "7:10: layer 'a': duplicate name 'a'; give each layer and input "
            "its own");
  EXPECT_EQ(encoder("{\"name\": \"x\", \"type\": \"relu\"}"),
            "6:10: layer 'x': duplicate name 'x'; give each layer and input "
            "its own");
  EXPECT_EQ(encoder("{\"type\": \"relu\"}"),
            "6:1: layer 1 of the encoder: key 'name' is missing; each layer "
            "needs its own");
  EXPECT_EQ(encoder("{\"name\": \"ou\", \"type\": \"relu\"}"),
            "4:36: latent: there is no layer output 'out'; did you mean 'ou'?");
  EXPECT_EQ(encoder("{\"name\": \"s\", \"type\": \"split\", \"sections\": 2},\n"
                    "{\"name\": \"out\", \"type\": \"relu\"}"),
            "7:1: layer 'out': 's' has several outputs; say 's:0' for the "
            "first");
}

TEST_F(ModelErrors, Shapes) {
  EXPECT_EQ(
      encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4}", "[9]"),
      "6:1: layer 'a' expects 8 inputs, 'x' gives 9");
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv2d\", \"filters\": 6, "
                    "\"kernel_size\": 3}",
                    "[4, 8, 8]"),
            "6:1: layer 'c' expects 3 channels, 'x' gives 4");
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv2d\", \"filters\": 6, "
                    "\"kernel_size\": 3}"),
            "6:1: layer 'c' expects an image [N, C, H, W], 'x' gives [N, 8]; a "
            "layer of type 'reshape' can make an image of it");
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv2d\", \"filters\": 6, "
                    "\"kernel_size\": 3}",
                    "[3, 2, 2]"),
            "6:1: layer 'c': the kernel covers 3 elements, the padded input "
            "has 2 on axis 2");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4},\n"
                    "{\"name\": \"out\", \"type\": \"add\", \"inputs\": "
                    "[\"a\", \"x\"]}"),
            "7:1: layer 'out' expects inputs of the same shape, 'a' gives [N, "
            "4], 'x' gives [N, 8]");
  EXPECT_EQ(encoder("{\"name\": \"r\", \"type\": \"reshape\", \"shape\": "
                    "[3, 3]}"),
            "6:1: layer 'r': an example has 8 elements, the new shape 9");
}

TEST_F(ModelErrors, AbsurdSizes) {
  EXPECT_EQ(encoder(OUT, "[0]"),
            "3:36: input 1: 'shape': expected a whole number from 1 to "
            "2147483647, found 0");
  EXPECT_EQ(encoder(OUT, "[-3]"),
            "3:36: input 1: 'shape': expected a whole number from 1 to "
            "2147483647, found -3");
  EXPECT_EQ(encoder(OUT, "[1e3]"),
            "3:36: input 1: 'shape': expected a whole number from 1 to "
            "2147483647, found 1e3");
  EXPECT_EQ(encoder(OUT, "[99999999999999999999]"),
            "3:36: input 1: 'shape': expected a whole number from 1 to "
            "2147483647, found 99999999999999999999");
  EXPECT_EQ(encoder(OUT, "[2147483647, 2147483647, 2147483647]"),
            "3:35: input 1: 'shape' has more than 2^40 elements");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 0}"),
            "6:41: layer 'a': 'units': expected a whole number from 1 to "
            "2147483647, found 0");
  EXPECT_EQ(encoder("{\"name\": \"u\", \"type\": \"upsample\", \"scale\": "
                    "65535},\n{\"name\": \"v\", \"type\": \"upsample\", "
                    "\"scale\": 65535}",
                    "[3, 1, 1]"),
            "7:1: layer 'v': a tensor must have at most 1099511627776 "
            "elements");
  EXPECT_EQ(encoder("{\"name\": \"u\", \"type\": \"upsample\", \"scale\": "
                    "65535}",
                    "[3000, 1, 1]"),
            "6:1: layer 'u': a tensor must have at most 1099511627776 "
            "elements");
  EXPECT_EQ(encoder("{\"name\": \"r\", \"type\": \"reshape\", \"shape\": "
                    "[2147483647, 2147483647, 2147483647]}"),
            "6:43: layer 'r': 'shape' has more than 2^40 elements");
}

TEST_F(ModelErrors, Tensors) {
  EXPECT_EQ(encoder("{\"name\": \"b\", \"type\": \"dense\", \"units\": 4}"),
            "6:1: layer 'b': tensor 'b.weight' (kernel) is not in "
            "'w.safetensors'; did you mean 'a.weight'?");
  EXPECT_EQ(encoder("{\"name\": \"b\", \"type\": \"dense\", \"units\": 4,\n"
                    "\"weights\": {\"kernel\": \"a.wieght\"}}"),
            "7:23: layer 'b': tensor 'a.wieght' (kernel) is not in "
            "'w.safetensors'; did you mean 'a.weight'?");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 5}"),
            "6:1: layer 'a': tensor 'a.weight' has the shape [4, 8], expected "
            "[5, 8] = [units, inputs]");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"tensor_layout\": \"keras\"}"),
            "6:1: layer 'a': tensor 'a.weight' has the shape [4, 8], expected "
            "[8, 4] = [inputs, units]; the tensor has the other layout: "
            "\"tensor_layout\": \"pytorch\"");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"weights\": {\"kernel\": \"int.weight\"}}"),
            "6:66: layer 'a': tensor 'int.weight' has the type I64, expected "
            "F32, F16 or BF16; convert it");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"weights\": {\"kernel\": \"nan.weight\"}}"),
            "6:66: layer 'a': tensor 'nan.weight' holds NaN at [0, 0]; "
            "--allow-nonfinite accepts such weights");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"weights\": {\"bias\": [1, 2, 3]}}"),
            "6:64: layer 'a': tensor 'a.bias' has the shape [3], expected [4] "
            "= [units]");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"dense\", \"units\": 4, "
                    "\"weights\": {\"bias\": [1, [2], 3]}}"),
            "6:64: layer 'a': tensor 'bias': expected an array of numbers, or "
            "arrays of equal length of them");
}

TEST_F(ModelErrors, NonfiniteAccepted) {
  options.allowNonfinite = true;
  EXPECT_TRUE(import(encoderModel(
      "[8]", "{\"name\": \"out\", \"type\": \"dense\", \"units\": 4, "
             "\"bias\": false, \"weights\": {\"kernel\": \"nan.weight\"}}")))
      << errors;
}

TEST_F(ModelErrors, WeightFiles) {
  write("w.safetensors", "12345678");
  EXPECT_EQ(encoder(OUT),
            "2:12: weights file 'w.safetensors': the header claims "
            "4050765991979987505 bytes, the file has only 0 after its length; "
            "it is truncated or not a safetensors file");
  EXPECT_EQ(fail("{\"format_version\": 1, \"name\": \"x\",\n\"weights\": "
                 "\"w.pt\"}"),
            "2:12: model: weights file 'w.pt': expected the name of a "
            ".safetensors or .safetensors.index.json file");
}

TEST_F(ModelErrors, Sections) {
  std::string head = "{\"format_version\": 1, \"name\": \"x\",\n";
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"x\", \"shape\": [4]}]}"),
            "1:1: model: the model has neither an encoder nor a decoder");
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"z\", \"shape\": [4]}]}"),
            "2:21: input 1: 'z' is a reserved name; choose another");
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"x\", \"shape\": "
                        "[\"height\"]}]}"),
            "2:36: input 1: 'height' is not a dimension of \"dynamic\"");
  EXPECT_EQ(fail(head + "\"dynamic\": {\"height\": {\"min\": 9, "
                        "\"multiple\": 8}}}"),
            "2:31: dynamic 'height': 'min': expected a multiple of 8, found 9");
  EXPECT_EQ(fail(head + "\"decoder\": {\"layers\": [{\"name\": \"r\", "
                        "\"type\": \"relu\"}]},\n\"latent\": {\"kind\": "
                        "\"gaussian\"}}"),
            "3:11: latent: key 'shape' is missing; a model without encoder "
            "must give it");
  EXPECT_EQ(fail(head + "\"decoder\": {\"inputs\": [\"y\"], \"layers\": "
                        "[{\"name\": \"r\", \"type\": \"relu\"}]}}"),
            "2:24: decoder: unknown input 'y'");
}

TEST_F(ModelErrors, LatentAndLikelihood) {
  std::string model = "{\"format_version\": 1, \"name\": \"x\",\n"
                      "\"inputs\": [{\"name\": \"x\", \"shape\": [3]}],\n"
                      "\"encoder\": {\"layers\": [{\"name\": \"e\", "
                      "\"type\": \"relu\"}]},\n";
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"gaussian\", \"head\": "
                         "\"e\", \"split\": \"halves\"}}"),
            "4:11: latent: 2 sections do not divide 3");
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"gaussian\"}}"),
            "4:11: latent: expected the layers 'mu' and 'logvar', or 'head' "
            "and 'split'");
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"gauss\"}}"),
            "4:20: latent: 'kind': expected one of 'gaussian', 'code', found "
            "the string 'gauss'");
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"code\", \"code\": \"e\"},\n"
                         "\"decoder\": {\"layers\": [{\"name\": \"d\", "
                         "\"type\": \"concat\", \"inputs\": [\"z\", "
                         "\"z\"]}]}}"),
            "5:33: decoder: 'd' gives [N, 6], the data input 'x' is [N, 3]");
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"code\", \"code\": \"e\"},\n"
                         "\"likelihood\": {\"kind\": \"laplace\", "
                         "\"variance\": 1}}"),
            "5:47: likelihood: key 'variance' is for kind 'gaussian'");
  EXPECT_EQ(fail(model + "\"latent\": {\"kind\": \"gaussian\", \"mu\": \"e\", "
                         "\"logvar\": \"e\"},\n\"prior\": {\"kind\": "
                         "\"normal\", \"std\": [1, 2]}}"),
            "5:10: prior: expected one number or 3, one a channel of the "
            "latent [N, 3], found 2");
}

TEST_F(ModelErrors, FurtherOutputs) {
  auto model = [](const std::string &outputs) {
    return "{\"format_version\": 1, \"name\": \"x\",\n"
           "\"inputs\": [{\"name\": \"x\", \"shape\": [3]}],\n"
           "\"latent\": {\"kind\": \"code\", \"code\": \"e\"},\n"
           "\"encoder\": {\"layers\": [{\"name\": \"e\", \"type\": "
           "\"relu\"}],\n\"outputs\": " +
           outputs + "}}";
  };
  EXPECT_EQ(fail(model("[]")),
            "5:12: encoder: 'outputs': expected an array of names, found an "
            "array of 0");
  EXPECT_EQ(fail(model("[\"e\", \"f\"]")),
            "5:18: encoder: there is no layer output 'f'; did you mean 'e'?");
  EXPECT_EQ(fail(model("[\"e\", \"e\"]")), "5:18: encoder: output 'e' twice");
  EXPECT_EQ(fail(model("[\"x\"]")),
            "5:13: encoder: 'x' is an input; 'outputs' names layers");
  EXPECT_EQ(fail(model("[\"mu\"]")),
            "5:13: encoder: 'mu' is a reserved name in 'outputs'; give the "
            "layer another");
}

TEST_F(ModelErrors, KeysThatExcludeOrNeedEachOther) {
  auto model = [](const std::string &latent, const std::string &rest = "",
                  const std::string &decoder = "") {
    return "{\"format_version\": 1, \"name\": \"x\",\n"
           "\"inputs\": [{\"name\": \"x\", \"shape\": [4]}],\n"
           "\"encoder\": {\"layers\": [{\"name\": \"e\", \"type\": "
           "\"relu\"}]},\n\"latent\": {" +
           latent +
           "},\n\"decoder\": {\"layers\": [{\"name\": \"d\", \"type\": "
           "\"relu\"}]" +
           decoder + "}" + rest + "}";
  };
  std::string gaussian =
      "\"kind\": \"gaussian\", \"mu\": \"e\", \"logvar\": \"e\"";
  std::string code = "\"kind\": \"code\", \"code\": \"e\"";
  EXPECT_EQ(fail(model(code + ", \"mu\": \"e\"")),
            "4:47: latent: key 'mu' is for kind 'gaussian'");
  EXPECT_EQ(fail(model(code + ", \"logvar_clamp\": [0, 1]")),
            "4:57: latent: key 'logvar_clamp' is for kind 'gaussian'");
  EXPECT_EQ(fail(model(gaussian + ", \"code\": \"e\"")),
            "4:66: latent: key 'code' is for kind 'code'");
  EXPECT_EQ(fail(model(gaussian + ", \"head\": \"e\"")),
            "4:38: latent: key 'mu' and key 'head' exclude each other");
  EXPECT_EQ(fail(model(gaussian + ", \"split\": \"halves\"")),
            "4:67: latent: key 'split' goes with key 'head'");
  EXPECT_EQ(fail(model("\"kind\": \"gaussian\", \"logvar\": \"e\"")),
            "4:11: latent: key 'mu' is missing");
  EXPECT_EQ(fail(model("\"kind\": \"gaussian\", \"head\": \"e\"")),
            "4:11: latent: key 'split' is missing");
  EXPECT_EQ(fail(model("\"kind\": \"code\"")),
            "4:11: latent: key 'code' is missing");
  EXPECT_EQ(fail(model(code + ", \"shift\": 1")),
            "4:50: latent: key 'shift' goes with key 'scale'");
  EXPECT_EQ(fail(model(code + ", \"scale\": [1, 0, 1, 1]")),
            "4:50: latent: 'scale': expected positive numbers, found an array "
            "of 4");
  EXPECT_EQ(fail(model(code + ", \"scale\": 1, \"shift\": [1, 2]")),
            "4:11: latent: expected one number or 4, one a channel of the "
            "latent [N, 4], found 2");
  EXPECT_EQ(fail(model(code, ",\n\"prior\": {\"kind\": \"normal\"}")),
            "6:10: prior: a latent of kind 'code' has none; remove it");
  EXPECT_EQ(fail(model(gaussian, ",\n\"prior\": {\"kind\": "
                                 "\"standard_normal\", \"std\": 2}")),
            "6:45: prior: key 'std' is for kind 'normal'");

  auto likelihood = [&](const std::string &text,
                        const std::string &decoder = "") {
    return fail(model(gaussian, ",\n\"likelihood\": {" + text + "}", decoder));
  };
  EXPECT_EQ(likelihood("\"kind\": \"bernoulli\""),
            "6:15: likelihood: key 'parameterization' is missing");
  EXPECT_EQ(likelihood("\"kind\": \"gaussian\", \"parameterization\": "
                       "\"logits\""),
            "6:56: likelihood: key 'parameterization' is for kind "
            "'bernoulli'");
  EXPECT_EQ(likelihood("\"kind\": \"gaussian\", \"variance\": 0"),
            "6:48: likelihood: 'variance': expected a positive number or "
            "\"learned\", found 0");
  EXPECT_EQ(likelihood("\"kind\": \"gaussian\", \"split\": \"halves\""),
            "6:45: likelihood: key 'split' goes with \"variance\": "
            "\"learned\"");
  std::string learned = "\"kind\": \"gaussian\", \"variance\": \"learned\"";
  EXPECT_EQ(likelihood(learned),
            "6:15: likelihood: a learned variance needs either key "
            "'output_logvar' of the decoder or key 'split' here");
  EXPECT_EQ(likelihood(learned + ", \"split\": \"halves\"",
                       ", \"output_logvar\": \"d\""),
            "6:15: likelihood: a learned variance needs either key "
            "'output_logvar' of the decoder or key 'split' here");
  EXPECT_EQ(
      likelihood("\"kind\": \"gaussian\"", ", \"output_logvar\": \"d\""),
      "5:73: decoder: key 'output_logvar' needs the likelihood {\"kind\": "
      "\"gaussian\", \"variance\": \"learned\"}");
  EXPECT_EQ(likelihood("\"kind\": \"laplace\", \"scale\": -1"),
            "6:44: likelihood: 'scale': expected a positive number, found -1");
}

TEST_F(ModelErrors, NamesAndLayouts) {
  EXPECT_EQ(encoder("{\"name\": \"z\", \"type\": \"relu\"}"),
            "6:10: layer 'z': 'z' is the latent's name; choose another");
  EXPECT_EQ(encoder("{\"name\": \"a:b\", \"type\": \"relu\"}"),
            "6:10: layer 1 of the encoder: 'name': expected a string without "
            "':', found the string 'a:b'");
  std::string head = "{\"format_version\": 1, \"name\": \"x\",\n";
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"noise\", \"shape\": [4]}]}"),
            "2:21: input 1: 'noise' is a reserved name; choose another");
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"x\", \"shape\": [4], "
                        "\"layout\": \"NHWC\"}]}"),
            "2:50: input 1: 'layout': expected 'NC', found the string 'NHWC'");
  EXPECT_EQ(fail(head + "\"inputs\": [{\"name\": \"x\", \"shape\": [4, 1, 1, "
                        "1, 1]}]}"),
            "2:35: input 1: 'shape': expected an array of 1 to 4 sizes, "
            "without the batch, found an array of 5");
  EXPECT_EQ(fail(head + "\"latent\": {\"kind\": \"code\", \"code\": \"e\"},\n"
                        "\"encoder\": {\"layers\": [{\"name\": \"e\", "
                        "\"type\": \"relu\"}]}}"),
            "3:12: encoder: the model has no key 'inputs', which an encoder "
            "needs");
  EXPECT_EQ(fail(head + "\"latent\": {\"kind\": \"code\", \"shape\": [4], "
                        "\"code\": \"d\"},\n\"decoder\": {\"layers\": "
                        "[{\"name\": \"d\", \"type\": \"relu\"}]}}"),
            "2:50: latent: key 'code' needs an encoder, and the model has "
            "none");
}

TEST_F(ModelErrors, LayerKeysThatNeedEachOther) {
  std::string image = "[4, 8, 8]";
  EXPECT_EQ(encoder("{\"name\": \"c\", \"type\": \"conv_transpose2d\", "
                    "\"filters\": 2, \"kernel_size\": 3, \"padding\": "
                    "\"same\",\n\"output_padding\": 1}",
                    image),
            "7:19: layer 'c': 'output_padding' goes with 'padding' in numbers "
            "only");
  EXPECT_EQ(encoder("{\"name\": \"u\", \"type\": \"upsample\", \"scale\": 2,\n"
                    "\"align_corners\": true}",
                    image),
            "7:18: layer 'u': 'align_corners' goes with mode 'bilinear' only");
  EXPECT_EQ(encoder("{\"name\": \"r\", \"type\": \"reshape\",\n\"shape\": [0, "
                    "-1]}"),
            "7:10: layer 'r': 'shape' takes positive numbers and at most one "
            "-1");
  EXPECT_EQ(encoder("{\"name\": \"a\", \"type\": \"relu\", \"activation\":\n"
                    "\"clamp\"}"),
            "7:1: layer 'a': activation 'clamp': key 'min' is missing");
  EXPECT_EQ(encoder("{\"name\": \"p\", \"type\": \"pad\", \"padding\":\n"
                    "[1, 2, 3]}",
                    image),
            "7:1: layer 'p': 'padding': expected a whole number, [height, "
            "width] or [top, left, bottom, right], found an array of 3");
}
