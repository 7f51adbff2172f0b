// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers without tensors: pooling, resampling, arithmetic, data movement.
#include "compiler/import/native/LayerBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

static constexpr int64_t kMaxSmall = 65535;

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

LogicalResult vae::buildScale(LayerBuilder &layer) {
  double factor = layer.fields.getNumber("factor", 1);
  double offset = layer.fields.getNumber("offset", 0);
  if (!layer.fields.ok())
    return failure();
  auto function = ActivationAttr::get(layer.loc.getContext(),
                                      ActivationKind::Affine, factor, offset);
  return layer.finish(layer.create<ActivationOp>(layer.x(), function));
}

LogicalResult vae::buildSoftmax(LayerBuilder &layer) {
  int64_t axis = layer.getAxis(1);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(
      layer.create<SoftmaxOp>(layer.x(), static_cast<uint64_t>(axis)));
}

LogicalResult vae::buildDropout(LayerBuilder &layer) {
  double rate = layer.fields.getNumber("rate", 0.5);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(layer.create<DropoutOp>(
      layer.x(), layer.context.emitter.builder.getF64FloatAttr(rate)));
}

/// All inputs must have the same shape, apart from `freeAxis`.
static LogicalResult requireSameShape(LayerBuilder &layer, int64_t freeAxis) {
  Emitter &emitter = layer.context.emitter;
  Dims first = layer.dims();
  for (const LayerInput &input : ArrayRef(layer.inputs).drop_front()) {
    Dims other = emitter.getDims(input.value);
    bool same = first.size() == other.size();
    for (size_t axis = 0; same && axis < first.size(); ++axis)
      same =
          first[axis] == other[axis] || static_cast<int64_t>(axis) == freeAxis;
    if (same)
      continue;
    layer.fields.fail(layer.fields.getPosition(), " ")
        << "expects inputs of the same shape"
        << (freeAxis < 0 ? "" : " apart from axis " + std::to_string(freeAxis))
        << ", '" << layer.inputs.front().name << "' gives "
        << emitter.formatDims(first) << ", '" << input.name << "' gives "
        << emitter.formatDims(other);
    return failure();
  }
  return success();
}

template <typename OpTy> static LogicalResult buildChain(LayerBuilder &layer) {
  if (failed(requireSameShape(layer, -1)))
    return failure();
  Value value = layer.x();
  for (const LayerInput &input : ArrayRef(layer.inputs).drop_front()) {
    value = layer.create<OpTy>(value, input.value);
    if (!value)
      return failure();
  }
  return layer.finish(value);
}
LogicalResult vae::buildAdd(LayerBuilder &layer) {
  return buildChain<AddOp>(layer);
}
LogicalResult vae::buildMul(LayerBuilder &layer) {
  return buildChain<MulOp>(layer);
}

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

LogicalResult vae::buildUpsample(LayerBuilder &layer) {
  auto scale = layer.fields.getPair("scale", 1, kMaxSmall);
  bool bilinear =
      layer.fields.getChoice("mode", {"nearest", "bilinear"}) == "bilinear";
  bool corners = layer.fields.getBool("align_corners", false);
  if (corners && !bilinear)
    layer.fields.fail(layer.fields.get("align_corners"))
        << "'align_corners' goes with mode 'bilinear' only";
  if (!layer.fields.ok() || failed(layer.requireImage()))
    return failure();
  return layer.finish(layer.create<UpsampleOp>(
      layer.x(), ArrayRef<int64_t>(scale),
      bilinear ? ResizeMode::Bilinear : ResizeMode::Nearest, corners));
}

LogicalResult vae::buildResize(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  bool like = layer.inputs.size() == 2;
  DenseI64ArrayAttr size;
  if (!like)
    size = layer.context.emitter.builder.getDenseI64ArrayAttr(
        fields.getPair("size", 1, kMaxSmall));
  else if (fields.has("size"))
    fields.fail(fields.get("size"))
        << "'size' goes with one input; the second one gives the size";
  std::string mode =
      fields.getChoice("mode", {"nearest", "nearest_exact", "bilinear"});
  bool corners = fields.getBool("align_corners", false);
  if (corners && mode != "bilinear")
    fields.fail(fields.get("align_corners"))
        << "'align_corners' goes with mode 'bilinear' only";
  if (!fields.ok() || failed(layer.requireImage()))
    return failure();
  return layer.finish(
      layer.create<ResizeOp>(layer.x(), like ? layer.inputs[1].value : Value(),
                             size, *symbolizeResizeMode(mode), corners));
}

