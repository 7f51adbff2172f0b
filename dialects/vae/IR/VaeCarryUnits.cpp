// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How each operation carries units (UnitCarrierOpInterface). A unit that is
// removed is one whose elements are all zero, in the operands and in the
// results: an operation may make something else of zeros (a sigmoid, a bias),
// which is removed as well.
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"

#include <cmath>

using namespace mlir;
using namespace vae;

using Units = SmallVector<Unit>;

/// The axis of channels.
static constexpr int64_t kChannels = 1;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static OpOperand *firstOf(MutableOperandRange range) {
  return range.empty() ? nullptr : &*range.begin();
}

/// Elementwise operations, whatever axis units are on.
static void carryAll(Operation *op, UnitFlow &flow) {
  SmallVector<Value> operands(op->getOperands());
  if (auto units = flow.merge(operands))
    for (Value result : op->getResults())
      flow.set(result, units->axis, units->units);
}

static void fixAll(ValueRange values, UnitFlow &flow) {
  for (Value value : values)
    flow.fix(value);
}

/// Operations that work on each channel by itself. `units` makes those of the
/// result.
template <typename FunctionTy>
static void carryChannels(Value x, Value y, UnitFlow &flow, FunctionTy units) {
  const UnitAxis *known = flow.find(x);
  if (!known)
    return;
  if (known->axis != kChannels)
    return flow.fix(x);
  Units result = units(Units(known->units));
  flow.set(y, kChannels, result);
}
static void carryChannels(Value x, Value y, UnitFlow &flow) {
  carryChannels(x, y, flow, [](Units units) { return units; });
}

/// Units of which `size` in a row, or that many apart, belong to one.
static Units uniteParts(Units units, int64_t size, bool apart, UnitFlow &flow) {
  int64_t parts = static_cast<int64_t>(units.size()) / size;
  Units result;
  for (int64_t i = 0; i < parts; ++i) {
    Units part;
    for (int64_t k = 0; k < size; ++k)
      part.push_back(units[apart ? k * parts + i : i * size + k]);
    flow.unite(part);
    result.push_back(part.front());
  }
  return result;
}

/// Each unit `count` times: in a row, or all of them again and again.
static Units repeatUnits(const Units &units, int64_t count, bool again) {
  Units result;
  for (size_t i = 0; i < units.size() * count; ++i)
    result.push_back(units[again ? i % units.size() : i / count]);
  return result;
}

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

static bool isKnown(Value value) {
  std::vector<float> storage;
  ConstantOp constant = getConstant(value);
  return constant && !getFloats(constant.getValue(), storage).empty();
}

/// Groups go as a whole: other weights of theirs than one block would be no
/// convolution in groups.
static void carryGroups(PrunableOpInterface layer, const UnitAxis *in,
                        ArrayRef<Unit> out, UnitFlow &flow) {
  OpOperand &weight = layer->getOpOperand(layer.getWeightIndex());
  int64_t inAxis = layer.getInputUnitAxis(), groups = layer.getUnitGroups();
  int64_t channels =
      typeOf(layer.getDataOperand().get()).getDimSize(layer.getUnitAxis());
  for (int64_t g = 0; g < groups; ++g) {
    ArrayRef<Unit> outputs =
        out.slice(g * out.size() / groups, out.size() / groups);
    flow.unite(outputs);
    if (!in) {
      flow.fix(outputs);
      continue;
    }
    ArrayRef<Unit> inputs = ArrayRef<Unit>(in->units).slice(
        g * channels / groups, channels / groups);
    for (Unit input : inputs)
      flow.unite(outputs.front(), input);
  }
  // One axis runs over all units, the other one over those of a group.
  if (typeOf(weight.get()).getDimSize(inAxis) == channels)
    flow.slice(weight, inAxis, in);
  else
    flow.slice(weight, layer.getOutputUnitAxis(), out);
}

static void carryLayer(PrunableOpInterface layer, OpOperand *bias,
                       Value residual, UnitFlow &flow) {
  Value data = layer.getDataOperand().get(), result = layer->getResult(0);
  OpOperand &weight = layer->getOpOperand(layer.getWeightIndex());
  int64_t axis = layer.getUnitAxis();
  const UnitAxis *in = flow.find(data);
  if (in && in->axis != axis) {
    flow.fix(data);
    in = nullptr;
  }
  if (!isKnown(weight.get()) || (bias && !isKnown(bias->get())) ||
      typeOf(result).isDynamicDim(axis)) {
    flow.fix(data);
    if (residual)
      flow.fix(residual);
    return;
  }
  Units out = flow.addLayer(layer);
  if (layer.getUnitGroups() > 1) {
    carryGroups(layer, in, out, flow);
  } else {
    flow.slice(weight, layer.getOutputUnitAxis(), out);
    flow.slice(weight, layer.getInputUnitAxis(), in);
  }
  if (bias)
    flow.slice(*bias, 0, out);
  if (residual)
    flow.join(residual, axis, out);
  flow.set(result, axis, out);
}

