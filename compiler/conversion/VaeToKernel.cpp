// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From layers to launches of kernels.
#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Lowering.h"
#include "compiler/conversion/Versions.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"

namespace vae {
#define GEN_PASS_DEF_CONVERTVAETOKERNELPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Operations below which a second thread is not worth waking: about 5 us of
/// one core, several times the 0.2-2 us that waking a parked thread costs.
static constexpr int64_t kMinFlopsPerThread = 200000;
/// Bytes of an f32.
static constexpr int64_t kElementSize = 4;

Lowering::Lowering(func::FuncOp function, const KernelTarget &target,
                   bool settled, PackedWeights &packedWeights)
    : function(function), module(function->getParentOfType<ModuleOp>()),
      target(target), settled(settled), packedWeights(packedWeights),
      builder(function.getContext()) {
  if (auto symbols = module->getAttrOfType<ArrayAttr>(kSymbolsAttr))
    numSymbols = std::max<unsigned>(1, symbols.size());
  flops = flopsLeft = expr(0);
}

AffineExpr Lowering::expr(int64_t value) {
  return getAffineConstantExpr(value, function.getContext());
}

AffineExpr Lowering::count(ArrayRef<AffineExpr> dims) {
  return getNumElements(dims, function.getContext());
}

AffineExpr Lowering::countWords(AffineExpr elements, Type type) {
  int64_t perWord = 4 / getElementBytes(type);
  return perWord == 1 ? elements : elements.ceilDiv(perWord);
}

KernelTarget Lowering::getTarget(ValueRange inputs, Type result) const {
  KernelTarget kernel = target;
  SmallVector<Type> buffers(inputs.getTypes());
  buffers.push_back(result);
  for (auto [i, type] : llvm::enumerate(buffers)) {
    if (getElementTypeOrSelf(type).isF16())
      kernel.f16Buffers |= uint32_t(1) << i;
    else if (getElementBytes(type) == 1)
      kernel.byteBuffers |= uint32_t(1) << i;
  }
  return kernel;
}

Dims Lowering::getDims(Value value) {
  auto found = dims.find(value);
  if (found != dims.end())
    return found->second;
  unsigned next = 1; // constants have static shapes
  return dims.try_emplace(value, vae::getDims(typeOf(value), next))
      .first->second;
}

Dims Lowering::getMemoryDims(Value value) {
  Dims order = getDims(value);
  if (isChannelsLast(value))
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

Value Lowering::launch(Location loc, func::FuncOp kernel, ValueRange inputs,
                       ArrayRef<AffineExpr> sizes, int64_t itemFlops,
                       RankedTensorType type, const Dims &resultDims,
                       Value init, Work work) {
  if (!work.flops)
    work.flops = std::exchange(flopsLeft, expr(0));
  if (!work.read) {
    work.read = expr(0);
    for (Value input : inputs)
      work.read = work.read + countRead(input);
  }
  if (!work.written)
    work.written = countWords(count(resultDims), type);
  AffineExpr cost[] = {work.flops, (work.read + work.written) * kElementSize};
  auto map = AffineMap::get(0, numSymbols, sizes, function.getContext());
  int64_t grain = std::max<int64_t>(1, kMinFlopsPerThread /
                                           std::max<int64_t>(1, itemFlops));
  auto elements = AffineMap::get(0, numSymbols, count(resultDims));
  auto op = kernel::LaunchOp::create(
      builder, loc, type, FlatSymbolRefAttr::get(kernel.getSymNameAttr()),
      inputs, init, AffineMapAttr::get(map), AffineMapAttr::get(elements),
      AffineMapAttr::get(
          AffineMap::get(0, numSymbols, cost, function.getContext())),
      builder.getI64IntegerAttr(grain), IntegerAttr());
  dims[op.getResult()] = resultDims;
  return op.getResult();
}

bool Lowering::canOverwrite(Value value, Operation *layer) {
  Value result = layer->getResult(0);
  if (!value.getDefiningOp<kernel::LaunchOp>() ||
      getDims(value) != getDims(result) ||
      typeOf(value).getElementType() != typeOf(result).getElementType())
    return false;
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    // Launches stand before the layer; what is not lowered yet comes after it.
    auto launched = dyn_cast<kernel::LaunchOp>(user);
    return user == layer || (launched && launched.getInit() != value);
  });
}

