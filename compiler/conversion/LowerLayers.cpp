// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense layers, convolutions and transposed convolutions.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace vae;

/// What a contraction reads besides its data and weight.
struct Lowering::Operands {
  ConstantOp weight;
  Value bias, residual;
  Epilogue epilogue;
  RankedTensorType type;
  Dims dims;
};

template <typename OpTy>
FailureOr<Lowering::Operands>
Lowering::layerOperands(OpTy op, const Contraction &shape) {
  Operands operands;
  operands.weight = getConstant(op.getWeight());
  if (!operands.weight)
    return op.emitError() << "the weight must be a constant";
  if (Value bias = op.getBias()) {
    ConstantOp source = getConstant(bias);
    if (!source)
      return op.emitError() << "the bias must be a constant";
    std::vector<float> storage;
    ArrayRef<float> values = getFloats(source.getValue(), storage);
    operands.bias =
        constant(op.getLoc(), (getWeightName(source.getValue()) + ".p").str(),
                 packBias(shape, values));
  }
  operands.residual = op.getResidual();
  operands.epilogue = {operands.bias != nullptr, operands.residual != nullptr,
                       op.getActivationAttr()};
  operands.type = typeOf(op.getY());
  operands.dims = getDims(op.getY());
  return operands;
}

Value Lowering::packWeight(Operation *op, ConstantOp source,
                           const Contraction &shape, StringRef kind,
                           function_ref<float(ArrayRef<float>, int64_t, int64_t,
                                              int64_t, int64_t, int64_t)>
                               weight) {
  // Entry points share what they pack: the key is the source and the packing.
  std::string key;
  llvm::raw_string_ostream(key)
      << source.getValue().getAsOpaquePointer() << shape.name() << kind;
  ElementsAttr &packed = packedWeights[key];
  if (!packed) {
    std::vector<float> storage;
    ArrayRef<float> values = getFloats(source.getValue(), storage);
    std::vector<float> result = vae::packWeight(
        shape, [&](int64_t g, int64_t o, int64_t i, int64_t ky, int64_t kx) {
          return weight(values, g, o, i, ky, kx);
        });
    int64_t size = result.size();
    packed = makeWeight((getWeightName(source.getValue()) + ".p").str(), {size},
                        std::move(result), op->getContext());
  }
  return ConstantOp::create(builder, op->getLoc(), packed);
}

Value Lowering::contract(Operation *op, const Contraction &shape,
                         const Operands &operands, Value x, Value weight,
                         ArrayRef<AffineExpr> sizes, Value init) {
  SmallVector<Value> inputs = {x, weight};
  if (operands.bias)
    inputs.push_back(operands.bias);
  if (operands.residual)
    inputs.push_back(operands.residual);
  auto kernel = getContractionKernel(module, op->getLoc(), target, shape,
                                     operands.epilogue);
  return launch(op->getLoc(), kernel, inputs, sizes,
                getContractionItemFlops(target, shape), operands.type,
                operands.dims, init);
}

FailureOr<Value> Lowering::lowerDense(DenseOp op) {
  auto weightType = typeOf(op.getWeight());
  Contraction shape;
  shape.flat = true;
  shape.outputs = weightType.getDimSize(0);
  shape.inputs = weightType.getDimSize(1);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  Value weight =
      packWeight(op, operands->weight, shape, "dense",
                 [&](ArrayRef<float> w, int64_t, int64_t o, int64_t i, int64_t,
                     int64_t) { return w[o * shape.inputs + i]; });
  Dims outer = getDims(op.getX());
  outer.pop_back();
  Exprs sizes(kNumContractionSizes, expr(0));
  sizes[kImages] = count(outer);
  sizes[kRows] = sizes[kColumns] = expr(1);
  sizes[kInImage] = expr(shape.inputs);
  sizes[kOutImage] = expr(shape.outputs);
  return contract(op, shape, *operands, op.getX(), weight, sizes, {});
}

