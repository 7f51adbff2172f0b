// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/LayerCheck.h"

#include "compiler/import/native/NativeImporter.h"
#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::test;
using reference::Tensor;

//===----------------------------------------------------------------------===//
// Limits
//===----------------------------------------------------------------------===//

/// Half a unit in the last place of f32, relative.
static constexpr double kRounding = 0x1p-24;

/// An operation with exact operands may be off by this much of the magnitudes
/// that it works with (see Magnitudes), in the L2 norm.
///
/// A sum of K products is rounded K times, at partial sums that grow as sqrt(K)
/// if signs are random. The error, kRounding * K / 2 of one product, is less
/// than kRounding of the sum of all magnitudes, whatever K. Functions in f32
/// are good to some units in the last place; 8 leaves room for them and for bad
/// luck. A mistake is orders of magnitude larger.
static constexpr double kLayerLimit = 8 * kRounding;

/// The same where weights and inputs are rounded to bf16: half a unit in the
/// last place each. Sums are f32.
static constexpr double kBf16Limit = 0x1.02p-8;

/// The same in block floating point, where an integer that stands for the
/// largest of its block has 14 bits.
static constexpr double kBfp16Limit = 0x1p-13;

static double getRounding(Precision precision) {
  return precision == Precision::BF16    ? kBf16Limit
         : precision == Precision::BFP16 ? kBfp16Limit
                                         : kLayerLimit;
}

/// A result of f16 is rounded once more. Its weights are, too, which the
/// interpreter knows.
static constexpr double kF16Rounding = 0x1p-11;

static bool isF16(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType().isF16();
}

/// Of integers that a function of f32 gives, some are the next ones. This many
/// in a hundred, at most.
static constexpr double kMostOffByOne = 0.1;

/// Winograd's algorithm works with the magnitudes of a whole tile, and loses
/// more the larger the tile: this many times as much.
static double getLimit(Operation *op) {
  if (isIntegerLayer(op))
    return getQuantizedType(op->getResult(0)) ? kMostOffByOne : kLayerLimit;
  int64_t factor = std::max<int64_t>(1, getAlgorithm(op).winograd);
  double rounding = isF16(op->getResult(0)) ? kF16Rounding : 0;
  return rounding + factor * getRounding(getPrecision(op));
}

/// Results of an entry point may differ by this, relatively, and by some times
/// what a change of the inputs by kNudge changes: errors of layers are carried
/// on like those of inputs. What a stage may get wrong (an epsilon, a flipped
/// kernel, a lost bias) is larger; the comparison with PyTorch is stricter.
static constexpr double kEntryLimit = 1e-4, kNudge = 0x1p-20, kNudgeFactor = 8;

/// The same with layers of less than f32: some times what one of them may be
/// off.
static constexpr double kNarrowFactor = 4;

/// Weights that are stored as integers change the results of an entry point by
/// about so much, relatively. Of a layer, the interpreter knows them.
static constexpr double kWeight8Rounding = 0x1p-6, kWeight4Rounding = 0x1p-2;

/// A probability close to 1 has few digits left of its distance from 1, whose
/// logarithm a likelihood may sum up.
static constexpr double kProbabilityLimit = 0.1;

/// A magnitude of this, or this less another one, says: the result may be
/// infinite or NaN, for sums are made in another order, and infinities that
/// cancel, or meet a zero, give NaN.
static constexpr double kInfiniteOrNan = -2;

/// A magnitude that says: f32 cannot hold what the result is made of, so that
/// it may be anything.
static constexpr double kOutOfRange = -1;

/// Whether numbers of one kind become others of it, or of another.
static bool isConversion(Operation *op) {
  return isa<ConvertLayoutOp>(op) &&
         getElementTypeOrSelf(op->getOperand(0).getType()) !=
             getElementTypeOrSelf(op->getResult(0).getType());
}

/// The integers that numbers stand for.
static Tensor quantize(const Tensor &numbers, Value quantized) {
  Quantization of(getQuantizedType(quantized));
  Tensor result = numbers;
  for (float &value : result.data)
    value = of.quantize(value);
  return result;
}

