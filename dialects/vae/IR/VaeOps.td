// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_OPS_TD
#define VAE_OPS_TD

include "dialects/vae/IR/VaeAttrs.td"
include "dialects/vae/IR/VaeDialect.td"
include "dialects/vae/IR/VaeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Element types are open: bf16 and quantized types join without a new op.
defvar Vae_Tensor = AnyRankedTensor;

// Provides inferReturnTypes, inferSymbolicDims and isCompatibleReturnTypes from
// one static inferDims per op (VaeShape*.cpp).
def Vae_InfersDims : NativeOpTrait<"InfersDims"> {
  let cppNamespace = "::vae";
}

defvar Epilogue = DeclareOpInterfaceMethods<EpilogueOpInterface>;
defvar Prunable = DeclareOpInterfaceMethods<PrunableOpInterface>;
defvar CarriesUnits = DeclareOpInterfaceMethods<UnitCarrierOpInterface>;
// Some of whose attributes count units.
defvar CarriesAndCountsUnits = DeclareOpInterfaceMethods<UnitCarrierOpInterface, ["dropUnits"]>;
defvar Quantizable = DeclareOpInterfaceMethods<QuantizableOpInterface>;
defvar FusableInto = DeclareOpInterfaceMethods<FusableIntoOpInterface>;
defvar Local = DeclareOpInterfaceMethods<LocalOpInterface>;
defvar ConstantAffine = DeclareOpInterfaceMethods<ConstantAffineOpInterface>;

class Vae_Op<string mnemonic, list<Trait> traits = []>
    : Op<Vae_Dialect, mnemonic,
         !listconcat([Pure, Vae_InfersDims, InferTypeOpInterface,
                      SymbolicShapeOpInterface], traits)> {
  code dimsDeclaration = [{
    static ::llvm::LogicalResult
    inferDims(Adaptor op, ::llvm::ArrayRef<::vae::Dims> in,
              ::llvm::SmallVectorImpl<::vae::Dims> &out,
              ::vae::DiagnosticFn error);
    ::mlir::AffineExpr getFlops(::llvm::ArrayRef<::vae::Dims> in,
                                ::llvm::ArrayRef<::vae::Dims> out);
    // Encodings and known dimensions may differ from the inferred ones.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred,
                                        ::mlir::TypeRange actual) {
      return ::vae::detail::areCompatible(inferred, actual);
    }
    // InfersDims verifies the result types and cites the broken constraint;
    // MLIR's own check would only add a second message.
    static ::llvm::LogicalResult refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>,
        ::mlir::ValueRange, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::llvm::success();
    }
  }];
  let extraClassDeclaration = dimsDeclaration;
}

