// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/LayerCosts.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/LayerShape.h"
#include "compiler/conversion/Shapes.h"
#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;

// Beside f32 multiply-adds, those of direct sums of other numbers, on large
// batches: docs/precision.md and docs/quantization-weights.md have the times.

/// By AVX512-BF16, and with numbers made of bf16.
static constexpr double kBf16Dots = 0.62, kBf16Singles = 1.05;
/// Block floating point, by VNNI and by pmaddwd.
static constexpr double kVnniWords = 0.62, kWords = 0.9;
/// With numbers made of integers of 8 and 4 bits.
static constexpr double kWeights8 = 1.05, kWeights4 = 1.2;

static Contraction getContraction(DenseOp op) {
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  Contraction shape;
  shape.flat = true;
  shape.outputs = weight.getDimSize(0);
  shape.inputs = weight.getDimSize(1);
  return shape;
}

/// Of a layer of bf16.
static bool usesAmx(const KernelTarget &target, Operation *op) {
  SmallVector<Contraction> shapes = getContractions(op);
  if (auto dense = dyn_cast<DenseOp>(op))
    shapes = {getContraction(dense)};
  return llvm::any_of(shapes, [&](Contraction shape) {
    shape.precision = Precision::BF16;
    return usesAmx(target, shape);
  });
}

/// Of a layer that sums directly.
static double getFactor(const KernelTarget &target, Operation *op) {
  switch (getPrecision(op)) {
  case Precision::BF16:
    if (usesAmx(target, op))
      return 1; // which the model knows
    return target.bf16Dot ? kBf16Dots : kBf16Singles;
  case Precision::BFP16:
    return target.vnni ? kVnniWords : kWords;
  default:
    break;
  }
  if (!isWeightOnlyLayer(op))
    return 1;
  return getWeightForm(op).bits == 4 ? kWeights4 : kWeights8;
}

/// A dense layer is one contraction, at as many positions as its data have
/// vectors. It has no algorithms to choose from.
static double getDenseCost(const KernelTarget &target, DenseOp op) {
  Work work;
  work.shape = getContraction(op);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  for (int64_t size : type.getShape().drop_back())
    work.images *= ShapedType::isDynamic(size) ? kNominalImages : size;
  Precision precision = isIntegerLayer(op) ? Precision::INT8 : getPrecision(op);
  return *getCost(target, work, Algorithm(), precision);
}

double vae::predictCost(Operation *layer, const KernelTarget &target,
                        const AlgorithmChooser &chooser) {
  if (auto dense = dyn_cast<DenseOp>(layer))
    return getDenseCost(target, dense);
  return chooser.getChosenCost(layer).value_or(0);
}

static std::optional<double> getLayerCost(const KernelTarget &target,
                                          Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return getAttentionCost(target, attention, getPrecision(op));
  Algorithm algorithm = getAlgorithm(op);
  auto dense = dyn_cast<DenseOp>(op);
  auto cost = dense ? std::optional(getDenseCost(target, dense))
                    : getCost(target, op, algorithm, getPrecision(op));
  if (cost && !algorithm.winograd && !isIntegerLayer(op))
    *cost *= getFactor(target, op);
  return cost;
}

void vae::reportCosts(ModuleOp fused, const KernelTarget &target,
                      CompileReport &report) {
  llvm::StringMap<Operation *> known;
  fused.walk([&](QuantizableOpInterface layer) {
    known.try_emplace(getLayerName(layer->getLoc()), layer);
  });
  for (LayerReport &layer : report.layers)
    if (Operation *op = known.lookup(layer.name))
      layer.cost = getLayerCost(target, op);
}