/// Whether an activation rounds nothing.
static bool isExact(ActivationAttr activation) {
  return !activation ||
         llvm::is_contained({ActivationKind::Relu, ActivationKind::Relu6,
                             ActivationKind::Clamp},
                            activation.getKind());
}

/// Results that are one rounding of an exact value are equal, bit for bit.
static bool isExact(Operation *op) {
  if (isIntegerLayer(op)) {
    auto epilogue = dyn_cast<EpilogueOpInterface>(op);
    return !epilogue || isExact(epilogue.getEpilogueActivation());
  }
  if (auto pool = dyn_cast<Pool2dOp>(op))
    return pool.getKind() == PoolKind::Max;
  if (auto pool = dyn_cast<GlobalPoolOp>(op))
    return pool.getKind() == PoolKind::Max;
  if (auto upsample = dyn_cast<UpsampleOp>(op))
    return upsample.getMode() == ResizeMode::Nearest;
  if (auto resize = dyn_cast<ResizeOp>(op))
    return resize.getMode() != ResizeMode::Bilinear;
  return isa<AddOp, SubOp, MulOp, ConcatOp, SplitOp, SliceOp, CropOp, PadOp,
             ReshapeOp, TransposeOp, DropoutOp, EmbeddingOp, PixelShuffleOp,
             PixelUnshuffleOp, RepeatChannelsOp>(op);
}

Difference vae::test::compare(const Tensor &found, const Tensor &expected,
                              const Tensor *magnitude) {
  Difference result;
  double square = 0, norm = 0, most = 0;
  for (size_t i = 0; i < expected.data.size(); ++i) {
    double a = found.data[i], b = expected.data[i];
    double size = magnitude ? magnitude->data[i] : b;
    if (size == kOutOfRange || (std::isfinite(b) && std::isinf(size)))
      continue; // f32 overflows on the way, f64 does not
    if (size <= kInfiniteOrNan && !std::isfinite(a))
      continue;
    if (std::isfinite(a) && std::isfinite(b)) {
      square += (a - b) * (a - b);
      if (result.misplaced == 0 && std::fabs(a - b) > most) {
        most = std::fabs(a - b);
        result.first = i;
      }
      norm += std::isfinite(size) ? size * size : 0;
    } else if (a != b && !(std::isnan(a) && std::isnan(b))) {
      if (result.misplaced++ == 0)
        result.first = i;
    }
  }
  // Below the smallest normal number f32 has fewer digits.
  result.error = square == 0 ? 0 : std::sqrt(square / std::max(norm, 1e-60));
  return result;
}

/// What is wrong with a tensor; empty if nothing is.
static std::string check(const llvm::Twine &what, const Tensor &found,
                         const Tensor &expected, const Tensor *magnitude,
                         double limit, double &worst) {
  if (found.shape != expected.shape)
    return (what + ": another shape than expected").str();
  Difference difference = compare(found, expected, magnitude);
  if (!difference.within(limit))
    return what.str() +
           llvm::formatv(
               ": error {0:e2}, limit {1:e2}, {2} of {3} elements "
               "are NaN or infinite in one only; element {4} is {5:e8}, "
               "expected {6:e8}",
               difference.error, limit, difference.misplaced, found.data.size(),
               difference.first, found.data[difference.first],
               expected.data[difference.first])
               .str();
  if (limit > 0)
    worst = std::max(worst, difference.error / limit);
  return "";
}

//===----------------------------------------------------------------------===//
// Magnitudes
//===----------------------------------------------------------------------===//

static float getLargest(const Tensor &tensor) {
  float most = 0;
  for (float value : tensor.data)
    most = std::max(most, std::fabs(value));
  return most;
}

static void makePositive(Tensor &tensor) {
  for (float &value : tensor.data)
    value = std::fabs(value);
}

/// The absolute values times `sign`.
static ElementsAttr makePositive(ElementsAttr value, float sign) {
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(value, storage);
  std::vector<float> positive(values.begin(), values.end());
  for (float &number : positive)
    number = sign * std::fabs(number);
  return makeWeight("positive", value.getShapedType().getShape(),
                    std::move(positive), value.getContext());
}

static bool isSubtracted(Operation *op, Value operand) {
  auto norm = dyn_cast<BatchNormOp>(op);
  return norm && operand == norm.getMean();
}

