// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/calibrate/TensorNames.h"
#include "compiler/conversion/LayerKinds.h"
#include "compiler/conversion/QuantizeLayers.h"
#include "compiler/conversion/QuantizeTensors.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/LayerEnds.h"

#include <map>

namespace vae {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Functions that are below zero nowhere.
static bool isNonNegative(ActivationAttr activation) {
  switch (activation.getKind()) {
  case ActivationKind::Relu:
  case ActivationKind::Relu6:
  case ActivationKind::Sigmoid:
  case ActivationKind::HardSigmoid:
  case ActivationKind::Softplus:
  case ActivationKind::Exp:
    return true;
  default:
    return false;
  }
}

static ActivationAttr getActivation(Operation *op) {
  if (auto activation = dyn_cast_or_null<ActivationOp>(op))
    return activation.getFunction();
  auto epilogue = dyn_cast_or_null<EpilogueOpInterface>(op);
  return epilogue ? epilogue.getEpilogueActivation() : ActivationAttr();
}

namespace {

struct QuantizePass : vae::impl::QuantizePassBase<QuantizePass> {
  using Base::Base;
  friend struct vae::AlgorithmRules;

  LogicalResult initialize(MLIRContext *context) override {
    auto fail = [&](const Twine &message) {
      return emitError(UnknownLoc::get(context)) << message;
    };
    auto created = AlgorithmChooser::create(AlgorithmRules::of(*this));
    if (!created)
      return fail(llvm::toString(created.takeError()));
    chooser = std::move(*created);
    if (quantize != "none" && quantize != "int8")
      return fail("unknown integers '" + quantize + "'");
    for (const std::string &text : ranges) {
      auto range = parseRange(text);
      if (!range)
        return fail("a range is NAME:LOW:HIGH, found '" + text + "'");
      known[range->first] = range->second;
    }
    return readKinds(layers, wishes, context);
  }

  void runOnOperation() override {
    if (quantize == "none")
      return;
    notes.clear();
    weights.clear();
    types.clear();
    warned.clear();
    SmallVector<func::FuncOp> entries;
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry->hasAttr(kEntryAttr) && !entry.isDeclaration())
        entries.push_back(entry);
    for (func::FuncOp entry : entries)
      check(entry);
    DenseSet<Operation *> chosen = choose(entries);
    auto getType = [&](Value source) { return types[source]; };
    TensorQuantizer tensors(chosen, getType); // refers to both
    for (func::FuncOp entry : entries)
      tensors.run(entry);
    numTensors += tensors.getNumTensors();
    numConversions += tensors.getNumConversions();
  }

private:
  /// What layers have in common that are of one kind: a weight, or else they
  /// are one layer.
  static const void *getKey(Operation *layer) {
    return isa<PrunableOpInterface>(layer)
               ? getSharedWeight(layer).getAsOpaquePointer()
               : layer;
  }

  /// Finds out which layers stay as they are, and why.
  void check(func::FuncOp entry) {
    DenseMap<Value, std::string> names = nameTensors(entry);
    LayerEnds ends(entry);
    entry.walk([&](QuantizableOpInterface layer) {
      std::string note = check(layer, names, ends);
      if (!note.empty())
        notes.try_emplace(getKey(layer), note);
      Value residual;
      if (auto epilogue = dyn_cast<EpilogueOpInterface>(layer.getOperation()))
        residual = epilogue.getEpilogueResidual();
      if (residual)
        findType(residual, names);
    });
  }

  std::string check(QuantizableOpInterface layer,
                    const DenseMap<Value, std::string> &names,
                    const LayerEnds &ends) {
    StringRef obstacle = getIntegerObstacle(layer);
    if (!obstacle.empty())
      return obstacle.str();
    auto wish = wishes.find(layer);
    if (wish && wish != PrecisionKind::Int8)
      return "asked for";
    if (!wish && exactEnds && ends.isHead(layer))
      return "a head of the latent";
    if (!wish && !paysInteger(layer, chooser))
      return "integers would not be faster";
    for (Value data : layer->getOperands().take_front(layer.getNumData()))
      if (!findType(data, names)) {
        warnOfRange(layer, data, names);
        return "no range of its data is known";
      }
    if (!isa<PrunableOpInterface>(layer.getOperation()))
      return "";
    const WeightSums &sums = getSums(layer);
    if (!sums.type)
      return "a weight is not finite";
    if (!sums.fit(findType(layer->getOperand(0), names).getZeroPoint()))
      return "sums could exceed 32 bits";
    return "";
  }

  const WeightSums &getSums(Operation *layer) {
    auto [found, isNew] = weights.try_emplace(getSharedWeight(layer));
    if (isNew)
      found->second = std::make_shared<WeightSums>(layer);
    return *found->second;
  }

  /// What the source of a value becomes. Its range is its own, or else that of
  /// the first tensor behind it that has one.
  quant::UniformQuantizedType
  findType(Value value, const DenseMap<Value, std::string> &names) {
    Value source = getQuantizedSource(value);
    quant::UniformQuantizedType &type = types[source];
    if (type)
      return type;
    const Range *range = nullptr;
    for (;; value = value.getDefiningOp()->getOperand(0)) {
      auto name = names.find(value);
      auto found = name == names.end() ? known.end() : known.find(name->second);
      if (found != known.end())
        range = &found->second;
      if (value == source)
        break;
    }
    if (!range)
      return type;
    float low = range->low;
    ActivationAttr activation = getActivation(source.getDefiningOp());
    if (activation && isNonNegative(activation))
      low = 0;
    return type = getActivationType(&getContext(), low, range->high);
  }

  void warnOfRange(Operation *layer, Value data,
                   const DenseMap<Value, std::string> &names) {
    if (!warned.insert(getKey(layer)).second)
      return;
    Value source = getQuantizedSource(data);
    auto name = names.find(source);
    auto warning = layer->emitWarning()
                   << "layer '" << getLayerNames(layer)
                   << "' does not multiply integers: there is no range of "
                      "its data";
    if (name != names.end())
      warning << ", '" << name->second << "'";
  }

  DenseSet<Operation *> choose(ArrayRef<func::FuncOp> entries) {
    DenseSet<Operation *> chosen;
    for (func::FuncOp entry : entries)
      entry.walk([&](QuantizableOpInterface layer) {
        auto note = notes.find(getKey(layer));
        if (note != notes.end()) {
          layer->setAttr(kQuantizeNoteAttr,
                         StringAttr::get(&getContext(), note->second));
          return;
        }
        if (isa<PrunableOpInterface>(layer.getOperation()))
          layer->setAttr(kWeightTypeAttr, TypeAttr::get(getSums(layer).type));
        chosen.insert(layer);
        ++numLayers;
      });
    if (!chosen.empty())
      getOperation()->setAttr(
          kPrecisionAttr,
          StringAttr::get(&getContext(), stringifyPrecision(Precision::INT8)));
    return chosen;
  }

  AlgorithmChooser chooser;
  std::map<std::string, Range> known; // by the tensor's name
  LayerKinds wishes;
  DenseMap<const void *, std::string> notes; // by getKey
  DenseMap<Attribute, std::shared_ptr<WeightSums>> weights;
  DenseMap<Value, quant::UniformQuantizedType> types; // of sources
  DenseSet<const void *> warned;
};

} // namespace
