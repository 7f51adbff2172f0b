// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense layers and convolutions.
#include "compiler/conversion/Lowering.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/kernels/SparseWeights.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"

#include <cmath>

using namespace mlir;
using namespace vae;

FailureOr<Lowering::Operands> Lowering::layerOperands(Operation *op,
                                                      Epilogued layer,
                                                      const Contraction &shape,
                                                      int64_t repeat) {
  Operands operands;
  operands.weight = getConstant(layer.weight);
  if (!operands.weight)
    return op->emitError() << "the weight must be a constant";
  ConstantOp bias = layer.bias ? getConstant(layer.bias) : ConstantOp();
  if (layer.bias && !bias)
    return op->emitError() << "the bias must be a constant";
  std::vector<float> storage, repeated;
  if (bias) {
    ArrayRef<float> values = getFloats(bias.getValue(), storage);
    for (int64_t i = 0; i < repeat; ++i)
      repeated.insert(repeated.end(), values.begin(), values.end());
  }
  if (shape.precision == Precision::INT8) {
    operands.bias = constant(
        op->getLoc(),
        (getWeightName(operands.weight.getValue()) + ".quant").str(),
        packInt8Parameters(op, shape, repeated, repeat, layer.residual));
  } else if (bias) {
    operands.bias =
        constant(op->getLoc(), (getWeightName(bias.getValue()) + ".p").str(),
                 packBias(shape, repeated));
  }
  operands.border = wantedBorders.lookup(op);
  operands.residual = layer.residual;
  operands.epilogue = {operands.bias != nullptr, operands.residual != nullptr,
                       layer.activation};
  operands.type = typeOf(op->getResult(0));
  operands.dims = getDims(op->getResult(0));
  return operands;
}

ConvertLayoutOp Lowering::getConversion(Value result, Value residual) {
  if (residual || !result.hasOneUse() || !isChannelsLast(result))
    return {};
  auto conversion = dyn_cast<ConvertLayoutOp>(*result.getUsers().begin());
  // One that changes the numbers only, or makes integers, is an operation.
  if (!conversion || isChannelsLast(conversion.getY()) ||
      getQuantizedType(conversion.getX()) !=
          getQuantizedType(conversion.getY()))
    return {};
  return conversion;
}

std::vector<float> Lowering::packInt8Parameters(Operation *op,
                                                const Contraction &shape,
                                                ArrayRef<float> bias,
                                                int64_t repeat,
                                                Value residual) {
  std::vector<float> scales = getSumScales(op), repeated;
  for (int64_t i = 0; i < repeat; ++i)
    repeated.insert(repeated.end(), scales.begin(), scales.end());
  std::vector<float> biases(bias.begin(), bias.end());
  biases.resize(repeated.size(), 0.0f);
  std::vector<float> packed = packBias(shape, repeated);
  std::vector<float> packedBias = packBias(shape, biases);
  packed.insert(packed.end(), packedBias.begin(), packedBias.end());
  float parameters[kNumInt8Parameters] = {};
  auto data = cast<PrunableOpInterface>(op).getDataOperand().get();
  parameters[kInputZeroPoint] = getQuantizedType(data).getZeroPoint();
  if (residual)
    if (auto type = getQuantizedType(residual)) {
      Quantization of(type);
      parameters[kResidualZeroPoint] = of.zeroPoint;
      parameters[kResidualScale] = of.scale;
    }
  if (auto type = getQuantizedType(op->getResult(0))) {
    Quantization of(type);
    parameters[kResultInverse] = of.inverse;
    parameters[kResultLow] = of.lowest - of.zeroPoint;
    parameters[kResultHigh] = of.highest - of.zeroPoint;
    parameters[kResultZeroPoint] = of.zeroPoint;
  }
  packed.insert(packed.end(), std::begin(parameters), std::end(parameters));
  return packed;
}