Value Lowering::alias(Location loc, Value x, RankedTensorType type,
                      const Dims &resultDims) {
  Value result = kernel::AliasOp::create(builder, loc, type, x);
  dims[result] = resultDims;
  return result;
}

Value Lowering::constant(Location loc, StringRef name,
                         std::vector<float> values) {
  int64_t size = values.size();
  return ConstantOp::create(
      builder, loc,
      makeWeight(name, {size}, std::move(values), function.getContext()));
}

FailureOr<Value> Lowering::lowerOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, FailureOr<Value>>(op)
      .Case([&](DenseOp op) { return lowerDense(op); })
      .Case([&](Conv2dOp op) { return lowerConv(op); })
      .Case([&](ConvTranspose2dOp op) { return lowerConvTranspose(op); })
      .Case([&](Conv3dOp op) { return lowerConv3d(op); })
      .Case([&](ChannelsToFramesOp op) { return lowerChannelsToFrames(op); })
      .Case([&](FramesToChannelsOp op) { return lowerFramesToChannels(op); })
      .Case<ActivationOp, AddOp, SubOp, MulOp, ReparameterizeOp>(
          [&](Operation *op) { return lowerElementwise(op); })
      .Case([&](BatchNormOp op) { return lowerBatchNorm(op); })
      .Case([&](ChannelAffineOp op) { return lowerChannelAffine(op); })
      .Case([&](PreluOp op) { return lowerPrelu(op); })
      .Case([&](GroupNormOp op) { return lowerGroupNorm(op); })
      .Case([&](LayerNormOp op) { return lowerLayerNorm(op); })
      .Case([&](SoftmaxOp op) { return lowerSoftmax(op); })
      .Case([&](RmsNormOp op) { return lowerRmsNorm(op); })
      .Case([&](AttentionOp op) { return lowerAttention(op); })
      .Case([&](LinearAttentionOp op) { return lowerLinearAttention(op); })
      .Case([&](NearestCodebookOp op) { return lowerNearestCodebook(op); })
      .Case([&](EmbeddingOp op) { return lowerEmbedding(op); })
      .Case([&](GluOp op) { return lowerGlu(op); })
      .Case([&](ResizeOp op) { return lowerResize(op); })
      .Case([&](PixelShuffleOp op) { return lowerPixelShuffle(op); })
      .Case([&](PixelUnshuffleOp op) { return lowerPixelUnshuffle(op); })
      .Case([&](RepeatChannelsOp op) { return lowerRepeatChannels(op); })
      .Case([&](MeanChannelsOp op) { return lowerMeanChannels(op); })
      .Case([&](Pool2dOp op) { return lowerPool(op); })
      .Case([&](GlobalPoolOp op) { return lowerGlobalPool(op); })
      .Case([&](UpsampleOp op) { return lowerUpsample(op); })
      .Case([&](KlOp op) { return lowerKl(op); })
      .Case([&](LogLikelihoodOp op) { return lowerLogLikelihood(op); })
      .Case([&](ConcatOp op) { return lowerConcat(op); })
      .Case([&](SliceOp op) { return lowerSlice(op); })
      .Case([&](TransposeOp op) { return lowerTranspose(op); })
      .Case([&](ConvertLayoutOp op) { return lowerConvertLayout(op); })
      .Case([&](PadOp op) -> FailureOr<Value> {
        if (typeOf(op.getX()).getRank() == 5)
          return padVideo(op.getLoc(), op.getX(), op.getPadding(),
                          op.getValue().convertToDouble());
        Border border;
        llvm::copy(op.getPadding(), border.begin());
        return padImage(op.getLoc(), op.getX(), border,
                        op.getValue().convertToDouble());
      })
      .Case([&](CropOp op) -> FailureOr<Value> {
        return cropImage(op.getLoc(), op.getX(), op.getBorder(),
                         typeOf(op.getY()));
      })
      // In memory, frames follow each other like images.
      .Case<ReshapeOp, DropoutOp, FramesToBatchOp, BatchToFramesOp>(
          [&](Operation *op) -> FailureOr<Value> {
            Value result = op->getResult(0);
            return alias(op->getLoc(), op->getOperand(0), typeOf(result),
                         getDims(result));
          })
      .Default([](Operation *op) -> FailureOr<Value> {
        return op->emitError()
               << "'" << op->getName() << "' has no kernel for this target";
      });
}

