// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/QuantizeTensors.h"

#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

namespace vae {
#define GEN_PASS_DEF_ASSIGNSTORAGEPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// What rounding to f16 changes at most where numbers are normal, relatively.
static constexpr double kF16Rounding = 0x1p-11;

namespace {

/// Operations that move numbers and may keep them where they are: operands and
/// results are stored alike.
bool moves(Operation *op) {
  return isa<ReshapeOp, TransposeOp, ConvertLayoutOp, DropoutOp, ConcatOp,
             SliceOp, PadOp, CropOp, PixelShuffleOp, PixelUnshuffleOp,
             RepeatChannelsOp, FramesToBatchOp, BatchToFramesOp,
             ChannelsToFramesOp, FramesToChannelsOp>(op);
}

/// Operations whose kernels take and give f16.
bool hasF16Form(Operation *op) {
  return isa<DenseOp, Conv2dOp, Conv3dOp, ConvTranspose2dOp, BatchNormOp,
             GroupNormOp, LayerNormOp, RmsNormOp, ChannelAffineOp, PreluOp,
             ActivationOp, AddOp, SubOp, MulOp, GluOp, MeanChannelsOp, Pool2dOp,
             GlobalPoolOp, UpsampleOp, ResizeOp>(op);
}

/// Whether an operation converts to or from integers.
bool isRequantization(Operation *op) {
  return isa<ConvertLayoutOp>(op) && getQuantizedType(op->getOperand(0)) !=
                                         getQuantizedType(op->getResult(0));
}

using Operations = DenseSet<Operation *>;

/// The tensors of an entry point that may be of f16. `conversions` may have a
/// result of other numbers than their operand.
class Tensors {
public:
  Tensors(func::FuncOp entry, const Operations &conversions) {
    for (Value argument : entry.getArguments())
      keep(argument);
    for (Operation &op : entry.getBody().front()) {
      // It is not stored.
      if (auto norm = dyn_cast<GroupNormOp>(op); norm && findQuantizer(norm))
        keep(norm.getY());
      // A conversion of numbers moves none.
      if (conversions.contains(&op) || hasF16Form(&op) || isRequantization(&op))
        continue;
      bool moving = moves(&op);
      for (Value operand : op.getOperands()) {
        if (moving)
          classes.unionSets(operand.getAsOpaquePointer(),
                            op.getResult(0).getAsOpaquePointer());
        else
          keep(operand);
      }
      if (!moving)
        llvm::for_each(op.getResults(), [&](Value value) { keep(value); });
    }
    for (void *value : kept)
      keptClasses.insert(classes.getOrInsertLeaderValue(value));
  }

  bool mayBeF16(Value value) {
    return !getQuantizedType(value) &&
           !keptClasses.contains(
               classes.getOrInsertLeaderValue(value.getAsOpaquePointer()));
  }

private:
  void keep(Value value) { kept.push_back(value.getAsOpaquePointer()); }

  llvm::EquivalenceClasses<void *> classes;
  SmallVector<void *> kept;
  DenseSet<void *> keptClasses;
};

/// Why weights cannot be of f16; empty if they can. The weights of an output
/// must not lose more than numbers do that are normal in f16.
std::string checkWeights(ArrayRef<float> values, ArrayRef<int64_t> shape,
                         int64_t axis) {
  int64_t size = shape[axis], inner = 1;
  for (int64_t dim : shape.drop_front(axis + 1))
    inner *= dim;
  std::vector<double> squares(size), errors(size);
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!std::isfinite(value))
      return "a weight is not finite";
    if (std::fabs(value) > kLargestF16)
      return llvm::formatv("a weight of {0} is beyond f16, whose largest "
                           "number is {1}",
                           value, static_cast<int64_t>(kLargestF16));
    double error = getFloatOfF16(roundToF16(value)) - value;
    int64_t unit = static_cast<int64_t>(i) / inner % size;
    squares[unit] += static_cast<double>(value) * value;
    errors[unit] += error * error;
  }
  for (int64_t unit = 0; unit < size; ++unit)
    if (errors[unit] > kF16Rounding * kF16Rounding * squares[unit])
      return llvm::formatv("the weights of output {0} are so small that f16 "
                           "has few digits of them",
                           unit);
  return "";
}

struct AssignStoragePass : vae::impl::AssignStoragePassBase<AssignStoragePass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto wanted = symbolizeStorage(storage);
    if (!wanted) {
      module.emitError() << "unknown storage '" << storage << "'";
      return signalPassFailure();
    }
    if (*wanted == Storage::F32)
      return;
    module->setAttr(kStorageAttr, StringAttr::get(&getContext(), storage));
    notes.clear();
    for (auto entry : module.getOps<func::FuncOp>()) {
      if (!entry->hasAttr(kEntryAttr) || entry.isDeclaration())
        continue;
      entry.walk([&](PrunableOpInterface layer) { storeWeights(layer); });
      if (*wanted != Storage::F16)
        continue;
      storeTensors(entry, ends ? convertEnds(entry) : Operations());
    }
  }

private:
  void storeWeights(PrunableOpInterface layer) {
    ConstantOp weight = getConstant(layer->getOperand(layer.getWeightIndex()));
    // Integers are fewer bytes already.
    if (!weight || getPrecision(layer) == Precision::BF16 ||
        getWeightType(layer))
      return;
    if (getAlgorithm(layer).stored) {
      layer->setAttr(kStorageNoteAttr,
                     StringAttr::get(&getContext(),
                                     "transformed weights are stored as f32"));
      return;
    }
    auto [found, isNew] = notes.try_emplace(weight.getValue());
    if (isNew) {
      std::vector<float> buffer;
      ArrayRef<float> values = getFloats(weight.getValue(), buffer);
      found->second =
          checkWeights(values, weight.getValue().getShapedType().getShape(),
                       layer.getOutputUnitAxis());
      getContext().getLoadedDialect<VaeDialect>()->getMappedFiles().countRead(
          values.size() * sizeof(float));
    }
    if (!found->second.empty()) {
      layer->setAttr(kStorageNoteAttr,
                     StringAttr::get(&getContext(), found->second));
      return;
    }
    layer->setAttr(
        kStorageAttr,
        StringAttr::get(&getContext(), stringifyStorage(Storage::F16)));
    ++numLayers;
  }

  void storeTensors(func::FuncOp entry, const Operations &conversions) {
    Tensors tensors(entry, conversions);
    auto f16 = Float16Type::get(&getContext());
    for (Operation &op : entry.getBody().front().without_terminator())
      for (Value result : op.getResults())
        if (tensors.mayBeF16(result)) {
          result.setType(cast<RankedTensorType>(result.getType()).clone(f16));
          ++numTensors;
        }
  }

  /// Puts conversions behind arguments and before results.
  static Operations convertEnds(func::FuncOp entry) {
    Operations conversions;
    Block &block = entry.getBody().front();
    OpBuilder builder(&block, block.begin());
    auto convert = [&](Value value) {
      auto op = ConvertLayoutOp::create(builder, value.getLoc(),
                                        value.getType(), value);
      conversions.insert(op);
      return op;
    };
    for (BlockArgument argument : block.getArguments()) {
      auto op = convert(argument);
      argument.replaceAllUsesExcept(op.getY(), op);
    }
    builder.setInsertionPoint(block.getTerminator());
    for (OpOperand &operand : block.getTerminator()->getOpOperands())
      operand.set(convert(operand.get()).getY());
    return conversions;
  }

  DenseMap<Attribute, std::string> notes; // of weights; empty: as f16
};

} // namespace
