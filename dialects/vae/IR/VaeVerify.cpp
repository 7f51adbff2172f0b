// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and the interfaces that passes ask. Constraints on the shape of
// data are checked by shape inference (VaeShape*.cpp); here are the others.
#include "dialects/vae/IR/Vae.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace vae;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Checks that an optional parameter is a vector of `size` elements; of any
/// number if `size` is dynamic.
static LogicalResult checkVector(Operation *op, Value value, StringRef what,
                                 int64_t size, StringRef constraint) {
  if (!value)
    return success();
  auto type = typeOf(value);
  if (type.getRank() == 1 && type.hasStaticShape() &&
      (ShapedType::isDynamic(size) || type.getDimSize(0) == size))
    return success();
  return op->emitOpError() << constraint << " " << what << " must be static ["
                           << vae::detail::formatDim(size) << "], found "
                           << type;
}

static LogicalResult checkEpsilon(Operation *op, const APFloat &epsilon,
                                  StringRef constraint) {
  if (epsilon.isFinite() && epsilon.convertToDouble() >= 0)
    return success();
  return op->emitOpError() << constraint << " epsilon must be >= 0";
}

static LogicalResult checkRank(Operation *op, Value x, int64_t rank) {
  if (typeOf(x).getRank() >= rank)
    return success();
  return op->emitOpError() << "(C1) x must have rank >= " << rank << ", found "
                           << x.getType();
}

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult verifyLayer(OpTy op, int64_t units) {
  if (failed(checkVector(op, op.getBias(), "bias", units, "(C3)")))
    return failure();
  if (Value residual = op.getResidual())
    if (failed(verifyCompatibleShape(residual.getType(), op.getY().getType())))
      return op.emitOpError() << "(C4) residual must have the shape of the "
                                 "result, found "
                              << residual.getType();
  return success();
}

LogicalResult DenseOp::verify() {
  return verifyLayer(*this, typeOf(getWeight()).getDimSize(0));
}
LogicalResult Conv2dOp::verify() {
  return verifyLayer(*this, typeOf(getWeight()).getDimSize(0));
}
LogicalResult Conv3dOp::verify() {
  return verifyLayer(*this, typeOf(getWeight()).getDimSize(0));
}
LogicalResult ConvTranspose2dOp::verify() {
  return verifyLayer(*this, typeOf(getWeight()).getDimSize(1) *
                                static_cast<int64_t>(getGroups()));
}

#define VAE_EPILOGUE(OP)                                                       \
  ActivationAttr OP::getEpilogueActivation() { return getActivationAttr(); }   \
  void OP::setEpilogueActivation(ActivationAttr attr) {                        \
    setActivationAttr(attr);                                                   \
  }                                                                            \
  Value OP::getEpilogueResidual() { return getResidual(); }                    \
  void OP::setEpilogueResidual(Value residual) {                               \
    getResidualMutable().assign(residual);                                     \
  }

#define VAE_LAYER(OP, OUTPUT_AXIS, INPUT_AXIS, GROUPS, UNIT_AXIS)              \
  VAE_EPILOGUE(OP)                                                             \
  OpOperand &OP::getDataOperand() { return getXMutable(); }                    \
  unsigned OP::getWeightIndex() { return 1; }                                  \
  int64_t OP::getOutputUnitAxis() { return OUTPUT_AXIS; }                      \
  int64_t OP::getInputUnitAxis() { return INPUT_AXIS; }                        \
  int64_t OP::getUnitGroups() { return GROUPS; }                               \
  Value OP::getBiasValue() { return getBias(); }                               \
  void OP::setBiasValue(Value bias) { getBiasMutable().assign(bias); }         \
  unsigned OP::getNumData() { return 1; }                                      \
  int64_t OP::getPerChannelAxis() { return OUTPUT_AXIS; }                      \
  int64_t OP::getUnitAxis() { return UNIT_AXIS; }
VAE_LAYER(DenseOp, 0, 1, 1, typeOf(getX()).getRank() - 1)
VAE_LAYER(Conv2dOp, 0, 1, getGroups(), 1)
VAE_LAYER(Conv3dOp, 0, 1, getGroups(), 1)
VAE_LAYER(ConvTranspose2dOp, 1, 0, getGroups(), 1)
#undef VAE_LAYER

bool DenseOp::hasUniformWindows() { return true; }
bool Conv2dOp::hasUniformWindows() {
  return llvm::all_of(getPadding(), [](int64_t p) { return p == 0; });
}
bool Conv3dOp::hasUniformWindows() {
  return llvm::all_of(getPadding(), [](int64_t p) { return p == 0; });
}
bool ConvTranspose2dOp::hasUniformWindows() { return false; }

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

VAE_EPILOGUE(GroupNormOp)
VAE_EPILOGUE(RmsNormOp)
#undef VAE_EPILOGUE

static LogicalResult checkResidual(Operation *op, Value residual,
                                   StringRef constraint) {
  Type type = op->getResult(0).getType();
  if (!residual || succeeded(verifyCompatibleShape(residual.getType(), type)))
    return success();
  return op->emitOpError() << constraint
                           << " residual must have the shape of x, found "
                           << residual.getType();
}

