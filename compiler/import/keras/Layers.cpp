// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of Layers.def, apart from activations. Where a layer's formulas
// are Keras' own, they follow its documentation.
#include "compiler/import/keras/Translate.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
/// The options that convolutions and pooling share.
struct Window {
  std::vector<int64_t> kernel, strides, dilations = {1, 1};
  bool same = false;
  int64_t extent(int axis) const {
    return dilations[axis] * (kernel[axis] - 1) + 1;
  }
};
} // namespace

static bool readWindow(LayerTranslator &layer, StringRef kernelKey,
                       Window &window, bool pooling) {
  std::string padding;
  if (!layer.requireImage() || !layer.getPair(kernelKey, window.kernel, 0))
    return false;
  bool strides = layer.get("strides");
  window.strides = window.kernel;
  if ((strides || !pooling) && !layer.getPair("strides", window.strides, 1))
    return false;
  if (!layer.getPair("dilation_rate", window.dilations, 1) ||
      !layer.getString("padding", padding, "valid"))
    return false;
  if (padding != "valid" && padding != "same")
    return layer.fail(layer.get("padding"),
                      "'padding': expected 'valid' or 'same', found '" +
                          padding + "'");
  window.same = padding == "same";
  return true;
}

static int64_t getWindowSize(int64_t size, int64_t extent, int64_t stride,
                             bool same) {
  if (size < 0)
    return -1;
  if (same)
    return (size + stride - 1) / stride;
  return size < extent ? 0 : (size - extent) / stride + 1;
}

static void setWindowShape(LayerTranslator &layer, const Window &window,
                           int64_t channels) {
  Shape &shape = layer.output();
  for (int axis : {0, 1})
    shape.dims[axis] = getWindowSize(layer.x().dims[axis], window.extent(axis),
                                     window.strides[axis], window.same);
  shape.dims[2] = channels;
  shape.down = std::min<int64_t>(
      shape.down * std::max(window.strides[0], window.strides[1]), 65536);
}

static void setWindow(LayerTranslator &layer, JsonValue &piece,
                      const Window &window) {
  piece.set("kernel_size", layer.array(window.kernel));
  piece.set("stride", layer.array(window.strides));
  if (window.dilations != std::vector<int64_t>{1, 1})
    piece.set("dilation", layer.array(window.dilations));
  piece.set("padding", layer.string(window.same ? "same" : "valid"));
}

static bool readFilters(LayerTranslator &layer, StringRef key,
                        int64_t &filters) {
  filters = 0;
  if (!layer.getInt(key, filters))
    return false;
  return filters > 0 ||
         layer.fail(layer.get(key), "option '" + key + "' must be positive");
}

bool keras::translateConv2D(LayerTranslator &layer) {
  Window window;
  int64_t filters, groups = 1;
  if (!readWindow(layer, "kernel_size", window, false) ||
      !readFilters(layer, "filters", filters) ||
      !layer.getInt("groups", groups))
    return false;
  JsonValue &piece = layer.add("conv2d");
  piece.set("filters", layer.integer(filters));
  setWindow(layer, piece, window);
  if (groups != 1)
    piece.set("groups", layer.integer(groups));
  layer.addWeights(piece, {{"kernel", "kernel"}, {"bias", "bias"}});
  setWindowShape(layer, window, filters);
  return layer.addActivation();
}

bool keras::translateDepthwiseConv2D(LayerTranslator &layer) {
  Window window;
  int64_t multiplier = 1;
  if (!readWindow(layer, "kernel_size", window, false) ||
      !layer.getInt("depth_multiplier", multiplier))
    return false;
  JsonValue &piece = layer.add("depthwise_conv2d");
  piece.set("multiplier", layer.integer(multiplier));
  setWindow(layer, piece, window);
  layer.addWeights(piece, {{"kernel", "kernel"}, {"bias", "bias"}});
  setWindowShape(layer, window, layer.x().last() * multiplier);
  return layer.addActivation();
}

