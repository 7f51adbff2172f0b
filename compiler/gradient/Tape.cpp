// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/gradient/Tape.h"

#include "compiler/gradient/Vjp.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Forward
//===----------------------------------------------------------------------===//

Expected<Tape> Tape::record(func::FuncOp function, ArrayRef<Tensor> inputs) {
  Tape tape(function);
  auto keep = [&](Operation *op, unsigned index, const Tensor &value) {
    tape.values[op->getResult(index)] = value;
  };
  if (auto results =
          reference::interpret(function, inputs, keep, evaluateLayer);
      !results)
    return results.takeError();
  for (Operation &op : function.front())
    if (isa<func::CallOp>(op))
      return reference::makeError(&op, "functions are differentiated after "
                                       "those that they call are inlined");
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    tape.values[argument] = input;
  return tape;
}

const Tensor &Tape::get(Value value) const {
  return values.find(value)->second;
}

//===----------------------------------------------------------------------===//
// Backward
//===----------------------------------------------------------------------===//

static Error dispatch(Operation *op, const Cotangents &c) {
  return llvm::TypeSwitch<Operation *, Error>(op)
      .Case<DenseOp, Conv2dOp, ConvTranspose2dOp, Conv3dOp, BatchNormOp,
            GroupNormOp, LayerNormOp, RmsNormOp, ChannelAffineOp, ActivationOp,
            PreluOp, AddOp, SubOp, MulOp, AttentionOp, GluOp, SoftmaxOp,
            UpsampleOp, ResizeOp, Pool2dOp, GlobalPoolOp, MeanChannelsOp, PadOp,
            ReparameterizeOp, KlOp, LogLikelihoodOp>(
          [&](auto known) { return vjp(known, c); })
      .Case<ConcatOp, SplitOp, SliceOp, CropOp, TransposeOp, ReshapeOp,
            DropoutOp, ConvertLayoutOp, PixelShuffleOp, PixelUnshuffleOp,
            RepeatChannelsOp, FramesToBatchOp, BatchToFramesOp,
            ChannelsToFramesOp, FramesToChannelsOp>(
          [&](Operation *moves) { return passToSources(moves, c); })
      .Default([](Operation *unknown) {
        return reference::makeError(unknown,
                                    "no gradient is known of this operation");
      });
}

static Tensor makeZeros(const Tensor &like) {
  return {like.shape, std::vector<float>(like.data.size())};
}

static void add(Gradients &gradients, Value value, Tensor part) {
  auto [place, isNew] = gradients.try_emplace(value, std::move(part));
  if (isNew)
    return;
  for (auto [sum, other] : llvm::zip(place->second.data, part.data))
    sum += other;
}

/// Whether all numbers of an operation are f32.
static bool isReal(Operation *op) {
  auto isF32 = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isF32();
  };
  return llvm::all_of(op->getOperandTypes(), isF32) &&
         llvm::all_of(op->getResultTypes(), isF32) && !hasF16Weights(op);
}

Error Tape::passBack(Operation *op, const llvm::DenseSet<Value> &needed,
                     Gradients &gradients, SeePartFn see) const {
  if (!isReal(op))
    return reference::makeError(op, "gradients are known of f32 only");
  SmallVector<const Tensor *> operands, results, outer;
  std::vector<Tensor> zeros(op->getNumResults()), inner(op->getNumOperands());
  for (auto [result, zero] : llvm::zip(op->getResults(), zeros)) {
    results.push_back(&get(result));
    auto found = gradients.find(result);
    if (found == gradients.end())
      zero = makeZeros(get(result));
    outer.push_back(found == gradients.end() ? &zero : &found->second);
  }
  for (auto [operand, part] : llvm::zip(op->getOperands(), inner)) {
    operands.push_back(&get(operand));
    if (needed.contains(operand))
      part = makeZeros(get(operand));
  }
  Cotangents cotangents(op, operands, results, outer, inner);
  if (Error error = dispatch(op, cotangents))
    return error;
  for (auto [operand, part] : llvm::zip(op->getOpOperands(), inner)) {
    if (part.data.empty())
      continue;
    if (see)
      see(operand, part);
    add(gradients, operand.get(), std::move(part));
  }
  return Error::success();
}

Expected<Gradients> Tape::differentiate(const Gradients &seeds,
                                        ArrayRef<Value> wanted,
                                        SeePartFn see) const {
  Gradients gradients;
  for (const auto &[value, seed] : seeds) {
    if (seed.shape != get(value).shape ||
        seed.data.size() != get(value).data.size())
      return llvm::createStringError("a seed has another shape than its value");
    gradients[value] = seed;
  }
  llvm::DenseSet<Value> keeps(wanted.begin(), wanted.end()), needed(keeps);
  func::FuncOp body = function; // not const to MLIR
  for (Operation &op : body.front())
    if (llvm::any_of(op.getOperands(),
                     [&](Value value) { return needed.contains(value); }))
      needed.insert(op.result_begin(), op.result_end());
  for (Operation &op : llvm::reverse(body.front().without_terminator())) {
    bool reached = llvm::any_of(
        op.getResults(), [&](Value value) { return gradients.count(value); });
    bool needs = llvm::any_of(
        op.getOperands(), [&](Value value) { return needed.contains(value); });
    if (reached && needs)
      if (Error error = passBack(&op, needed, gradients, see))
        return error;
    for (Value result : op.getResults())
      if (!keeps.contains(result))
        gradients.erase(result);
  }
  Gradients found;
  for (Value value : wanted) {
    auto gradient = gradients.find(value);
    found[value] = gradient == gradients.end() ? makeZeros(get(value))
                                               : std::move(gradient->second);
  }
  return found;
}