// Ops without operands that define their type themselves.
def Vae_ConstantOp : Op<Vae_Dialect, "constant", [Pure, ConstantLike,
    TypesMatchWith<"(C1) the type of the value is the type of the result", "value", "result", "$_self">]> {
  let summary = "A weight";
  let description = [{
    A tensor known at compile time: `dense` for small values, a resource for
    weights. The key of a resource is the tensor's name and a hash of its
    content; its bytes lie in the mapped weight file and are never printed.

    Constraints: (C1) the type of the value is the type of the result.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Vae_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

class Vae_LayerOp<string mnemonic>
    : Vae_Op<mnemonic, [AttrSizedOperandSegments, CarriesAndCountsUnits, Epilogue, Local, Prunable,
                       Quantizable]> {
  let assemblyFormat = [{
    $x `,` $weight (`bias` `(` $bias^ `)`)? (`residual` `(` $residual^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vae_DenseOp : Vae_LayerOp<"dense"> {
  let summary = "Fully connected layer on the last axis";
  let description = [{
    y[.., u] = act(sum_k x[.., k] * weight[u, k] + bias[u] + residual[.., u]).

    Constraints: (C1) x has rank >= 2. (C2) weight is [U, K] with K the last
    dimension of x. (C3) bias is [U]. (C4) residual has the shape of the result.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$weight, Optional<Vae_Tensor>:$bias,
                       Optional<Vae_Tensor>:$residual,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
  let results = (outs Vae_Tensor:$y);
}

def Vae_Conv2dOp : Vae_LayerOp<"conv2d"> {
  let summary = "2-D convolution (cross-correlation)";
  let description = [{
    y[n, o, i, j] = act(sum_{c, a, b} xp[n, g*C/G + c, i*s0 + a*d0, j*s1 + b*d1] *
    weight[o, c, a, b] + bias[o] + residual[n, o, i, j]), xp being x padded with
    zeros and g = o / (O/G).

    Constraints: (C1) x is [N, C, H, W]. (C2) weight is [O, C/groups, KH, KW] and
    groups divides C and O. (C3) bias is [O]. (C4) residual has the shape of the
    result. (C5) strides and dilations are two positive numbers, padding is
    [top, left, bottom, right] >= 0. (C6) the dilated kernel fits into the padded
    input.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$weight, Optional<Vae_Tensor>:$bias,
                       Optional<Vae_Tensor>:$residual,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                       DefaultValuedAttr<I64Attr, "1">:$groups,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
  let results = (outs Vae_Tensor:$y);
  let hasCanonicalizer = 1;
}

def Vae_ConvTranspose2dOp : Vae_LayerOp<"conv_transpose2d"> {
  let summary = "2-D transposed convolution";
  let description = [{
    The adjoint of conv2d: y[n, o, i*s0 + a*d0 - top, j*s1 + b*d1 - left] sums
    x[n, c, i, j] * weight[c, o', a, b] over i, a, j, b and the channels c of o's
    group; then bias, residual and activation. The result has height
    (H-1)*s0 - top - bottom + d0*(KH-1) + 1 + output_padding[0], likewise width.

    Constraints: (C1) x is [N, C, H, W]. (C2) weight is [C, O/groups, KH, KW] and
    groups divides C. (C3) bias is [O]. (C4) residual has the shape of the
    result. (C5) strides and dilations are two positive numbers, padding is
    [top, left, bottom, right], output_padding two numbers >= 0. (C6) every
    dimension of the result is positive.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$weight, Optional<Vae_Tensor>:$bias,
                       Optional<Vae_Tensor>:$residual,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0}">:$output_padding,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                       DefaultValuedAttr<I64Attr, "1">:$groups,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
  let results = (outs Vae_Tensor:$y);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

class Vae_NormOp<string mnemonic, list<Trait> traits = []>
    : Vae_Op<mnemonic, !listconcat([AttrSizedOperandSegments], traits)> {
  let assemblyFormat = [{
    $x (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vae_BatchNormOp : Vae_Op<"batch_norm", [AttrSizedOperandSegments, CarriesUnits, ConstantAffine, Local]> {
  let summary = "Batch normalization with running statistics";
  let description = [{
    y = (x - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c], c being
    the index on axis 1 (Ioffe and Szegedy 2015, algorithm 2).

    Constraints: (C1) x has rank >= 2. (C2) mean, variance, weight and bias are
    [C]. (C3) epsilon >= 0.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$mean, Vae_Tensor:$variance,
                       Optional<Vae_Tensor>:$weight, Optional<Vae_Tensor>:$bias,
                       F64Attr:$epsilon);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = [{
    $x `,` $mean `,` $variance (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

/// A norm over channels, which can finish its result before storing it.
class Vae_ChannelNormOp<string mnemonic, string parameterType, list<Trait> traits = []>
    : Vae_NormOp<mnemonic, !listconcat([Epilogue], traits)> {
  let assemblyFormat = [{
    $x (`weight` `(` $weight^ `)`)? (`bias` `(` $bias^ `)`)?
    (`residual` `(` $residual^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let results = (outs Vae_Tensor:$y);
  // Without residual and activation, which passes fuse.
  let builders = [OpBuilder<(ins "::mlir::Type":$y, "::mlir::Value":$x, "::mlir::Value":$weight,
                                 "::mlir::Value":$bias, parameterType:$parameter,
                                 "::mlir::FloatAttr":$epsilon), [{
    build($_builder, $_state, y, x, weight, bias, ::mlir::Value(), parameter, epsilon,
          ::vae::ActivationAttr());
  }]>];
}

def Vae_GroupNormOp : Vae_ChannelNormOp<"group_norm", "::mlir::IntegerAttr", [CarriesAndCountsUnits]> {
  let summary = "Group normalization";
  let description = [{
    Normalizes each group of C/groups channels of an example with its own mean
    and (biased) variance (Wu and He 2018), then
    y = act(normalized * weight[c] + bias[c] + residual).

    Constraints: (C1) x has rank >= 2. (C2) groups divides C. (C3) weight and
    bias are [C]. (C4) epsilon >= 0. (C5) residual has the shape of x.
  }];
  let arguments = (ins Vae_Tensor:$x, Optional<Vae_Tensor>:$weight,
                       Optional<Vae_Tensor>:$bias, Optional<Vae_Tensor>:$residual,
                       I64Attr:$groups, F64Attr:$epsilon,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
}

def Vae_LayerNormOp : Vae_NormOp<"layer_norm", [CarriesUnits, Local]> {
  let summary = "Layer normalization over the last axes";
  let description = [{
    Normalizes over the last `axes` axes with their mean and (biased) variance,
    then applies weight and bias elementwise (Ba et al. 2016).

    Constraints: (C1) 1 <= axes < rank. (C2) weight and bias have the shape of
    the last `axes` axes. (C3) epsilon >= 0.
  }];
  let arguments = (ins Vae_Tensor:$x, Optional<Vae_Tensor>:$weight,
                       Optional<Vae_Tensor>:$bias, DefaultValuedAttr<I64Attr, "1">:$axes,
                       F64Attr:$epsilon);
  let results = (outs Vae_Tensor:$y);
}

def Vae_RmsNormOp : Vae_ChannelNormOp<"rms_norm", "::mlir::BoolAttr", [CarriesAndCountsUnits, Local]> {
  let summary = "Root mean square normalization over the channels";
  let description = [{
    With c the index on axis 1, C its dimension and the sum over c: normalized =
    x / sqrt(sum x^2 / C + epsilon) (Zhang and Sennrich 2019, equation 4), or with
    `l2`, as torch.nn.functional.normalize and a factor have it, normalized =
    x / max(sqrt(sum x^2), epsilon) * sqrt(C). Then
    y = act(normalized * weight[c] + bias[c] + residual).

    Constraints: (C1) x has rank >= 2. (C2) C is static, weight and bias are
    [C]. (C3) epsilon >= 0. (C4) residual has the shape of x.
  }];
  let arguments = (ins Vae_Tensor:$x, Optional<Vae_Tensor>:$weight,
                       Optional<Vae_Tensor>:$bias, Optional<Vae_Tensor>:$residual,
                       DefaultValuedAttr<BoolAttr, "false">:$l2, F64Attr:$epsilon,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
}

def Vae_ChannelAffineOp : Vae_Op<"channel_affine", [CarriesUnits, ConstantAffine, FusableInto, Local]> {
  let summary = "y = x * scale[c] + offset[c]";
  let description = [{
    c is the index on axis 1.

    Constraints: (C1) x has rank >= 2. (C2) scale and offset are [C].
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$scale, Vae_Tensor:$offset);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x `,` $scale `,` $offset attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

def Vae_ActivationOp : Vae_Op<"activation", [CarriesUnits, ConstantAffine, FusableInto, Local]> {
  let summary = "Elementwise function";
  let description = "y = f(x) with f from the table of the activation attribute.";
  let arguments = (ins Vae_Tensor:$x, Vae_ActivationAttr:$function);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x $function attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Vae_PreluOp : Vae_Op<"prelu", [CarriesUnits, Local]> {
  let summary = "Leaky ReLU with a learned slope per channel";
  let description = [{
    y = x if x >= 0, else slope[c] * x, c being the index on axis 1.

    Constraints: (C1) x has rank >= 2. (C2) slope is [C] or [1].
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$slope);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x `,` $slope attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

class Vae_BinaryOp<string mnemonic, list<Trait> traits = []>
    : Vae_Op<mnemonic, !listconcat([CarriesUnits, Local], traits)> {
  let arguments = (ins Vae_Tensor:$lhs, Vae_Tensor:$rhs);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let description = "Constraints: (C1) both operands have the same shape.";
  let hasCanonicalizer = 1;
}
def Vae_AddOp : Vae_BinaryOp<"add", [Commutative, FusableInto]> { let summary = "Elementwise sum"; }
def Vae_SubOp : Vae_BinaryOp<"sub"> { let summary = "Elementwise difference"; }
def Vae_MulOp : Vae_BinaryOp<"mul", [Commutative]> { let summary = "Elementwise product"; }

def Vae_GluOp : Vae_Op<"glu", [CarriesUnits, Local]> {
  let summary = "Gated linear unit";
  let description = [{
    y = a * gate(b), a and b being the halves of x on axis 1 (Dauphin et al. 2017,
    equation 1; Shazeer 2020 for gates other than the sigmoid).

    Constraints: (C1) x has rank >= 2. (C2) the dimension of axis 1 is static and
    even.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_ActivationAttr:$gate);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x $gate attr-dict `:` functional-type(operands, results)";
}

def Vae_SoftmaxOp : Vae_Op<"softmax", [CarriesUnits, Local]> {
  let summary = "Softmax along an axis";
  let description = [{
    y = exp(x - max) / sum(exp(x - max)) along `axis`.

    Constraints: (C1) 1 <= axis < rank.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$axis);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Vae_DropoutOp : Vae_Op<"dropout", [CarriesUnits, Local]> {
  let summary = "Dropout, the identity in inference";
  let description = "y = x. Constraints: (C1) 0 <= rate < 1.";
  let arguments = (ins Vae_Tensor:$x, F64Attr:$rate);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def Vae_AttentionOp : Vae_Op<"attention", [Quantizable]> {
  let summary = "Scaled dot-product attention";
  let description = [{
    Positions are axis 1 of [N, S, C] with channels on axis 2, or the pixels of
    [N, C, H, W] in row-major order. Head h of `heads` has channels h*C/heads ..
    (h+1)*C/heads. In each head and example,
    y[s] = sum_t p[s, t] * value[t] with p[s, .] = softmax_t(scale *
    sum_c query[s, c] * key[t, c]) (Vaswani et al. 2017, equation 1).

    With a quantized query, key and value, whose zero points are z, both products
    are of integers. Scores are S[t] = sum_c (query[s, c] - z) * (key[t, c] - z).
    Keys are taken in blocks of 64, from the first on, M being the largest score
    of the blocks before. Of each block, m is the largest score, and

        w(d) = 2^-(d * r)         r = scale * the scales of query and key / ln 2
        p[t] = rint(255 * w(m - S[t]))
        a = w(max(m - M, 0)), b = w(max(M - m, 0))
        sum = fma(sum_t p[t], b, sum * a)
        total[c] = fma(sum_t p[t] * (value[t, c] - z), b, total[c] * a)

    where sum and total begin as 0, and with the last block y[s, c] = total[c] *
    (scale of value / sum), which a quantized result rounds as layers do. Sums
    over c and t, and m - S[t], are exact, in i32, whatever the data are (C7);
    all else is f32 with one rounding a step: d and r are rounded, x = min(d * r,
    126), and w = 2^-x is 2^-rint(x) times a polynomial of rint(x) - x
    (VaeQuantAttention.h), so that equal integers give equal bits on every
    machine.

    Constraints: (C1) all operands are [N, S, C], or all are [N, C, H, W]. (C2)
    channels are static, and heads > 0 divides them. (C3) query and key have the
    same channels. (C4) key and value have the same positions, all the same
    batch. (C5) scale is finite. (C6) query, key and value are all quantized or
    none is; the result only where they are. (C7) of quantized ones, scale >= 0,
    and a head has at most 32896 channels.
  }];
  let arguments = (ins Vae_Tensor:$query, Vae_Tensor:$key, Vae_Tensor:$value,
                       DefaultValuedAttr<I64Attr, "1">:$heads, F64Attr:$scale);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = [{
    $query `,` $key `,` $value attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vae_LinearAttentionOp : Vae_Op<"linear_attention"> {
  let summary = "ReLU linear attention";
  let description = [{
    Channels of x are [heads][query, key, value][D], D being `head_dim`. In each
    head and example, with s and t pixels and q and k the positive parts of query
    and key, y[d, s] = sum_t w[s, t] * value[d, t] / (sum_t w[s, t] + epsilon)
    with w[s, t] = sum_c q[c, s] * k[c, t] (Katharopoulos et al. 2020, equation 4,
    as EfficientViT has it: Cai et al. 2023), computed without w.

    Constraints: (C1) x is [N, C, H, W]. (C2) head_dim > 0, and 3 * head_dim
    divides C, which is static. (C3) epsilon >= 0.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$head_dim, F64Attr:$epsilon);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Codebooks
//===----------------------------------------------------------------------===//

def Vae_NearestCodebookOp : Vae_Op<"nearest_codebook", [Local]> {
  let summary = "Index of the nearest entry of a codebook";
  let description = [{
    With c the index on axis 1, y = argmin_k sum_c (x[c] - codebook[k, c])^2; of
    equal distances the lowest k (van den Oord et al. 2017, equation 1). Axis 1
    is gone in the result. Indices are f32, exact up to 2^24.

    Constraints: (C1) x has rank >= 2. (C2) codebook is static [K, C] with C the
    dimension of axis 1 and K <= 2^24.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$codebook);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x `,` $codebook attr-dict `:` functional-type(operands, results)";
}

def Vae_EmbeddingOp : Vae_Op<"embedding", [Local]> {
  let summary = "Entries of a table by index";
  let description = [{
    y[n, c, ..] = table[k, c] with k the whole number in x[n, ..]: its fraction
    is dropped, it is at least 0 (so is a NaN) and at most K - 1. The channels are
    a new axis 1.

    Constraints: (C1) table is static [K, C], a row for each entry, with K at
    most 2^24.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$table);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x `,` $table attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

def Vae_UpsampleOp : Vae_Op<"upsample", [CarriesUnits, Local]> {
  let summary = "Nearest or bilinear enlargement by whole factors";
  let description = [{
    nearest: y[i, j] = x[i / scale0, j / scale1]. bilinear: samples at
    (i + 0.5) / scale - 0.5 clamped to the image, or with align_corners at
    i * (H - 1) / (scale*H - 1), as torch.nn.functional.interpolate does.

    Constraints: (C1) x is [N, C, H, W]. (C2) scale is two positive numbers. (C3)
    mode is not nearest_exact, which is nearest here.
  }];
  let arguments = (ins Vae_Tensor:$x, DenseI64ArrayAttr:$scale,
                       DefaultValuedAttr<Vae_ResizeMode, "::vae::ResizeMode::Nearest">:$mode,
                       DefaultValuedAttr<BoolAttr, "false">:$align_corners);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vae_ResizeOp : Vae_Op<"resize", [CarriesUnits]> {
  let summary = "Resampling to any height and width";
  let description = [{
    To the height and width of the image `like`, or to `size`. Row i of y takes
    from x, with H rows there and K in y, in f32 as
    torch.nn.functional.interpolate does: nearest, row floor(i * (H / K));
    nearest_exact, row floor((i + 0.5) * (H / K)), both at most H - 1. bilinear
    samples at row max((i + 0.5) * H / K - 0.5, 0), or with align_corners at
    i * (H - 1) / (K - 1), 0 if K = 1, and takes the last row for what lies
    behind it. Columns likewise.

    Constraints: (C1) x and like are [N, C, H, W]. (C2) there is either like, or
    a size of two positive numbers. (C3) align_corners goes with bilinear.
  }];
  let arguments = (ins Vae_Tensor:$x, Optional<Vae_Tensor>:$like,
                       OptionalAttr<DenseI64ArrayAttr>:$size,
                       DefaultValuedAttr<Vae_ResizeMode, "::vae::ResizeMode::Nearest">:$mode,
                       DefaultValuedAttr<BoolAttr, "false">:$align_corners);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = [{
    $x (`like` `(` $like^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Vae_PixelShuffleOp : Vae_Op<"pixel_shuffle", [CarriesUnits, Local]> {
  let summary = "Channels become pixels";
  let description = [{
    y[n, c, i*r + a, j*r + b] = x[n, c*r^2 + a*r + b, i, j] with r the factor (Shi
    et al. 2016, equation 4, in the order of torch.nn.PixelShuffle).

    Constraints: (C1) x is [N, C, H, W]. (C2) factor > 0, and its square divides
    C, which is static.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$factor);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_PixelUnshuffleOp : Vae_Op<"pixel_unshuffle", [CarriesUnits, Local]> {
  let summary = "Pixels become channels";
  let description = [{
    y[n, c*r^2 + a*r + b, i, j] = x[n, c, i*r + a, j*r + b] with r the factor, the
    inverse of pixel_shuffle.

    Constraints: (C1) x is [N, C, H, W], C static. (C2) factor > 0 divides H and
    W.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$factor);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_RepeatChannelsOp : Vae_Op<"repeat_channels", [CarriesUnits, Local]> {
  let summary = "Each channel several times in a row";
  let description = [{
    y[n, c, ..] = x[n, c / repeats, ..], as torch.repeat_interleave does.

    Constraints: (C1) x has rank >= 2, axis 1 is static. (C2) repeats > 0.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$repeats);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_MeanChannelsOp : Vae_Op<"mean_channels", [CarriesUnits, Local]> {
  let summary = "Mean of each group of neighbouring channels";
  let description = [{
    y[n, c, ..] = sum_k x[n, c*g + k, ..] / g over 0 <= k < g, g being `group`.

    Constraints: (C1) x has rank >= 2, axis 1 is static. (C2) group > 0 divides
    it.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$group);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_Pool2dOp : Vae_Op<"pool2d", [CarriesUnits, Local]> {
  let summary = "Maximum or mean of windows";
  let description = [{
    max ignores the padding; avg divides by the size of the window, or, without
    count_include_pad, by the number of its elements that lie in the image.

    Constraints: (C1) x is [N, C, H, W]. (C2) kernel and strides are two positive
    numbers, padding is [top, left, bottom, right] >= 0. (C3) padding is less
    than the kernel. (C4) the kernel fits into the padded input.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_PoolKind:$kind, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding,
                       DefaultValuedAttr<BoolAttr, "true">:$count_include_pad);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_GlobalPoolOp : Vae_Op<"global_pool", [CarriesUnits]> {
  let summary = "Maximum or mean of each channel";
  let description = [{
    [N, C, H, W] -> [N, C].

    Constraints: (C1) x is [N, C, H, W].
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_PoolKind:$kind);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

def Vae_ConcatOp : Vae_Op<"concat", [CarriesUnits, Local]> {
  let summary = "Concatenation along an axis";
  let description = [{
    Constraints: (C1) at least one operand. (C2) 1 <= axis < rank. (C3) all
    operands have the same rank and agree on the other axes.
  }];
  let arguments = (ins Variadic<Vae_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vae_SplitOp : Vae_Op<"split", [CarriesUnits, Local]> {
  let summary = "Equal parts along an axis";
  let description = [{
    Result k holds the elements k*D/S .. (k+1)*D/S of the axis, or, interleaved,
    every S-th element from k; S is `sections`, D the dimension.

    Constraints: (C1) 1 <= axis < rank. (C2) sections > 0 divides the dimension,
    which is static.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$axis, I64Attr:$sections,
                       DefaultValuedAttr<BoolAttr, "false">:$interleaved);
  let results = (outs Variadic<Vae_Tensor>:$parts);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasCanonicalizer = 1;
}

def Vae_SliceOp : Vae_Op<"slice", [CarriesAndCountsUnits, Local]> {
  let summary = "A strided part of one axis";
  let description = [{
    y[.., i, ..] = x[.., begin + i * stride, ..] for 0 <= i < size; without a size,
    to the end of the axis, of which nothing may be left.

    Constraints: (C1) 1 <= axis < rank. (C2) begin >= 0, size > 0, stride > 0.
    (C3) the part lies within the axis.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$axis, I64Attr:$begin,
                       OptionalAttr<I64Attr>:$size,
                       DefaultValuedAttr<I64Attr, "1">:$stride);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vae_CropOp : Vae_Op<"crop", [CarriesUnits, Local]> {
  let summary = "Removes a border";
  let description = [{
    Constraints: (C1) x is [N, C, H, W]. (C2) border is [top, left, bottom,
    right] >= 0. (C3) something is left.
  }];
  let arguments = (ins Vae_Tensor:$x, DenseI64ArrayAttr:$border);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_PadOp : Vae_Op<"pad", [CarriesUnits, Local]> {
  let summary = "Adds a border of a constant";
  let description = [{
    Constraints: (C1) x is [N, C, H, W] or [N, C, T, H, W]. (C2) padding is [top,
    left, bottom, right] or [front, top, left, back, bottom, right] >= 0.
  }];
  let arguments = (ins Vae_Tensor:$x, DenseI64ArrayAttr:$padding,
                       DefaultValuedAttr<F32Attr, "0.0f">:$value);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vae_ReshapeOp : Vae_Op<"reshape", [CarriesAndCountsUnits]> {
  let summary = "Another shape for the elements of each example";
  let description = [{
    Row-major in the order of the logical shape; axis 0 stays. `shape` gives the
    other dimensions; one of them may be -1 and follows from the rest. Flatten is
    shape = [-1].

    Constraints: (C1) at most one -1, all others positive. (C2) the number of
    elements of an example stays.
  }];
  let arguments = (ins Vae_Tensor:$x, DenseI64ArrayAttr:$shape);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vae_TransposeOp : Vae_Op<"transpose", [CarriesUnits, Local]> {
  let summary = "Permutation of the axes";
  let description = [{
    Axis i of the result is axis permutation[i] of x.

    Constraints: (C1) permutation is a permutation of 0..rank-1. (C2)
    permutation[0] = 0.
  }];
  let arguments = (ins Vae_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Vae_ConvertLayoutOp : Vae_Op<"convert_layout", [CarriesUnits, Local]> {
  let summary = "The same tensor in another memory layout";
  let description = [{
    Changes the encoding of the type, never the value; or between f32 and f16, to
    which values are rounded.
  }];
  let arguments = (ins Vae_Tensor:$x);
  let results = (outs Vae_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// What makes it a VAE
//===----------------------------------------------------------------------===//

def Vae_ReparameterizeOp : Vae_Op<"reparameterize", [Local]> {
  let summary = "z = mu + exp(logvar / 2) * noise";
  let description = [{
    A sample of q(z|x) (Kingma and Welling 2014, section 2.4). `noise` is
    standard normal: element i of the batch's noise is a function of the seed and
    of i only (Philox4x32-10, see docs/c-api.md), so that a batch may be split.

    Constraints: (C1) mu, logvar and noise have the same shape.
  }];
  let arguments = (ins Vae_Tensor:$mu, Vae_Tensor:$logvar, Vae_Tensor:$noise);
  let results = (outs Vae_Tensor:$z);
  let assemblyFormat = "$mu `,` $logvar `,` $noise attr-dict `:` functional-type(operands, results)";
}

def Vae_KlOp : Vae_Op<"kl", [AttrSizedOperandSegments]> {
  let summary = "KL(q(z|x) || p(z)) of diagonal normals, nats per example";
  let description = [{
    sum over the elements of an example of
    (exp(logvar) + (mu - m)^2) / (2 s^2) - 1/2 - logvar/2 + log s
    with prior mean m and standard deviation s, 0 and 1 when absent (Kingma and
    Welling 2014, appendix B). Result [N].

    Constraints: (C1) mu and logvar have the same shape. (C2) prior_mean and
    prior_std are given together and are [C], C being axis 1.
  }];
  let arguments = (ins Vae_Tensor:$mu, Vae_Tensor:$logvar,
                       Optional<Vae_Tensor>:$prior_mean, Optional<Vae_Tensor>:$prior_std);
  let results = (outs Vae_Tensor:$kl);
  let assemblyFormat = [{
    $mu `,` $logvar (`prior` `(` $prior_mean^ `,` $prior_std `)`)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vae_LogLikelihoodOp : Vae_Op<"log_likelihood"> {
  let summary = "log p(x|z), nats per example";
  let description = [{
    Sum over the elements of an example, with normalizing constants:
    bernoulli_logits: x*l - softplus(l); bernoulli: x*log(p) + (1-x)*log(1-p),
    with logarithms not below -100 (as torch's binary_cross_entropy);
    gaussian: -(x-y)^2 / (2 v) - log(2 pi v) / 2 with v = scale^2, or
    exp(logvar); laplace: -|x-y| / scale - log(2 scale). Result [N].

    Constraints: (C1) x, y and logvar have the same number of elements per
    example and the same shape. (C2) only gaussian takes logvar. (C3) scale > 0.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$y, Optional<Vae_Tensor>:$logvar,
                       Vae_Likelihood:$likelihood,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs Vae_Tensor:$value);
  let assemblyFormat = [{
    $x `,` $y (`logvar` `(` $logvar^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

include "dialects/vae/IR/VaeVideoOps.td"

#endif
