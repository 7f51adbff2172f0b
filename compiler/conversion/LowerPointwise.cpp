// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise operations, pooling, resampling, reductions.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeConstants.h"

using namespace mlir;
using namespace vae;

/// Rough cost of a transcendental function of one element, for the decision to
/// share work between threads.
static constexpr int64_t kElementFlops = 8;

static Value combine(Emitter &e, Operation *op, ValueRange v) {
  if (auto activation = dyn_cast<ActivationOp>(op))
    return emitActivation(e, activation.getFunction(), v[0]);
  if (isa<AddOp>(op))
    return e.addf(v[0], v[1]);
  if (isa<SubOp>(op))
    return e.subf(v[0], v[1]);
  if (isa<MulOp>(op))
    return e.mulf(v[0], v[1]);
  // reparameterize: mu + exp(logvar / 2) * noise
  Value deviation = e.exp(e.mulf(v[1], e.splat(0.5)));
  return e.addf(v[0], e.mulf(deviation, v[2]));
}

FailureOr<Value> Lowering::lowerElementwise(Operation *op) {
  std::string name = op->getName().stripDialect().str();
  if (auto activation = dyn_cast<ActivationOp>(op))
    name = nameOf(activation.getFunction());
  Value result = op->getResult(0), init;
  auto kernel = getFlatKernel(
      module, op->getLoc(), getTarget(op->getOperands(), result.getType()),
      name, op->getNumOperands(),
      [&](Emitter &e, ValueRange values) { return combine(e, op, values); });
  for (Value operand : op->getOperands())
    if (!init && canOverwrite(operand, op))
      init = operand;
  const Dims shape = getDims(result);
  return launch(op->getLoc(), kernel, op->getOperands(), {count(shape)},
                getFlatItemElements(target) * kElementFlops, typeOf(result),
                shape, init);
}

Value Lowering::applyPerChannel(Operation *op, StringRef name, Value x,
                                ArrayRef<Value> parameters, VectorFn function) {
  Value like = x;
  x = channelsInnermost(x);
  const Dims shape = getDims(like);
  int64_t channels = getStaticDim(shape[1]);
  SmallVector<Value> inputs = {x};
  inputs.append(parameters.begin(), parameters.end());
  auto type = typeOf(op->getResult(0));
  auto kernel = getChannelKernel(module, op->getLoc(), getTarget(inputs, type),
                                 name, channels, parameters.size(), function);
  Dims rows = shape;
  rows[1] = expr(1);
  Value init = canOverwrite(x, op) ? x : Value();
  Value y = launch(op->getLoc(), kernel, inputs, {count(rows)},
                   channels * kElementFlops, type, shape, init);
  return channelsRestored(y, like);
}

static Value emitAffine(Emitter &e, ValueRange v) {
  return e.fma(v[0], v[1], v[2]);
}

FailureOr<Value> Lowering::lowerChannelAffine(ChannelAffineOp op) {
  return applyPerChannel(op, "channel_affine", op.getX(),
                         {op.getScale(), op.getOffset()}, emitAffine);
}

FailureOr<Value> Lowering::lowerBatchNorm(BatchNormOp op) {
  SmallVector<double> scale, offset;
  if (!op.getConstantAffine(scale, offset))
    return op.emitError() << "statistics must be constants";
  StringRef name = getLayerName(op.getLoc());
  Value parameters[] = {
      constant(op.getLoc(), (name + ".scale").str(),
               std::vector<float>(scale.begin(), scale.end())),
      constant(op.getLoc(), (name + ".offset").str(),
               std::vector<float>(offset.begin(), offset.end()))};
  return applyPerChannel(op, "channel_affine", op.getX(), parameters,
                         emitAffine);
}

FailureOr<Value> Lowering::lowerPrelu(PreluOp op) {
  ConstantOp source = getConstant(op.getSlope());
  if (!source)
    return op.emitError() << "the slope must be a constant";
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(source.getValue(), storage);
  std::vector<float> slope = values.vec();
  slope.resize(typeOf(op.getX()).getDimSize(1), values[0]);
  Value parameter =
      constant(op.getLoc(), (getLayerName(op.getLoc()) + ".slope").str(),
               std::move(slope));
  auto leaky = [](Emitter &e, ValueRange v) {
    // x >= 0 ? x : slope * x, keeping NaN.
    Value zero = e.splat(0);
    return e.fma(e.minf(v[0], zero), v[1], e.maxf(v[0], zero));
  };
  return applyPerChannel(op, "prelu", op.getX(), {parameter}, leaky);
}

