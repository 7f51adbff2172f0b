// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/LayerKinds.h"
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

  LogicalResult initialize(MLIRContext *context) override {
    return readKinds(layers, wishes, context);
  }

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
    if (weights == "f32" && !wishes.has(PrecisionKind::W8) &&
        !wishes.has(PrecisionKind::W4))
      return;
    choices.clear();
    exact.clear();
    shared = SharedWishes<unsigned>();
    SmallVector<std::pair<Operation *, unsigned>> found;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry->hasAttr(kEntryAttr) && !entry.isDeclaration())
        visit(entry, found);
    for (auto [layer, bits] : found)
      if (!exact.contains(getSharedWeight(layer)))
        assign(layer, bits);
  }

private:
  /// The bits of a layer's weights, 0 for those of f32, and whether they are
  /// wanted of it by name.
  std::pair<unsigned, bool> getWanted(Operation *op) const {
    auto wish = wishes.find(op);
    if (!wish)
      return {weights == "int8" ? 8 : weights == "int4" ? 4 : 0, false};
    return {*wish == PrecisionKind::W8   ? 8
            : *wish == PrecisionKind::W4 ? 4
                                         : 0,
            true};
  }

  void visit(func::FuncOp entry,
             SmallVectorImpl<std::pair<Operation *, unsigned>> &found) {
    LayerEnds ends(entry);
    entry.walk([&](PrunableOpInterface op) {
      if (!getSharedWeight(op) || isIntegerLayer(op))
        return;
      auto [bits, asked] = getWanted(op);
      found.push_back({op, bits});
      bool few = getTypeOfWeight(op).getNumElements() < kFewestWeights;
      bool hasForm = getUnitsOfGroup(op).second >= kFewestOutputs;
      if (bits && asked && !hasForm)
        op->setAttr(
            kStorageNoteAttr,
            StringAttr::get(&getContext(),
                            llvm::formatv("fewer than {0} outputs in a group",
                                          kFewestOutputs)
                                .str()));
      if (!shared.add(getSharedWeight(op), bits) || !bits || !hasForm ||
          (exactEnds && !asked && (few || ends.isExact(op))))
        exact.insert(getSharedWeight(op));
    });
  }

  void assign(Operation *layer, unsigned bits) {
    auto [found, isNew] = choices.try_emplace(getSharedWeight(layer));
    if (isNew)
      found->second = choose(layer, bits);
    const auto &[type, note] = found->second;
    if (!note.empty())
      layer->setAttr(kStorageNoteAttr, StringAttr::get(&getContext(), note));
    if (!type)
      return;
    layer->setAttr(kWeightTypeAttr, TypeAttr::get(type));
    ++numLayers;
  }

  Choice choose(Operation *op, unsigned bits) {
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
    if (bits == 8)
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

  LayerKinds wishes;
  SharedWishes<unsigned> shared;
  DenseMap<Attribute, Choice> choices; // of weights
  DenseSet<Attribute> exact;
};

} // namespace
