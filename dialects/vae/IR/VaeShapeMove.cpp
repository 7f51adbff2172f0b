// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference and operation counts of resampling and data movement.
#include "dialects/vae/IR/VaeShape.h"

using namespace mlir;
using namespace vae;
using namespace vae::detail;

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

LogicalResult UpsampleOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                    SmallVectorImpl<Dims> &out,
                                    DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  if (!isPair(op.getScale(), 1))
    return error() << "(C2) scale must be two positive numbers, at most "
                   << kMaxNumber;
  if (op.getMode() == ResizeMode::NearestExact)
    return error() << "(C3) mode nearest_exact is nearest for whole factors";
  out.push_back({in[0][0], in[0][1], in[0][2] * op.getScale()[0],
                 in[0][3] * op.getScale()[1]});
  return success();
}
AffineExpr UpsampleOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return getMode() == ResizeMode::Nearest ? zero(in) : elements(out[0]) * 7;
}

LogicalResult ResizeOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  for (const Dims &dims : in)
    if (failed(requireImage(dims, error)))
      return failure();
  auto size = op.getSize();
  bool sized = size && isPair(*size, 1);
  if (size ? in.size() != 1 || !sized : in.size() != 2)
    return error() << "(C2) there must be either like, or a size of two "
                      "positive numbers, at most "
                   << kMaxNumber;
  if (op.getAlignCorners() && op.getMode() != ResizeMode::Bilinear)
    return error() << "(C3) align_corners goes with bilinear";
  Dims dims = in[0];
  for (int axis : {2, 3})
    dims[axis] =
        size ? getAffineConstantExpr((*size)[axis - 2], in[0][0].getContext())
             : in[1][axis];
  out.push_back(dims);
  return success();
}
AffineExpr ResizeOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims> out) {
  return getMode() == ResizeMode::Bilinear ? elements(out[0]) * 7 : zero(in);
}

LogicalResult PixelShuffleOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                        SmallVectorImpl<Dims> &out,
                                        DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  int64_t factor = op.getFactor(), channels = getStaticDim(in[0][1]);
  if (!isFactor(factor) || ShapedType::isDynamic(channels) ||
      channels % (factor * factor))
    return error() << "(C2) the square of factor " << factor
                   << " does not divide " << formatDim(channels) << " channels";
  out.push_back({in[0][0],
                 getAffineConstantExpr(channels / (factor * factor),
                                       in[0][0].getContext()),
                 in[0][2] * factor, in[0][3] * factor});
  return success();
}

LogicalResult PixelUnshuffleOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                          SmallVectorImpl<Dims> &out,
                                          DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  if (ShapedType::isDynamic(getStaticDim(in[0][1])))
    return error() << "(C1) channels must be static";
  int64_t factor = op.getFactor();
  for (int axis : {2, 3}) {
    int64_t size = getStaticDim(in[0][axis]);
    if (!isFactor(factor) || (!ShapedType::isDynamic(size) && size % factor))
      return error() << "(C2) factor " << factor << " does not divide "
                     << formatDim(size) << " on axis " << axis;
  }
  out.push_back({in[0][0], in[0][1] * (factor * factor),
                 in[0][2].floorDiv(factor), in[0][3].floorDiv(factor)});
  return success();
}

/// (C1) of operations on the channels of any tensor.
static LogicalResult requireChannels(const Dims &x, DiagnosticFn error) {
  if (x.size() >= 2 && !ShapedType::isDynamic(getStaticDim(x[1])))
    return success();
  return error() << "(C1) x must have rank >= 2 and axis 1 be static, found "
                 << formatShape(x);
}

LogicalResult RepeatChannelsOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                          SmallVectorImpl<Dims> &out,
                                          DiagnosticFn error) {
  if (failed(requireChannels(in[0], error)))
    return failure();
  int64_t repeats = op.getRepeats();
  if (!isFactor(repeats))
    return error() << "(C2) repeats must be positive, at most " << kMaxNumber;
  Dims dims = in[0];
  dims[1] = dims[1] * repeats;
  out.push_back(dims);
  return success();
}

LogicalResult MeanChannelsOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                        SmallVectorImpl<Dims> &out,
                                        DiagnosticFn error) {
  if (failed(requireChannels(in[0], error)))
    return failure();
  int64_t group = op.getGroup(), channels = getStaticDim(in[0][1]);
  if (!isFactor(group) || channels % group)
    return error() << "(C2) groups of " << group << " do not divide "
                   << channels << " channels";
  Dims dims = in[0];
  dims[1] = getAffineConstantExpr(channels / group, in[0][0].getContext());
  out.push_back(dims);
  return success();
}
AffineExpr MeanChannelsOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]);
}

