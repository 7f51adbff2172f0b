// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that only move data, all through one strided copy.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeQuant.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vae;

/// Row-major strides of dimensions.
static SmallVector<AffineExpr> stridesOf(ArrayRef<AffineExpr> dims,
                                         MLIRContext *context) {
  SmallVector<AffineExpr> strides(dims.size());
  AffineExpr stride = getAffineConstantExpr(1, context);
  for (int64_t i = static_cast<int64_t>(dims.size()) - 1; i >= 0; --i) {
    strides[i] = stride;
    stride = stride * dims[i];
  }
  return strides;
}

/// The channels of a pixel, most often, that a loop over them would cost more
/// than their copies.
static bool isFew(int64_t size) { return size <= 4 && size > 0; }

Value Lowering::copy(Location loc, Value x, Region region,
                     RankedTensorType type, const Dims &resultDims,
                     Value init) {
  // Fewer than four dimensions: leading ones of size 1.
  while (region.dims.size() < 4) {
    region.dims.insert(region.dims.begin(), expr(1));
    region.inStrides.insert(region.inStrides.begin(), expr(0));
    region.outStrides.insert(region.outStrides.begin(), expr(0));
  }
  unsigned rank = region.dims.size();
  bool contiguous = region.inStrides[rank - 1] == expr(1) &&
                    region.outStrides[rank - 1] == expr(1);
  Exprs sizes(region.dims);
  sizes.append(region.inStrides);
  sizes.push_back(region.inOffset ? region.inOffset : expr(0));
  sizes.append(region.outStrides);
  sizes.push_back(region.outOffset ? region.outOffset : expr(0));
  AffineExpr moved = count(region.dims);
  Work work = {expr(0), countWords(moved, x.getType()),
               countWords(moved, type)};
  KernelTarget storing = getTarget(x, type);
  int64_t outer = getStaticDim(region.dims[rank - 2]);
  int64_t inner = getStaticDim(region.dims[rank - 1]);
  if (!contiguous && region.inStrides[rank - 2] == expr(1) &&
      region.outStrides[rank - 1] == expr(1) && !isFew(outer) &&
      !isFew(inner)) {
    // Pixels are many, and dynamic more often than channels are.
    bool longRows = !ShapedType::isDynamic(inner) &&
                    (ShapedType::isDynamic(outer) || outer > inner);
    auto kernel =
        getTransposeKernel(module, loc, storing, rank, longRows, inner);
    return launch(loc, kernel, {x}, sizes, 4096, type, resultDims, init, work);
  }
  bool unrolled = !contiguous && isFew(inner);
  auto kernel = getCopyKernel(module, loc, storing, rank, contiguous,
                              unrolled ? inner : 0);
  int64_t row = getStaticDim(region.dims[rank - 2] * region.dims[rank - 1]);
  return launch(loc, kernel, {x}, sizes, ShapedType::isDynamic(row) ? 256 : row,
                type, resultDims, init, work);
}

Value Lowering::permuteMemory(Location loc, Value x, const Dims &inOrder,
                              ArrayRef<int64_t> permutation,
                              RankedTensorType type, const Dims &resultDims) {
  Region region;
  auto strides = stridesOf(inOrder, function.getContext());
  for (int64_t axis : permutation) {
    region.dims.push_back(inOrder[axis]);
    region.inStrides.push_back(strides[axis]);
  }
  region.outStrides = stridesOf(region.dims, function.getContext());
  return copy(loc, x, region, type, resultDims);
}

/// The logical axes in the order of memory.
static SmallVector<int64_t> memoryOrder(Value value) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (isChannelsLast(value))
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