LogicalResult vae::buildPixelShuffle(LayerBuilder &layer) {
  int64_t factor = layer.fields.getInt("factor", 1, kMaxSmall);
  if (!layer.fields.ok() || failed(layer.requireImage()))
    return failure();
  return layer.finish(
      layer.create<PixelShuffleOp>(layer.x(), static_cast<uint64_t>(factor)));
}

LogicalResult vae::buildPixelUnshuffle(LayerBuilder &layer) {
  int64_t factor = layer.fields.getInt("factor", 1, kMaxSmall);
  if (!layer.fields.ok() || failed(layer.requireImage()))
    return failure();
  const Dims dims = layer.dims();
  for (AffineExpr dim : ArrayRef<AffineExpr>(dims).drop_front(2))
    if (!dim.isMultipleOf(factor)) {
      layer.fields.fail(layer.fields.get("factor"))
          << "factor " << factor << " needs a height and width that are "
          << "multiples of it, found " << layer.context.emitter.formatDims(dims)
          << (isa<AffineConstantExpr>(dim)
                  ? ""
                  : "; set \"multiple\" in \"dynamic\"");
      return failure();
    }
  return layer.finish(
      layer.create<PixelUnshuffleOp>(layer.x(), static_cast<uint64_t>(factor)));
}

LogicalResult vae::buildRepeatChannels(LayerBuilder &layer) {
  int64_t repeats = layer.fields.getInt("repeats", 1, kMaxSmall);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(layer.create<RepeatChannelsOp>(
      layer.x(), static_cast<uint64_t>(repeats)));
}

LogicalResult vae::buildMeanChannels(LayerBuilder &layer) {
  int64_t group = layer.fields.getInt("group", 1, kMaxSmall);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(
      layer.create<MeanChannelsOp>(layer.x(), static_cast<uint64_t>(group)));
}

static LogicalResult buildPool(LayerBuilder &layer, PoolKind kind) {
  Fields &fields = layer.fields;
  auto kernel = fields.getPair("kernel_size", 1, kMaxSmall);
  auto strides =
      fields.has("stride") ? fields.getPair("stride", 1, kMaxSmall) : kernel;
  SmallVector<int64_t, 4> padding = {0, 0, 0, 0};
  const JsonValue *value = fields.get("padding");
  bool same = false;
  if (value && value->isString())
    same = fields.getChoice("padding", {"valid", "same"}) == "same";
  else
    padding = fields.getBorder("padding", 0);
  bool includePad = fields.getBool("count_include_pad", !same);
  if (!fields.ok() || failed(layer.requireImage()) ||
      (same && failed(computeSamePadding(layer, kernel, strides, padding))))
    return failure();
  return layer.finish(layer.create<Pool2dOp>(
      layer.x(), kind, ArrayRef<int64_t>(kernel), ArrayRef<int64_t>(strides),
      ArrayRef<int64_t>(padding), includePad));
}
LogicalResult vae::buildMaxPool2d(LayerBuilder &layer) {
  return buildPool(layer, PoolKind::Max);
}
LogicalResult vae::buildAvgPool2d(LayerBuilder &layer) {
  return buildPool(layer, PoolKind::Avg);
}