bool keras::translateSeparableConv2D(LayerTranslator &layer) {
  Window window;
  int64_t multiplier = 1, filters;
  if (!readWindow(layer, "kernel_size", window, false) ||
      !layer.getInt("depth_multiplier", multiplier) ||
      !readFilters(layer, "filters", filters))
    return false;
  JsonValue &depthwise = layer.add("depthwise_conv2d", "depthwise");
  depthwise.set("multiplier", layer.integer(multiplier));
  setWindow(layer, depthwise, window);
  depthwise.set("bias", layer.boolean(false));
  layer.addWeights(depthwise, {{"kernel", "depthwise_kernel"}});
  JsonValue &pointwise = layer.add("conv2d");
  pointwise.set("filters", layer.integer(filters));
  pointwise.set("kernel_size", layer.integer(1));
  layer.addWeights(pointwise,
                   {{"kernel", "pointwise_kernel"}, {"bias", "bias"}});
  setWindowShape(layer, window, filters);
  return layer.addActivation();
}

bool keras::translateConv2DTranspose(LayerTranslator &layer) {
  Window window;
  int64_t filters;
  if (!readWindow(layer, "kernel_size", window, false) ||
      !readFilters(layer, "filters", filters))
    return false;
  if (window.dilations != std::vector<int64_t>{1, 1})
    return layer.fail(layer.get("dilation_rate"),
                      "option 'dilation_rate' other than 1 is not supported");
  JsonValue &piece = layer.add("conv_transpose2d");
  piece.set("filters", layer.integer(filters));
  setWindow(layer, piece, window);
  Shape &shape = layer.output();
  std::vector<int64_t> border(4, 0), extra(2, 0);
  const JsonValue *outputPadding = layer.get("output_padding");
  ArrayRef<JsonValue> values;
  if (outputPadding)
    values = outputPadding->isArray() ? ArrayRef(outputPadding->items)
                                      : ArrayRef(*outputPadding);
  for (int axis : {0, 1}) {
    int64_t kernel = window.kernel[axis], stride = window.strides[axis];
    int64_t size = layer.x().dims[axis];
    int64_t &result = shape.dims[axis];
    if (!outputPadding) {
      result = size < 0 ? -1
               : window.same
                   ? size * stride
                   : size * stride + std::max<int64_t>(kernel - stride, 0);
      continue;
    }
    if (values.size() != 1 && values.size() != 2)
      return layer.fail(outputPadding, "'output_padding': expected one or two "
                                       "numbers, found " +
                                           outputPadding->describe());
    const JsonValue &value = values[values.size() == 1 ? 0 : axis];
    if (!value.isInteger() || value.integer < 0 || value.integer >= stride)
      return layer.fail(&value, "'output_padding': expected 0 to " +
                                    Twine(stride - 1) + ", found " +
                                    value.describe());
    // Keras' deconv_output_length.
    int64_t cut = 2 * (window.same ? kernel / 2 : 0) - value.integer;
    extra[axis] = std::max<int64_t>(-cut, 0);
    cut = std::max<int64_t>(cut, 0);
    border[axis] = cut / 2;
    border[axis + 2] = cut - cut / 2;
    result = size < 0 ? -1 : (size - 1) * stride + kernel - cut + extra[axis];
  }
  if (outputPadding) {
    for (JsonValue::Member &member : piece.members)
      if (member.key == "padding")
        member.value = layer.array(border);
    piece.set("output_padding", layer.array(extra));
  }
  shape.dims[2] = filters;
  shape.down = std::max<int64_t>(
      1, shape.down / std::min(window.strides[0], window.strides[1]));
  layer.addWeights(piece, {{"kernel", "kernel"}, {"bias", "bias"}});
  return layer.addActivation();
}