FailureOr<Value> Lowering::lowerConv(Conv2dOp op) {
  auto weightType = typeOf(op.getWeight());
  int64_t groups = op.getGroups();
  int64_t kh = weightType.getDimSize(2), kw = weightType.getDimSize(3);
  Contraction shape;
  shape.groups = groups;
  shape.outputs = weightType.getDimSize(0) / groups;
  shape.inputs = weightType.getDimSize(1);
  for (int axis : {0, 1}) {
    shape.window[axis] = weightType.getDimSize(2 + axis);
    shape.stride[axis] = op.getStrides()[axis];
    shape.dilation[axis] = op.getDilations()[axis];
  }
  bool padded = llvm::any_of(op.getPadding(), [](int64_t p) { return p > 0; });
  shape.flat = !padded && groups == 1 && kh == 1 && kw == 1 &&
               shape.stride[0] == 1 && shape.stride[1] == 1;
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  Value weight =
      packWeight(op, operands->weight, shape, "conv",
                 [&](ArrayRef<float> w, int64_t g, int64_t o, int64_t i,
                     int64_t ky, int64_t kx) {
                   int64_t out = g * shape.outputs + o;
                   return w[((out * shape.inputs + i) * kh + ky) * kw + kx];
                 });
  Value x =
      padded ? padImage(op.getLoc(), op.getX(), op.getPadding(), 0) : op.getX();
  const Dims in = getDims(x), out = operands->dims;
  Exprs sizes(kNumContractionSizes, expr(0));
  if (shape.flat) {
    sizes[kImages] = out[0] * out[2] * out[3];
    sizes[kRows] = sizes[kColumns] = expr(1);
    sizes[kInImage] = in[1];
    sizes[kOutImage] = out[1];
    return contract(op, shape, *operands, x, weight, sizes, {});
  }
  sizes[kImages] = out[0];
  sizes[kRows] = out[2];
  sizes[kColumns] = out[3];
  sizes[kInRow] = in[3] * in[1];
  sizes[kInImage] = in[2] * in[3] * in[1];
  sizes[kOutColumn] = out[1];
  sizes[kOutRow] = out[3] * out[1];
  sizes[kOutImage] = out[2] * out[3] * out[1];
  return contract(op, shape, *operands, x, weight, sizes, {});
}

//===----------------------------------------------------------------------===//
// Transposed convolution: one dense convolution per phase of the output
//===----------------------------------------------------------------------===//

namespace {
/// Along one axis, the outputs y = stride * q + residue - padding for a fixed
/// residue: they read x[q + first + t * dilation] for taps t, with weight
/// index lastTap - t * tapStep.
struct Phase {
  int64_t taps = 0;
  int64_t lastTap = 0, tapStep = 0; // of the kernel
  int64_t first = 0;                // input index relative to q
  int64_t firstQ = 0;
  int64_t firstOutput = 0;
  int64_t lastRead = 0; // input index relative to q of the last tap
};

struct AxisGeometry {
  int64_t kernel, stride, dilation, padBefore, padAfter, outputPadding;
};

Phase getPhase(const AxisGeometry &a, int64_t residue) {
  Phase phase;
  int64_t common = std::gcd(a.stride, a.dilation);
  phase.tapStep = a.stride / common;
  int64_t firstTap = 0;
  while (firstTap < a.kernel && firstTap * a.dilation % a.stride != residue)
    ++firstTap;
  phase.firstQ = std::max<int64_t>(
      0, llvm::divideCeilSigned(a.padBefore - residue, a.stride));
  phase.firstOutput = phase.firstQ * a.stride + residue - a.padBefore;
  if (firstTap >= a.kernel)
    return phase; // no tap
  phase.taps = llvm::divideCeil(a.kernel - firstTap, phase.tapStep);
  phase.lastTap = firstTap + (phase.taps - 1) * phase.tapStep;
  phase.lastRead = (residue - firstTap * a.dilation) / a.stride;
  phase.first = phase.lastRead - (phase.taps - 1) * (a.dilation / common);
  return phase;
}

/// Rows that the phases read before and after the input.
std::pair<int64_t, int64_t> getHalo(const AxisGeometry &a) {
  std::pair<int64_t, int64_t> halo = {0, 0};
  int64_t reach = a.dilation * (a.kernel - 1) + a.outputPadding - a.padAfter;
  for (int64_t residue = 0; residue < a.stride; ++residue) {
    Phase phase = getPhase(a, residue);
    if (phase.taps == 0)
      continue;
    halo.first = std::max(halo.first, -(phase.firstQ + phase.first));
    int64_t last = llvm::divideFloorSigned(reach - residue, a.stride);
    halo.second = std::max(halo.second, last + phase.lastRead);
  }
  return halo;
}
} // namespace

FailureOr<Value> Lowering::lowerEpilogue(ConvTranspose2dOp op) {
  Contraction shape;
  shape.flat = true;
  shape.outputs = typeOf(op.getY()).getDimSize(1);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  const Dims out = operands->dims;
  Exprs sizes(kNumContractionSizes, expr(0));
  sizes[kImages] = out[0] * out[2] * out[3];
  sizes[kRows] = sizes[kColumns] = expr(1);
  sizes[kOutImage] = out[1];
  // There is no weight; what stands in its place is not read.
  return contract(op, shape, *operands, op.getX(), op.getX(), sizes, {});
}