#define VAE_LAYER(OP)                                                          \
  void OP::carryUnits(UnitFlow &flow) {                                        \
    carryLayer(*this, firstOf(getBiasMutable()), getResidual(), flow);         \
  }
VAE_LAYER(DenseOp)
VAE_LAYER(Conv2dOp)
VAE_LAYER(Conv3dOp)
VAE_LAYER(ConvTranspose2dOp)
#undef VAE_LAYER

/// How many of `groups` equal parts of a tensor's channels are left.
static int64_t countGroups(Value x, int64_t groups, const UnitFlow &flow) {
  const UnitAxis *units = flow.find(x);
  if (!units)
    return groups;
  return flow.countKept(units->units) * groups /
         static_cast<int64_t>(units->units.size());
}

void DenseOp::dropUnits(const UnitFlow &flow) { (void)flow; }
#define VAE_GROUPS(OP)                                                         \
  void OP::dropUnits(const UnitFlow &flow) {                                   \
    if (getGroups() > 1)                                                       \
      setGroups(countGroups(getX(), getGroups(), flow));                       \
  }
VAE_GROUPS(Conv2dOp)
VAE_GROUPS(Conv3dOp)
VAE_GROUPS(ConvTranspose2dOp)
#undef VAE_GROUPS

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// Parameters that there are one of for each channel.
static void carryPerChannel(Operation *op, Value x, UnitFlow &flow) {
  const UnitAxis *units = flow.find(x);
  if (!units)
    return;
  UnitAxis own = *units;
  int64_t channels = own.units.size();
  for (OpOperand &operand : op->getOpOperands()) {
    if (own.axis != kChannels || operand.get() == x)
      continue;
    if (typeOf(operand.get()).getDimSize(0) == channels)
      flow.slice(operand, 0, own.units);
  }
  flow.set(op->getResult(0), own.axis, own.units);
}

void BatchNormOp::carryUnits(UnitFlow &flow) {
  carryPerChannel(*this, getX(), flow);
}
void ChannelAffineOp::carryUnits(UnitFlow &flow) {
  carryPerChannel(*this, getX(), flow);
}
void PreluOp::carryUnits(UnitFlow &flow) {
  carryPerChannel(*this, getX(), flow);
}

/// Norms whose statistics go over channels; `units` are those of x, on the
/// channels' axis.
static void carryNorm(Operation *op, ArrayRef<Unit> units, OpOperand *weight,
                      OpOperand *bias, Value residual, UnitFlow &flow) {
  for (OpOperand *parameter : {weight, bias})
    if (parameter)
      flow.slice(*parameter, 0, units);
  if (residual)
    flow.join(residual, kChannels, units);
  flow.set(op->getResult(0), kChannels, units);
}

/// Whole groups go: the statistics of the others do not change.
void GroupNormOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units || units->axis != kChannels) {
    flow.fix(getX());
    if (getResidual())
      flow.fix(getResidual());
    return;
  }
  Units own = units->units;
  (void)uniteParts(own, own.size() / getGroups(), /*apart=*/false, flow);
  carryNorm(*this, own, firstOf(getWeightMutable()), firstOf(getBiasMutable()),
            getResidual(), flow);
}
void GroupNormOp::dropUnits(const UnitFlow &flow) {
  setGroups(countGroups(getX(), getGroups(), flow));
}

/// The mean of squares divides by all channels, zeros among them: the weight
/// makes up for the smaller divisor (dropUnits).
void RmsNormOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units || units->axis != kChannels || !isKnown(getWeight())) {
    flow.fix(getX());
    if (getResidual())
      flow.fix(getResidual());
    return;
  }
  Units own = units->units;
  carryNorm(*this, own, firstOf(getWeightMutable()), firstOf(getBiasMutable()),
            getResidual(), flow);
}

