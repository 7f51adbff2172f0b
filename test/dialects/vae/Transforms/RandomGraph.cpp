// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RandomGraph.h"

#include "dialects/vae/IR/VaeConstants.h"

using namespace mlir;
using namespace vae;

GraphBuilder::GraphBuilder(MLIRContext &context, Random &random)
    : builder(&context), random(random), loc(builder.getUnknownLoc()),
      batch(random.pick(2, 3)) {
  module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  function =
      func::FuncOp::create(builder, loc, "f", builder.getFunctionType({}, {}));
  function->setAttr(kEntryAttr, builder.getUnitAttr());
  builder.setInsertionPointToEnd(function.addEntryBlock());
}

Value GraphBuilder::argument(ArrayRef<int64_t> shape, bool dynamicImage) {
  SmallVector<int64_t> sizes(shape), dims(shape);
  sizes[0] = batch;
  dims[0] = ShapedType::kDynamic;
  if (dynamicImage && shape.size() == 4)
    dims[2] = dims[3] = ShapedType::kDynamic;
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  inputs.push_back({sizes, random.reals(count)});
  auto type = RankedTensorType::get(dims, builder.getF32Type());
  return function.front().addArgument(type, loc);
}

Value GraphBuilder::constant(ArrayRef<int64_t> shape,
                             std::vector<float> values) {
  // Half of them as resources, as importers make them.
  ElementsAttr value;
  if (random.coin()) {
    value = makeWeight("w", shape, std::move(values), builder.getContext());
  } else {
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    value = cast<ElementsAttr>(
        Attribute(DenseElementsAttr::get(type, ArrayRef<float>(values))));
  }
  return ConstantOp::create(builder, loc, value);
}

Value GraphBuilder::constant(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return constant(shape, random.reals(count));
}

static std::vector<float> around(Random &random, int64_t count, float middle) {
  std::vector<float> values = random.reals(count);
  for (float &value : values)
    value = middle + 0.5f * value;
  return values;
}

Value GraphBuilder::batchNorm(Value x) {
  int64_t channels = dim(x, 1);
  Value mean = constant({channels});
  Value variance = constant({channels}, around(random, channels, 1.0f));
  Value weight, bias;
  if (random.coin())
    weight = constant({channels}, around(random, channels, 1.0f));
  if (random.coin())
    bias = constant({channels});
  return BatchNormOp::create(builder, loc, x, mean, variance, weight, bias,
                             APFloat(1e-3));
}

Value GraphBuilder::channelAffine(Value x, bool shifts) {
  int64_t channels = dim(x, 1);
  Value scale = constant({channels}, around(random, channels, 1.0f));
  Value offset = shifts ? constant({channels})
                        : constant({channels}, std::vector<float>(channels));
  return ChannelAffineOp::create(builder, loc, x, scale, offset);
}

Value GraphBuilder::activation(Value x, ActivationKind kind) {
  auto function = ActivationAttr::get(builder.getContext(), kind, 0.5, 0.25);
  return ActivationOp::create(builder, loc, x, function);
}

Value GraphBuilder::anyActivation(Value x) {
  static constexpr ActivationKind kinds[] = {
      ActivationKind::Relu, ActivationKind::LeakyRelu, ActivationKind::Sigmoid,
      ActivationKind::Silu, ActivationKind::Tanh,      ActivationKind::Affine};
  return activation(x, kinds[random.pick(0, std::size(kinds) - 1)]);
}

Value GraphBuilder::reshape(Value x, ArrayRef<int64_t> shape) {
  return ReshapeOp::create(builder, loc, x, shape);
}

Value GraphBuilder::upsample(Value x, ArrayRef<int64_t> scale) {
  return UpsampleOp::create(builder, loc, x, scale, ResizeMode::Nearest, false);
}

Value GraphBuilder::dense(Value x, int64_t units) {
  Value weight = constant({units, dim(x, rank(x) - 1)});
  Value bias;
  if (random.coin())
    bias = constant({units});
  return DenseOp::create(builder, loc, x, weight, bias, Value(),
                         ActivationAttr());
}

Value GraphBuilder::conv(Value x, int64_t outputs, const Window &w) {
  Value weight =
      constant({outputs, dim(x, 1) / w.groups, w.kernel[0], w.kernel[1]});
  Value bias = w.bias ? constant({outputs}) : Value();
  return Conv2dOp::create(builder, loc, x, weight, bias, w.residual, w.strides,
                          w.padding, w.dilations, w.groups, w.activation);
}

Value GraphBuilder::convTranspose(Value x, int64_t outputs, const Window &w) {
  Value weight =
      constant({dim(x, 1), outputs / w.groups, w.kernel[0], w.kernel[1]});
  Value bias = w.bias ? constant({outputs}) : Value();
  return ConvTranspose2dOp::create(
      builder, loc, x, weight, bias, w.residual, w.strides, w.padding,
      ArrayRef<int64_t>({0, 0}), w.dilations, w.groups, w.activation);
}

Value GraphBuilder::anyConv(Value x) {
  Window w;
  w.bias = random.coin();
  int64_t outputs = 2 * random.pick(1, 2);
  if (dim(x, 1) % 2 == 0 && random.coin())
    w.groups = 2;
  for (int axis : {0, 1}) {
    w.kernel[axis] = random.pick(1, std::min<int64_t>(3, dim(x, 2 + axis)));
    if (w.kernel[axis] > 1 && random.coin())
      w.padding[axis] = w.padding[axis + 2] = 1;
  }
  if (random.coin())
    return conv(x, outputs, w);
  w.padding = {0, 0, 0, 0};
  w.strides = {random.pick(1, 2), random.pick(1, 2)};
  return convTranspose(x, outputs, w);
}

/// The sum with an earlier value of the same type; `x` if there is none.
Value GraphBuilder::addEarlier(Value x) {
  for (Value other : llvm::reverse(made))
    if (other != x && other.getType() == x.getType() && random.coin())
      return random.coin() ? AddOp::create(builder, loc, x, other)
                           : AddOp::create(builder, loc, other, x);
  return x;
}

Value GraphBuilder::anyImageStep(Value x) {
  int64_t c = dim(x, 1), h = dim(x, 2), w = dim(x, 3);
  switch (random.pick(0, 5)) {
  case 0:
    if (h * w <= 64)
      return upsample(x, {random.pick(1, 3), random.pick(1, 2)});
    return anyConv(x);
  case 1: { // to NHWC and back, with something between
    Value t =
        TransposeOp::create(builder, loc, x, ArrayRef<int64_t>({0, 2, 3, 1}));
    t = random.coin() ? anyActivation(t) : t;
    return TransposeOp::create(builder, loc, t,
                               ArrayRef<int64_t>({0, 3, 1, 2}));
  }
  case 2: {
    Value flat = flatten(x);
    flat = random.coin() ? anyActivation(flat) : flat;
    flat = random.coin() ? batchNorm(flat) : flat;
    return reshape(flat, {c, h, w});
  }
  case 3:
    return reshape(dense(flatten(x), c * 4), {c, 2, 2});
  default:
    return anyConv(x);
  }
}

Value GraphBuilder::anyStep(Value x) {
  Value y;
  switch (random.pick(0, 6)) {
  case 0:
    y = batchNorm(x);
    break;
  case 1:
    y = random.coin() ? channelAffine(x, random.coin())
                      : Value(DropoutOp::create(builder, loc, x, APFloat(0.5)));
    break;
  case 2:
    y = anyActivation(x);
    break;
  case 3:
    y = addEarlier(x);
    break;
  default:
    y = rank(x) == 4 ? anyImageStep(x) : dense(x, random.pick(2, 4));
    break;
  }
  made.push_back(y);
  return y;
}

void GraphBuilder::finish(ArrayRef<Value> results) {
  func::ReturnOp::create(builder, loc, results);
  SmallVector<Type> types;
  for (Value result : results)
    types.push_back(result.getType());
  function.setFunctionType(
      builder.getFunctionType(function.front().getArgumentTypes(), types));
}