FailureOr<Value> Lowering::lowerConvTranspose(ConvTranspose2dOp op) {
  auto weightType = typeOf(op.getWeight());
  int64_t groups = op.getGroups();
  int64_t kh = weightType.getDimSize(2), kw = weightType.getDimSize(3);
  AxisGeometry axes[2];
  for (int axis : {0, 1})
    axes[axis] = {weightType.getDimSize(2 + axis), op.getStrides()[axis],
                  op.getDilations()[axis],         op.getPadding()[axis],
                  op.getPadding()[axis + 2],       op.getOutputPadding()[axis]};
  Contraction base;
  base.groups = groups;
  base.inputs = weightType.getDimSize(0) / groups;
  base.outputs = weightType.getDimSize(1);
  auto operands = layerOperands(op, base);
  if (failed(operands))
    return failure();

  auto [top, bottom] = getHalo(axes[0]);
  auto [left, right] = getHalo(axes[1]);
  Value x = op.getX();
  if (top || bottom || left || right)
    x = padImage(op.getLoc(), x, {top, left, bottom, right}, 0);
  const Dims in = getDims(x), out = operands->dims;
  AffineExpr channels = out[1];

  // The phases that no tap reaches are written at once, before the others.
  SmallVector<int64_t> residues[2];
  for (int axis : {0, 1})
    for (int64_t residue = 0; residue < axes[axis].stride; ++residue)
      if (getPhase(axes[axis], residue).taps)
        residues[axis].push_back(residue);
  Value result;
  if (static_cast<int64_t>(residues[0].size()) < axes[0].stride ||
      static_cast<int64_t>(residues[1].size()) < axes[1].stride) {
    auto filled = lowerEpilogue(op);
    if (failed(filled))
      return failure();
    result = *filled;
  }
  for (int64_t ry : residues[0])
    for (int64_t rx : residues[1]) {
      Phase phases[2] = {getPhase(axes[0], ry), getPhase(axes[1], rx)};
      Contraction shape = base;
      for (int axis : {0, 1}) {
        shape.window[axis] = phases[axis].taps;
        shape.dilation[axis] = axes[axis].dilation /
                               std::gcd(axes[axis].stride, axes[axis].dilation);
        if (shape.window[axis] == 1)
          shape.dilation[axis] = 1;
      }
      Value weight =
          packWeight(op, operands->weight, shape,
                     llvm::formatv("phase{0}_{1}_of_{2}_{3}_{4}_{5}", ry, rx,
                                   op.getStrides()[0], op.getStrides()[1],
                                   op.getDilations()[0], op.getDilations()[1])
                         .str(),
                     [&](ArrayRef<float> w, int64_t g, int64_t o, int64_t i,
                         int64_t ty, int64_t tx) {
                       int64_t ky = phases[0].lastTap - ty * phases[0].tapStep;
                       int64_t kx = phases[1].lastTap - tx * phases[1].tapStep;
                       int64_t c = g * shape.inputs + i;
                       return w[((c * shape.outputs + o) * kh + ky) * kw + kx];
                     });
      auto positions = [&](int axis, int64_t residue) {
        AffineExpr last = out[2 + axis] + (axes[axis].padBefore - residue - 1);
        return last.floorDiv(axes[axis].stride) + (1 - phases[axis].firstQ);
      };
      int64_t row = phases[0].firstQ + phases[0].first + top;
      int64_t column = phases[1].firstQ + phases[1].first + left;
      Exprs sizes(kNumContractionSizes, expr(0));
      sizes[kImages] = out[0];
      sizes[kRows] = positions(0, ry);
      sizes[kColumns] = positions(1, rx);
      sizes[kInRow] = in[3] * in[1];
      sizes[kInImage] = in[2] * in[3] * in[1];
      sizes[kInOffset] = (in[3] * row + column) * in[1];
      sizes[kOutColumn] = channels * axes[1].stride;
      sizes[kOutRow] = out[3] * channels * axes[0].stride;
      sizes[kOutImage] = out[2] * out[3] * channels;
      sizes[kOutOffset] =
          (out[3] * phases[0].firstOutput + phases[1].firstOutput) * channels;
      result = contract(op, shape, *operands, x, weight, sizes, result);
    }
  return result;
}