/// By how much an activation enlarges an error, at most.
static double getSlope(ActivationAttr activation) {
  if (!activation)
    return 1;
  if (activation.getKind() == ActivationKind::Selu)
    return 1.76;
  return std::max({1.0, 1.2, std::fabs(activation.getAlpha())});
}

/// Sum of the magnitudes that cancel in a log-likelihood, per element.
static double getMagnitude(LogLikelihoodOp op, double x, double y,
                           double logvar) {
  switch (op.getLikelihood()) {
  case Likelihood::BernoulliLogits:
    return 1 + std::fabs(x * y) + std::fabs(y);
  case Likelihood::Bernoulli: {
    auto part = [](double weight, double p) {
      return std::fabs(weight) * std::min(100.0, std::fabs(std::log(p)));
    };
    return 1 + part(x, y) + part(1 - x, 1 - y);
  }
  case Likelihood::Gaussian: {
    double scale = op.getScale().convertToDouble();
    double variance = op.getLogvar() ? std::exp(logvar) : scale * scale;
    double log = op.getLogvar() ? logvar : 2 * std::log(scale);
    return 1 + (x - y) * (x - y) / variance + std::fabs(log);
  }
  case Likelihood::Laplace: {
    double scale = op.getScale().convertToDouble();
    return 1 + std::fabs(x - y) / scale + std::fabs(std::log(2 * scale));
  }
  }
  return 1;
}

/// The same of a KL divergence. Its terms cancel near the prior, and it has to
/// be right there, too: their sizes do not count, only the error of a
/// logarithm.
static double getMagnitude(double mu, double logvar, double priorMean,
                           double priorStd) {
  double distance = (mu - priorMean) / priorStd, logStd = std::log(priorStd);
  double logRatio = logvar - 2 * logStd, slope = std::expm1(logRatio);
  return distance * distance + slope - logRatio +
         std::fabs(slope) * (std::fabs(logRatio) + std::fabs(2 * logStd));
}

/// Sums over the elements of each example.
static Tensor sumExamples(const Tensor &x, const Tensor &result,
                          function_ref<double(size_t)> f) {
  Tensor sums = result;
  size_t count = x.data.size() / x.shape[0];
  for (size_t n = 0; n < sums.data.size(); ++n) {
    double sum = 0;
    for (size_t i = n * count; i < (n + 1) * count; ++i)
      sum += f(i);
    sums.data[n] = sum;
  }
  return sums;
}

/// Each element gets the largest magnitude of its plane, of which a tile is a
/// part, or of a pixel in its window that no result of the plane needs. What is
/// not finite may make NaN of all of it.
static void spreadOverPlanes(Tensor &magnitude, const Tensor &x,
                             ElementsAttr weight) {
  std::vector<float> storage;
  float largest = 0;
  for (float value : getFloats(weight, storage))
    largest = std::max(largest, std::fabs(value));
  // The largest number, and whether all are numbers.
  auto getLargestOf = [](ArrayRef<float> values) {
    std::pair<float, bool> result = {0, true};
    for (float value : values)
      if (std::isfinite(value))
        result.first = std::max(result.first, std::fabs(value));
      else
        result.second = false;
    return result;
  };
  auto [pixel, finite] = getLargestOf(x.data);
  size_t plane = magnitude.shape[2] * magnitude.shape[3];
  for (size_t first = 0; first < magnitude.data.size(); first += plane) {
    auto values = MutableArrayRef(magnitude.data).slice(first, plane);
    auto [most, allFinite] = getLargestOf(values);
    most = std::max(most, pixel * largest);
    if (!finite || !allFinite)
      most = static_cast<float>(kInfiniteOrNan) - most;
    std::fill(values.begin(), values.end(), most);
  }
}

