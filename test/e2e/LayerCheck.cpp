// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/LayerCheck.h"

#include "compiler/import/native/NativeImporter.h"
#include "dialects/vae/IR/Vae.h"
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

/// Half a unit in the last place of f32.
static constexpr double kRounding = 0x1p-24;

/// Summands of one result of a contraction; 0 for other operations.
static int64_t countSummands(Operation *op) {
  auto layer = dyn_cast<PrunableOpInterface>(op);
  if (!layer)
    return 0;
  Value weight = op->getOperand(layer.getWeightIndex());
  auto type = cast<RankedTensorType>(weight.getType());
  return type.getNumElements() / type.getDimSize(layer.getOutputUnitAxis());
}

/// The relative error that an operation may have, whose operands are exact.
///
/// Results that are one rounding of an exact value are equal, bit for bit. A
/// sum of K products with signs at random is rounded K times, at partial sums
/// that grow as sqrt(k): the error relative to the sum grows as sqrt(K), and is
/// about half of kRounding * sqrt(K). Four times that covers bad luck and a
/// bias that cancels; the constant covers the functions of an epilogue, which
/// are good to some units in the last place. A mistake is orders of magnitude
/// larger.
static double getLimit(Operation *op) {
  if (isa<AddOp, SubOp, MulOp, ConcatOp, SplitOp, SliceOp, CropOp, PadOp,
          ReshapeOp, TransposeOp, DropoutOp>(op))
    return 0;
  if (auto pool = dyn_cast<Pool2dOp>(op);
      pool && pool.getKind() == PoolKind::Max)
    return 0;
  return kRounding * (16 + 2 * std::sqrt(countSummands(op)));
}

/// Errors of all layers of an entry point add up. The models compared here are
/// such that PyTorch in f32 is within 1e-4 of PyTorch in f64; what is wrong in
/// a stage (an epsilon, a flipped kernel, a lost bias) shows above that.
static constexpr double kEntryLimit = 2e-4;

Difference vae::test::compare(const Tensor &found, const Tensor &expected) {
  Difference result;
  double square = 0, norm = 0;
  for (auto [a, b] : llvm::zip_equal(found.data, expected.data)) {
    if (std::isfinite(a) && std::isfinite(b)) {
      square += (double(a) - b) * (double(a) - b);
      norm += double(b) * b;
    } else {
      result.misplaced += !(a == b || (std::isnan(a) && std::isnan(b)));
    }
  }
  result.error = square == 0 ? 0 : std::sqrt(square / std::max(norm, 1e-60));
  return result;
}

/// What is wrong with a tensor; empty if nothing is.
static std::string check(const llvm::Twine &what, const Tensor &found,
                         const Tensor &expected, double limit, double &worst) {
  if (found.shape != expected.shape)
    return (what + ": another shape than expected").str();
  Difference difference = compare(found, expected);
  if (!difference.within(limit))
    return (what + ": " +
            llvm::formatv("error {0:e2}, limit {1:e2}, {2} of {3} elements are "
                          "NaN or infinite in one only",
                          difference.error, limit, difference.misplaced,
                          found.data.size())
                .str())
        .str();
  if (limit > 0)
    worst = std::max(worst, difference.error / limit);
  return "";
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
LayerCheck::interpretAlone(Operation *op, ArrayRef<Tensor> operands) {
  OpBuilder builder(op->getContext());
  scratch = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(scratch->getBody());
  SmallVector<Type> types;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      types.push_back(operand.getType());
  auto function = func::FuncOp::create(
      builder, op->getLoc(), "layer",
      builder.getFunctionType(types, op->getResultTypes()));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  IRMapping mapping;
  unsigned next = 0;
  for (Value operand : op->getOperands()) {
    if (auto constant = operand.getDefiningOp<ConstantOp>())
      mapping.map(operand, builder.clone(*constant)->getResult(0));
    else
      mapping.map(operand, block->getArgument(next++));
  }
  Operation *copy = builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc(), copy->getResults());
  return reference::interpret(function, operands);
}

std::string LayerCheck::checkLayers(StringRef entry, ArrayRef<Tensor> inputs,
                                    ArrayRef<Tensor> outputs, double &worst) {
  auto function = fused->lookupSymbol<func::FuncOp>(entry);
  Block &block = function.front();
  // What the library computed.
  DenseMap<Value, const Tensor *> values;
  for (auto [argument, input] : llvm::zip_equal(block.getArguments(), inputs))
    values[argument] = &input;
  for (auto [value, output] :
       llvm::zip_equal(block.getTerminator()->getOperands(), outputs))
    for (Value same = value; same;) {
      values[same] = &output;
      auto convert = same.getDefiningOp<ConvertLayoutOp>();
      same = convert ? convert.getX() : Value();
    }
  for (Operation &op : block.without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    if (auto convert = dyn_cast<ConvertLayoutOp>(op)) {
      values[convert.getY()] = values.lookup(convert.getX());
      continue;
    }
    std::vector<Tensor> operands;
    for (Value operand : op.getOperands()) {
      if (operand.getDefiningOp<ConstantOp>())
        continue;
      const Tensor *known = values.lookup(operand);
      if (!known)
        return "the operands of '" + op.getName().getStringRef().str() +
               "' of layer '" + getLayerName(op.getLoc()).str() +
               "' are not exposed";
      operands.push_back(*known);
    }
    auto expected = interpretAlone(&op, operands);
    if (!expected)
      return llvm::toString(expected.takeError());
    for (auto [result, tensor] : llvm::zip_equal(op.getResults(), *expected)) {
      std::string what = op.getName().getStringRef().str() + " of layer '" +
                         getLayerName(op.getLoc()).str() + "'";
      const Tensor *found = values.lookup(result);
      if (!found)
        return what + ": its result is not exposed";
      std::string wrong = check(what, *found, tensor, getLimit(&op), worst);
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
  if (expected->size() > outputs.size())
    return "outputs are missing";
  for (auto [index, tensor] : llvm::enumerate(*expected)) {
    std::string wrong = check("output " + llvm::Twine(index), outputs[index],
                              tensor, kEntryLimit, worst);
    if (!wrong.empty())
      return wrong;
  }
  return "";
}
