// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/LayerEnds.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

namespace vae {
#define GEN_PASS_DEF_ASSIGNWEIGHTSPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Fewer outputs are dot products, whose kernels have f32 weights. Fewer
/// weights are not worth the scales, nor the error.
static constexpr int64_t kFewestOutputs = 4, kFewestWeights = 1 << 10;
/// Inputs of a block that share a scale of 16 bits: with fewer, 8 bits are
/// hardly more, and far more exact.
static constexpr int64_t kFewestInBlock = 8;

namespace {

/// What a weight is stored as, and why it is not what is wanted.
struct Choice {
  quant::QuantizedType type;
  std::string note;
};

struct AssignWeightsPass : vae::impl::AssignWeightsPassBase<AssignWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!llvm::is_contained({"f32", "int8", "int4"}, StringRef(weights))) {
      module.emitError() << "unknown weights '" << weights
                         << "'; choose one of f32, int8, int4";
      return signalPassFailure();
    }
    if (group < 1) {
      module.emitError() << "a group has at least 1 input, found "
                         << group.getValue();
      return signalPassFailure();
    }
    if (weights == "f32")
      return;
    choices.clear();
    exact.clear();
    SmallVector<Operation *> layers;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry->hasAttr(kEntryAttr) && !entry.isDeclaration())
        visit(entry, layers);
    for (Operation *layer : layers)
      if (!exact.contains(getSharedWeight(layer)))
        assign(layer);
  }

private:
  void visit(func::FuncOp entry, SmallVectorImpl<Operation *> &layers) {
    LayerEnds ends(entry);
    entry.walk([&](PrunableOpInterface op) {
      if (!getSharedWeight(op) || isIntegerLayer(op))
        return;
      layers.push_back(op);
      bool few = getTypeOfWeight(op).getNumElements() < kFewestWeights;
      if ((exactEnds && (few || ends.isExact(op))) ||
          getUnitsOfGroup(op).second < kFewestOutputs)
        exact.insert(getSharedWeight(op));
    });
  }

  void assign(Operation *layer) {
    auto [found, isNew] = choices.try_emplace(getSharedWeight(layer));
    if (isNew)
      found->second = choose(layer);
    const auto &[type, note] = found->second;
    if (!note.empty())
      layer->setAttr(kStorageNoteAttr, StringAttr::get(&getContext(), note));
    if (!type)
      return;
    layer->setAttr(kWeightTypeAttr, TypeAttr::get(type));
    ++numLayers;
  }

  Choice choose(Operation *op) {
    if (getAlgorithm(op).stored)
      return {{}, "transformed weights are stored as f32"};
    auto layer = cast<PrunableOpInterface>(op);
    auto source = cast<ElementsAttr>(getSharedWeight(op));
    ArrayRef<int64_t> shape = source.getShapedType().getShape();
    std::vector<float> buffer;
    ArrayRef<float> values = getFloats(source, buffer);
    getContext().getLoadedDialect<VaeDialect>()->getMappedFiles().countRead(
        values.size() * sizeof(float));
    if (!llvm::all_of(values, [](float value) { return std::isfinite(value); }))
      return {{}, "a weight is not finite"};
    auto getInt8 = [&](std::string note) -> Choice {
      return {getWeightType8(&getContext(), values, shape,
                             layer.getOutputUnitAxis()),
              std::move(note)};
    };
    if (weights == "int8")
      return getInt8("");
    int64_t inputs = getUnitsOfGroup(op).first;
    int64_t block = std::min<int64_t>(group, inputs);
    if (block < kFewestInBlock)
      return getInt8(llvm::formatv("4 bits want blocks of {0} inputs or more, "
                                   "and a block has {1}",
                                   kFewestInBlock, block));
    // Their weights' axis of inputs runs over those of all groups.
    if (isa<ConvTranspose2dOp>(op) && layer.getUnitGroups() > 1 &&
        inputs % block)
      return getInt8(llvm::formatv("blocks of {0} inputs do not divide the {1} "
                                   "of a group",
                                   block, inputs));
    return {getWeightType4(&getContext(), values, shape,
                           layer.getInputUnitAxis(), block),
            ""};
  }

  DenseMap<Attribute, Choice> choices; // of weights
  DenseSet<Attribute> exact;
};

} // namespace