/// For each element of a result, the magnitudes that were added to get it, or
/// were mapped to it: what an error in f32 is relative to.
llvm::Expected<Tensor> LayerCheck::getMagnitude(Operation *op,
                                                ArrayRef<Tensor> operands,
                                                const Tensor &result) {
  Tensor magnitude = result;
  makePositive(magnitude);
  if (isIntegerLayer(op)) {
    // Before the activation, f32 has been rounded as the interpreter does it.
    bool integers = getQuantizedType(op->getResult(0)) != nullptr;
    for (float &size : magnitude.data)
      size = integers ? 1 : size + 1;
    return magnitude;
  }
  if (isa<DenseOp, Conv2dOp, ConvTranspose2dOp, Pool2dOp, GlobalPoolOp,
          UpsampleOp, ResizeOp, MeanChannelsOp, BatchNormOp, ChannelAffineOp>(
          op)) {
    auto sums = interpretAlone(op, operands, /*positive=*/true);
    if (!sums)
      return sums.takeError();
    ActivationAttr activation;
    if (auto layer = dyn_cast<EpilogueOpInterface>(op))
      activation = layer.getEpilogueActivation();
    bool exp = activation && activation.getKind() == ActivationKind::Exp;
    for (auto [size, sum] : llvm::zip_equal(magnitude.data, (*sums)[0].data))
      size += exp ? size * sum : sum * getSlope(activation);
  } else if (auto kl = dyn_cast<KlOp>(op)) {
    // Constants are no operands here; a prior has a mean and a deviation per
    // channel.
    std::vector<double> means = {0}, deviations = {1};
    if (kl.getPriorMean()) {
      means = *getConstantVector(kl.getPriorMean());
      deviations = *getConstantVector(kl.getPriorStd());
    }
    size_t inner = 1;
    for (int64_t size : ArrayRef(operands[0].shape).drop_front(2))
      inner *= size;
    return sumExamples(operands[0], result, [&](size_t i) {
      size_t c = i / inner % means.size();
      return ::getMagnitude(operands[0].data[i], operands[1].data[i], means[c],
                            deviations[c]);
    });
  } else if (auto likelihood = dyn_cast<LogLikelihoodOp>(op)) {
    return sumExamples(operands[0], result, [&](size_t i) {
      return ::getMagnitude(likelihood, operands[0].data[i],
                            operands[1].data[i],
                            operands.size() > 2 ? operands[2].data[i] : 0);
    });
  } else if (isa<GroupNormOp, RmsNormOp, LayerNormOp>(op)) {
    ActivationAttr activation;
    if (auto norm = dyn_cast<EpilogueOpInterface>(op))
      activation = norm.getEpilogueActivation();
    for (size_t i = 0; i < magnitude.data.size(); ++i) {
      // A bias or the residual may cancel.
      float residual = operands.size() > 1 ? operands[1].data[i] : 0;
      magnitude.data[i] += (2 + std::fabs(residual)) * getSlope(activation);
    }
  } else if (isa<AttentionOp, LinearAttentionOp>(op)) {
    // A mean of values, whose weights are exponentials of scores.
    float most = getLargest(operands.back());
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      double terms = cast<RankedTensorType>(attention.getQuery().getType())
                         .getShape()[operands[0].shape.size() == 4 ? 1 : 2];
      most *= 1 + std::fabs(attention.getScale().convertToDouble()) *
                      std::sqrt(terms) * getLargest(operands[0]) *
                      getLargest(operands[1]);
    }
    for (float &size : magnitude.data)
      size += most;
  } else if (isa<ReparameterizeOp>(op)) {
    for (size_t i = 0; i < magnitude.data.size(); ++i) {
      float logvar = operands[1].data[i], deviation = std::exp(logvar / 2);
      magnitude.data[i] += 2 * std::fabs(operands[0].data[i]) + deviation;
      bool vanishes = deviation < 1e-37f && !std::isfinite(operands[2].data[i]);
      if (std::isfinite(logvar) && (deviation > 1e38f || vanishes))
        magnitude.data[i] = kOutOfRange;
    }
  } else if (operands[0].data.size() == result.data.size()) {
    ActivationAttr function;
    if (auto activation = dyn_cast<ActivationOp>(op))
      function = activation.getFunction();
    for (auto [size, x] : llvm::zip_equal(magnitude.data, operands[0].data))
      size += (std::fabs(x) + std::fabs(function ? function.getBeta() : 0)) *
              getSlope(function);
  }
  if (getAlgorithm(op).winograd)
    spreadOverPlanes(magnitude, operands[0],
                     getConstant(op->getOperand(1)).getValue());
  if (isa<AttentionOp, LinearAttentionOp>(op))
    for (auto [size, y] : llvm::zip_equal(magnitude.data, result.data))
      if (std::isinf(y))
        size = kInfiniteOrNan;
  return magnitude;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