/// With C channels of which K are kept,
/// x / sqrt(s / C + e) = sqrt(C / K) * x / sqrt(s / K + e * C / K), and
/// x / max(sqrt(s), e) * sqrt(C) = sqrt(C / K) * (x / max(sqrt(s), e) *
/// sqrt(K)).
void RmsNormOp::dropUnits(const UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  double ratio =
      double(units->units.size()) / double(flow.countKept(units->units));
  if (ratio == 1)
    return;
  std::vector<float> storage;
  ElementsAttr weight = getConstant(getWeight()).getValue();
  std::vector<float> scaled = getFloats(weight, storage).vec();
  for (float &value : scaled)
    value = static_cast<float>(value * std::sqrt(ratio));
  OpBuilder builder(*this);
  getWeightMutable().assign(ConstantOp::create(
      builder, getWeight().getLoc(),
      makeWeightLike(weight, getWeightName(weight),
                     weight.getShapedType().getShape(), std::move(scaled))));
  if (!getL2())
    setEpsilonAttr(
        builder.getF64FloatAttr(getEpsilon().convertToDouble() * ratio));
}

void LayerNormOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  if (units->axis >= typeOf(getX()).getRank() - int64_t(getAxes()))
    return flow.fix(getX());
  flow.set(getY(), units->axis, Units(units->units));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

#define VAE_ELEMENTWISE(OP)                                                    \
  void OP::carryUnits(UnitFlow &flow) { carryAll(*this, flow); }
VAE_ELEMENTWISE(ActivationOp)
VAE_ELEMENTWISE(AddOp)
VAE_ELEMENTWISE(ConvertLayoutOp)
VAE_ELEMENTWISE(DropoutOp)
VAE_ELEMENTWISE(MulOp)
VAE_ELEMENTWISE(SubOp)
#undef VAE_ELEMENTWISE

void SoftmaxOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (units && units->axis == int64_t(getAxis()))
    return flow.fix(getX());
  carryAll(*this, flow);
}

void GluOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return uniteParts(units, 2, /*apart=*/true, flow);
  });
}

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

#define VAE_EACH_CHANNEL(OP)                                                   \
  void OP::carryUnits(UnitFlow &flow) { carryChannels(getX(), getY(), flow); }
VAE_EACH_CHANNEL(UpsampleOp)
VAE_EACH_CHANNEL(Pool2dOp)
VAE_EACH_CHANNEL(GlobalPoolOp)
VAE_EACH_CHANNEL(CropOp)
VAE_EACH_CHANNEL(PadOp)
VAE_EACH_CHANNEL(FramesToBatchOp)
#undef VAE_EACH_CHANNEL

/// Operands of which only the image's size, or the clips', is read.
static void fixOtherAxes(Value like, UnitFlow &flow) {
  const UnitAxis *units = like ? flow.find(like) : nullptr;
  if (units && units->axis != kChannels)
    flow.fix(like);
}

void ResizeOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow);
  fixOtherAxes(getLike(), flow);
}

void PixelShuffleOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return uniteParts(units, getFactor() * getFactor(), /*apart=*/false, flow);
  });
}

void PixelUnshuffleOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return repeatUnits(units, getFactor() * getFactor(), /*again=*/false);
  });
}

void RepeatChannelsOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return repeatUnits(units, getRepeats(), /*again=*/false);
  });
}

void MeanChannelsOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return uniteParts(units, getGroup(), /*apart=*/false, flow);
  });
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

void ConcatOp::carryUnits(UnitFlow &flow) {
  int64_t axis = getAxis();
  bool along = false, across = false;
  for (Value input : getInputs())
    if (const UnitAxis *units = flow.find(input))
      (units->axis == axis ? along : across) = true;
  if (across && !along)
    return carryAll(*this, flow);
  Units result;
  for (Value input : getInputs()) {
    const UnitAxis *units = flow.find(input);
    if (units && units->axis == axis) {
      llvm::append_range(result, units->units);
      continue;
    }
    flow.fix(input);
    int64_t size = typeOf(input).getDimSize(axis);
    if (ShapedType::isDynamic(size))
      return fixAll(getInputs(), flow);
    result.append(size, UnitFlow::kFixed);
  }
  if (along)
    flow.set(getY(), axis, result);
}

/// Parts stay equal: what is at one place in all of them goes together.
void SplitOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  Units own = units->units;
  int64_t axis = units->axis;
  if (axis == int64_t(getAxis()))
    own = uniteParts(own, getSections(), /*apart=*/!getInterleaved(), flow);
  for (Value part : getParts())
    flow.set(part, axis, own);
}

void SliceOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  int64_t axis = units->axis, size = units->units.size();
  Units own = units->units, result;
  if (axis != int64_t(getAxis()))
    return flow.set(getY(), axis, own);
  int64_t stride = getStride(), count = typeOf(getY()).getDimSize(axis);
  if (ShapedType::isDynamic(count))
    return flow.fix(getX());
  if (stride > 1) {
    // Every stride-th of what is left is every stride-th of the whole if
    // neighbours go together.
    if (size % stride || int64_t(getBegin()) >= stride ||
        count != size / stride)
      return flow.fix(getX());
    (void)uniteParts(own, stride, /*apart=*/false, flow);
  }
  for (int64_t i = 0; i < count; ++i)
    result.push_back(own[getBegin() + i * stride]);
  flow.set(getY(), axis, result);
}