LogicalResult BatchNormOp::verify() {
  if (failed(checkRank(*this, getX(), 2)))
    return failure();
  int64_t channels = typeOf(getX()).getDimSize(1);
  if (failed(checkVector(*this, getMean(), "mean", channels, "(C2)")) ||
      failed(checkVector(*this, getVariance(), "variance", channels, "(C2)")) ||
      failed(checkVector(*this, getWeight(), "weight", channels, "(C2)")) ||
      failed(checkVector(*this, getBias(), "bias", channels, "(C2)")))
    return failure();
  return checkEpsilon(*this, getEpsilon(), "(C3)");
}

LogicalResult GroupNormOp::verify() {
  if (failed(checkRank(*this, getX(), 2)))
    return failure();
  int64_t channels = typeOf(getX()).getDimSize(1);
  int64_t groups = getGroups();
  if (groups < 1 || ShapedType::isDynamic(channels) || channels % groups)
    return emitOpError() << "(C2) " << groups << " groups do not divide "
                         << vae::detail::formatDim(channels) << " channels";
  if (failed(checkVector(*this, getWeight(), "weight", channels, "(C3)")) ||
      failed(checkVector(*this, getBias(), "bias", channels, "(C3)")) ||
      failed(checkEpsilon(*this, getEpsilon(), "(C4)")))
    return failure();
  return checkResidual(*this, getResidual(), "(C5)");
}

LogicalResult LayerNormOp::verify() {
  auto type = typeOf(getX());
  int64_t axes = getAxes();
  if (axes < 1 || axes >= type.getRank())
    return emitOpError() << "(C1) axes must be in 1.." << type.getRank() - 1;
  auto shape = type.getShape().take_back(axes);
  for (Value parameter : {Value(getWeight()), Value(getBias())})
    if (parameter &&
        (!typeOf(parameter).hasStaticShape() ||
         failed(verifyCompatibleShape(typeOf(parameter).getShape(), shape))))
      return emitOpError()
             << "(C2) weight and bias must be static and have the "
                "shape of the last axes, found "
             << parameter.getType();
  return checkEpsilon(*this, getEpsilon(), "(C3)");
}

LogicalResult RmsNormOp::verify() {
  if (failed(checkRank(*this, getX(), 2)))
    return failure();
  int64_t channels = typeOf(getX()).getDimSize(1);
  if (ShapedType::isDynamic(channels))
    return emitOpError() << "(C2) axis 1 must be static, found "
                         << getX().getType();
  if (failed(checkVector(*this, getWeight(), "weight", channels, "(C2)")) ||
      failed(checkVector(*this, getBias(), "bias", channels, "(C2)")) ||
      failed(checkEpsilon(*this, getEpsilon(), "(C3)")))
    return failure();
  return checkResidual(*this, getResidual(), "(C4)");
}

LogicalResult ChannelAffineOp::verify() {
  if (failed(checkRank(*this, getX(), 2)))
    return failure();
  int64_t channels = typeOf(getX()).getDimSize(1);
  if (failed(checkVector(*this, getScale(), "scale", channels, "(C2)")) ||
      failed(checkVector(*this, getOffset(), "offset", channels, "(C2)")))
    return failure();
  return success();
}

LogicalResult PreluOp::verify() {
  if (failed(checkRank(*this, getX(), 2)))
    return failure();
  auto slope = typeOf(getSlope());
  if (slope.getRank() == 1 && slope.getDimSize(0) == 1)
    return success();
  return checkVector(*this, getSlope(), "slope", typeOf(getX()).getDimSize(1),
                     "(C2)");
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

unsigned AttentionOp::getNumData() { return 3; }
int64_t AttentionOp::getPerChannelAxis() { return -1; }

LogicalResult AttentionOp::verify() {
  if (!getScale().isFinite())
    return emitOpError() << "(C5) scale must be finite";
  return success();
}

LogicalResult LinearAttentionOp::verify() {
  return checkEpsilon(*this, getEpsilon(), "(C3)");
}

LogicalResult SoftmaxOp::verify() {
  int64_t axis = getAxis();
  if (axis < 1 || axis >= typeOf(getX()).getRank())
    return emitOpError() << "(C1) axis must be in 1.."
                         << typeOf(getX()).getRank() - 1;
  return success();
}

LogicalResult DropoutOp::verify() {
  double rate = getRate().convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return emitOpError() << "(C1) rate must be in [0, 1)";
  return success();
}

LogicalResult KlOp::verify() {
  if (!getPriorMean() != !getPriorStd())
    return emitOpError() << "(C2) prior mean and standard deviation are given "
                            "together";
  if (!getPriorMean())
    return success();
  if (typeOf(getMu()).getRank() < 2)
    return emitOpError() << "(C2) a prior needs mu of rank >= 2, found "
                         << getMu().getType();
  int64_t channels = typeOf(getMu()).getDimSize(1);
  if (failed(
          checkVector(*this, getPriorMean(), "prior mean", channels, "(C2)")) ||
      failed(checkVector(*this, getPriorStd(), "prior std", channels, "(C2)")))
    return failure();
  return success();
}

LogicalResult LogLikelihoodOp::verify() {
  if (getLogvar() && getLikelihood() != Likelihood::Gaussian)
    return emitOpError() << "(C2) only gaussian takes logvar";
  if (!getScale().isFinite() || !(getScale().convertToDouble() > 0))
    return emitOpError() << "(C3) scale must be positive";
  return success();
}