LayerCheck::LayerCheck(const std::string &path, const CompileOptions &options,
                       MLIRContext &context, std::string &error) {
  ImportOptions importOptions;
  importOptions.allowNonfinite = options.allowNonfinite;
  imported = importNativeModel(path, importOptions, context);
  if (!imported) {
    error = path + ": cannot be imported";
    return;
  }
  fused = imported->clone();
  PassManager pm(&context);
  buildSimplify(pm, options);
  buildCompress(pm, options);
  buildFuse(pm, options);
  if (failed(pm.run(*fused)))
    error = path + ": a stage failed";
}

llvm::Expected<std::vector<Tensor>>
LayerCheck::interpretAlone(Operation *op, ArrayRef<Tensor> operands,
                           bool positive) {
  OpBuilder builder(op->getContext());
  scratch = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(scratch->getBody());
  // Magnitudes may be larger than f16 holds.
  auto getType = [&](Value value) -> Type {
    auto type = cast<RankedTensorType>(value.getType());
    return positive ? type.clone(builder.getF32Type()) : type;
  };
  SmallVector<Type> types, resultTypes;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      types.push_back(getType(operand));
  for (Value result : op->getResults())
    resultTypes.push_back(getType(result));
  auto function =
      func::FuncOp::create(builder, op->getLoc(), "layer",
                           builder.getFunctionType(types, resultTypes));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  IRMapping mapping;
  unsigned next = 0;
  for (Value operand : op->getOperands()) {
    auto constant = operand.getDefiningOp<ConstantOp>();
    if (!constant)
      mapping.map(operand, block->getArgument(next++));
    else if (positive)
      mapping.map(
          operand,
          ConstantOp::create(builder, op->getLoc(),
                             makePositive(constant.getValue(),
                                          isSubtracted(op, operand) ? -1 : 1)));
    else
      mapping.map(operand, builder.clone(*constant)->getResult(0));
  }
  Operation *copy = builder.clone(*op, mapping);
  for (auto [result, type] : llvm::zip_equal(copy->getResults(), resultTypes))
    result.setType(type);
  func::ReturnOp::create(builder, op->getLoc(), copy->getResults());
  std::vector<Tensor> inputs(operands.begin(), operands.end());
  if (positive) {
    for (Tensor &input : inputs)
      makePositive(input);
    if (auto layer = dyn_cast<EpilogueOpInterface>(copy))
      layer.setEpilogueActivation({});
  }
  return reference::interpret(function, inputs);
}