void Lowering::choosePrecision(Operation *op, Contraction &shape) {
  if (isIntegerLayer(op)) {
    shape.precision = Precision::INT8;
    // Zeros of the border are the zero point: sums are those of all taps.
    shape.padded = false;
    return;
  }
  if (!shape.depthwise() && !shape.dotProducts() && shape.inputs > 0)
    shape.precision =
        getPrecision(op) == Precision::BF16 ? Precision::BF16 : Precision::F32;
  if (isWeightOnlyLayer(op) && hasWeightOnlyForm(shape) &&
      shape.precision == Precision::F32)
    shape.weights = getWeightForm(op);
  Sparsity sparsity = getSparsity(op);
  if (sparsity != Sparsity::None && hasSparseForm(shape, sparsity))
    shape.weights.sparsity = sparsity;
}

Lowering::Exprs Lowering::makeContractionSizes() {
  Exprs sizes(kNumContractionSizes, expr(0));
  sizes[kOutChannel] = expr(1);
  return sizes;
}

static std::vector<uint16_t> toF16(ArrayRef<float> values) {
  std::vector<uint16_t> result(values.size());
  llvm::transform(values, result.begin(), roundToF16);
  return result;
}

/// How often MappedFiles is told what has been read of one weight.
static constexpr int64_t kReadElements = 1 << 20;

Value Lowering::packWeight(Operation *op, ConstantOp source,
                           const Contraction &shape, StringRef kind,
                           function_ref<float(ArrayRef<float>, int64_t, int64_t,
                                              int64_t, int64_t, int64_t)>
                               weight) {
  // Entry points share what they pack: the key is the source and the packing.
  std::string key;
  bool half = hasF16Weights(op) && !isWeightOnlyLayer(op);
  llvm::raw_string_ostream(key)
      << source.getValue().getAsOpaquePointer() << shape.name() << kind << half;
  if (getWeightType(op))
    llvm::raw_string_ostream(key) << getWeightType(op).getAsOpaquePointer();
  ElementsAttr &packed = packedWeights.values[key];
  if (!packed) {
    std::vector<float> storage;
    ArrayRef<float> values = getFloats(source.getValue(), storage);
    bool rounds = isWeightOnlyLayer(op) && shape.weights.bits == 0;
    if (rounds) // there is no kernel for its integers
      values = storage =
          dequantizeWeight(values, source.getValue().getShapedType().getShape(),
                           getWeightType(op));
    MappedFiles &files =
        op->getContext()->getLoadedDialect<VaeDialect>()->getMappedFiles();
    int64_t read = 0;
    auto get = [&](int64_t g, int64_t o, int64_t i, int64_t ky, int64_t kx) {
      if (++read % kReadElements == 0)
        files.countRead(kReadElements * sizeof(float));
      return weight(values, g, o, i, ky, kx);
    };
    std::string name = (getWeightName(source.getValue()) + ".p").str();
    auto make = [&](auto result, auto makeWeight) {
      int64_t size = result.size();
      packed = makeWeight(name, {size}, std::move(result), op->getContext());
    };
    if (shape.precision == Precision::INT8) {
      std::vector<int8_t> integers =
          quantizeWeight(values, source.getValue().getShapedType().getShape(),
                         getWeightType(op));
      std::vector<float> numbers(integers.begin(), integers.end());
      auto getInteger = [&](int64_t g, int64_t o, int64_t i, int64_t ky,
                            int64_t kx) {
        return static_cast<int8_t>(weight(numbers, g, o, i, ky, kx));
      };
      if (shape.depthwise())
        make(vae::packWeight(shape, getInteger), makeWeight);
      else
        make(packInt8Weight(shape, getInteger), makeInt8Weight);
    } else if (shape.weights.bits)
      packed = packIntegers(op, source.getValue(), name, shape, weight);
    else if (shape.weights.sparsity != Sparsity::None)
      make(packSparseWeight(shape, get), makeInt8Weight);
    else if (shape.precision == Precision::BF16)
      make(packBf16Weight(shape, get), makeBf16Weight);
    else if (half)
      make(toF16(vae::packWeight(shape, get)), makeF16Weight);
    else
      make(vae::packWeight(shape, get), makeWeight);
  }
  return ConstantOp::create(builder, op->getLoc(), packed);
}