bool keras::translatePooling2D(LayerTranslator &layer) {
  Window window;
  if (!readWindow(layer, "pool_size", window, true))
    return false;
  bool max = layer.layer.className == "MaxPooling2D";
  JsonValue &piece = layer.add(max ? "max_pool2d" : "avg_pool2d");
  setWindow(layer, piece, window);
  setWindowShape(layer, window, layer.x().last());
  return true;
}

bool keras::translateGlobalPooling2D(LayerTranslator &layer) {
  if (!layer.requireImage())
    return false;
  bool max = layer.layer.className == "GlobalMaxPooling2D";
  int64_t channels = layer.x().last();
  bool keep = layer.getBool("keepdims", false);
  layer.add(max ? "global_max_pool2d" : "global_avg_pool2d",
            keep ? "pool" : "");
  layer.output().dims = {channels};
  if (!keep)
    return true;
  JsonValue &piece = layer.add("reshape");
  piece.set("shape", layer.array({1, 1, channels}));
  piece.set("order", layer.string("NHWC"));
  layer.output().dims = {1, 1, channels};
  return true;
}

bool keras::translateUpSampling2D(LayerTranslator &layer) {
  std::vector<int64_t> size;
  std::string mode;
  if (!layer.requireImage() || !layer.getPair("size", size, 2) ||
      !layer.getString("interpolation", mode, "nearest"))
    return false;
  if (mode != "nearest" && mode != "bilinear")
    return layer.fail(layer.get("interpolation"),
                      "option 'interpolation' is '" + mode +
                          "', supported are 'nearest' and 'bilinear'");
  JsonValue &piece = layer.add("upsample");
  piece.set("scale", layer.array(size));
  piece.set("mode", layer.string(mode));
  Shape &shape = layer.output();
  for (int axis : {0, 1})
    if (shape.dims[axis] > 0)
      shape.dims[axis] *= size[axis];
  shape.down = std::max<int64_t>(1, shape.down / std::min(size[0], size[1]));
  return true;
}

/// A number, [height, width], or [[top, bottom], [left, right]].
bool keras::translateBorder(LayerTranslator &layer) {
  bool crop = layer.layer.className == "Cropping2D";
  StringRef key = crop ? "cropping" : "padding";
  const JsonValue *value = layer.get(key);
  if (!layer.requireImage())
    return false;
  auto mismatch = [&](const JsonValue *found) {
    return layer.fail(found, "'" + key +
                                 "': expected a number, two, or "
                                 "[[top, bottom], [left, right]]");
  };
  if (!value)
    return mismatch(value);
  int64_t border[2][2]; // of height and width, at the begin and the end
  for (int axis : {0, 1}) {
    const JsonValue *side = value;
    if (value->isArray()) {
      if (value->items.size() != 2)
        return mismatch(value);
      side = &value->items[axis];
    }
    for (int end : {0, 1}) {
      const JsonValue *number = side;
      if (side->isArray()) {
        if (side->items.size() != 2)
          return mismatch(side);
        number = &side->items[end];
      }
      if (!number->isInteger() || number->integer < 0 ||
          number->integer > 65535)
        return mismatch(number);
      border[axis][end] = number->integer;
    }
    int64_t &size = layer.output().dims[axis];
    int64_t sum = border[axis][0] + border[axis][1];
    if (size > 0)
      size = crop ? std::max<int64_t>(size - sum, 0) : size + sum;
  }
  JsonValue &piece = layer.add(crop ? "crop" : "pad");
  piece.set(
      crop ? "border" : "padding",
      layer.array({border[0][0], border[1][0], border[0][1], border[1][1]}));
  return true;
}

//===----------------------------------------------------------------------===//
// Dense, normalization
//===----------------------------------------------------------------------===//

bool keras::translateDense(LayerTranslator &layer) {
  int64_t units;
  if (!readFilters(layer, "units", units))
    return false;
  JsonValue &piece = layer.add("dense");
  piece.set("units", layer.integer(units));
  if (layer.x().isImage())
    piece.set("order", layer.string("NHWC"));
  layer.addWeights(piece, {{"kernel", "kernel"}, {"bias", "bias"}});
  layer.output().dims.back() = units;
  return layer.addActivation();
}

