// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/ReplaceWeights.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace vae;

static void replace(OpOperand &operand, ArrayRef<int64_t> shape,
                    const std::vector<float> &values) {
  ConstantOp constant = getConstant(operand.get());
  ElementsAttr old = constant.getValue();
  OpBuilder builder(operand.getOwner());
  operand.set(ConstantOp::create(
      builder, constant.getLoc(),
      makeWeightLike(old, getWeightName(old), shape, values)));
  if (constant->use_empty())
    constant->erase();
}

LogicalResult vae::replaceWeights(ModuleOp module,
                                  const LeastSquaresStep &step) {
  std::vector<StringRef> names;
  for (const LeastSquaresStep::Layer &layer : step.layers)
    names.push_back(layer.name);
  for (auto [op, row] : UnitFlow(module).findLayers(module, names)) {
    const LeastSquaresStep::Layer *fit = &step.layers[row];
    OpOperand &weight = op->getOpOperand(op.getWeightIndex());
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(weight.get().getType()).getShape();
    Value bias = op.getBiasValue();
    int64_t biases =
        bias ? cast<RankedTensorType>(bias.getType()).getNumElements() : 0;
    if (shape != ArrayRef<int64_t>(fit->shape) ||
        biases != static_cast<int64_t>(fit->bias.size()))
      return emitError(op->getLoc())
             << "layer '" << fit->name
             << "': the weights of the recipe have another shape than those "
                "that are left; make the recipe again";
    replace(weight, shape, fit->weight);
    if (!bias)
      continue;
    OpOperand *operand = llvm::find_if(
        op->getOpOperands(), [&](OpOperand &o) { return o.get() == bias; });
    replace(*operand, {biases}, fit->bias);
  }
  return success();
}
