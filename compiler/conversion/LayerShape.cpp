// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/LayerShape.h"

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vae;

static LayerShape::Sizes getWeightSizes(Value weight) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(weight.getType()).getShape();
  return {shape.begin(), shape.end()};
}

/// The input's sizes; `getImageSize` gives those that are dynamic.
template <typename OpTy>
static LayerShape begin(OpTy op, function_ref<int64_t(int axis)> getImageSize) {
  LayerShape shape;
  shape.operation = op->getName().stripDialect().str();
  ArrayRef<int64_t> input =
      cast<RankedTensorType>(op.getX().getType()).getShape();
  for (int axis = 0; axis < 4; ++axis)
    shape.input.push_back(!ShapedType::isDynamic(input[axis]) ? input[axis]
                          : axis == 0 ? kNominalImages
                                      : getImageSize(axis - 2));
  shape.weight = getWeightSizes(op.getWeight());
  llvm::append_range(shape.strides, op.getStrides());
  llvm::append_range(shape.dilations, op.getDilations());
  llvm::append_range(shape.padding, op.getPadding());
  shape.groups = static_cast<int64_t>(op.getGroups());
  return shape;
}

static int64_t getExtent(const LayerShape &shape, int axis) {
  return shape.dilations[axis] * (shape.weight[2 + axis] - 1) + 1;
}

static LayerShape describe(Conv2dOp op) {
  LayerShape shape =
      begin(op, [&](int axis) { return kNominalSize * op.getStrides()[axis]; });
  shape.output = {shape.input[0], shape.weight[0]};
  for (int axis : {0, 1})
    shape.output.push_back((shape.input[2 + axis] + shape.padding[axis] +
                            shape.padding[axis + 2] - getExtent(shape, axis)) /
                               shape.strides[axis] +
                           1);
  return shape;
}

static LayerShape describe(ConvTranspose2dOp op) {
  LayerShape shape = begin(op, [&](int axis) {
    return std::max<int64_t>(1, kNominalSize / op.getStrides()[axis]);
  });
  shape.output = {shape.input[0], shape.weight[1] * shape.groups};
  for (int axis : {0, 1})
    shape.output.push_back((shape.input[2 + axis] - 1) * shape.strides[axis] -
                           shape.padding[axis] - shape.padding[axis + 2] +
                           getExtent(shape, axis) +
                           op.getOutputPadding()[axis]);
  return shape;
}

std::optional<LayerShape> LayerShape::of(Operation *op) {
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return describe(conv);
  if (auto conv = dyn_cast<ConvTranspose2dOp>(op))
    return describe(conv);
  return std::nullopt;
}

ArrayRef<StringLiteral> vae::getShapeColumns() {
  static constexpr StringLiteral columns[] = {
      "operation", "input",     "weight",  "output",
      "strides",   "dilations", "padding", "groups"};
  return columns;
}

std::string LayerShape::str() const {
  std::string text = operation;
  for (const Sizes *sizes :
       {&input, &weight, &output, &strides, &dilations, &padding})
    text += ":" + formatSizes(*sizes);
  return text + ":" + std::to_string(groups);
}

std::string vae::formatSizes(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::optional<LayerShape::Sizes> vae::parseSizes(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  LayerShape::Sizes sizes;
  for (StringRef part : parts)
    if (!llvm::all_of(part, llvm::isDigit) ||
        part.getAsInteger(10, sizes.emplace_back()))
      return std::nullopt;
  return sizes;
}