/// Whether zeros in the border give zeros.
static bool isFinite(Value weight) {
  std::vector<float> storage;
  return llvm::all_of(getFloats(getConstant(weight).getValue(), storage),
                      [](float value) { return std::isfinite(value); });
}

Value Lowering::storeTransformed(Operation *op, const Winograd &form,
                                 Value weight) {
  ElementsAttr source = getConstant(weight).getValue();
  std::string key;
  llvm::raw_string_ostream(key)
      << source.getAsOpaquePointer() << form.name() << " of "
      << WinogradPanels::of(target, form.outputs).width;
  ElementsAttr &stored = packedWeights.values[key];
  if (!stored) {
    std::vector<float> storage;
    std::vector<float> values =
        transformWinogradWeights(target, form, getFloats(source, storage));
    int64_t size = values.size();
    stored = makeWeight((getWeightName(source) + ".u").str(), {size},
                        std::move(values), op->getContext());
  }
  return ConstantOp::create(builder, op->getLoc(), stored);
}

Value Lowering::transformWeight(Operation *op, const Winograd &form,
                                const WeightForm &stored, Value weight) {
  if (getAlgorithm(op).stored)
    return storeTransformed(op, form, weight);
  AffineExpr elements = expr(getWinogradWeightSize(target, form));
  const Dims dims = {elements};
  auto type = scratchType(dims);
  constexpr int64_t alone = int64_t(1) << 20; // operations worth a thread
  auto kernel = getWinogradWeightKernel(module, op->getLoc(),
                                        getTarget(weight, type), form, stored);
  return launch(op->getLoc(), kernel, {weight}, {}, alone, type, dims, {},
                {expr(0), countRead(weight), elements});
}

/// The form in block floating point, if the machine has it.
static std::optional<Winograd> getBlockFloat(const KernelTarget &target,
                                             const Contraction &shape,
                                             std::optional<Winograd> form) {
  std::optional<Winograd> result = form ? form : Winograd::ofPointwise(shape);
  if (!result || !hasBlockFloat(target, *result))
    return form;
  result->blockFloat = true;
  return result;
}