/// Fails unless option "axis" is the last one.
static bool requireLastAxis(LayerTranslator &layer) {
  int64_t axis;
  const JsonValue *value = layer.get("axis");
  if (!layer.getAxis(value, -1, axis))
    return false;
  return axis + 1 == static_cast<int64_t>(layer.x().rank()) ||
         layer.fail(value, "option 'axis' is " + value->describe() +
                               ", only the last axis is supported");
}

/// Weights of a normalization, either of which may be missing.
static void addAffine(LayerTranslator &layer, JsonValue &piece, bool running) {
  bool affine =
      !layer.getTensor("gamma").empty() || !layer.getTensor("beta").empty();
  if (!affine)
    piece.set("affine", layer.boolean(false));
  if (running && affine)
    layer.addWeights(piece, {{"weight", "gamma"},
                             {"bias", "beta"},
                             {"running_mean", "moving_mean"},
                             {"running_var", "moving_variance"}});
  else if (running)
    layer.addWeights(piece, {{"running_mean", "moving_mean"},
                             {"running_var", "moving_variance"}});
  else if (affine)
    layer.addWeights(piece, {{"weight", "gamma"}, {"bias", "beta"}});
}

bool keras::translateBatchNormalization(LayerTranslator &layer) {
  double epsilon = 1e-3;
  if (!requireLastAxis(layer) || !layer.getNumber("epsilon", epsilon))
    return false;
  // The native layer takes axis 1, where only images have their channels.
  bool turn = layer.x().rank() == 3;
  if (turn)
    layer.add("transpose", "channels_first")
        .set("perm", layer.array({0, 2, 1}));
  JsonValue &piece = layer.add("batch_norm", turn ? "norm" : "");
  piece.set("epsilon", layer.number(epsilon));
  addAffine(layer, piece, /*running=*/true);
  if (turn)
    layer.add("transpose").set("perm", layer.array({0, 2, 1}));
  return true;
}

bool keras::translateGroupNormalization(LayerTranslator &layer) {
  double epsilon = 1e-3;
  int64_t groups = 32;
  if (!requireLastAxis(layer) || !layer.getNumber("epsilon", epsilon) ||
      !layer.getInt("groups", groups))
    return false;
  if (layer.x().rank() == 3)
    return layer.fail("expects an image or a vector, found " +
                      formatDims(layer.x().dims));
  if (groups == -1)
    groups = layer.x().last();
  JsonValue &piece = layer.add("group_norm");
  piece.set("groups", layer.integer(groups));
  piece.set("epsilon", layer.number(epsilon));
  addAffine(layer, piece, /*running=*/false);
  return true;
}

bool keras::translateLayerNormalization(LayerTranslator &layer) {
  double epsilon = 1e-3;
  if (!layer.getNumber("epsilon", epsilon))
    return false;
  const JsonValue *value = layer.get("axis");
  std::vector<int64_t> axes;
  if (value && value->isArray()) {
    for (const JsonValue &item : value->items) {
      axes.emplace_back();
      if (!layer.getAxis(&item, -1, axes.back()))
        return false;
    }
    llvm::sort(axes);
  } else {
    axes.emplace_back();
    if (!layer.getAxis(value, -1, axes.back()))
      return false;
  }
  int64_t rank = layer.x().rank();
  std::vector<int64_t> sizes;
  for (auto [i, axis] : enumerate(axes)) {
    if (axis != rank - static_cast<int64_t>(axes.size() - i))
      return layer.fail(value, "option 'axis' is " + value->describe() +
                                   ", only the last axes are supported");
    sizes.push_back(layer.x().dims[axis - 1]);
    if (sizes.back() < 1)
      return layer.fail(value, "axis " + Twine(axis) + " has no fixed size");
  }
  JsonValue &piece = layer.add("layer_norm");
  piece.set("shape", layer.array(sizes));
  if (layer.x().isImage())
    piece.set("order", layer.string("NHWC"));
  piece.set("epsilon", layer.number(epsilon));
  addAffine(layer, piece, /*running=*/false);
  return true;
}

