// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference and operation counts of layers and elementwise operations.
#include "dialects/vae/IR/VaeShape.h"

using namespace mlir;
using namespace vae;
using namespace vae::detail;

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

LogicalResult DenseOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  if (in[0].size() < 2)
    return error() << "(C1) x must have rank >= 2, found rank " << in[0].size();
  if (in[1].size() != 2 || !isStatic(in[1]) ||
      !mayBeEqual(in[1][1], in[0].back()))
    return error() << "(C2) weight must be static [units, "
                   << formatDim(in[0].back()) << "], found "
                   << formatShape(in[1]);
  Dims dims = in[0];
  dims.back() = in[1][0];
  out.push_back(dims);
  return success();
}

namespace {
/// The words in which a convolution over so many axes speaks of them.
struct ConvWords {
  const char *kernel, *axes, *sides;
};
} // namespace

/// Of a convolution over the `axes` last axes, whose rank was checked.
template <typename Adaptor>
static LogicalResult
inferConvDims(Adaptor op, ArrayRef<Dims> in, SmallVectorImpl<Dims> &out,
              DiagnosticFn error, size_t axes, const ConvWords &words) {
  int64_t groups = op.getGroups();
  int64_t channels = getStaticDim(in[0][1]);
  if (in[1].size() != 2 + axes || !isStatic(in[1]) || groups < 1 ||
      ShapedType::isDynamic(channels) || channels % groups ||
      getStaticDim(in[1][0]) % groups ||
      getStaticDim(in[1][1]) != channels / groups)
    return error() << "(C2) weight must be static [O, C/groups, "
                   << words.kernel << "] with C = " << formatDim(channels)
                   << " and groups = " << groups << " dividing C and O, found "
                   << formatShape(in[1]);
  auto strides = op.getStrides(), dilations = op.getDilations(),
       padding = op.getPadding();
  if (!areNumbers(strides, axes, 1) || !areNumbers(dilations, axes, 1) ||
      !areNumbers(padding, 2 * axes, 0))
    return error() << "(C5) strides and dilations must be " << words.axes
                   << " positive numbers, padding " << words.sides
                   << " numbers >= 0, at most " << kMaxNumber;
  Dims dims = {in[0][0], in[1][0]};
  for (size_t axis = 0; axis < axes; ++axis) {
    int64_t extent = dilations[axis] * (getStaticDim(in[1][2 + axis]) - 1) + 1;
    int64_t around = padding[axis] + padding[axis + axes];
    dims.push_back(windowDim(in[0][2 + axis], around, extent, strides[axis]));
    if (!isPositive(dims.back()))
      return error() << "(C6) the kernel covers " << extent
                     << " elements, the padded input has "
                     << getStaticDim(in[0][2 + axis]) + around << " on axis "
                     << 2 + axis;
  }
  out.push_back(dims);
  return success();
}

LogicalResult Conv2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  return inferConvDims(op, in, out, error, 2, {"KH, KW", "two", "four"});
}

LogicalResult Conv3dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (failed(requireVideo(in[0], error)))
    return failure();
  return inferConvDims(op, in, out, error, 3, {"KT, KH, KW", "three", "six"});
}

LogicalResult ConvTranspose2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                           SmallVectorImpl<Dims> &out,
                                           DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  int64_t groups = op.getGroups();
  int64_t channels = getStaticDim(in[0][1]);
  if (in[1].size() != 4 || !isStatic(in[1]) || groups < 1 ||
      ShapedType::isDynamic(channels) || channels % groups ||
      getStaticDim(in[1][0]) != channels)
    return error() << "(C2) weight must be static [C, O/groups, KH, KW] with "
                      "C = "
                   << formatDim(channels) << " and groups = " << groups
                   << " dividing C, found " << formatShape(in[1]);
  auto strides = op.getStrides(), dilations = op.getDilations(),
       padding = op.getPadding(), extra = op.getOutputPadding();
  if (!isPair(strides, 1) || !isPair(dilations, 1) || !isBorder(padding) ||
      !isPair(extra, 0))
    return error() << "(C5) strides and dilations must be two positive "
                      "numbers, padding four and output_padding two numbers "
                      ">= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[1][1] * groups};
  for (int axis : {0, 1}) {
    int64_t extent = dilations[axis] * (getStaticDim(in[1][2 + axis]) - 1) + 1;
    dims.push_back((in[0][2 + axis] - 1) * strides[axis] +
                   (extent + extra[axis] - padding[axis] - padding[axis + 2]));
    if (!isPositive(dims.back()))
      return error() << "(C6) nothing is left of axis " << 2 + axis
                     << " after the padding is cut off";
  }
  out.push_back(dims);
  return success();
}

