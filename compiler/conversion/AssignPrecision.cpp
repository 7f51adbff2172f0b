// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/LayerKinds.h"
#include "compiler/conversion/LayerShape.h"
#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/LayerEnds.h"

namespace vae {
#define GEN_PASS_DEF_ASSIGNPRECISIONPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Fewer outputs are dot products, and one input has nothing to be paired with.
static constexpr int64_t kFewestOutputs = 4, kFewestInputs = 2;
/// Weights become integers whenever a layer runs. With fewer positions than
/// these, it takes longer than it saves; the same goes for channels, whose
/// results become f32 for every 64.
static constexpr int64_t kFewestPositions = 256, kFewestChannels = 64;

namespace {

bool hasBf16Form(Operation *op) {
  auto [inputs, outputs] = getUnitsOfGroup(op);
  return inputs >= kFewestInputs && outputs >= kFewestOutputs;
}

/// A dense layer, or a convolution of one tap, at many positions.
bool isLargePointwise(Operation *op) {
  auto conv = dyn_cast<Conv2dOp>(op);
  if (!conv && !isa<DenseOp>(op))
    return false;
  RankedTensorType weight = getTypeOfWeight(op);
  auto isOne = [](int64_t value) { return value == 1; };
  if (conv && !(conv.getGroups() == 1 && all_of(conv.getStrides(), isOne) &&
                all_of(weight.getShape().drop_front(2), isOne)))
    return false;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t elements = 1;
  for (int64_t size : type.getShape().drop_front())
    elements *= ShapedType::isDynamic(size) ? kNominalSize : size;
  int64_t inputs = weight.getDimSize(1), outputs = weight.getDimSize(0);
  return std::min(inputs, outputs) >= kFewestChannels &&
         elements / outputs >= kFewestPositions;
}

bool hasForm(Operation *op, Precision precision) {
  if (precision == Precision::F32)
    return false;
  Algorithm algorithm = getAlgorithm(op);
  bool winograd = algorithm.winograd != 0;
  // Stored weights are those of f32.
  if (precision == Precision::BFP16)
    return (winograd && !algorithm.stored) || isLargePointwise(op);
  if (isWeightOnlyLayer(op))
    return false;
  // Fewer products are worth more than shorter numbers.
  return !winograd && hasBf16Form(op);
}

struct AssignPrecisionPass
    : vae::impl::AssignPrecisionPassBase<AssignPrecisionPass> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    return readKinds(layers, wishes, context);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto known = symbolizePrecision(precision);
    if (!known) {
      module.emitError() << "unknown precision '" << precision << "'";
      return signalPassFailure();
    }
    general = *known;
    if (!wordDots &&
        (general == Precision::BFP16 || wishes.has(PrecisionKind::Mixed)))
      module.emitWarning() << "no CPU of this library multiplies pairs of "
                              "16-bit integers, as those with AVX2 do; "
                              "layers for these stay f32";
    exact.clear();
    shared = SharedWishes<Precision>();
    SmallVector<std::pair<Operation *, Precision>> found;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry->hasAttr(kEntryAttr) && !entry.isDeclaration())
        visit(entry, found);
    for (auto [layer, wanted] : found) {
      if (exact.contains(getSharedWeight(layer)))
        continue;
      auto attribute =
          StringAttr::get(&getContext(), stringifyPrecision(wanted));
      layer->setAttr(kPrecisionAttr, attribute);
      if (!module->hasAttr(kPrecisionAttr)) // "int8" stays
        module->setAttr(kPrecisionAttr, attribute);
      ++numLayers;
    }
  }

private:
  /// What a layer is to multiply, and whether that is wanted of it by name.
  std::pair<Precision, bool> getWanted(Operation *op) const {
    switch (wishes.find(op).value_or(PrecisionKind::None)) {
    case PrecisionKind::F32:
      return {Precision::F32, true};
    case PrecisionKind::Mixed:
      return {Precision::BFP16, true};
    case PrecisionKind::BF16:
      return {Precision::BF16, true};
    default:
      return {general, false};
    }
  }

  void visit(func::FuncOp entry,
             SmallVectorImpl<std::pair<Operation *, Precision>> &found) {
    LayerEnds ends(entry);
    entry.walk([&](Operation *op) {
      if (!isa<PrunableOpInterface>(op) || isIntegerLayer(op))
        return;
      auto [wanted, asked] = getWanted(op);
      found.push_back({op, wanted});
      bool agree = shared.add(getSharedWeight(op), wanted);
      bool builds = wanted != Precision::BFP16 || wordDots;
      if (!agree || !builds || !hasForm(op, wanted) ||
          (exactEnds && !asked && ends.isExact(op)))
        exact.insert(getSharedWeight(op));
    });
  }

  Precision general = Precision::F32;
  LayerKinds wishes;
  SharedWishes<Precision> shared;
  DenseSet<Attribute> exact;
};

} // namespace
