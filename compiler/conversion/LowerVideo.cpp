// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations on videos, [N, T, H, W, C] in memory.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;

Value Lowering::padVideo(Location loc, Value x, ArrayRef<int64_t> padding,
                         double value) {
  const Dims in = getDims(x);
  Dims out = in;
  for (int axis : {0, 1, 2})
    out[2 + axis] = out[2 + axis] + (padding[axis] + padding[axis + 3]);
  auto type =
      getTensorType(out, typeOf(x).getElementType(), typeOf(x).getEncoding());
  if (auto quantized = getQuantizedType(type))
    value = Quantization(quantized).quantize(static_cast<float>(value));
  AffineExpr row = out[4] * out[1], inRow = in[4] * in[1];
  // Whole frames as the rows of one image a clip, then the border of each.
  auto kernel = getBorderKernel(module, loc, getTarget({}, type), value);
  Value filled;
  auto fill = [&](const Exprs &sizes, AffineExpr written) {
    filled = launch(loc, kernel, {}, sizes, 1024, type, out, filled,
                    {expr(0), {}, countWords(written, type)});
  };
  if (padding[0] || padding[3])
    fill({out[0], out[2], out[3] * row, expr(padding[0]), expr(padding[3]),
          expr(0), expr(0)},
         out[0] * out[3] * row * (padding[0] + padding[3]));
  if (padding[1] || padding[2] || padding[4] || padding[5])
    fill({out[0] * out[2], out[3], row, expr(padding[1]), expr(padding[4]),
          out[1] * padding[2], out[1] * padding[5]},
         out[0] * out[2] * (out[3] * row - in[3] * inRow));
  Region region;
  region.dims = {in[0], in[2], in[3], inRow};
  region.inStrides = {in[2] * in[3] * inRow, in[3] * inRow, inRow, expr(1)};
  region.outStrides = {out[2] * out[3] * row, out[3] * row, row, expr(1)};
  region.outOffset =
      (out[3] * padding[0] + padding[1]) * row + out[1] * padding[2];
  return copy(loc, x, region, type, out, filled);
}

FailureOr<Value> Lowering::lowerConv3d(Conv3dOp op) {
  auto weightType = typeOf(op.getWeight());
  ArrayRef<int64_t> padding = op.getPadding();
  Contraction shape;
  shape.groups = op.getGroups();
  shape.outputs = weightType.getDimSize(0) / shape.groups;
  shape.inputs = weightType.getDimSize(1);
  shape.frames = weightType.getDimSize(2);
  shape.frameStride = op.getStrides()[0];
  shape.frameDilation = op.getDilations()[0];
  for (int axis : {0, 1}) {
    shape.window[axis] = weightType.getDimSize(3 + axis);
    shape.stride[axis] = op.getStrides()[1 + axis];
    shape.dilation[axis] = op.getDilations()[1 + axis];
  }
  // Without a window in time, frames are images.
  shape.video = shape.frames > 1 || shape.frameStride > 1 || padding[0] > 0 ||
                padding[3] > 0;
  shape.padded = llvm::any_of(padding, [](int64_t p) { return p > 0; });
  shape.flat = !shape.video && !shape.padded && shape.groups == 1 &&
               shape.taps() == 1 && shape.stride[0] == 1 &&
               shape.stride[1] == 1;
  shape.pixels = shape.flat;
  bool padded = shape.padded;
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  int64_t rows = shape.frames * shape.window[0], columns = shape.window[1];
  Value weight = packWeight(
      op, operands->weight, shape, "conv",
      [&](ArrayRef<float> w, int64_t g, int64_t o, int64_t i, int64_t ky,
          int64_t kx) {
        int64_t out = g * shape.outputs + o;
        return w[((out * shape.inputs + i) * rows + ky) * columns + kx];
      });
  const Dims out = operands->dims, image = getDims(op.getX());
  Exprs sizes = makeContractionSizes();
  if (shape.flat) {
    sizes[kImages] = countRows(out);
    sizes[kRows] = sizes[kColumns] = expr(1);
    sizes[kInImage] = image[1];
    sizes[kOutImage] = out[1];
    return contract(op, shape, *operands, op.getX(), weight, sizes, {});
  }
  Value x = op.getX();
  if (padded)
    x = padVideo(op.getLoc(), x, padding, 0);
  const Dims all = getDims(x);
  sizes[kImages] = out[0] * out[2];
  sizes[kRows] = out[3];
  sizes[kColumns] = out[4];
  sizes[kInRow] = all[4] * all[1];
  sizes[kInImage] = all[3] * sizes[kInRow];
  sizes[kPaddingRows] = expr(padding[1]);
  sizes[kPaddingColumns] = expr(padding[2]);
  sizes[kInputRows] = image[3];
  sizes[kInputColumns] = image[4];
  sizes[kOutColumn] = out[1];
  sizes[kOutRow] = out[4] * out[1];
  sizes[kOutImage] = out[3] * sizes[kOutRow];
  if (shape.video) {
    sizes.resize(kNumVideoSizes);
    sizes[kFrames] = out[2];
    sizes[kInClip] = all[2] * sizes[kInImage];
    sizes[kPaddingFrames] = expr(padding[0]);
    sizes[kInputFrames] = image[2];
  }
  return contract(op, shape, *operands, x, weight, sizes, {});
}

Lowering::Region Lowering::makeFrameRegion(const Dims &few, const Dims &many,
                                           int64_t factor, bool channelMajor) {
  // [N, T of few, factor, pixels, C of many], as it lies in many.
  AffineExpr pixels = many[3] * many[4], c = many[1];
  int64_t inPart = channelMajor ? 1 : getStaticDim(c);
  Region region;
  region.dims = {few[0], few[2], expr(factor), pixels, c};
  region.inStrides = {few[2] * pixels * few[1], pixels * few[1], expr(inPart),
                      few[1], expr(channelMajor ? factor : 1)};
  region.outStrides = {many[2] * pixels * c, pixels * c * factor, pixels * c, c,
                       expr(1)};
  return region;
}

FailureOr<Value> Lowering::lowerChannelsToFrames(ChannelsToFramesOp op) {
  const Dims few = getDims(op.getX()), many = getDims(op.getY());
  return copy(op.getLoc(), op.getX(),
              makeFrameRegion(few, many, op.getFactor(), op.getChannelMajor()),
              typeOf(op.getY()), many);
}

FailureOr<Value> Lowering::lowerFramesToChannels(FramesToChannelsOp op) {
  const Dims many = getDims(op.getX()), few = getDims(op.getY());
  Region region =
      makeFrameRegion(few, many, op.getFactor(), op.getChannelMajor());
  std::swap(region.inStrides, region.outStrides);
  return copy(op.getLoc(), op.getX(), region, typeOf(op.getY()), few);
}
