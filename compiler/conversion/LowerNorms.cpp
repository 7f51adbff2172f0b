// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalization and softmax.
#include "compiler/conversion/Lowering.h"
#include "compiler/conversion/QuantizeTensors.h"

using namespace mlir;
using namespace vae;

/// Rough cost of an element, for the decision to share work between threads.
static constexpr int64_t kElementFlops = 8;

FailureOr<Value> Lowering::lowerGroupNorm(GroupNormOp op) {
  const Dims shape = getDims(op.getX());
  Location loc = op.getLoc();
  int64_t channels = getStaticDim(shape[1]);
  AffineExpr pixels = count(ArrayRef<AffineExpr>(shape).drop_front(2));
  Value x = channelsInnermost(op.getX());
  AffineExpr rows = expr(1), columns = pixels;
  if (shape.size() == 4) {
    rows = shape[2];
    columns = shape[3];
  }
  // Between rows, between images, before the first pixel.
  auto place = [&](const Border &border) {
    AffineExpr inRow = (columns + (border[1] + border[3])) * channels;
    AffineExpr inImage = inRow * (rows + (border[0] + border[2]));
    return Exprs{inRow, inImage, inRow * border[0] + border[1] * channels};
  };
  // The result as it is stored.
  ConvertLayoutOp quantizer = findQuantizer(op);
  Value result = quantizer ? quantizer.getY() : op.getY();
  RankedTensorType type = typeOf(result);
  const Border given = getBorder(x);
  const Border border = wantedBorders.lookup(result.getDefiningOp());

  Dims momentDims = {shape[0], getNumPieces(pixels) * (3 * channels)};
  Exprs momentSizes = {shape[0], rows, columns};
  momentSizes.append(place(given));
  if (isEmpty(given)) // one row
    momentSizes = {shape[0], expr(1),           pixels,
                   expr(0),  pixels * channels, expr(0)};
  auto momentType = scratchType(momentDims);
  Value moments = launch(
      loc, getMomentsKernel(module, loc, getTarget(x, momentType), channels),
      {x}, momentSizes, 1 << 16, momentType, momentDims, {},
      {count(shape) * 3, {}, {}});

  SmallVector<Value> inputs = {moments};
  for (Value parameter : {Value(op.getWeight()), Value(op.getBias())})
    if (parameter)
      inputs.push_back(parameter);
  Dims parameterDims = {shape[0], expr(4 * channels)};
  auto kernel = getGroupParametersKernel(
      module, loc, target, channels, op.getGroups(),
      op.getEpsilon().convertToDouble(), op.getWeight() != nullptr,
      op.getBias() != nullptr);
  Value parameters =
      launch(loc, kernel, inputs, {shape[0], pixels}, 1 << 12,
             scratchType(parameterDims), parameterDims, {}, {expr(0), {}, {}});

  Epilogue epilogue;
  epilogue.residual = op.getResidual() != nullptr;
  epilogue.activation = op.getActivationAttr();
  inputs = {x, parameters};
  if (op.getResidual())
    inputs.push_back(channelsInnermost(op.getResidual()));
  if (shape.size() != 4) { // pixel by pixel
    rows = pixels;
    columns = expr(1);
  }
  Dims all = isEmpty(border) ? shape : addBorder(shape, border);
  // With the border that the result is to have, x is overwritten.
  bool overwrites = !quantizer && given == border && canOverwrite(x, op);
  Value init = overwrites ? x : Value();
  if (!init && !isEmpty(border))
    init = makeBorder(loc, shape, border, 0, type);
  Exprs sizes = {shape[0], rows, columns};
  sizes.append(place(given));
  sizes.append(place(border));
  AffineExpr elements = count(shape);
  AffineExpr read = countRead(x);
  if (op.getResidual())
    read = read + countWords(elements, inputs.back().getType());
  auto quantized = getQuantizedType(type);
  auto store = [&](Emitter &e, Value value) {
    return quantized ? quantize(e, value, Quantization(quantized)) : value;
  };
  Value y = launch(
      loc,
      getNormalizeKernel(
          module, loc, getTarget(inputs, type), channels, epilogue,
          quantized ? "_" + nameQuantization(quantized) : "", store),
      inputs, sizes,
      channels * kElementFlops * std::max<int64_t>(1, getStaticDim(columns)),
      type, all, init, {elements * 2, read, countWords(elements, type)});
  if (!isEmpty(border)) {
    dims[y] = shape;
    borders[y] = border;
  }
  return channelsRestored(y, op.getX());
}

FailureOr<Value> Lowering::lowerRmsNorm(RmsNormOp op) {
  const Dims shape = getDims(op.getX());
  int64_t channels = getStaticDim(shape[1]);
  Value x = channelsInnermost(op.getX());
  Epilogue epilogue;
  epilogue.bias = op.getBias() != nullptr;
  epilogue.residual = op.getResidual() != nullptr;
  epilogue.activation = op.getActivationAttr();
  SmallVector<Value> inputs = {x};
  for (Value parameter : {Value(op.getWeight()), Value(op.getBias())})
    if (parameter)
      inputs.push_back(parameter);
  if (op.getResidual())
    inputs.push_back(channelsInnermost(op.getResidual()));
  auto kernel =
      getRmsNormKernel(module, op.getLoc(), getTarget(inputs, op.getType()),
                       channels, op.getEpsilon().convertToDouble(), op.getL2(),
                       op.getWeight() != nullptr, epilogue);
  Value init = canOverwrite(x, op) ? x : Value();
  Value y = launch(op.getLoc(), kernel, inputs, {countRows(shape)},
                   channels * kElementFlops, typeOf(op.getY()), shape, init);
  return channelsRestored(y, op.getX());
}

FailureOr<Value> Lowering::lowerLayerNorm(LayerNormOp op) {
  const Dims dims = getDims(op.getX());
  ArrayRef<AffineExpr> shape = dims;
  SmallVector<Value> inputs = {op.getX()};
  for (Value parameter : {Value(op.getWeight()), Value(op.getBias())})
    if (parameter)
      inputs.push_back(parameter);
  auto kernel =
      getLayerNormKernel(module, op.getLoc(), getTarget(inputs, op.getType()),
                         op.getEpsilon().convertToDouble(),
                         op.getWeight() != nullptr, op.getBias() != nullptr);
  int64_t axes = op.getAxes();
  AffineExpr length = count(shape.take_back(axes));
  return launch(op.getLoc(), kernel, inputs,
                {count(shape.drop_back(axes)), length},
                kElementFlops * std::max<int64_t>(1, getStaticDim(length)),
                typeOf(op.getY()), dims);
}

FailureOr<Value> Lowering::lowerSoftmax(SoftmaxOp op) {
  Dims memory = getMemoryDims(op.getX());
  int64_t axis = op.getAxis();
  if (isChannelsLast(op.getX()))
    axis = axis == 1 ? typeOf(op.getX()).getRank() - 1 : axis - 1;
  ArrayRef<AffineExpr> all = memory;
  return launch(
      op.getLoc(), getSoftmaxKernel(module, op.getLoc(), target), {op.getX()},
      {count(all.take_front(axis)), all[axis], count(all.drop_front(axis + 1))},
      1 << 10, typeOf(op.getY()), getDims(op.getY()));
}