static LogicalResult buildGlobalPool(LayerBuilder &layer, PoolKind kind) {
  if (failed(layer.requireImage()))
    return failure();
  return layer.finish(layer.create<GlobalPoolOp>(layer.x(), kind));
}
LogicalResult vae::buildGlobalMaxPool2d(LayerBuilder &layer) {
  return buildGlobalPool(layer, PoolKind::Max);
}
LogicalResult vae::buildGlobalAvgPool2d(LayerBuilder &layer) {
  return buildGlobalPool(layer, PoolKind::Avg);
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

LogicalResult vae::buildConcat(LayerBuilder &layer) {
  int64_t axis = layer.getAxis(1);
  if (!layer.fields.ok() || failed(requireSameShape(layer, axis)))
    return failure();
  SmallVector<Value> values;
  for (const LayerInput &input : layer.inputs)
    values.push_back(input.value);
  return layer.finish(
      layer.create<ConcatOp>(ValueRange(values), static_cast<uint64_t>(axis)));
}

LogicalResult vae::buildSplit(LayerBuilder &layer) {
  int64_t sections = layer.fields.getInt("sections", 1, 1024);
  int64_t axis = layer.getAxis(1);
  if (!layer.fields.ok())
    return failure();
  auto parts = layer.context.emitter.createMany<SplitOp>(
      layer.loc, layer.fields.getSubject(), layer.x(),
      static_cast<uint64_t>(axis), static_cast<uint64_t>(sections), false);
  layer.outputs.assign(parts.begin(), parts.end());
  return success(!parts.empty());
}

LogicalResult vae::buildSlice(LayerBuilder &layer) {
  int64_t axis = layer.getAxis(1);
  int64_t begin = layer.fields.getInt("begin", 0, kMaxDim, 0);
  IntegerAttr size;
  if (layer.fields.has("size"))
    size = layer.context.emitter.builder.getI64IntegerAttr(
        layer.fields.getInt("size", 1, kMaxDim));
  if (!layer.fields.ok())
    return failure();
  return layer.finish(
      layer.create<SliceOp>(layer.x(), static_cast<uint64_t>(axis),
                            static_cast<uint64_t>(begin), size, uint64_t(1)));
}

Value LayerBuilder::reshape(Value x, ArrayRef<int64_t> shape) {
  return x ? create<ReshapeOp>(x, shape) : Value();
}

Value LayerBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  return x ? create<TransposeOp>(x, permutation) : Value();
}

LogicalResult vae::buildFlatten(LayerBuilder &layer) {
  bool channelsLast = layer.isChannelsLast();
  if (!layer.fields.ok())
    return failure();
  Value x = layer.x();
  if (channelsLast && layer.rank() == 4)
    x = layer.transpose(x, {0, 2, 3, 1});
  return layer.finish(layer.reshape(x, {-1}));
}

LogicalResult vae::buildReshape(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  auto shape = fields.getInts("shape", -1, kMaxDim);
  bool channelsLast = layer.isChannelsLast();
  int64_t count = 1;
  for (auto [i, size] : enumerate(shape)) {
    if (size == 0)
      fields.fail(fields.get("shape"))
          << "'shape' takes positive numbers and at most one -1";
    if (size > 0 && size > kMaxElements / count)
      fields.fail(fields.get("shape")) << "'shape' has more than 2^40 elements";
    if (!fields.ok())
      return failure();
    count *= std::max<int64_t>(size, 1);
  }
  Value x = layer.x();
  if (channelsLast && layer.rank() == 4)
    x = layer.transpose(x, {0, 2, 3, 1});
  Value y = layer.reshape(x, shape);
  if (channelsLast && shape.size() == 3)
    y = layer.transpose(y, {0, 3, 1, 2});
  return layer.finish(y);
}

LogicalResult vae::buildTranspose(LayerBuilder &layer) {
  auto permutation = layer.fields.getInts("perm", 0, 7);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(layer.transpose(layer.x(), permutation));
}

LogicalResult vae::buildPad(LayerBuilder &layer) {
  layer.fields.require("padding");
  bool video = layer.rank() == 5;
  SmallVector<int64_t, 6> padding;
  if (video)
    padding = layer.fields.getVideoBorder("padding", 0);
  else
    llvm::append_range(padding, layer.fields.getBorder("padding", 0));
  double value = layer.fields.getNumber("value", 0);
  if (!layer.fields.ok() || (!video && failed(layer.requireImage())))
    return failure();
  return layer.finish(layer.create<PadOp>(layer.x(), ArrayRef<int64_t>(padding),
                                          APFloat(static_cast<float>(value))));
}

LogicalResult vae::buildCrop(LayerBuilder &layer) {
  layer.fields.require("border");
  auto border = layer.fields.getBorder("border", 0);
  if (!layer.fields.ok() || failed(layer.requireImage()))
    return failure();
  return layer.finish(
      layer.create<CropOp>(layer.x(), ArrayRef<int64_t>(border)));
}
