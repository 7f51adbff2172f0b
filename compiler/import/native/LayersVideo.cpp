// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers on videos: 3-D convolution, frames as images and as channels.
#include "compiler/import/native/LayerBuilder.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

static constexpr int64_t kMaxSmall = 65535;

static LogicalResult requireVideo(LayerBuilder &layer) {
  if (layer.rank() == 5)
    return success();
  layer.fields.fail(layer.fields.getPosition(), " ")
      << "expects a video [N, C, T, H, W], '" << layer.inputs.front().name
      << "' gives " << layer.context.emitter.formatDims(layer.dims());
  return failure();
}

LogicalResult vae::buildConv3d(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  int64_t filters = fields.getInt("filters", 1, kMaxDim);
  int64_t groups = fields.getInt("groups", 1, kMaxDim, 1);
  auto kernel = fields.getTriple("kernel_size", 1, kMaxSmall);
  auto strides = fields.getTriple("stride", 1, kMaxSmall, 1);
  auto dilations = fields.getTriple("dilation", 1, kMaxSmall, 1);
  auto padding = fields.getVideoBorder("padding", 0);
  if (!fields.ok() || failed(requireVideo(layer)) ||
      failed(checkGroups(layer, groups, filters)))
    return failure();
  SmallVector<int64_t, 5> shape = {filters, layer.dim(1) / groups};
  shape.append(kernel);
  Parameter parameter = layer.getParameter("kernel");
  if (!parameter.tensor)
    return failure();
  SmallVector<int64_t, 5> fileShape = shape, order;
  unsigned inputAxis = 1;
  if (layer.keras) {
    fileShape = {kernel[0], kernel[1], kernel[2], shape[1], filters};
    order = {4, 3, 0, 1, 2};
    inputAxis = 3;
  }
  if (failed(
          checkInputChannels(layer, parameter, fileShape, inputAxis, groups)))
    return failure();
  Value weight = layer.getConstant(
      parameter, fileShape, order, shape,
      layer.keras ? "[frames, height, width, inputs / groups, filters]"
                  : "[filters, inputs / groups, frames, height, width]");
  Value bias;
  if (!weight || failed(getBias(layer, filters, bias)))
    return failure();
  return layer.finish(layer.create<Conv3dOp>(
      layer.x(), weight, bias, Value(), ArrayRef<int64_t>(strides),
      ArrayRef<int64_t>(padding), ArrayRef<int64_t>(dilations),
      static_cast<uint64_t>(groups), ActivationAttr()));
}

LogicalResult vae::buildFramesToBatch(LayerBuilder &layer) {
  if (failed(requireVideo(layer)))
    return failure();
  return layer.finish(layer.create<FramesToBatchOp>(layer.x()));
}

LogicalResult vae::buildBatchToFrames(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  Emitter &emitter = layer.context.emitter;
  bool like = layer.inputs.size() == 2;
  IntegerAttr frames;
  if (fields.has("frames")) {
    int64_t count = fields.getInt("frames", 1, kMaxSmall);
    frames = emitter.builder.getI64IntegerAttr(count);
    if (like)
      fields.fail(fields.get("frames"))
          << "'frames' goes with one input; the second one gives the frames";
    else if (fields.ok() && !layer.dims()[0].isMultipleOf(count))
      fields.fail(fields.get("frames"))
          << "clips of " << count << " frames need a batch that is a multiple "
          << "of it; set \"batch\": {\"multiple\": " << count
          << "} in \"dynamic\"";
  }
  if (!fields.ok() || failed(layer.requireImage()))
    return failure();
  if (like) {
    Dims other = emitter.getDims(layer.inputs[1].value);
    if (other.size() != 5 || other[0] * other[2] != layer.dims()[0]) {
      fields.fail(fields.getPosition(), " ")
          << "expects a video with as many frames as '"
          << layer.inputs.front().name << "' has images as second input, '"
          << layer.inputs[1].name << "' gives " << emitter.formatDims(other);
      return failure();
    }
  }
  return layer.finish(layer.create<BatchToFramesOp>(
      layer.x(), like ? layer.inputs[1].value : Value(), frames));
}

LogicalResult vae::buildChannelsToFrames(LayerBuilder &layer) {
  int64_t factor = layer.fields.getInt("factor", 1, kMaxSmall);
  bool channelMajor = layer.fields.getBool("channel_major", false);
  if (!layer.fields.ok() || failed(requireVideo(layer)))
    return failure();
  return layer.finish(layer.create<ChannelsToFramesOp>(
      layer.x(), static_cast<uint64_t>(factor), channelMajor));
}

LogicalResult vae::buildFramesToChannels(LayerBuilder &layer) {
  int64_t factor = layer.fields.getInt("factor", 1, kMaxSmall);
  bool channelMajor = layer.fields.getBool("channel_major", false);
  if (!layer.fields.ok() || failed(requireVideo(layer)))
    return failure();
  if (!layer.dims()[2].isMultipleOf(factor)) {
    layer.fields.fail(layer.fields.get("factor"))
        << "factor " << factor << " does not divide the frames of "
        << layer.context.emitter.formatDims(layer.dims());
    return failure();
  }
  return layer.finish(layer.create<FramesToChannelsOp>(
      layer.x(), static_cast<uint64_t>(factor), channelMajor));
}