FailureOr<Value> Lowering::lowerGlu(GluOp op) {
  const Dims shape = getDims(op.getY());
  int64_t channels = getStaticDim(shape[1]);
  Value x = channelsInnermost(op.getX());
  auto kernel = getGluKernel(module, op.getLoc(), getTarget(x, op.getType()),
                             channels, op.getGate());
  Value y = launch(op.getLoc(), kernel, {x}, {countRows(shape)},
                   channels * kElementFlops, typeOf(op.getY()), shape);
  return channelsRestored(y, op.getY());
}

FailureOr<Value> Lowering::lowerMeanChannels(MeanChannelsOp op) {
  const Dims shape = getDims(op.getY());
  int64_t channels = getStaticDim(shape[1]);
  int64_t group = op.getGroup();
  Value x = channelsInnermost(op.getX());
  auto kernel = getMeanChannelsKernel(
      module, op.getLoc(), getTarget(x, op.getType()), channels, group);
  Value y = launch(op.getLoc(), kernel, {x}, {countRows(shape)},
                   channels * group, typeOf(op.getY()), shape);
  return channelsRestored(y, op.getY());
}

FailureOr<Value> Lowering::lowerPool(Pool2dOp op) {
  const Dims in = getDims(op.getX()), out = getDims(op.getY());
  int64_t channels = getStaticDim(in[1]);
  auto kernel = getPoolKernel(module, op.getLoc(),
                              getTarget(op.getX(), op.getType()), op, channels);
  int64_t window = op.getKernel()[0] * op.getKernel()[1];
  return launch(op.getLoc(), kernel, {op.getX()},
                {in[0], in[2], in[3], out[2], out[3]}, channels * window,
                typeOf(op.getY()), out);
}

FailureOr<Value> Lowering::lowerGlobalPool(GlobalPoolOp op) {
  const Dims in = getDims(op.getX());
  auto kernel = getGlobalPoolKernel(module, op.getLoc(),
                                    getTarget(op.getX(), op.getType()),
                                    op.getKind(), getStaticDim(in[1]));
  return launch(op.getLoc(), kernel, {op.getX()}, {in[0], in[2] * in[3]},
                1 << 12, typeOf(op.getY()), getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerUpsample(UpsampleOp op) {
  const Dims in = getDims(op.getX());
  int64_t channels = getStaticDim(in[1]);
  auto kernel = getUpsampleKernel(
      module, op.getLoc(), getTarget(op.getX(), op.getType()), op, channels);
  return launch(op.getLoc(), kernel, {op.getX()}, {in[0], in[2], in[3]},
                channels * 64, typeOf(op.getY()), getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerResize(ResizeOp op) {
  const Dims in = getDims(op.getX()), out = getDims(op.getY());
  int64_t channels = getStaticDim(in[1]);
  auto kernel = getResizeKernel(
      module, op.getLoc(), getTarget(op.getX(), op.getType()), op, channels);
  return launch(op.getLoc(), kernel, {op.getX()},
                {in[0], in[2], in[3], out[2], out[3]}, channels * 64,
                typeOf(op.getY()), out);
}

FailureOr<Value> Lowering::lowerKl(KlOp op) {
  const Dims shape = getDims(op.getMu());
  SmallVector<Value> inputs = {op.getMu(), op.getLogvar()};
  bool prior = op.getPriorMean() != nullptr;
  AffineExpr rows = expr(1);
  AffineExpr channels = count(ArrayRef<AffineExpr>(shape).drop_front());
  if (prior) {
    inputs = {channelsInnermost(op.getMu()), channelsInnermost(op.getLogvar()),
              op.getPriorMean(), op.getPriorStd()};
    channels = shape[1];
    rows = count(ArrayRef<AffineExpr>(shape).drop_front(2));
  }
  return launch(op.getLoc(), getKlKernel(module, op.getLoc(), target, prior),
                inputs, {shape[0], rows, channels}, 1 << 10, typeOf(op.getKl()),
                getDims(op.getKl()));
}

FailureOr<Value> Lowering::lowerLogLikelihood(LogLikelihoodOp op) {
  const Dims shape = getDims(op.getX());
  SmallVector<Value> inputs(op->getOperands());
  auto kernel = getLogLikelihoodKernel(
      module, op.getLoc(), target, op.getLikelihood(),
      op.getScale().convertToDouble(), op.getLogvar() != nullptr);
  AffineExpr elements = count(ArrayRef<AffineExpr>(shape).drop_front());
  return launch(op.getLoc(), kernel, inputs, {shape[0], elements},
                kElementFlops * std::max<int64_t>(128, getStaticDim(elements)),
                typeOf(op.getValue()), getDims(op.getValue()));
}