AffineExpr DenseOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * 2;
}
AffineExpr Conv2dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * in[1][2] * in[1][3] * 2;
}
AffineExpr Conv3dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * in[1][2] * in[1][3] * in[1][4] * 2;
}

/// Along one axis of a transposed convolution: the taps that reach an output,
/// summed over the outputs; as with a convolution, also those on zeros around
/// the input. Outputs stride * q + residue - padding share their taps.
static AffineExpr countTaps(AffineExpr out, int64_t kernel, int64_t stride,
                            int64_t dilation, int64_t padding) {
  AffineExpr sum = getAffineConstantExpr(0, out.getContext());
  for (int64_t residue = 0; residue < stride; ++residue) {
    int64_t taps = 0;
    for (int64_t tap = 0; tap < kernel; ++tap)
      taps += tap * dilation % stride == residue;
    int64_t first =
        std::max<int64_t>(0, llvm::divideCeilSigned(padding - residue, stride));
    AffineExpr last = (out + (padding - residue - 1)).floorDiv(stride);
    sum = sum + (last + (1 - first)) * taps;
  }
  return sum;
}

AffineExpr ConvTranspose2dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  AffineExpr product = in[0][0] * in[0][1] * in[1][1] * 2;
  for (int axis : {0, 1})
    product =
        product * countTaps(out[0][2 + axis], getStaticDim(in[1][2 + axis]),
                            getStrides()[axis], getDilations()[axis],
                            getPadding()[axis]);
  return product;
}

//===----------------------------------------------------------------------===//
// Ops that keep their shape
//===----------------------------------------------------------------------===//

#define VAE_SAME_SHAPE(OP, COUNT, FLOPS)                                       \
  LogicalResult OP::inferDims(Adaptor, ArrayRef<Dims> in,                      \
                              SmallVectorImpl<Dims> &out,                      \
                              DiagnosticFn error) {                            \
    return inferSame(in, out, error, COUNT);                                   \
  }                                                                            \
  AffineExpr OP::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {                \
    return elements(out[0]) * (FLOPS);                                         \
  }
VAE_SAME_SHAPE(BatchNormOp, 1, 2)
VAE_SAME_SHAPE(GroupNormOp, 1, 5)
VAE_SAME_SHAPE(LayerNormOp, 1, 5)
VAE_SAME_SHAPE(RmsNormOp, 1, 4)
VAE_SAME_SHAPE(ChannelAffineOp, 1, 2)
VAE_SAME_SHAPE(ActivationOp, 1, 1)
VAE_SAME_SHAPE(PreluOp, 1, 1)
VAE_SAME_SHAPE(AddOp, 2, 1)
VAE_SAME_SHAPE(SubOp, 2, 1)
VAE_SAME_SHAPE(MulOp, 2, 1)
VAE_SAME_SHAPE(SoftmaxOp, 1, 4)
VAE_SAME_SHAPE(DropoutOp, 1, 0)
VAE_SAME_SHAPE(ConvertLayoutOp, 1, 0)
VAE_SAME_SHAPE(ReparameterizeOp, 3, 3)
#undef VAE_SAME_SHAPE

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// [N, S, C] or [N, C, H, W] as attention sees it.
struct Sequence {
  const Dims &dims;
  bool isImage() const { return dims.size() == 4; }
  AffineExpr channels() const { return dims[isImage() ? 1 : 2]; }
  ArrayRef<AffineExpr> positions() const {
    return ArrayRef<AffineExpr>(dims).slice(isImage() ? 2 : 1,
                                            isImage() ? 2 : 1);
  }
  AffineExpr numPositions() const {
    return getNumElements(positions(), dims[0].getContext());
  }
};
} // namespace

LogicalResult AttentionOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                     SmallVectorImpl<Dims> &out,
                                     DiagnosticFn error) {
  int64_t heads = op.getHeads();
  for (const Dims &dims : in) {
    if (dims.size() != in[0].size() || dims.size() < 3 || dims.size() > 4)
      return error() << "(C1) operands must all be [N, S, C] or all be "
                        "[N, C, H, W], found rank "
                     << dims.size();
    int64_t channels = getStaticDim(Sequence{dims}.channels());
    if (heads < 1 || ShapedType::isDynamic(channels) || channels % heads)
      return error() << "(C2) " << heads << " heads do not divide "
                     << formatDim(channels) << " channels";
    if (!mayBeEqual(dims[0], in[0][0]))
      return error() << "(C4) operands must have the same batch";
  }
  Sequence query{in[0]}, key{in[1]}, value{in[2]};
  if (!mayBeEqual(query.channels(), key.channels()))
    return error() << "(C3) query has " << formatDim(query.channels())
                   << " channels, key " << formatDim(key.channels());
  for (auto [a, b] : llvm::zip(key.positions(), value.positions()))
    if (!mayBeEqual(a, b))
      return error()
             << "(C4) key and value must have the same positions, found "
             << formatShape(in[1]) << " and " << formatShape(in[2]);
  Dims dims = in[0];
  dims[query.isImage() ? 1 : 2] = value.channels();
  out.push_back(dims);
  return success();
}
/// Two products and a softmax.
AffineExpr AttentionOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  Sequence query{in[0]}, key{in[1]}, value{in[2]};
  AffineExpr pairs = in[0][0] * query.numPositions() * key.numPositions();
  return pairs * (query.channels() + value.channels()) * 2 +
         pairs * (4 * static_cast<int64_t>(getHeads()));
}