std::string LayerCheck::checkLayers(StringRef entry, ArrayRef<Tensor> inputs,
                                    ArrayRef<Tensor> outputs, double &worst) {
  auto function = fused->lookupSymbol<func::FuncOp>(entry);
  Block &block = function.front();
  // What the library computed; where that is not known, the interpreter.
  DenseMap<Value, const Tensor *> values;
  DenseMap<const Tensor *, std::unique_ptr<Tensor>> own;
  std::vector<std::unique_ptr<Tensor>> conversions; // of numbers
  auto keep = [&](Tensor tensor) {
    conversions.push_back(std::make_unique<Tensor>(std::move(tensor)));
    return conversions.back().get();
  };
  for (auto [argument, input] : llvm::zip_equal(block.getArguments(), inputs))
    values[argument] = &input;
  for (auto [value, output] :
       llvm::zip_equal(block.getTerminator()->getOperands(), outputs))
    for (auto [same, tensor] = std::pair<Value, const Tensor *>(value, &output);
         same;) {
      values[same] = tensor;
      auto convert = same.getDefiningOp<ConvertLayoutOp>();
      if (!convert)
        break;
      Value x = convert.getX();
      bool rounds = (isF16(convert.getY()) && !isF16(x)) ||
                    (getQuantizedType(convert.getY()) && isConversion(convert));
      if (!rounds && getQuantizedType(x) && isConversion(convert))
        tensor = keep(quantize(*tensor, x));
      same = rounds ? Value() : x;
    }
  for (Operation &op : block.without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    if (auto convert = dyn_cast<ConvertLayoutOp>(op)) {
      const Tensor *x = values.lookup(convert.getX());
      if (isConversion(convert) && !values.contains(convert.getY())) {
        auto rounded = interpretAlone(&op, *x, /*positive=*/false);
        if (!rounded)
          return llvm::toString(rounded.takeError());
        values[convert.getY()] = keep((*rounded)[0]);
      } else if (!isConversion(convert)) {
        values[convert.getY()] = x;
      }
      continue;
    }
    std::vector<Tensor> operands;
    bool exact = isExact(&op);
    for (Value operand : op.getOperands()) {
      if (operand.getDefiningOp<ConstantOp>())
        continue;
      operands.push_back(*values.lookup(operand));
      exact &= !own.count(values.lookup(operand));
    }
    auto expected = interpretAlone(&op, operands, /*positive=*/false);
    if (!expected)
      return llvm::toString(expected.takeError());
    for (auto [result, tensor] : llvm::zip_equal(op.getResults(), *expected)) {
      std::string what = op.getName().getStringRef().str() + " of layer '" +
                         getLayerName(op.getLoc()).str() + "'";
      const Tensor *found = values.lookup(result);
      if (!found) { // allowed where the ABI cannot state the shape
        bool frames = tensor.shape[0] != inputs[0].shape[0];
        auto type = cast<RankedTensorType>(result.getType());
        if (type.getNumDynamicDims() < 2 && !frames)
          return what + ": its result is not exposed";
        auto copy = std::make_unique<Tensor>(tensor);
        values[result] = copy.get();
        own[copy.get()] = std::move(copy);
        continue;
      }
      auto magnitude = getMagnitude(&op, operands, tensor);
      if (!magnitude)
        return llvm::toString(magnitude.takeError());
      std::string wrong = check(what, *found, tensor, &*magnitude,
                                exact ? 0 : getLimit(&op), worst);
      if (!wrong.empty())
        return wrong;
    }
  }
  return "";
}

std::string LayerCheck::checkEntry(StringRef entry, ArrayRef<Tensor> inputs,
                                   ArrayRef<Tensor> outputs, double &worst) {
  auto function = imported->lookupSymbol<func::FuncOp>(entry);
  auto expected = reference::interpret(function, inputs);
  if (!expected)
    return llvm::toString(expected.takeError());
  Precision precision = getPrecision(*fused);
  double rounding = getStorage(*fused) != Storage::F32 ? kF16Rounding : 0;
  if (precision == Precision::INT8)
    return ""; // what ranges cut off has no limit
  if (precision != Precision::F32)
    rounding = std::max(rounding, getRounding(precision));
  fused->walk([&](PrunableOpInterface op) {
    if (isWeightOnlyLayer(op))
      rounding = std::max(rounding,
                          getWeightType(op).getStorageTypeIntegralWidth() == 4
                              ? kWeight4Rounding
                              : kWeight8Rounding);
  });
  double nudge = rounding ? rounding : kNudge;
  std::vector<Tensor> nudged(inputs.begin(), inputs.end());
  for (Tensor &input : nudged)
    for (auto [i, value] : llvm::enumerate(input.data))
      value *= 1 + (i % 3 - 1.0) * nudge;
  auto others = reference::interpret(function, nudged);
  if (!others)
    return llvm::toString(others.takeError());
  if (expected->size() > outputs.size())
    return "outputs are missing";
  bool probabilities = false;
  function.walk([&](LogLikelihoodOp op) {
    probabilities |= op.getLikelihood() == Likelihood::Bernoulli;
  });
  for (auto [index, tensor] : llvm::enumerate(*expected)) {
    double change = compare((*others)[index], tensor).error;
    std::string wrong =
        check("output " + llvm::Twine(index), outputs[index], tensor, nullptr,
              (probabilities ? kProbabilityLimit
               : rounding    ? kNarrowFactor * rounding
                             : kEntryLimit) +
                  kNudgeFactor * change,
              worst);
    if (!wrong.empty())
      return wrong;
  }
  return "";
}