Value Lowering::contract(Operation *op, Contraction shape,
                         const Operands &operands, Value x, Value weight,
                         ArrayRef<AffineExpr> sizes, Value init,
                         AffineExpr flops) {
  AffineExpr written = sizes[kImages] * sizes[kRows] * sizes[kColumns] *
                       (shape.outputs * shape.groups);
  if (!flops)
    flops = written * (2 * shape.taps() * shape.inputs);
  flopsLeft = expr(0);
  // Which taps of the border are read depends on the other positions of a
  // register tile, and so on the batch and on the part of the image.
  std::optional<Winograd> form = getWinograd(op, shape);
  if (getPrecision(op) == Precision::BFP16)
    form = getBlockFloat(target, shape, form);
  if (settled && shape.padded && !form) {
    shape.padded = isFinite(weight);
    shape.signedZeros = shape.padded;
  }
  // Without inputs, neither x nor the weight is read.
  AffineExpr read = shape.inputs ? countRead(x) + countRead(weight) : expr(0);
  Exprs kernelSizes(sizes);
  if (form && shape.flat) // each position is an image
    kernelSizes[kInputRows] = kernelSizes[kInputColumns] = expr(1);
  bool known = shape.weights.sparsity == Sparsity::None;
  SmallVector<Value> inputs = {x, weight};
  expandWeight(op, shape, form.has_value(), sizes[kImages], inputs);
  if (operands.bias) {
    inputs.push_back(operands.bias);
    read = read + count(getDims(operands.bias));
  }
  if (operands.residual) {
    inputs.push_back(operands.residual);
    read = read + countWords(written, operands.residual.getType());
  }
  if (form)
    inputs[1] = transformWeight(op, *form, shape.weights, inputs[1]);
  KernelTarget storing = getTarget(inputs, operands.type);
  auto kernel = form ? getWinogradKernel(module, op->getLoc(), storing, *form,
                                         operands.epilogue)
                     : getContractionKernel(module, op->getLoc(), storing,
                                            shape, operands.epilogue);
  // Several launches of a layer would read what the first has overwritten.
  if (!init && isa<Conv2dOp, Conv3dOp, DenseOp>(op) && operands.residual &&
      op->getOperand(0) != operands.residual &&
      canOverwrite(operands.residual, op))
    init = operands.residual;
  bool bordered = !isEmpty(operands.border);
  if (bordered && !init)
    init = makeBorder(op->getLoc(), operands.dims, operands.border, 0,
                      operands.type);
  Value result = launch(
      op->getLoc(), kernel, inputs, kernelSizes,
      getContractionItemFlops(target, shape), operands.type,
      bordered ? addBorder(operands.dims, operands.border) : operands.dims,
      init, {flops, read, countWords(written, operands.type)});
  // The model knows direct sums of f32 and int8 only.
  Algorithm algorithm = form ? getAlgorithm(op) : Algorithm();
  Precision precision = getPrecision(op);
  known &= algorithm.winograd || precision == Precision::INT8 ||
           (precision == Precision::F32 && shape.weights.bits == 0);
  auto time = getPredictedTime(target, op, algorithm, precision);
  if (known && time)
    result.getDefiningOp()->setAttr(
        kernel::kPredictedAttr,
        builder.getI64IntegerAttr(std::llround(*time * 1000)));
  if (bordered) {
    dims[result] = operands.dims;
    borders[result] = operands.border;
  }
  return result;
}

void Lowering::placeOutput(Exprs &sizes, const Operands &operands, int64_t rows,
                           int64_t columns, int64_t firstRow,
                           int64_t firstColumn) {
  const Border &border = operands.border;
  const Dims all = addBorder(operands.dims, border);
  AffineExpr pixel = operands.channelsFirst ? expr(1) : all[1];
  sizes[kOutChannel] = operands.channelsFirst ? all[2] * all[3] : expr(1);
  sizes[kOutColumn] = pixel * columns;
  sizes[kOutRow] = all[3] * pixel * rows;
  sizes[kOutImage] = all[2] * all[3] * all[1];
  sizes[kOutOffset] =
      (all[3] * (border[0] + firstRow) + (border[1] + firstColumn)) * pixel;
}

void Lowering::placeInput(Exprs &sizes, Value x, int64_t rowsBefore,
                          int64_t columnsBefore) {
  const Dims image = getDims(x);
  const Border border = getBorder(x);
  const Dims all = addBorder(image, border);
  sizes[kInRow] = all[3] * all[1];
  sizes[kInImage] = all[2] * all[3] * all[1];
  sizes[kInOffset] =
      (all[3] * (border[0] - rowsBefore) + (border[1] - columnsBefore)) *
      all[1];
  sizes[kPaddingRows] = expr(rowsBefore);
  sizes[kPaddingColumns] = expr(columnsBefore);
  sizes[kInputRows] = image[2];
  sizes[kInputColumns] = image[3];
}

FailureOr<Value> Lowering::lowerDense(DenseOp op) {
  auto weightType = typeOf(op.getWeight());
  Contraction shape;
  shape.flat = true;
  shape.outputs = weightType.getDimSize(0);
  shape.inputs = weightType.getDimSize(1);
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  Value weight =
      packWeight(op, operands->weight, shape, "dense",
                 [&](ArrayRef<float> w, int64_t, int64_t o, int64_t i, int64_t,
                     int64_t) { return w[o * shape.inputs + i]; });
  Dims outer = getDims(op.getX());
  outer.pop_back();
  Exprs sizes = makeContractionSizes();
  sizes[kImages] = count(outer);
  sizes[kRows] = sizes[kColumns] = expr(1);
  sizes[kInImage] = expr(shape.inputs);
  sizes[kOutImage] = expr(shape.outputs);
  return contract(op, shape, *operands, op.getX(), weight, sizes, {});
}

