// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference and operation counts of operations on videos.
#include "dialects/vae/IR/VaeShape.h"

using namespace mlir;
using namespace vae;
using namespace vae::detail;

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