LogicalResult Pool2dOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  auto kernel = op.getKernel(), strides = op.getStrides(),
       padding = op.getPadding();
  if (!isPair(kernel, 1) || !isPair(strides, 1) || !isBorder(padding))
    return error() << "(C2) kernel and strides must be two positive numbers, "
                      "padding four numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[0][1]};
  for (int axis : {0, 1}) {
    if (padding[axis] >= kernel[axis] || padding[axis + 2] >= kernel[axis])
      return error() << "(C3) padding must be less than the kernel";
    dims.push_back(windowDim(in[0][2 + axis], padding[axis] + padding[axis + 2],
                             kernel[axis], strides[axis]));
    if (!isPositive(dims.back()))
      return error() << "(C4) the kernel does not fit into axis " << 2 + axis;
  }
  out.push_back(dims);
  return success();
}
AffineExpr Pool2dOp::getFlops(ArrayRef<Dims>, ArrayRef<Dims> out) {
  return elements(out[0]) * (getKernel()[0] * getKernel()[1]);
}

LogicalResult GlobalPoolOp::inferDims(Adaptor, ArrayRef<Dims> in,
                                      SmallVectorImpl<Dims> &out,
                                      DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  out.push_back({in[0][0], in[0][1]});
  return success();
}
AffineExpr GlobalPoolOp::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {
  return elements(in[0]);
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

#define VAE_NO_FLOPS(OP)                                                       \
  AffineExpr OP::getFlops(ArrayRef<Dims> in, ArrayRef<Dims>) {                 \
    return zero(in);                                                           \
  }
VAE_NO_FLOPS(ConcatOp)
VAE_NO_FLOPS(SplitOp)
VAE_NO_FLOPS(SliceOp)
VAE_NO_FLOPS(CropOp)
VAE_NO_FLOPS(PadOp)
VAE_NO_FLOPS(ReshapeOp)
VAE_NO_FLOPS(TransposeOp)
VAE_NO_FLOPS(PixelShuffleOp)
VAE_NO_FLOPS(PixelUnshuffleOp)
VAE_NO_FLOPS(RepeatChannelsOp)
#undef VAE_NO_FLOPS

static bool isInnerAxis(int64_t axis, const Dims &dims) {
  return axis >= 1 && axis < static_cast<int64_t>(dims.size());
}

LogicalResult ConcatOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                  SmallVectorImpl<Dims> &out,
                                  DiagnosticFn error) {
  int64_t axis = op.getAxis();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C2) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  Dims dims = in[0];
  for (const Dims &other : in.drop_front()) {
    if (other.size() != dims.size())
      return error() << "(C3) operands must have the same rank";
    for (int64_t i = 0, e = dims.size(); i < e; ++i) {
      if (i == axis)
        dims[i] = dims[i] + other[i];
      else if (!mayBeEqual(dims[i], other[i]))
        return error() << "(C3) operands differ on axis " << i << ": "
                       << formatDim(dims[i]) << " and " << formatDim(other[i]);
      else
        dims[i] = merge(dims[i], other[i]);
    }
  }
  out.push_back(dims);
  return success();
}

LogicalResult SplitOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  int64_t axis = op.getAxis(), sections = op.getSections();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C1) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  int64_t size = getStaticDim(in[0][axis]);
  if (sections < 1 || sections > kMaxNumber || ShapedType::isDynamic(size) ||
      size % sections)
    return error() << "(C2) " << sections << " sections do not divide "
                   << formatDim(size);
  Dims dims = in[0];
  dims[axis] = getAffineConstantExpr(size / sections, in[0][0].getContext());
  out.append(sections, dims);
  return success();
}