Contraction vae::getContraction(Conv2dOp op) {
  auto weightType = typeOf(op.getWeight());
  Contraction shape;
  shape.groups = static_cast<int64_t>(op.getGroups());
  shape.outputs = weightType.getDimSize(0) / shape.groups;
  shape.inputs = weightType.getDimSize(1);
  for (int axis : {0, 1}) {
    shape.window[axis] = weightType.getDimSize(2 + axis);
    shape.stride[axis] = op.getStrides()[axis];
    shape.dilation[axis] = op.getDilations()[axis];
  }
  shape.padded =
      llvm::any_of(op.getPadding(), [](int64_t side) { return side > 0; });
  return shape;
}

SmallVector<Contraction> vae::getContractions(Operation *op) {
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return {getContraction(conv)};
  if (auto conv = dyn_cast<ConvTranspose2dOp>(op))
    return getContractions(conv);
  return {};
}

std::optional<Winograd> vae::getWinograd(Operation *op,
                                         const Contraction &shape) {
  int64_t outputs = getAlgorithm(op).winograd;
  // Sums of integers are exact, and direct.
  if (!outputs || isIntegerLayer(op) || !Winograd::canCompute(shape, outputs))
    return std::nullopt;
  return Winograd::of(shape, outputs);
}

bool vae::readsBorder(Operation *op) {
  return llvm::any_of(getContractions(op), [&](const Contraction &shape) {
    return !getWinograd(op, shape);
  });
}

FailureOr<Value> Lowering::lowerConv(Conv2dOp op) {
  auto weightType = typeOf(op.getWeight());
  int64_t groups = op.getGroups();
  int64_t kh = weightType.getDimSize(2), kw = weightType.getDimSize(3);
  Contraction shape = getContraction(op);
  bool padded = shape.padded;
  ConvertLayoutOp channelsFirst;
  if (shape.dotProducts())
    channelsFirst = getConversion(op.getY(), op.getResidual());
  shape.flat = !padded && groups == 1 && kh == 1 && kw == 1 &&
               shape.stride[0] == 1 && shape.stride[1] == 1 &&
               isEmpty(wantedBorders.lookup(op)) &&
               isEmpty(getBorder(op.getX())) && !channelsFirst;
  shape.pixels = shape.flat;
  choosePrecision(op, shape);
  auto operands = layerOperands(op, shape);
  if (failed(operands))
    return failure();
  if (channelsFirst)
    operands->storeChannelsFirst(channelsFirst);
  Value weight =
      packWeight(op, operands->weight, shape, "conv",
                 [&](ArrayRef<float> w, int64_t g, int64_t o, int64_t i,
                     int64_t ky, int64_t kx) {
                   int64_t out = g * shape.outputs + o;
                   return w[((out * shape.inputs + i) * kh + ky) * kw + kx];
                 });
  Value x = op.getX();
  const Dims out = operands->dims;
  Exprs sizes = makeContractionSizes();
  if (shape.flat) {
    sizes[kImages] = out[0] * out[2] * out[3];
    sizes[kRows] = sizes[kColumns] = expr(1);
    sizes[kInImage] = getDims(x)[1];
    sizes[kOutImage] = out[1];
    return contract(op, shape, *operands, x, weight, sizes, {});
  }
  if (padded && readsBorder(op)) {
    Border border;
    llvm::copy(op.getPadding(), border.begin());
    x = withBorder(op.getLoc(), x, border);
  }
  sizes[kImages] = out[0];
  sizes[kRows] = out[2];
  sizes[kColumns] = out[3];
  placeInput(sizes, x, op.getPadding()[0], op.getPadding()[1]);
  placeOutput(sizes, *operands);
  return contract(op, shape, *operands, x, weight, sizes, {});
}
