// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What scales of units change. Private to Equalization.
#ifndef COMPILER_COMPRESS_SCALEDWEIGHTS_H
#define COMPILER_COMPRESS_SCALEDWEIGHTS_H

#include "dialects/vae/IR/VaeConstants.h"

#include <optional>

namespace vae {

/// A norm's factors and offsets for each channel, null if there are none.
struct NormParameters {
  mlir::OpOperand *weight = nullptr, *bias = nullptr;
  /// Of the result's channels.
  int64_t axis = 1;
};

/// Nothing if the operation is no norm whose result has constant factors.
std::optional<NormParameters> getNorm(mlir::Operation *op);

/// The weight of a layer as units: which element is of which.
struct WeightAxes {
  mlir::ElementsAttr value;
  int64_t outputs, inputs, outputInner, inputInner;

  explicit WeightAxes(PrunableOpInterface layer)
      : value(
            getConstant(layer->getOperand(layer.getWeightIndex())).getValue()) {
    auto getInner = [&](int64_t axis) {
      int64_t inner = 1;
      for (int64_t dim : value.getShapedType().getShape().drop_front(axis + 1))
        inner *= dim;
      return inner;
    };
    llvm::ArrayRef<int64_t> shape = value.getShapedType().getShape();
    outputs = shape[layer.getOutputUnitAxis()];
    inputs = shape[layer.getInputUnitAxis()];
    outputInner = getInner(layer.getOutputUnitAxis());
    inputInner = getInner(layer.getInputUnitAxis());
  }
  int64_t getOutput(int64_t i) const { return i / outputInner % outputs; }
  int64_t getInput(int64_t i) const { return i / inputInner % inputs; }
};

} // namespace vae

#endif // COMPILER_COMPRESS_SCALEDWEIGHTS_H