/// Frees the data of a weight that no function reads any more. Small ones are
/// not worth the look.
static void releaseUnused(ModuleOp module, ElementsAttr weight) {
  constexpr size_t small = 64 << 10;
  auto resource = dyn_cast<DenseResourceElementsAttr>(weight);
  if (!resource)
    return;
  auto *entry = resource.getRawHandle().getResource();
  if (!entry->getBlob() || entry->getBlob()->getData().size() < small)
    return;
  auto reads = [&](ConstantOp constant) {
    auto value = dyn_cast<DenseResourceElementsAttr>(constant.getValue());
    return !constant->use_empty() && value &&
           value.getRawHandle().getResource() == entry;
  };
  for (auto function : module.getOps<func::FuncOp>())
    if (!function->hasAttr(kernel::kKernelAttr) &&
        llvm::any_of(function.getOps<ConstantOp>(), reads))
      return;
  entry->setBlob(AsmResourceBlob());
}

LogicalResult Lowering::lower(Operation *op) {
  auto shaped = dyn_cast<SymbolicShapeOpInterface>(op);
  if (!shaped)
    return op->emitError() << "unexpected operation '" << op->getName()
                           << "' in an entry point";
  SmallVector<Dims> operandDims, resultDims;
  for (Value operand : op->getOperands())
    operandDims.push_back(getDims(operand));
  if (failed(shaped.inferSymbolicDims(operandDims, resultDims)))
    return failure();
  for (auto [result, shape] : llvm::zip(op->getResults(), resultDims))
    dims[result] = shape;
  flopsLeft = shaped.getFlops(operandDims, resultDims);
  flops = flops + flopsLeft;
  builder.setInsertionPoint(op);
  FailureOr<Value> lowered = lowerOp(op);
  if (failed(lowered))
    return failure();
  wantedBorders.erase(op);
  op->getResult(0).replaceAllUsesWith(*lowered);
  dims.erase(op->getResult(0)); // another operation may get its address
  SmallVector<ElementsAttr> weights;
  for (Value operand : op->getOperands())
    if (ConstantOp constant = getConstant(operand))
      weights.push_back(constant.getValue());
  op->erase();
  if (packedWeights.releaseSources)
    for (ElementsAttr weight : weights)
      releaseUnused(module, weight);
  return success();
}

/// IR that was printed and read again has the names of its weights only.
static LogicalResult checkHasData(ConstantOp constant) {
  std::vector<float> storage;
  if (!getFloats(constant.getValue(), storage).empty())
    return success();
  return constant.emitError()
         << "the weight '" << getWeightName(constant.getValue())
         << "' has no data; start from the model, or write small weights out "
            "as dense<...>";
}

