// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_ATTRS_TD
#define VAE_ATTRS_TD

include "dialects/vae/IR/VaeDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def Vae_Precision : I32EnumAttr<"Precision", "numbers that layers multiply", [
    I32EnumAttrCase<"F32", 0, "f32">,
    I32EnumAttrCase<"BF16", 1, "bf16">,
    I32EnumAttrCase<"BFP16", 2, "bfp16">,
    I32EnumAttrCase<"INT8", 3, "int8">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}

def Vae_Storage : I32EnumAttr<"Storage", "what lies in memory as f16", [
    I32EnumAttrCase<"F32", 0, "f32">,
    I32EnumAttrCase<"F16Weights", 1, "f16-weights">,
    I32EnumAttrCase<"F16", 2, "f16">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}

def Vae_ActivationKind : I32EnumAttr<"ActivationKind", "elementwise function", [
    I32EnumAttrCase<"Relu", 0, "relu">,
    I32EnumAttrCase<"LeakyRelu", 1, "leaky_relu">,
    I32EnumAttrCase<"Sigmoid", 2, "sigmoid">,
    I32EnumAttrCase<"Tanh", 3, "tanh">,
    I32EnumAttrCase<"Silu", 4, "silu">,
    I32EnumAttrCase<"Gelu", 5, "gelu">,
    I32EnumAttrCase<"GeluTanh", 6, "gelu_tanh">,
    I32EnumAttrCase<"Mish", 7, "mish">,
    I32EnumAttrCase<"Softplus", 8, "softplus">,
    I32EnumAttrCase<"Selu", 9, "selu">,
    I32EnumAttrCase<"Elu", 10, "elu">,
    I32EnumAttrCase<"HardSigmoid", 11, "hard_sigmoid">,
    I32EnumAttrCase<"HardSwish", 12, "hard_swish">,
    I32EnumAttrCase<"Relu6", 13, "relu6">,
    I32EnumAttrCase<"Exp", 14, "exp">,
    I32EnumAttrCase<"Clamp", 15, "clamp">,
    I32EnumAttrCase<"Affine", 16, "affine">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}

def Vae_ActivationAttr : AttrDef<Vae_Dialect, "Activation"> {
  let mnemonic = "act";
  let summary = "An elementwise function with its parameters";
  let description = [{
    | kind | f(x) |
    |---|---|
    | relu | max(x, 0) |
    | leaky_relu | x if x >= 0, else alpha * x |
    | sigmoid | 1 / (1 + exp(-x)) |
    | tanh | tanh(x) |
    | silu | x * sigmoid(x) |
    | gelu | x * (1 + erf(x / sqrt(2))) / 2 |
    | gelu_tanh | x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) / 2 |
    | mish | x * tanh(softplus(x)) |
    | softplus | log(1 + exp(x)) |
    | selu | 1.05070098735548 * (x if x > 0, else 1.67326324235437 * (exp(x) - 1)) |
    | elu | x if x > 0, else alpha * (exp(x) - 1) |
    | hard_sigmoid | min(max(alpha * x + beta, 0), 1) |
    | hard_swish | x * min(max(x / 6 + 0.5, 0), 1) |
    | relu6 | min(max(x, 0), 6) |
    | exp | exp(x) |
    | clamp | min(max(x, alpha), beta) |
    | affine | alpha * x + beta |

    All propagate NaN.
  }];
  let parameters = (ins EnumParameter<Vae_ActivationKind>:$kind,
                        OptionalParameter<"::mlir::FloatAttr">:$alphaAttr,
                        OptionalParameter<"::mlir::FloatAttr">:$betaAttr);
  let assemblyFormat = "`<` $kind (`,` `alpha` `=` $alphaAttr^)? (`,` `beta` `=` $betaAttr^)? `>`";
  let builders = [AttrBuilder<(ins "::vae::ActivationKind":$kind,
                                   CArg<"double", "0">:$alpha, CArg<"double", "0">:$beta), [{
    ::mlir::Builder builder($_ctxt);
    return $_get($_ctxt, kind,
                 alpha == 0 ? ::mlir::FloatAttr() : builder.getF64FloatAttr(alpha),
                 beta == 0 ? ::mlir::FloatAttr() : builder.getF64FloatAttr(beta));
  }]>];
  let extraClassDeclaration = [{
    double getAlpha() const { return getAlphaAttr() ? getAlphaAttr().getValueAsDouble() : 0; }
    double getBeta() const { return getBetaAttr() ? getBetaAttr().getValueAsDouble() : 0; }
  }];
}

def Vae_LayoutKind : I32EnumAttr<"LayoutKind", "order of a tensor in memory", [
    I32EnumAttrCase<"ChannelsFirst", 0, "channels_first">,
    I32EnumAttrCase<"ChannelsLast", 1, "channels_last">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}

def Vae_LayoutAttr : AttrDef<Vae_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "How a tensor lies in memory";
  let description = [{
    Encoding of a ranked tensor. Types always state the logical NCHW shape; the
    encoding says how a code generator stores it. No encoding: row-major in the
    order of the shape. `channels_last`: N, H, W, C.
  }];
  let parameters = (ins EnumParameter<Vae_LayoutKind>:$kind);
  let assemblyFormat = "`<` $kind `>`";
}

def Vae_ResizeModeEnum : I32EnumAttr<"ResizeMode", "interpolation", [
    I32EnumAttrCase<"Nearest", 0, "nearest">,
    I32EnumAttrCase<"Bilinear", 1, "bilinear">,
    I32EnumAttrCase<"NearestExact", 2, "nearest_exact">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}
def Vae_ResizeMode : EnumAttr<Vae_Dialect, Vae_ResizeModeEnum, "resize"> {
  let assemblyFormat = "`<` $value `>`";
}

def Vae_PoolKindEnum : I32EnumAttr<"PoolKind", "reduction of a window", [
    I32EnumAttrCase<"Max", 0, "max">,
    I32EnumAttrCase<"Avg", 1, "avg">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}
def Vae_PoolKind : EnumAttr<Vae_Dialect, Vae_PoolKindEnum, "pool"> {
  let assemblyFormat = "`<` $value `>`";
}

def Vae_LikelihoodEnum : I32EnumAttr<"Likelihood", "p(x|z) per element", [
    I32EnumAttrCase<"BernoulliLogits", 0, "bernoulli_logits">,
    I32EnumAttrCase<"Bernoulli", 1, "bernoulli">,
    I32EnumAttrCase<"Gaussian", 2, "gaussian">,
    I32EnumAttrCase<"Laplace", 3, "laplace">]> {
  let cppNamespace = "::vae";
  let genSpecializedAttr = 0;
}
def Vae_Likelihood : EnumAttr<Vae_Dialect, Vae_LikelihoodEnum, "likelihood"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif
