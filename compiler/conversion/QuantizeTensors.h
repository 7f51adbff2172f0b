// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tensors become integers once it is known which layers multiply them.
#ifndef COMPILER_CONVERSION_QUANTIZETENSORS_H
#define COMPILER_CONVERSION_QUANTIZETENSORS_H

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/DenseSet.h"

#include <functional>

namespace vae {

/// The tensor of which a tensor has its numbers, perhaps in another order or
/// fewer of them: that is the one to quantize.
mlir::Value getQuantizedSource(mlir::Value value);

/// What makes integers of a norm's result, if nothing else reads that and the
/// layout stays: the norm's kernel stores the integers. Null if there is none.
ConvertLayoutOp findQuantizer(GroupNormOp norm);

/// Gives layers data of integers. `getType` says what a source becomes; null:
/// it stays f32, which no source of the layers' data does.
class TensorQuantizer {
public:
  using TypeFn = std::function<mlir::quant::UniformQuantizedType(mlir::Value)>;

  TensorQuantizer(const llvm::DenseSet<mlir::Operation *> &layers,
                  TypeFn getType)
      : layers(layers), getType(std::move(getType)) {}

  void run(mlir::func::FuncOp entry);

  int64_t getNumTensors() const { return numTensors; }
  int64_t getNumConversions() const { return numConversions; }

private:
  void quantize(mlir::Value source);
  void convertUses(mlir::Value value, mlir::quant::UniformQuantizedType type);
  void setType(mlir::Value value, mlir::quant::UniformQuantizedType type);
  bool isData(mlir::OpOperand &use) const;
  bool isResidual(mlir::OpOperand &use) const;
  bool wantsIntegers(mlir::Value value, bool residuals) const;

  const llvm::DenseSet<mlir::Operation *> &layers;
  TypeFn getType;
  int64_t numTensors = 0, numConversions = 0;
};

} // namespace vae

#endif // COMPILER_CONVERSION_QUANTIZETENSORS_H