FailureOr<Value> Lowering::lowerTranspose(TransposeOp op) {
  auto type = typeOf(op.getY());
  // The permutation of memory.
  SmallVector<int64_t> from = memoryOrder(op.getX()), permutation;
  for (int64_t axis : memoryOrder(op.getY()))
    permutation.push_back(llvm::find(from, op.getPermutation()[axis]) -
                          from.begin());
  if (llvm::is_sorted(permutation))
    return alias(op.getLoc(), op.getX(), type, getDims(op.getY()));
  return permuteMemory(op.getLoc(), op.getX(), getMemoryDims(op.getX()),
                       permutation, type, getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerConvertLayout(ConvertLayoutOp op) {
  RankedTensorType from = typeOf(op.getX()), type = typeOf(op.getY());
  bool moves = isChannelsLast(op.getX()) != isChannelsLast(op.getY());
  if (from.getElementType() != type.getElementType()) {
    if (!moves || keepsBytes(op))
      return convert(op.getLoc(), op.getX(), type);
    // Integers move as bytes.
    if (getQuantizedType(type)) {
      Value x =
          convert(op.getLoc(), op.getX(), from.clone(type.getElementType()));
      return changeLayout(op.getLoc(), x, type, wantedBorders.lookup(op));
    }
    if (getQuantizedType(from)) {
      Value y = changeLayout(op.getLoc(), op.getX(),
                             type.clone(from.getElementType()), Border{});
      return convert(op.getLoc(), y, type);
    }
  } else if (!moves) {
    return op.getX(); // the layer has stored it so
  } else if (keepsBytes(op)) {
    return alias(op.getLoc(), op.getX(), type, getDims(op.getX()));
  }
  return changeLayout(op.getLoc(), op.getX(), type, wantedBorders.lookup(op));
}

Value Lowering::changeLayout(Location loc, Value x, RankedTensorType type,
                             const Border &border) {
  const Dims image = getDims(x);
  // The rows of all frames are one axis. Of many channels, all pixels are one,
  // which is transposed with the channels.
  AffineExpr rows =
      count(ArrayRef<AffineExpr>(image).drop_front(2).drop_back());
  AffineExpr columns = image.back();
  bool few = isFew(getStaticDim(image[1]));
  if (isChannelsLast(x) && few)
    return permuteMemory(loc, x, {image[0], rows, columns, image[1]},
                         {0, 3, 1, 2}, type, image);
  if (isChannelsLast(x))
    return permuteMemory(loc, x, {image[0], rows * columns, image[1]},
                         {0, 2, 1}, type, image);
  if (isEmpty(border) && few)
    return permuteMemory(loc, x, {image[0], image[1], rows, columns},
                         {0, 2, 3, 1}, type, image);
  if (isEmpty(border))
    return permuteMemory(loc, x, {image[0], image[1], rows * columns},
                         {0, 2, 1}, type, image);
  const Dims all = addBorder(image, border);
  Region region;
  region.dims = {image[0], image[2], image[3], image[1]};
  region.inStrides = {image[1] * image[2] * image[3], image[3], expr(1),
                      image[2] * image[3]};
  region.outStrides = {all[2] * all[3] * all[1], all[3] * all[1], all[1],
                       expr(1)};
  region.outOffset = (all[3] * border[0] + border[1]) * all[1];
  Value filled = makeBorder(loc, image, border, 0, type);
  Value result = copy(loc, x, region, type, all, filled);
  dims[result] = image;
  borders[result] = border;
  return result;
}

std::string Lowering::nameQuantization(quant::UniformQuantizedType type) {
  if (!type)
    return "f32";
  Quantization of(type);
  return llvm::formatv("{0:x-}z{1}", llvm::bit_cast<uint32_t>(of.scale),
                       of.zeroPoint)
      .str();
}

Value Lowering::quantize(Emitter &e, Value x, const Quantization &to) {
  return e.quantize(x, {e.splat(to.inverse), e.splat(to.lowest - to.zeroPoint),
                        e.splat(to.highest - to.zeroPoint),
                        e.integers(to.zeroPoint)});
}

Value Lowering::convert(Location loc, Value x, RankedTensorType type) {
  const Dims shape = getDims(x);
  auto from = getQuantizedType(x), to = getQuantizedType(type);
  std::string name = "copy";
  if (from != to)
    name = "quantize_" + nameQuantization(from) + "_" + nameQuantization(to);
  auto convert = [&](Emitter &e, ValueRange values) {
    Value value = values[0];
    if (from == to)
      return value;
    if (from) {
      Quantization of(from);
      value = e.dequantize(value, e.splat(of.zeroPoint), e.splat(of.scale));
    }
    return to ? quantize(e, value, Quantization(to)) : value;
  };
  auto kernel =
      getFlatKernel(module, loc, getTarget(x, type), name, 1, convert);
  return launch(loc, kernel, {x}, {count(shape)}, getFlatItemElements(target),
                type, shape);
}

/// Whether the channels, axis 1, are already innermost in memory.
static bool hasChannelsInnermost(Value x) {
  return typeOf(x).getRank() == 2 || isChannelsLast(x);
}

Value Lowering::channelsInnermost(Value x) {
  if (hasChannelsInnermost(x))
    return x;
  const Dims dims = getDims(x);
  AffineExpr inner = count(ArrayRef<AffineExpr>(dims).drop_front(2));
  return permuteMemory(x.getLoc(), x, {dims[0], dims[1], inner}, {0, 2, 1},
                       typeOf(x), dims);
}

Value Lowering::channelsRestored(Value y, Value like) {
  if (hasChannelsInnermost(like))
    return y;
  const Dims dims = getDims(like);
  AffineExpr inner = count(ArrayRef<AffineExpr>(dims).drop_front(2));
  return permuteMemory(y.getLoc(), y, {dims[0], inner, dims[1]}, {0, 2, 1},
                       typeOf(y), dims);
}

/// Axis of the logical shape -> axis in memory.
static int64_t memoryAxis(Value value, int64_t axis) {
  if (!isChannelsLast(value))
    return axis;
  int64_t last = typeOf(value).getRank() - 1;
  return axis == 0 ? 0 : axis == 1 ? last : axis - 1;
}

/// Merges dimensions so that at most four are left: [outer, axis, inner].
static Dims aroundAxis(const Dims &dims, int64_t axis, MLIRContext *context) {
  ArrayRef<AffineExpr> all = dims;
  return {getNumElements(all.take_front(axis), context), dims[axis],
          getNumElements(all.drop_front(axis + 1), context)};
}

FailureOr<Value> Lowering::lowerPixelShuffle(PixelShuffleOp op) {
  const Dims in = getDims(op.getX()), out = getDims(op.getY());
  int64_t r = op.getFactor();
  Region region;
  region.dims = {in[0], in[2], expr(r), in[3], expr(r), out[1]};
  region.inStrides = {in[2] * in[3] * in[1],
                      in[3] * in[1],
                      expr(r),
                      in[1],
                      expr(1),
                      expr(r * r)};
  region.outStrides = stridesOf(region.dims, function.getContext());
  return copy(op.getLoc(), op.getX(), region, typeOf(op.getY()), out);
}

FailureOr<Value> Lowering::lowerPixelUnshuffle(PixelUnshuffleOp op) {
  const Dims in = getDims(op.getX()), out = getDims(op.getY());
  int64_t r = op.getFactor();
  AffineExpr row = in[3] * in[1];
  Region region;
  region.dims = {in[0], out[2], out[3], expr(r), expr(r), in[1]};
  region.inStrides = {in[2] * row, row * r, in[1] * r, row, in[1], expr(1)};
  region.outStrides = {out[2] * out[3] * out[1],
                       out[3] * out[1],
                       out[1],
                       expr(r),
                       expr(1),
                       expr(r * r)};
  return copy(op.getLoc(), op.getX(), region, typeOf(op.getY()), out);
}

FailureOr<Value> Lowering::lowerRepeatChannels(RepeatChannelsOp op) {
  int64_t axis = memoryAxis(op.getX(), 1);
  const Dims in =
      aroundAxis(getMemoryDims(op.getX()), axis, function.getContext());
  AffineExpr repeats = expr(op.getRepeats());
  Region region;
  region.dims = {in[0], in[1], repeats, in[2]};
  region.inStrides = {in[1] * in[2], in[2], expr(0), expr(1)};
  region.outStrides = {in[1] * in[2] * repeats, in[2] * repeats, in[2],
                       expr(1)};
  if (in[2] == expr(1)) // channels are innermost
    for (Exprs *list : {&region.dims, &region.inStrides, &region.outStrides})
      list->pop_back();
  return copy(op.getLoc(), op.getX(), region, typeOf(op.getY()),
              getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerConcat(ConcatOp op) {
  auto type = typeOf(op.getY());
  int64_t axis = memoryAxis(op.getY(), op.getAxis());
  const Dims out =
      aroundAxis(getMemoryDims(op.getY()), axis, function.getContext());
  Value result;
  AffineExpr offset = expr(0);
  for (Value input : op.getInputs()) {
    const Dims in =
        aroundAxis(getMemoryDims(input), axis, function.getContext());
    Region region;
    region.dims = {in[0], in[1] * in[2]};
    region.inStrides = {in[1] * in[2], expr(1)};
    region.outStrides = {out[1] * out[2], expr(1)};
    region.outOffset = offset * out[2];
    result = copy(op.getLoc(), input, region, type, getDims(op.getY()), result);
    offset = offset + in[1];
  }
  return result;
}

FailureOr<Value> Lowering::lowerSlice(SliceOp op) {
  int64_t axis = memoryAxis(op.getX(), op.getAxis());
  const Dims in =
      aroundAxis(getMemoryDims(op.getX()), axis, function.getContext());
  Region region;
  AffineExpr size = getDims(op.getY())[op.getAxis()];
  region.dims = {in[0], size, in[2]};
  region.inStrides = {in[1] * in[2], in[2] * op.getStride(), expr(1)};
  region.outStrides = {in[2] * size, in[2], expr(1)};
  region.inOffset = in[2] * op.getBegin();
  return copy(op.getLoc(), op.getX(), region, typeOf(op.getY()),
              getDims(op.getY()));
}

/// A rectangle of a channels-last image inside a larger one.
Value Lowering::makeBorder(Location loc, const Dims &image,
                           const Border &border, double value,
                           RankedTensorType type) {
  Dims all = addBorder(image, border);
  if (auto quantized = getQuantizedType(type))
    value = Quantization(quantized).quantize(static_cast<float>(value));
  AffineExpr channels = all[1];
  Exprs sizes = {all[0],
                 all[2],
                 all[3] * channels,
                 expr(border[0]),
                 expr(border[2]),
                 channels * border[1],
                 channels * border[3]};
  return launch(loc, getBorderKernel(module, loc, getTarget({}, type), value),
                {}, sizes, 1024, type, all, {},
                {expr(0), {}, countWords(count(all) - count(image), type)});
}

Value Lowering::withBorder(Location loc, Value x, const Border &border) {
  if (getBorder(x) == border)
    return x;
  const Dims image = getDims(x);
  Value padded = padImage(loc, x, border, 0);
  dims[padded] = image;
  borders[padded] = border;
  return padded;
}

Value Lowering::padImage(Location loc, Value x, const Border &padding,
                         double value) {
  const Dims in = getDims(x);
  Dims out = addBorder(in, padding);
  auto type =
      getTensorType(out, typeOf(x).getElementType(), typeOf(x).getEncoding());
  Value filled = makeBorder(loc, in, padding, value, type);
  Region region;
  region.dims = {in[0], in[2], in[3] * in[1]};
  region.inStrides = {in[2] * in[3] * in[1], in[3] * in[1], expr(1)};
  region.outStrides = {out[2] * out[3] * out[1], out[3] * out[1], expr(1)};
  region.outOffset = (out[3] * padding[0] + padding[1]) * out[1];
  return copy(loc, x, region, type, out, filled);
}

Value Lowering::cropImage(Location loc, Value x, ArrayRef<int64_t> border,
                          RankedTensorType type) {
  const Dims in = getDims(x);
  Dims out = {in[0], in[1], in[2] - (border[0] + border[2]),
              in[3] - (border[1] + border[3])};
  Region region;
  region.dims = {out[0], out[2], out[3] * out[1]};
  region.inStrides = {in[2] * in[3] * in[1], in[3] * in[1], expr(1)};
  region.inOffset = (in[3] * border[0] + border[1]) * in[1];
  region.outStrides = {out[2] * out[3] * out[1], out[3] * out[1], expr(1)};
  return copy(loc, x, region, type, out);
}
