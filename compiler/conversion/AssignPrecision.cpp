// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/LayerShape.h"
#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"

namespace vae {
#define GEN_PASS_DEF_ASSIGNPRECISIONPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Reading its weights is what a dense layer costs: with as many as these, two
/// thirds of the time of a small model, there is no reason to spare the ends.
static constexpr int64_t kManyWeights = 1 << 15;
/// Fewer outputs are dot products, and one input has nothing to be paired with.
static constexpr int64_t kFewestOutputs = 4, kFewestInputs = 2;
/// Weights become integers whenever a layer runs. With fewer positions than
/// these, it takes longer than it saves; the same goes for channels, whose
/// results become f32 for every 64.
static constexpr int64_t kFewestPositions = 256, kFewestChannels = 64;

namespace {

bool isLayer(Operation *op) { return isa<PrunableOpInterface>(op); }

/// The layers that are next to some values.
class Search {
public:
  void followUses(Value value) {
    follow(
        value, [](Value value) { return llvm::to_vector(value.getUsers()); },
        [](Operation *op) { return llvm::to_vector<2>(op->getResults()); });
  }
  void followDefinitions(Value value) {
    follow(
        value,
        [](Value value) {
          Operation *op = value.getDefiningOp();
          return op ? SmallVector<Operation *>{op} : SmallVector<Operation *>();
        },
        [](Operation *op) { return llvm::to_vector<2>(op->getOperands()); });
  }
  bool contains(Operation *layer) const { return layers.contains(layer); }

private:
  template <typename OpsFn, typename ValuesFn>
  void follow(Value value, OpsFn opsBeside, ValuesFn valuesBeside) {
    DenseSet<Operation *> seen;
    SmallVector<Value> open = {value};
    while (!open.empty())
      for (Operation *op : opsBeside(open.pop_back_val())) {
        if (isLayer(op))
          layers.insert(op);
        else if (seen.insert(op).second)
          llvm::append_range(open, valuesBeside(op));
      }
  }

  DenseSet<Operation *> layers;
};

/// Whether a result is the latent, not what the decoder makes of it.
bool isLatent(func::FuncOp entry, unsigned result) {
  auto role = entry.getResultAttrOfType<StringAttr>(result, kRoleAttr);
  return role &&
         llvm::is_contained({"mu", "logvar", "latent"}, role.getValue());
}

RankedTensorType getWeightType(Operation *op) {
  unsigned index = cast<PrunableOpInterface>(op).getWeightIndex();
  return cast<RankedTensorType>(op->getOperand(index).getType());
}

bool hasManyWeights(Operation *op) {
  RankedTensorType weight = getWeightType(op);
  return isa<DenseOp>(op) && weight.getNumElements() >= kManyWeights;
}

bool hasBf16Form(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  int64_t axis = layer.getUnitAxis(), groups = layer.getUnitGroups();
  auto getUnits = [&](Value value) {
    return cast<RankedTensorType>(value.getType()).getDimSize(axis) / groups;
  };
  return getUnits(layer.getDataOperand().get()) >= kFewestInputs &&
         getUnits(op->getResult(0)) >= kFewestOutputs;
}

/// A dense layer, or a convolution of one tap, at many positions.
bool isLargePointwise(Operation *op) {
  auto conv = dyn_cast<Conv2dOp>(op);
  if (!conv && !isa<DenseOp>(op))
    return false;
  RankedTensorType weight = getWeightType(op);
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
  Algorithm algorithm = getAlgorithm(op);
  bool winograd = algorithm.winograd != 0;
  if (isIntegerLayer(op))
    return false;
  // Stored weights are those of f32.
  if (precision == Precision::BFP16)
    return (winograd && !algorithm.stored) || isLargePointwise(op);
  // Fewer products are worth more than shorter numbers.
  return !winograd && hasBf16Form(op);
}

struct AssignPrecisionPass
    : vae::impl::AssignPrecisionPassBase<AssignPrecisionPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto known = symbolizePrecision(precision);
    if (!known) {
      module.emitError() << "unknown precision '" << precision << "'";
      return signalPassFailure();
    }
    wanted = *known;
    if (wanted == Precision::BFP16 && !wordDots) {
      module.emitWarning() << "no CPU of this library multiplies pairs of "
                              "16-bit integers, as those with AVX2 do; all "
                              "layers stay f32";
      return;
    }
    if (wanted == Precision::F32)
      return;
    exact.clear();
    SmallVector<Operation *> layers;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry->hasAttr(kEntryAttr) && !entry.isDeclaration())
        visit(entry, layers);
    auto attribute = StringAttr::get(&getContext(), precision);
    for (Operation *layer : layers) {
      if (exact.contains(getWeight(layer)))
        continue;
      layer->setAttr(kPrecisionAttr, attribute);
      module->setAttr(kPrecisionAttr, attribute);
      ++numLayers;
    }
  }

private:
  /// What entry points share of a layer.
  static Attribute getWeight(Operation *op) {
    unsigned index = cast<PrunableOpInterface>(op).getWeightIndex();
    ConstantOp constant = getConstant(op->getOperand(index));
    return constant ? constant.getValue() : Attribute();
  }

  void visit(func::FuncOp entry, SmallVectorImpl<Operation *> &layers) {
    Search ends, heads;
    for (Value argument : entry.getArguments())
      ends.followUses(argument);
    for (OpOperand &operand :
         entry.getBody().front().getTerminator()->getOpOperands())
      (isLatent(entry, operand.getOperandNumber()) ? heads : ends)
          .followDefinitions(operand.get());
    entry.walk([&](ReparameterizeOp op) {
      heads.followDefinitions(op.getMu());
      heads.followDefinitions(op.getLogvar());
      ends.followUses(op.getZ());
    });
    entry.walk([&](Operation *op) {
      if (!isLayer(op))
        return;
      layers.push_back(op);
      bool isEnd = ends.contains(op) && !hasManyWeights(op);
      if (!hasForm(op, wanted) || (exactEnds && (isEnd || heads.contains(op))))
        exact.insert(getWeight(op));
    });
  }

  Precision wanted = Precision::F32;
  DenseSet<Attribute> exact;
};

} // namespace