bool keras::translatePReLU(LayerTranslator &layer) {
  size_t sizes = layer.x().dims.size();
  std::vector<bool> shared(sizes, false);
  if (const JsonValue *axes = layer.get("shared_axes")) {
    for (const JsonValue &item :
         axes->isArray() ? ArrayRef(axes->items) : ArrayRef(*axes)) {
      int64_t axis;
      if (!layer.getAxis(&item, 1, axis))
        return false;
      shared[axis - 1] = true;
    }
  }
  size_t count = llvm::count(shared, true);
  bool channels = count + 1 == sizes && !shared.back();
  if (count && count != sizes && !channels)
    return layer.fail(layer.get("shared_axes"),
                      "option 'shared_axes': supported are no axis, all axes, "
                      "and all but the channels");
  JsonValue &piece = layer.add("prelu");
  if (!count && sizes > 1)
    piece.set("per", layer.string("element"));
  layer.addWeights(piece, {{"weight", "alpha"}});
  if (layer.x().rank() == 3 && count != sizes && count)
    return layer.fail("expects an image or a vector, found " +
                      formatDims(layer.x().dims));
  return true;
}

//===----------------------------------------------------------------------===//
// Movement, arithmetic
//===----------------------------------------------------------------------===//

bool keras::translateIdentity(LayerTranslator &) { return true; }

/// An axis of Keras in the order that the native format has inside.
static int64_t toNativeAxis(int64_t axis, size_t rank) {
  static constexpr int64_t image[] = {0, 2, 3, 1};
  return rank == 4 ? image[axis] : axis;
}

bool keras::translateSoftmax(LayerTranslator &layer) {
  int64_t axis;
  if (!layer.getAxis(layer.get("axis"), -1, axis))
    return false;
  layer.add("softmax").set("axis",
                           layer.integer(toNativeAxis(axis, layer.x().rank())));
  return true;
}

bool keras::translateFlatten(LayerTranslator &layer) {
  if (!layer.requireChannelsLast())
    return false;
  JsonValue &piece = layer.add("flatten");
  if (layer.x().isImage())
    piece.set("order", layer.string("NHWC"));
  int64_t size = 1;
  for (int64_t dim : layer.x().dims)
    if (dim < 0 || __builtin_mul_overflow(size, dim, &size))
      return layer.fail("flattens " + formatDims(layer.x().dims) +
                        ", which has no fixed size; save the model with a "
                        "fixed input shape");
  layer.output().dims = {size};
  return true;
}

bool keras::translateReshape(LayerTranslator &layer) {
  const JsonValue *target = layer.get("target_shape");
  if (!target || !target->isArray() || target->items.empty() ||
      target->items.size() > 7)
    return layer.fail(target, "option 'target_shape': expected 1 to 7 sizes");
  int64_t elements = 1, product = 1;
  for (int64_t dim : layer.x().dims)
    if (dim < 0 || __builtin_mul_overflow(elements, dim, &elements))
      return layer.fail("reshapes " + formatDims(layer.x().dims) +
                        ", which has no fixed size");
  std::vector<int64_t> dims;
  int64_t *open = nullptr;
  for (const JsonValue &item : target->items) {
    if (!item.isInteger() || item.integer == 0 || item.integer < -1 ||
        item.integer > INT32_MAX ||
        __builtin_mul_overflow(product, std::max<int64_t>(item.integer, 1),
                               &product))
      return layer.fail(&item, "'target_shape': expected a size or -1, found " +
                                   item.describe());
    dims.push_back(item.integer);
  }
  for (int64_t &dim : dims)
    if (dim < 0) {
      if (open)
        return layer.fail(target, "'target_shape' has more than one -1");
      open = &dim;
    }
  if (open ? elements % product : elements != product)
    return layer.fail(target, "'target_shape' " + formatDims(dims) +
                                  " does not hold the " + Twine(elements) +
                                  " elements of " + formatDims(layer.x().dims));
  if (open)
    *open = elements / product;
  JsonValue &piece = layer.add("reshape");
  piece.set("shape", layer.array(dims));
  if (layer.x().isImage() || dims.size() == 3)
    piece.set("order", layer.string("NHWC"));
  layer.output().dims = dims;
  return true;
}

