// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference and operation counts of operations on videos.
#include "dialects/vae/IR/VaeShape.h"

using namespace mlir;
using namespace vae;
using namespace vae::detail;

static LogicalResult requireVideo(const Dims &x, DiagnosticFn error) {
  if (x.size() == 5)
    return success();
  return error() << "(C1) x must be [N, C, T, H, W], found rank " << x.size();
}

LogicalResult Conv3dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (failed(requireVideo(in[0], error)))
    return failure();
  int64_t groups = op.getGroups();
  int64_t channels = getStaticDim(in[0][1]);
  if (in[1].size() != 5 || !isStatic(in[1]) || groups < 1 ||
      ShapedType::isDynamic(channels) || channels % groups ||
      getStaticDim(in[1][0]) % groups ||
      getStaticDim(in[1][1]) != channels / groups)
    return error() << "(C2) weight must be static [O, C/groups, KT, KH, KW] "
                      "with C = "
                   << formatDim(channels) << " and groups = " << groups
                   << " dividing C and O, found " << formatShape(in[1]);
  auto strides = op.getStrides(), dilations = op.getDilations(),
       padding = op.getPadding();
  if (!areNumbers(strides, 3, 1) || !areNumbers(dilations, 3, 1) ||
      !areNumbers(padding, 6, 0))
    return error() << "(C5) strides and dilations must be three positive "
                      "numbers, padding six numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[1][0]};
  for (int axis : {0, 1, 2}) {
    int64_t extent = dilations[axis] * (getStaticDim(in[1][2 + axis]) - 1) + 1;
    int64_t around = padding[axis] + padding[axis + 3];
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

AffineExpr Conv3dOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return elements(out[0]) * in[1][1] * in[1][2] * in[1][3] * in[1][4] * 2;
}

LogicalResult FramesToBatchOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                         SmallVectorImpl<Dims> &out,
                                         DiagnosticFn error) {
  if (failed(requireVideo(in[0], error)))
    return failure();
  const Dims &x = in[0];
  out.push_back({x[0] * x[2], x[1], x[3], x[4]});
  return success();
}

LogicalResult BatchToFramesOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                         SmallVectorImpl<Dims> &out,
                                         DiagnosticFn error) {
  const Dims &x = in[0];
  if (x.size() != 4)
    return error() << "(C1) x must be [N*T, C, H, W], found rank " << x.size();
  MLIRContext *context = x[0].getContext();
  AffineExpr clips = getAffineConstantExpr(1, context), frames = x[0];
  if (in.size() == 2) {
    if (in[1].size() != 5)
      return error() << "(C2) like must be [N, .., T, .., ..], found rank "
                     << in[1].size();
    clips = in[1][0];
    frames = in[1][2];
    int64_t images = getStaticDim(clips * frames);
    if (!ShapedType::isDynamic(images) && !mayBeEqual(x[0], clips * frames))
      return error() << "(C2) like has " << images << " images, x has "
                     << formatDim(x[0]);
  }
  if (std::optional<int64_t> given = op.getFrames()) {
    int64_t images = getStaticDim(x[0]);
    if (in.size() == 2 || *given < 1 || *given > kMaxNumber ||
        (!ShapedType::isDynamic(images) && images % *given))
      return error() << "(C3) clips of " << *given << " frames "
                     << (in.size() == 2
                             ? "go without like"
                             : "do not divide " + formatDim(x[0]) + " images");
    frames = getAffineConstantExpr(*given, context);
    clips = x[0].floorDiv(*given);
  }
  out.push_back({clips, x[1], frames, x[2], x[3]});
  return success();
}

LogicalResult ChannelsToFramesOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                            SmallVectorImpl<Dims> &out,
                                            DiagnosticFn error) {
  if (failed(requireVideo(in[0], error)))
    return failure();
  int64_t factor = op.getFactor(), channels = getStaticDim(in[0][1]);
  if (!isFactor(factor) || ShapedType::isDynamic(channels) || channels % factor)
    return error() << "(C2) factor " << factor << " does not divide "
                   << formatDim(channels) << " channels";
  Dims dims = in[0];
  dims[1] = getAffineConstantExpr(channels / factor, in[0][0].getContext());
  dims[2] = dims[2] * factor;
  out.push_back(dims);
  return success();
}

LogicalResult FramesToChannelsOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                            SmallVectorImpl<Dims> &out,
                                            DiagnosticFn error) {
  if (failed(requireVideo(in[0], error)))
    return failure();
  int64_t factor = op.getFactor(), frames = getStaticDim(in[0][2]);
  if (ShapedType::isDynamic(getStaticDim(in[0][1])))
    return error() << "(C1) channels must be static";
  if (!isFactor(factor) || (!ShapedType::isDynamic(frames) && frames % factor))
    return error() << "(C2) factor " << factor << " does not divide "
                   << formatDim(frames) << " frames";
  Dims dims = in[0];
  dims[1] = dims[1] * factor;
  dims[2] = dims[2].floorDiv(factor);
  out.push_back(dims);
  return success();
}

#define VAE_NO_FLOPS(OP)                                                       \
  AffineExpr OP::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {                 \
    return zero(in);                                                           \
  }
VAE_NO_FLOPS(FramesToBatchOp)
VAE_NO_FLOPS(BatchToFramesOp)
VAE_NO_FLOPS(ChannelsToFramesOp)
VAE_NO_FLOPS(FramesToChannelsOp)
#undef VAE_NO_FLOPS
