// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transposed convolution: dense convolutions, one per phase of the output.
#include "compiler/conversion/Lowering.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace vae;

namespace {

struct AxisGeometry {
  int64_t kernel, stride, dilation, padBefore, padAfter, outputPadding;
};

/// Along one axis, the outputs y = stride * q + residue - padBefore for a fixed
/// residue: they read x[q + first + t * step] for taps t, with the kernel's
/// element lastTap - t * tapStep.
struct Phase {
  int64_t taps = 0;
  int64_t lastTap = 0, tapStep = 0;
  int64_t first = 0, step = 1;
  int64_t firstQ = 0;

  Phase(const AxisGeometry &a, int64_t residue) {
    int64_t common = std::gcd(a.stride, a.dilation);
    tapStep = a.stride / common;
    step = a.dilation / common;
    firstQ = std::max<int64_t>(
        0, llvm::divideCeilSigned(a.padBefore - residue, a.stride));
    int64_t firstTap = 0;
    while (firstTap < a.kernel && firstTap * a.dilation % a.stride != residue)
      ++firstTap;
    if (firstTap >= a.kernel)
      return; // no tap
    taps = llvm::divideCeil(a.kernel - firstTap, tapStep);
    lastTap = firstTap + (taps - 1) * tapStep;
    first = (residue - firstTap * a.dilation) / a.stride - (taps - 1) * step;
  }
  int64_t last() const { return first + (taps - 1) * step; }
};

/// Along one axis, the outputs that one contraction computes: for positions p
/// the output firstOutput + stride * p, from x[first + p + t * step] for taps
/// t.
struct Sweep {
  int64_t taps = 0, step = 1;
  int64_t first = 0;
  int64_t beyond = 0; // how far behind the input's end the last read is
  int64_t firstOutput = 0;
  AffineExpr positions;
  SmallVector<int64_t> elements; // of the kernel, for each tap
};

} // namespace

/// The last output, from the last input's own, in outputs.
static int64_t getReach(const AxisGeometry &a) {
  return a.dilation * (a.kernel - 1) + a.outputPadding - a.padAfter;
}

/// The outputs of one residue.
static Sweep getPhaseSweep(const AxisGeometry &a, int64_t residue,
                           const Phase &phase, AffineExpr out) {
  Sweep sweep;
  sweep.taps = phase.taps;
  sweep.step = phase.taps == 1 ? 1 : phase.step;
  sweep.first = phase.firstQ + phase.first;
  sweep.beyond =
      llvm::divideFloorSigned(getReach(a) - residue, a.stride) + phase.last();
  sweep.firstOutput = phase.firstQ * a.stride + residue - a.padBefore;
  sweep.positions = (out + (a.padBefore - residue - 1)).floorDiv(a.stride) +
                    (1 - phase.firstQ);
  for (int64_t t = 0; t < phase.taps; ++t)
    sweep.elements.push_back(phase.lastTap - t * phase.tapStep);
  return sweep;
}

/// The contractions along one axis, one a residue that some tap reaches.
static SmallVector<Sweep> getSweeps(const AxisGeometry &a, AffineExpr out) {
  SmallVector<Sweep> sweeps;
  for (int64_t residue = 0; residue < a.stride; ++residue) {
    Phase phase(a, residue);
    if (phase.taps)
      sweeps.push_back(getPhaseSweep(a, residue, phase, out));
  }
  return sweeps;
}

/// Rows or columns of zeros that sweeps read before and after the input.
static std::pair<int64_t, int64_t> getHalo(ArrayRef<Sweep> sweeps) {
  std::pair<int64_t, int64_t> halo = {0, 0};
  for (const Sweep &sweep : sweeps) {
    halo.first = std::max(halo.first, -sweep.first);
    halo.second = std::max(halo.second, sweep.beyond);
  }
  return halo;
}