LogicalResult LinearAttentionOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                           SmallVectorImpl<Dims> &out,
                                           DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  int64_t size = op.getHeadDim(), channels = getStaticDim(in[0][1]);
  if (size < 1 || size > kMaxNumber || ShapedType::isDynamic(channels) ||
      channels % (3 * size))
    return error() << "(C2) query, key and value of " << size
                   << " channels do not divide " << formatDim(channels)
                   << " channels";
  Dims dims = in[0];
  dims[1] = getAffineConstantExpr(channels / 3, in[0][0].getContext());
  out.push_back(dims);
  return success();
}
/// The product of keys and values, and of queries and that.
AffineExpr LinearAttentionOp::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {
  return elements(out[0]) * (4 * (static_cast<int64_t>(getHeadDim()) + 1));
}

//===----------------------------------------------------------------------===//
// Codebooks
//===----------------------------------------------------------------------===//

/// Indices are f32.
static constexpr int64_t kMaxEntries = int64_t(1) << 24;

LogicalResult NearestCodebookOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                           SmallVectorImpl<Dims> &out,
                                           DiagnosticFn error) {
  if (in[0].size() < 2)
    return error() << "(C1) x must have rank >= 2, found rank " << in[0].size();
  if (in[1].size() != 2 || !isStatic(in[1]) ||
      getStaticDim(in[1][0]) > kMaxEntries ||
      ShapedType::isDynamic(getStaticDim(in[0][1])) ||
      !mayBeEqual(in[1][1], in[0][1]))
    return error() << "(C2) codebook must be static [entries, "
                   << formatDim(in[0][1]) << "] with at most " << kMaxEntries
                   << " entries, found " << formatShape(in[1]);
  Dims dims = in[0];
  dims.erase(dims.begin() + 1);
  out.push_back(dims);
  return success();
}
AffineExpr NearestCodebookOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][0] * in[1][1] * 3;
}

LogicalResult EmbeddingOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                     SmallVectorImpl<Dims> &out,
                                     DiagnosticFn error) {
  if (in[1].size() != 2 || !isStatic(in[1]) ||
      getStaticDim(in[1][0]) > kMaxEntries)
    return error() << "(C1) table must be static [entries, channels] with at "
                      "most "
                   << kMaxEntries << " entries, found " << formatShape(in[1]);
  Dims dims = in[0];
  dims.insert(dims.begin() + 1, in[1][1]);
  out.push_back(dims);
  return success();
}
AffineExpr EmbeddingOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return zero(in);
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

LogicalResult GluOp::inferDims(Adaptor, ArrayRef<Dims> in,
                               SmallVectorImpl<Dims> &out, DiagnosticFn error) {
  if (in[0].size() < 2)
    return error() << "(C1) x must have rank >= 2, found rank " << in[0].size();
  int64_t channels = getStaticDim(in[0][1]);
  if (ShapedType::isDynamic(channels) || channels % 2)
    return error() << "(C2) axis 1 must be static and even, found "
                   << formatDim(channels);
  Dims dims = in[0];
  dims[1] = getAffineConstantExpr(channels / 2, in[0][0].getContext());
  out.push_back(dims);
  return success();
}
AffineExpr GluOp::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {
  return elements(out[0]) * 2;
}

//===----------------------------------------------------------------------===//
// What makes it a VAE
//===----------------------------------------------------------------------===//

LogicalResult KlOp::inferDims(Adaptor, ArrayRef<Dims> in,
                              SmallVectorImpl<Dims> &out, DiagnosticFn error) {
  SmallVector<Dims> same;
  if (failed(inferSame(in, same, error, 2)))
    return failure();
  out.push_back({in[0][0]});
  return success();
}
AffineExpr KlOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]) * 6;
}

LogicalResult LogLikelihoodOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                         SmallVectorImpl<Dims> &out,
                                         DiagnosticFn error) {
  SmallVector<Dims> same;
  if (failed(inferSame(in, same, error, in.size())))
    return failure();
  out.push_back({in[0][0]});
  return success();
}
AffineExpr LogLikelihoodOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]) * 6;
}