void SliceOp::dropUnits(const UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units || units->axis != int64_t(getAxis()))
    return;
  if (getStride() == 1)
    setBegin(
        flow.countKept(ArrayRef<Unit>(units->units).take_front(getBegin())));
  if (getSize())
    if (const UnitAxis *result = flow.find(getY()))
      setSize(flow.countKept(result->units));
}

void TransposeOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  int64_t axis =
      llvm::find(getPermutation(), units->axis) - getPermutation().begin();
  flow.set(getY(), axis, Units(units->units));
}

/// The axis whose index tells the unit of an element, for elements in row-major
/// order; 0 if there is none.
static int64_t findUnitAxis(ArrayRef<int64_t> shape, ArrayRef<Unit> elements) {
  int64_t inner = elements.size();
  for (int64_t axis = 1; axis < int64_t(shape.size()); ++axis) {
    int64_t size = shape[axis];
    inner /= size;
    SmallVector<std::optional<Unit>> known(size);
    bool tells = true;
    for (auto [i, unit] : llvm::enumerate(elements)) {
      std::optional<Unit> &own = known[i / inner % size];
      own = own.value_or(unit);
      tells &= *own == unit;
    }
    if (tells)
      return axis;
  }
  return 0;
}

/// The axis of an image's channels: where the result is transposed, that which
/// becomes axis 1.
static int64_t getChannelAxis(Value image) {
  std::optional<int64_t> axis;
  for (Operation *user : image.getUsers()) {
    auto transpose = dyn_cast<TransposeOp>(user);
    int64_t own = transpose ? transpose.getPermutation()[kChannels] : kChannels;
    if (axis && *axis != own)
      return kChannels;
    axis = own;
  }
  return axis.value_or(kChannels);
}

/// Elements keep their order. What is left of them fills a smaller shape if
/// the index on one axis of each shape tells the unit.
void ReshapeOp::carryUnits(UnitFlow &flow) {
  const UnitAxis *units = flow.find(getX());
  if (!units)
    return;
  ArrayRef<int64_t> in = typeOf(getX()).getShape(),
                    out = typeOf(getY()).getShape();
  Units own = units->units;
  if (ShapedType::isDynamicShape(in.drop_front()) ||
      ShapedType::isDynamicShape(out.drop_front())) {
    if (units->axis == kChannels && out.size() > 1 && in[1] == out[1])
      return flow.set(getY(), kChannels, own);
    return flow.fix(getX());
  }
  int64_t inner = 1, total = 1;
  for (int64_t dim : in.drop_front(units->axis + 1))
    inner *= dim;
  for (int64_t dim : in.drop_front())
    total *= dim;
  Units elements;
  for (int64_t i = 0; i < total; ++i)
    elements.push_back(flow.getRoot(own[i / inner % int64_t(own.size())]));
  int64_t axis = findUnitAxis(out, elements);
  bool tells = axis != 0;
  if (!tells)
    axis = getChannelAxis(getY());
  inner = 1;
  for (int64_t dim : out.drop_front(axis + 1))
    inner *= dim;
  Units result(out[axis], UnitFlow::kFixed);
  for (int64_t i = total; i-- > 0;)
    result[i / inner % out[axis]] = elements[i];
  if (!tells)
    for (int64_t i = 0; i < total; ++i)
      flow.unite(result[i / inner % out[axis]], elements[i]);
  flow.set(getY(), axis, result);
}

void ReshapeOp::dropUnits(const UnitFlow &flow) {
  const UnitAxis *units = flow.find(getY());
  if (!units)
    return;
  SmallVector<int64_t> shape(getShape());
  int64_t &dim = shape[units->axis - 1];
  if (dim != -1)
    dim = flow.countKept(units->units);
  setShape(shape);
}

//===----------------------------------------------------------------------===//
// Videos
//===----------------------------------------------------------------------===//

void BatchToFramesOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow);
  fixOtherAxes(getLike(), flow);
}

void ChannelsToFramesOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return uniteParts(units, getFactor(), /*apart=*/!getChannelMajor(), flow);
  });
}

void FramesToChannelsOp::carryUnits(UnitFlow &flow) {
  carryChannels(getX(), getY(), flow, [&](Units units) {
    return repeatUnits(units, getFactor(), /*again=*/!getChannelMajor());
  });
}