LogicalResult Lowering::run() {
  for (auto constant : function.getOps<ConstantOp>())
    if (failed(checkHasData(constant)))
      return failure();
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    dims[argument] = getArgumentDims(function, index);
  wantedBorders = planBorders(function);
  for (Operation &op : llvm::make_early_inc_range(
           function.getBody().front().without_terminator()))
    if (!isa<ConstantOp>(op) && failed(lower(&op)))
      return failure();

  flopsLeft = expr(0);
  // Results must be written by a launch of their own.
  auto ret = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  builder.setInsertionPoint(ret);
  SmallPtrSet<Operation *, 8> taken;
  SmallVector<Attribute> resultDims;
  for (OpOperand &operand : ret->getOpOperands()) {
    Value value = operand.get();
    auto launched = value.getDefiningOp<kernel::LaunchOp>();
    if (!launched || !taken.insert(launched).second) {
      operand.set(convert(value.getLoc(), value, typeOf(value)));
      taken.insert(operand.get().getDefiningOp());
    }
    resultDims.push_back(AffineMapAttr::get(AffineMap::get(
        0, numSymbols, getDims(operand.get()), function.getContext())));
  }
  for (auto [index, map] : llvm::enumerate(resultDims))
    function.setResultAttr(index, kDimsAttr, map);
  function->setAttr("kernel.flops",
                    AffineMapAttr::get(AffineMap::get(0, numSymbols, flops)));
  for (Operation &op : llvm::make_early_inc_range(function.getBody().front()))
    if (isa<ConstantOp>(op) && op.use_empty())
      op.erase();
  return success();
}

/// Whether an entry point gives the bits of a whole image in tiles.
static bool runsInTiles(func::FuncOp entry) {
  auto tiling = entry->getAttrOfType<DictionaryAttr>(kTilingAttr);
  return tiling && tiling.contains("halos");
}

namespace {
struct ConvertVaeToKernelPass
    : vae::impl::ConvertVaeToKernelPassBase<ConvertVaeToKernelPass> {
  using Base::Base;
  void runOnOperation() override {
    KernelTarget target = getTarget();
    if (llvm::Error error = checkTile(target)) {
      getOperation().emitError() << llvm::toString(std::move(error));
      return signalPassFailure();
    }
    PackedWeights packedWeights;
    packedWeights.releaseSources = releaseWeights;
    SmallVector<func::FuncOp> entries;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        entries.push_back(function);
    // All of them, so that they share their kernels.
    bool settled = deterministic || llvm::any_of(entries, runsInTiles);
    for (func::FuncOp entry : entries) {
      auto machine = getKernelTarget(entry, target);
      if (failed(machine) ||
          failed(Lowering(entry, *machine, settled, packedWeights).run()))
        return signalPassFailure();
      entry.walk([&](kernel::LaunchOp) { ++numLaunches; });
    }
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kernel::kKernelAttr))
        ++numKernels;
  }

  KernelTarget getTarget() const {
    KernelTarget target;
    target.vectorWidth = vectorWidth;
    target.vectorRegisters = vectorRegisters;
    target.l1Bytes = l1Bytes;
    target.l2Bytes = l2Bytes;
    target.streamBytes = streamBytes;
    target.bf16Dot = bf16Dot;
    target.wordDots = wordDots;
    target.vnni = vnni;
    target.byteDots = byteDots;
    target.amxInt8 = amxInt8;
    target.amxBf16 = amxBf16;
    if (tileRows || tileVectors)
      target.tile = Tile{tileVectors, tileRows};
    return target;
  }
};
} // namespace

std::unique_ptr<Pass> vae::createConvertVaeToKernelPass(KernelTarget target,
                                                        bool deterministic,
                                                        bool releaseWeights) {
  ConvertVaeToKernelPassOptions options;
  options.vectorWidth = target.vectorWidth;
  options.vectorRegisters = target.vectorRegisters;
  options.l1Bytes = target.l1Bytes;
  options.l2Bytes = target.l2Bytes;
  options.streamBytes = target.streamBytes;
  options.bf16Dot = target.bf16Dot;
  options.wordDots = target.wordDots;
  options.vnni = target.vnni;
  options.byteDots = target.byteDots;
  options.amxInt8 = target.amxInt8;
  options.amxBf16 = target.amxBf16;
  if (target.tile) {
    options.tileRows = target.tile->positions;
    options.tileVectors = target.tile->vectors;
  }
  options.deterministic = deterministic;
  options.releaseWeights = releaseWeights;
  return createConvertVaeToKernelPass(options);
}