static AxisGeometry getGeometry(ConvTranspose2dOp op, int axis) {
  return {typeOf(op.getWeight()).getDimSize(2 + axis),
          op.getStrides()[axis],
          op.getDilations()[axis],
          op.getPadding()[axis],
          op.getPadding()[axis + 2],
          op.getOutputPadding()[axis]};
}

Border vae::getInputBorder(ConvTranspose2dOp op) {
  Border border = {};
  AffineExpr any = getAffineConstantExpr(0, op.getContext());
  for (int axis : {0, 1})
    std::tie(border[axis], border[axis + 2]) =
        getHalo(getSweeps(getGeometry(op, axis), any));
  return border;
}

/// One phase: those rows and columns of the kernel.
static Contraction getPhase(Contraction shape, const Sweep &rows,
                            const Sweep &columns) {
  shape.window[0] = rows.taps;
  shape.window[1] = columns.taps;
  shape.dilation[0] = rows.step;
  shape.dilation[1] = columns.step;
  return shape;
}

/// What all phases share.
static Contraction getShape(ConvTranspose2dOp op) {
  auto weightType = typeOf(op.getWeight());
  Contraction shape;
  shape.groups = static_cast<int64_t>(op.getGroups());
  shape.padded = !isEmpty(getInputBorder(op));
  shape.inputs = weightType.getDimSize(0) / shape.groups;
  shape.outputs = weightType.getDimSize(1);
  return shape;
}

SmallVector<Contraction> vae::getContractions(ConvTranspose2dOp op) {
  SmallVector<Contraction> result;
  if (isOfPixel(op))
    return result;
  AffineExpr any = getAffineConstantExpr(0, op.getContext());
  Contraction shape = getShape(op);
  auto allColumns = getSweeps(getGeometry(op, 1), any);
  for (const Sweep &rows : getSweeps(getGeometry(op, 0), any))
    for (const Sweep &columns : allColumns)
      result.push_back(getPhase(shape, rows, columns));
  return result;
}

/// All elements of the result as they are where nothing is summed up.
FailureOr<Value> Lowering::lowerEpilogue(ConvTranspose2dOp op) {
  Contraction shape;
  shape.outputs = typeOf(op.getY()).getDimSize(1);
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  const Dims out = operands->dims;
  Exprs sizes = makeContractionSizes();
  sizes[kImages] = out[0];
  sizes[kRows] = out[2];
  sizes[kColumns] = out[3];
  placeOutput(sizes, *operands);
  // There is no weight; what stands in its place is not read.
  return contract(op, shape, *operands, op.getX(), op.getX(), sizes, {});
}

/// Whether every output is the product of the only pixel and one element of the
/// kernel.
bool vae::isOfPixel(ConvTranspose2dOp op) {
  auto x = typeOf(op.getX()), y = typeOf(op.getY());
  auto kernel = typeOf(op.getWeight());
  for (int axis : {0, 1})
    if (x.getDimSize(2 + axis) != 1 || op.getDilations()[axis] != 1 ||
        y.getDimSize(2 + axis) + op.getPadding()[axis] >
            kernel.getDimSize(2 + axis))
      return false;
  return op.getGroups() == 1;
}

/// A dense layer, which does not multiply with the zeros around the pixel.
FailureOr<Value> Lowering::lowerConvTransposeOfPixel(ConvTranspose2dOp op) {
  auto weightType = typeOf(op.getWeight());
  int64_t kh = weightType.getDimSize(2), kw = weightType.getDimSize(3);
  int64_t channels = weightType.getDimSize(1);
  int64_t height = typeOf(op.getY()).getDimSize(2);
  int64_t width = typeOf(op.getY()).getDimSize(3);
  int64_t top = op.getPadding()[0], left = op.getPadding()[1];
  Contraction shape;
  shape.flat = true;
  shape.inputs = weightType.getDimSize(0);
  shape.outputs = height * width * channels;
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape, height * width);
  if (failed(operands))
    return failure();
  std::string kind = llvm::formatv("pixel{0}_{1}", top, left);
  Value weight = packWeight(
      op, operands->weight, shape, kind,
      [&](ArrayRef<float> w, int64_t, int64_t o, int64_t i, int64_t, int64_t) {
        int64_t pixel = o / channels;
        int64_t ky = pixel / width + top, kx = pixel % width + left;
        return w[((i * channels + o % channels) * kh + ky) * kw + kx];
      });
  Exprs sizes = makeContractionSizes();
  sizes[kImages] = operands->dims[0];
  sizes[kRows] = sizes[kColumns] = expr(1);
  sizes[kInImage] = expr(shape.inputs);
  sizes[kOutImage] = expr(shape.outputs);
  // Counted like other transposed convolutions, zeros included.
  return contract(op, shape, *operands, op.getX(), weight, sizes, {},
                  flopsLeft);
}

