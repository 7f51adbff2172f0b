// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers with tensors: dense, convolutions, normalization.
#include "compiler/import/native/LayerBuilder.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace llvm;
using namespace mlir;
using namespace vae;

static constexpr int64_t kMaxSmall = 65535;

//===----------------------------------------------------------------------===//
// Dense
//===----------------------------------------------------------------------===//

LogicalResult vae::getBias(LayerBuilder &layer, int64_t units, Value &bias) {
  if (layer.fields.getBool("bias", true))
    bias = layer.getVector("bias", units, "[units]", /*mayBeNull=*/true);
  return success(layer.fields.ok());
}

LogicalResult vae::buildDense(LayerBuilder &layer) {
  int64_t units = layer.fields.getInt("units", 1, kMaxDim);
  // On the channels of an image it is a convolution with a kernel of one.
  bool channels = layer.isChannelsLast() && layer.rank() == 4;
  if (!layer.fields.ok())
    return failure();
  int64_t axis = channels ? 1 : layer.rank() - 1;
  if (layer.rank() < 2 || ShapedType::isDynamic(layer.dim(axis))) {
    layer.fields.fail(layer.fields.getPosition(), " ")
        << "expects a fixed number of inputs, '" << layer.inputs.front().name
        << "' gives " << layer.context.emitter.formatDims(layer.dims());
    return failure();
  }
  int64_t inputs = layer.dim(axis);
  Parameter kernel = layer.getParameter("kernel");
  if (!kernel.tensor)
    return failure();
  SmallVector<int64_t, 4> shape = {units, inputs}, fileShape = shape, order;
  if (channels)
    shape = {units, inputs, 1, 1};
  if (layer.keras) {
    fileShape = {inputs, units};
    order = {1, 0};
  }
  // The right number of units with another number of inputs is a graph that
  // does not fit together, not a wrong tensor.
  ArrayRef<int64_t> found = kernel.tensor->shape;
  unsigned unitAxis = layer.keras ? 1 : 0;
  bool swapped =
      found.size() == 2 && found[0] == fileShape[1] && found[1] == fileShape[0];
  if (found.size() == 2 && found[unitAxis] == units && !swapped &&
      failed(layer.requireUnits(axis, found[1 - unitAxis], "inputs")))
    return failure();
  Value weight =
      layer.getConstant(kernel, fileShape, order, shape,
                        layer.keras ? "[inputs, units]" : "[units, inputs]");
  Value bias;
  if (!weight || failed(getBias(layer, units, bias)))
    return failure();
  if (channels)
    return layer.finish(layer.create<Conv2dOp>(
        layer.x(), weight, bias, Value(), ArrayRef<int64_t>({1, 1}),
        ArrayRef<int64_t>({0, 0, 0, 0}), ArrayRef<int64_t>({1, 1}), uint64_t(1),
        ActivationAttr()));
  return layer.finish(layer.create<DenseOp>(layer.x(), weight, bias, Value(),
                                            ActivationAttr()));
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

namespace {
/// The keys that all convolutions share.
struct Window {
  SmallVector<int64_t, 4> kernel, strides, dilations, padding;
  bool same = false, valid = false;
  int64_t extent(int axis) const {
    return dilations[axis] * (kernel[axis] - 1) + 1;
  }
};
} // namespace

static Window readWindow(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  Window window;
  window.kernel = fields.getPair("kernel_size", 1, kMaxSmall);
  window.strides = fields.getPair("stride", 1, kMaxSmall, 1);
  window.dilations = fields.getPair("dilation", 1, kMaxSmall, 1);
  window.padding = {0, 0, 0, 0};
  const JsonValue *padding = fields.get("padding");
  if (padding && padding->isString()) {
    window.same = fields.getChoice("padding", {"valid", "same"}) == "same";
    window.valid = !window.same;
  } else {
    window.padding = fields.getBorder("padding", 0);
  }
  return window;
}

LogicalResult vae::computeSamePadding(LayerBuilder &layer,
                                      ArrayRef<int64_t> extents,
                                      ArrayRef<int64_t> strides,
                                      SmallVectorImpl<int64_t> &padding) {
  for (int axis : {0, 1}) {
    AffineExpr dim = layer.dims()[2 + axis];
    int64_t size = getStaticDim(dim), stride = strides[axis], total;
    if (!ShapedType::isDynamic(size)) {
      total =
          ((size + stride - 1) / stride - 1) * stride + extents[axis] - size;
    } else if (dim.isMultipleOf(stride)) {
      total = extents[axis] - stride;
    } else {
      layer.fields.fail(layer.fields.get("padding"))
          << "padding 'same' with stride " << stride
          << " needs a height and width that are multiples of it, found "
          << layer.context.emitter.formatDims(layer.dims())
          << "; set \"multiple\" in \"dynamic\"";
      return failure();
    }
    total = std::max<int64_t>(total, 0);
    padding[axis] = total / 2;
    padding[axis + 2] = total - total / 2;
  }
  return success();
}

LogicalResult vae::checkInputChannels(LayerBuilder &layer,
                                      const Parameter &kernel,
                                      ArrayRef<int64_t> expected,
                                      unsigned inputAxis, int64_t groups) {
  SmallVector<int64_t, 4> others(kernel.tensor->shape);
  // A linear layer on the channels of pixels has no window.
  if (others.size() < 4 || others.size() != expected.size())
    return success();
  int64_t found = std::exchange(others[inputAxis], expected[inputAxis]);
  if (ArrayRef<int64_t>(others) != expected)
    return success();
  return layer.requireUnits(1, found * groups, "channels");
}

/// The kernel of a convolution: `channels` inputs a group; null after an error.
static Value getKernel(LayerBuilder &layer, const Window &window,
                       int64_t outputs, int64_t groups) {
  int64_t channels = layer.dim(1), height = window.kernel[0],
          width = window.kernel[1];
  Parameter kernel = layer.getParameter("kernel");
  if (!kernel.tensor)
    return {};
  SmallVector<int64_t, 4> shape = {outputs, channels / groups, height, width};
  SmallVector<int64_t, 4> fileShape = shape, order;
  unsigned inputAxis = 1;
  if (layer.keras) {
    fileShape = {height, width, channels / groups, outputs};
    order = {3, 2, 0, 1};
    inputAxis = 2;
  }
  // A linear layer on the channels of each pixel.
  if (!layer.keras && height * width == 1 && kernel.tensor->shape.size() == 2)
    fileShape.truncate(2);
  if (failed(checkInputChannels(layer, kernel, fileShape, inputAxis, groups)))
    return {};
  return layer.getConstant(kernel, fileShape, order, shape,
                           layer.keras
                               ? "[height, width, inputs / groups, filters]"
                               : "[filters, inputs / groups, height, width]");
}

LogicalResult vae::checkGroups(LayerBuilder &layer, int64_t groups,
                               int64_t outputs) {
  if (!layer.fields.ok())
    return failure();
  for (auto [count, what] :
       {std::pair(layer.dim(1), "channels"), std::pair(outputs, "filters")})
    if (count % groups) {
      layer.fields.fail(layer.fields.get("groups"))
          << groups << " groups do not divide " << count << " " << what;
      return failure();
    }
  return success();
}

static LogicalResult createConv(LayerBuilder &layer, Window &window,
                                Value weight, int64_t outputs, int64_t groups) {
  Value bias;
  if (!weight || failed(getBias(layer, outputs, bias)))
    return failure();
  SmallVector<int64_t, 2> extents = {window.extent(0), window.extent(1)};
  if (window.same && failed(computeSamePadding(layer, extents, window.strides,
                                               window.padding)))
    return failure();
  return layer.finish(layer.create<Conv2dOp>(
      layer.x(), weight, bias, Value(), ArrayRef<int64_t>(window.strides),
      ArrayRef<int64_t>(window.padding), ArrayRef<int64_t>(window.dilations),
      static_cast<uint64_t>(groups), ActivationAttr()));
}

LogicalResult vae::buildConv2d(LayerBuilder &layer) {
  int64_t filters = layer.fields.getInt("filters", 1, kMaxDim);
  int64_t groups = layer.fields.getInt("groups", 1, kMaxDim, 1);
  Window window = readWindow(layer);
  if (!layer.fields.ok() || failed(layer.requireImage()) ||
      failed(checkGroups(layer, groups, filters)))
    return failure();
  Value weight = getKernel(layer, window, filters, groups);
  return createConv(layer, window, weight, filters, groups);
}

LogicalResult vae::buildDepthwiseConv2d(LayerBuilder &layer) {
  int64_t multiplier = layer.fields.getInt("multiplier", 1, kMaxSmall, 1);
  Window window = readWindow(layer);
  if (!layer.fields.ok() || failed(layer.requireImage()))
    return failure();
  int64_t channels = layer.dim(1), outputs = channels * multiplier,
          height = window.kernel[0], width = window.kernel[1];
  SmallVector<int64_t, 4> shape = {outputs, 1, height, width};
  SmallVector<int64_t, 4> fileShape = shape, order;
  if (layer.keras) {
    fileShape = {height, width, channels, multiplier};
    order = {2, 3, 0, 1};
  }
  Value weight = layer.getConstant(
      layer.getParameter("kernel"), fileShape, order, shape,
      layer.keras ? "[height, width, channels, multiplier]"
                  : "[channels * multiplier, 1, height, width]");
  return createConv(layer, window, weight, outputs, channels);
}

/// Padding of a transposed convolution by word, as Keras has it: the result
/// has size * stride elements with "same", and max(kernel - stride, 0) more
/// with "valid".
static void computeTransposedPadding(Window &window,
                                     SmallVectorImpl<int64_t> &outputPadding) {
  for (int axis : {0, 1}) {
    int64_t rest = window.extent(axis) - window.strides[axis];
    if (rest < 0)
      outputPadding[axis] = -rest;
    else if (window.same) {
      window.padding[axis] = rest / 2;
      window.padding[axis + 2] = rest - rest / 2;
    }
  }
}

LogicalResult vae::buildConvTranspose2d(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  int64_t filters = fields.getInt("filters", 1, kMaxDim);
  int64_t groups = fields.getInt("groups", 1, kMaxDim, 1);
  Window window = readWindow(layer);
  auto outputPadding = fields.getPair("output_padding", 0, kMaxSmall, 0);
  if (fields.has("output_padding") && (window.same || window.valid))
    fields.fail(fields.get("output_padding"))
        << "'output_padding' goes with 'padding' in numbers only";
  if (!fields.ok() || failed(layer.requireImage()) ||
      failed(checkGroups(layer, groups, filters)))
    return failure();
  if (window.same || window.valid)
    computeTransposedPadding(window, outputPadding);

  Parameter kernel = layer.getParameter("kernel");
  if (!kernel.tensor)
    return failure();
  SmallVector<int64_t, 4> shape = {layer.dim(1), filters / groups,
                                   window.kernel[0], window.kernel[1]};
  SmallVector<int64_t, 4> fileShape = shape, order;
  unsigned inputAxis = 0;
  if (layer.keras) {
    fileShape = {shape[2], shape[3], shape[1], shape[0]};
    order = {3, 2, 0, 1};
    inputAxis = 3;
  }
  if (failed(checkInputChannels(layer, kernel, fileShape, inputAxis, 1)))
    return failure();
  Value weight = layer.getConstant(
      kernel, fileShape, order, shape,
      layer.keras ? "[height, width, filters / groups, inputs]"
                  : "[inputs, filters / groups, height, width]");
  Value bias;
  if (!weight || failed(getBias(layer, filters, bias)))
    return failure();
  return layer.finish(layer.create<ConvTranspose2dOp>(
      layer.x(), weight, bias, Value(), ArrayRef<int64_t>(window.strides),
      ArrayRef<int64_t>(window.padding), ArrayRef<int64_t>(outputPadding),
      ArrayRef<int64_t>(window.dilations), static_cast<uint64_t>(groups),
      ActivationAttr()));
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// Channels of the first input, which must be fixed; 0 after an error.
static int64_t getChannels(LayerBuilder &layer) {
  if (layer.rank() >= 2 && !ShapedType::isDynamic(layer.dim(1)))
    return layer.dim(1);
  layer.fields.fail(layer.fields.getPosition(), " ")
      << "expects channels on axis 1, '" << layer.inputs.front().name
      << "' gives " << layer.context.emitter.formatDims(layer.x());
  return 0;
}

static FloatAttr getEpsilon(LayerBuilder &layer) {
  double epsilon = layer.fields.getNumber("epsilon", 1e-5);
  if (epsilon < 0)
    layer.fields.mismatch("epsilon", *layer.fields.get("epsilon"),
                          "a number that is not negative");
  return layer.context.emitter.builder.getF64FloatAttr(epsilon);
}

/// Weight and bias of a normalization, unless "affine" says false.
static void getAffine(LayerBuilder &layer, ArrayRef<int64_t> shape,
                      StringRef meaning, Value &weight, Value &bias) {
  if (!layer.fields.getBool("affine", true))
    return;
  weight = layer.getConstant(layer.getParameter("weight", true), shape, {},
                             shape, meaning);
  bias = layer.getConstant(layer.getParameter("bias", true), shape, {}, shape,
                           meaning);
}

LogicalResult vae::buildBatchNorm(LayerBuilder &layer) {
  FloatAttr epsilon = getEpsilon(layer);
  int64_t channels = getChannels(layer);
  if (!layer.fields.ok())
    return failure();
  Value weight, bias;
  Value mean = layer.getVector("running_mean", channels, "[channels]");
  Value variance = layer.getVector("running_var", channels, "[channels]");
  getAffine(layer, {channels}, "[channels]", weight, bias);
  if (!layer.fields.ok())
    return failure();
  return layer.finish(layer.create<BatchNormOp>(layer.x(), mean, variance,
                                                weight, bias, epsilon));
}

LogicalResult vae::buildGroupNorm(LayerBuilder &layer) {
  FloatAttr epsilon = getEpsilon(layer);
  int64_t groups = layer.fields.getInt("groups", 1, kMaxDim);
  int64_t channels = getChannels(layer);
  if (!layer.fields.ok() || failed(checkGroups(layer, groups, channels)))
    return failure();
  Value weight, bias;
  getAffine(layer, {channels}, "[channels]", weight, bias);
  if (!layer.fields.ok())
    return failure();
  IntegerAttr groupsAttr =
      layer.context.emitter.builder.getI64IntegerAttr(groups);
  return layer.finish(
      layer.create<GroupNormOp>(layer.x(), weight, bias, groupsAttr, epsilon));
}

LogicalResult vae::buildLayerNorm(LayerBuilder &layer) {
  FloatAttr epsilon = getEpsilon(layer);
  SmallVector<int64_t, 4> last;
  int64_t rank = layer.rank();
  // The sizes in the order in which the axes count.
  SmallVector<int64_t, 4> sizes;
  for (int64_t axis = 0; axis < rank; ++axis)
    sizes.push_back(layer.dim(axis));
  bool turn = layer.isChannelsLast() && rank == 4;
  if (turn)
    std::rotate(sizes.begin() + 1, sizes.begin() + 2, sizes.end());
  if (layer.fields.has("shape")) {
    const JsonValue *shape = layer.fields.get("shape");
    if (shape->isInteger())
      last = {layer.fields.getInt("shape", 1, kMaxDim)};
    else
      last = layer.fields.getInts("shape", 1, kMaxDim);
  } else if (rank >= 2) {
    last = {sizes.back()};
  }
  if (!layer.fields.ok())
    return failure();
  bool fits = static_cast<int64_t>(last.size()) < rank;
  for (size_t i = 0; fits && i < last.size(); ++i)
    fits = !ShapedType::isDynamic(last[i]) &&
           sizes[rank - last.size() + i] == last[i];
  if (!fits) {
    layer.fields.fail(layer.fields.getPosition(), " ")
        << "normalizes the last axes " << formatShape(last) << ", '"
        << layer.inputs.front().name << "' gives "
        << layer.context.emitter.formatDims(layer.x());
    return failure();
  }
  Value weight, bias;
  getAffine(layer, last, "the normalized shape", weight, bias);
  if (!layer.fields.ok())
    return failure();
  IntegerAttr axes =
      layer.context.emitter.builder.getI64IntegerAttr(last.size());
  Value x = layer.x();
  if (turn)
    x = layer.transpose(x, {0, 2, 3, 1});
  if (!x)
    return failure();
  Value y = layer.create<LayerNormOp>(x, weight, bias, axes, epsilon);
  if (turn)
    y = layer.transpose(y, {0, 3, 1, 2});
  return layer.finish(y);
}

/// One slope an element: elementwise on the elements in a row.
static LogicalResult buildPreluPerElement(LayerBuilder &layer) {
  SmallVector<int64_t, 4> sizes, order;
  int64_t count = 1;
  for (int64_t axis = 1; axis < layer.rank(); ++axis) {
    int64_t size = layer.dim(axis);
    if (ShapedType::isDynamic(size)) {
      layer.fields.fail(layer.fields.get("per"))
          << "a slope per element needs fixed sizes, '"
          << layer.inputs.front().name << "' gives "
          << layer.context.emitter.formatDims(layer.x());
      return failure();
    }
    sizes.push_back(size);
    count *= size;
  }
  SmallVector<int64_t, 4> fileShape = sizes;
  if (layer.keras && layer.rank() == 4) {
    std::rotate(fileShape.begin(), fileShape.begin() + 1, fileShape.end());
    order = {2, 0, 1};
  }
  Parameter parameter = layer.getParameter("weight");
  if (!parameter.tensor)
    return failure();
  Value slope = layer.getConstant(parameter, fileShape, order, {count},
                                  "the shape of an input");
  if (!slope)
    return failure();
  Value x = layer.reshape(layer.x(), {-1});
  if (!x)
    return failure();
  return layer.finish(layer.reshape(layer.create<PreluOp>(x, slope), sizes));
}

LogicalResult vae::buildPrelu(LayerBuilder &layer) {
  bool perElement =
      layer.fields.getChoice("per", {"channel", "element"}) == "element";
  int64_t channels = getChannels(layer);
  if (!layer.fields.ok())
    return failure();
  if (perElement)
    return buildPreluPerElement(layer);
  Parameter parameter = layer.getParameter("weight");
  if (!parameter.tensor)
    return failure();
  // Keras has an axis for each of the input, of size 1 where it is shared.
  ArrayRef<int64_t> found = parameter.tensor->shape;
  bool ones =
      !found.empty() &&
      llvm::all_of(found.drop_back(), [](int64_t dim) { return dim == 1; });
  bool spread = layer.keras && ones &&
                static_cast<int64_t>(found.size()) == layer.rank() - 1;
  bool shared = ones && found.back() == 1 && (found.size() == 1 || spread);
  int64_t count = shared ? 1 : channels;
  SmallVector<int64_t, 4> fileShape = {count};
  if (spread) {
    fileShape.assign(found.begin(), found.end());
    fileShape.back() = count;
  }
  Value slope =
      layer.getConstant(parameter, fileShape, {}, {count}, "[channels] or [1]");
  if (!slope)
    return failure();
  return layer.finish(layer.create<PreluOp>(layer.x(), slope));
}

LogicalResult vae::buildRmsNorm(LayerBuilder &layer) {
  FloatAttr epsilon = getEpsilon(layer);
  bool l2 = layer.fields.getBool("l2", false);
  int64_t channels = getChannels(layer);
  if (!layer.fields.ok())
    return failure();
  // The file may have an axis of size 1 for each that follows the channels.
  auto getVector = [&](StringRef role) {
    Parameter parameter = layer.getParameter(role, /*mayBeNull=*/true);
    SmallVector<int64_t, 5> shape = {channels};
    if (parameter.tensor) {
      ArrayRef<int64_t> found = parameter.tensor->shape;
      if (!found.empty() && llvm::all_of(found.drop_front(), [](int64_t size) {
            return size == 1;
          }))
        append_range(shape, found.drop_front());
    }
    return layer.getConstant(parameter, shape, {}, {channels}, "[channels]");
  };
  Value weight, bias;
  if (layer.fields.getBool("affine", true)) {
    weight = getVector("weight");
    bias = getVector("bias");
  }
  if (!layer.fields.ok())
    return failure();
  return layer.finish(layer.create<RmsNormOp>(
      layer.x(), weight, bias, BoolAttr::get(layer.loc.getContext(), l2),
      epsilon));
}