bool keras::translatePermute(LayerTranslator &layer) {
  const JsonValue *value = layer.get("dims");
  size_t sizes = layer.x().dims.size(), rank = sizes + 1;
  std::vector<int64_t> from = {0};
  std::vector<bool> seen(rank, false);
  for (const JsonValue &item :
       value ? ArrayRef(value->items) : ArrayRef<JsonValue>()) {
    if (!item.isInteger() || item.integer < 1 ||
        item.integer > static_cast<int64_t>(sizes) || seen[item.integer])
      return layer.fail(&item, "option 'dims': expected a permutation of 1.." +
                                   Twine(sizes));
    seen[item.integer] = true;
    from.push_back(item.integer);
  }
  if (from.size() != rank)
    return layer.fail(value, "option 'dims': expected a permutation of 1.." +
                                 Twine(sizes));
  std::vector<int64_t> native(rank);
  for (size_t axis = 0; axis < rank; ++axis)
    native[toNativeAxis(axis, rank)] = toNativeAxis(from[axis], rank);
  layer.add("transpose").set("perm", layer.array(native));
  for (size_t axis = 1; axis < rank; ++axis)
    layer.output().dims[axis - 1] = layer.x().dims[from[axis] - 1];
  return true;
}

bool keras::translateConcatenate(LayerTranslator &layer) {
  int64_t axis;
  const JsonValue *value = layer.get("axis");
  if (!layer.getAxis(value, -1, axis))
    return false;
  int64_t size = 0;
  for (const Shape &input : layer.inputs) {
    if (input.dims.size() != layer.x().dims.size())
      return layer.fail("expects inputs of one rank, found " +
                        formatDims(layer.x().dims) + " and " +
                        formatDims(input.dims));
    int64_t dim = input.dims[axis - 1];
    size = size < 0 || dim < 0 ? -1 : size + dim;
  }
  layer.add("concat").set("axis",
                          layer.integer(toNativeAxis(axis, layer.x().rank())));
  layer.output().dims[axis - 1] = size;
  return true;
}

bool keras::translateMerge(LayerTranslator &layer) {
  for (const Shape &input : layer.inputs)
    if (input.dims != layer.x().dims)
      return layer.fail("expects inputs of one shape, found " +
                        formatDims(layer.x().dims) + " and " +
                        formatDims(input.dims));
  const std::string &name = layer.layer.className;
  if (name == "Multiply") {
    layer.add("mul");
  } else if (name == "Subtract") {
    layer.add("scale", "negative").set("factor", layer.integer(-1));
    layer.fragment.pieces.back().inputs = {1};
    layer.add("add");
    layer.fragment.pieces.back().inputs = {0, -1};
  } else if (name == "Average") {
    layer.add("add", "sum");
    layer.add("scale").set("factor", layer.number(1.0 / layer.inputs.size()));
  } else {
    layer.add("add");
  }
  return true;
}

bool keras::translateRescaling(LayerTranslator &layer) {
  double scale = 1, offset = 0;
  if (!layer.getNumber("scale", scale) || !layer.getNumber("offset", offset))
    return false;
  JsonValue &piece = layer.add("scale");
  piece.set("factor", layer.number(scale));
  piece.set("offset", layer.number(offset));
  return true;
}