FailureOr<Value> Lowering::lowerConvTranspose(ConvTranspose2dOp op) {
  auto weightType = typeOf(op.getWeight());
  int64_t kernel[2] = {weightType.getDimSize(2), weightType.getDimSize(3)};
  if (isOfPixel(op))
    return lowerConvTransposeOfPixel(op);

  const Dims out = getDims(op.getY());
  int64_t channels = weightType.getDimSize(1);
  SmallVector<Sweep> sweeps[2];
  for (int axis : {0, 1})
    sweeps[axis] = getSweeps(getGeometry(op, axis), out[2 + axis]);
  Value x = op.getX();
  if (readsBorder(op))
    x = withBorder(op.getLoc(), x, getInputBorder(op));

  // What no tap reaches is written before the rest.
  Value result;
  if (static_cast<int64_t>(sweeps[0].size()) < op.getStrides()[0] ||
      static_cast<int64_t>(sweeps[1].size()) < op.getStrides()[1]) {
    auto filled = lowerEpilogue(op);
    if (failed(filled))
      return failure();
    result = *filled;
  }
  Contraction shape = getShape(op);
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  auto getChosen = [&](const Sweep &rows, const Sweep &columns) {
    Contraction phase = getPhase(shape, rows, columns);
    choosePrecision(op, phase);
    return phase;
  };
  auto haveDotProducts = [&](const Sweep &rows) {
    return llvm::all_of(sweeps[1], [&](const Sweep &columns) {
      return getChosen(rows, columns).dotProducts();
    });
  };
  if (auto conversion = getConversion(op.getY(), op.getResidual());
      conversion && !result && llvm::all_of(sweeps[0], haveDotProducts))
    operands->storeChannelsFirst(conversion);
  for (const Sweep &rows : sweeps[0])
    for (const Sweep &columns : sweeps[1]) {
      Contraction phase = getChosen(rows, columns);
      std::string kind = "taps";
      for (const Sweep *sweep : {&rows, &columns})
        for (int64_t element : sweep->elements)
          kind += "_" + std::to_string(element);
      Value weight =
          packWeight(op, operands->weight, phase, kind,
                     [&](ArrayRef<float> w, int64_t g, int64_t o, int64_t i,
                         int64_t ty, int64_t tx) {
                       int64_t ky = rows.elements[ty],
                               kx = columns.elements[tx];
                       int64_t c = (g * shape.inputs + i) * channels + o;
                       return w[(c * kernel[0] + ky) * kernel[1] + kx];
                     });
      Exprs sizes = makeContractionSizes();
      sizes[kImages] = out[0];
      sizes[kRows] = rows.positions;
      sizes[kColumns] = columns.positions;
      placeInput(sizes, x, -rows.first, -columns.first);
      placeOutput(sizes, *operands, op.getStrides()[0], op.getStrides()[1],
                  rows.firstOutput, columns.firstOutput);
      // Of integers, what kernels along the inputs read lies in another order.
      if (phase.precision == Precision::INT8) {
        auto own = layerOperands(op, phase);
        if (failed(own))
          return failure();
        operands->bias = own->bias;
      }
      result = contract(op, phase, *operands, x, weight, sizes, result);
    }
  return result;
}