LogicalResult SliceOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                 SmallVectorImpl<Dims> &out,
                                 DiagnosticFn error) {
  int64_t axis = op.getAxis(), begin = op.getBegin(), stride = op.getStride();
  std::optional<int64_t> size = op.getSize();
  if (!isInnerAxis(axis, in[0]))
    return error() << "(C1) axis " << axis << " is not in 1.."
                   << in[0].size() - 1;
  if (begin < 0 || begin > kMaxElements || (size && *size < 1) || stride < 1 ||
      stride > kMaxNumber)
    return error() << "(C2) begin must be >= 0, size and stride positive";
  int64_t dim = getStaticDim(in[0][axis]);
  bool fits = ShapedType::isDynamic(dim) ||
              (size ? begin < dim && *size - 1 <= (dim - 1 - begin) / stride
                    : begin <= dim);
  if (!fits)
    return error() << "(C3) " << (size ? std::to_string(*size) + " " : "")
                   << "elements from " << begin << " with stride " << stride
                   << " exceed the axis of " << formatDim(dim);
  Dims dims = in[0];
  dims[axis] = size ? getAffineConstantExpr(*size, in[0][0].getContext())
                    : (in[0][axis] - begin + (stride - 1)).floorDiv(stride);
  out.push_back(dims);
  return success();
}

LogicalResult CropOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                SmallVectorImpl<Dims> &out,
                                DiagnosticFn error) {
  if (failed(requireImage(in[0], error)))
    return failure();
  auto border = op.getBorder();
  if (!isBorder(border))
    return error() << "(C2) border must be four numbers >= 0, at most "
                   << kMaxNumber;
  Dims dims = {in[0][0], in[0][1], in[0][2] - (border[0] + border[2]),
               in[0][3] - (border[1] + border[3])};
  if (!isPositive(dims[2]) || !isPositive(dims[3]))
    return error() << "(C3) nothing is left of the image";
  out.push_back(dims);
  return success();
}

LogicalResult PadOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                               SmallVectorImpl<Dims> &out, DiagnosticFn error) {
  size_t axes = in[0].size() - 2;
  if (in[0].size() != 4 && in[0].size() != 5)
    return error() << "(C1) x must be [N, C, H, W] or [N, C, T, H, W], found "
                      "rank "
                   << in[0].size();
  auto padding = op.getPadding();
  if (!areNumbers(padding, 2 * axes, 0))
    return error() << "(C2) padding must be " << (axes == 2 ? "four" : "six")
                   << " numbers >= 0, at most " << kMaxNumber;
  Dims dims = in[0];
  for (size_t axis = 0; axis < axes; ++axis)
    dims[2 + axis] = dims[2 + axis] + (padding[axis] + padding[axis + axes]);
  out.push_back(dims);
  return success();
}

LogicalResult ReshapeOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                   SmallVectorImpl<Dims> &out,
                                   DiagnosticFn error) {
  MLIRContext *context = in[0][0].getContext();
  AffineExpr total =
      getNumElements(ArrayRef<AffineExpr>(in[0]).drop_front(), context);
  Dims dims = {in[0][0]};
  int64_t known = 1, unknownAxis = -1;
  for (auto [axis, size] : llvm::enumerate(op.getShape())) {
    if (size == -1 && unknownAxis < 0)
      unknownAxis = axis + 1;
    else if (size < 1)
      return error() << "(C1) shape takes positive numbers and at most one -1";
    else if (size > kMaxElements / known)
      return error() << "(G2) a tensor must have at most " << kMaxElements
                     << " elements";
    else
      known *= size;
    dims.push_back(getAffineConstantExpr(size, context));
  }
  int64_t count = getStaticDim(total);
  if (!ShapedType::isDynamic(count) &&
      (unknownAxis < 0 ? count != known : count % known != 0))
    return error() << "(C2) an example has " << count
                   << " elements, the new shape " << known
                   << (unknownAxis < 0 ? "" : " times a whole number");
  if (unknownAxis >= 0)
    dims[unknownAxis] = total.floorDiv(known);
  out.push_back(dims);
  return success();
}

LogicalResult TransposeOp::inferDims(Adaptor op, ArrayRef<Dims> in,
                                     SmallVectorImpl<Dims> &out,
                                     DiagnosticFn error) {
  auto permutation = op.getPermutation();
  SmallVector<bool> seen(in[0].size(), false);
  Dims dims;
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<int64_t>(seen.size()) || seen[axis])
      return error() << "(C1) permutation must permute 0.." << seen.size() - 1;
    seen[axis] = true;
    dims.push_back(in[0][axis]);
  }
  if (dims.size() != seen.size())
    return error() << "(C1) permutation must permute 0.." << seen.size() - 1;
  if (permutation.front() != 0)
    return error() << "(C2) axis 0, the batch, must stay where it is";
  out.push_back(dims);
  return success();
}
