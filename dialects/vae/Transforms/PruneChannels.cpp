// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "dialects/vae/Transforms/UnitSelection.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_PRUNECHANNELSPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// The elements of a tensor whose indices on an axis are kept.
std::vector<float> takeIndices(ArrayRef<float> values,
                               SmallVectorImpl<int64_t> &shape, int64_t axis,
                               ArrayRef<int64_t> kept) {
  int64_t inner = 1, outer = 1;
  for (auto [i, dim] : llvm::enumerate(shape))
    if (int64_t(i) != axis)
      (int64_t(i) < axis ? outer : inner) *= dim;
  std::vector<float> result;
  result.reserve(outer * inner * kept.size());
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t index : kept) {
      const float *from = values.data() + (o * shape[axis] + index) * inner;
      result.insert(result.end(), from, from + inner);
    }
  shape[axis] = kept.size();
  return result;
}

struct PruneChannelsPass : vae::impl::PruneChannelsPassBase<PruneChannelsPass> {
  using Base::Base;

  void runOnOperation() override {
    UnitRequest request;
    if (failed(readOptions(request)))
      return signalPassFailure();
    if (request.fraction == 0 && request.layers.empty() &&
        request.removed.empty())
      return;
    UnitFlow flow(getOperation());
    if (failed(selectUnits(flow, request, getOperation())))
      return signalPassFailure();
    if (mask)
      return maskUnits(flow);
    countRemoved(flow);
    dropUnits(flow);
  }

private:
  //===--------------------------------------------------------------------===//
  // Options
  //===--------------------------------------------------------------------===//

  LogicalResult fail(const Twine &message) {
    return emitError(getOperation().getLoc()) << message;
  }

  LogicalResult readFraction(StringRef text, double &fraction) {
    if (text.getAsDouble(fraction) || !(fraction >= 0 && fraction < 1))
      return fail("expected a fraction from 0 to less than 1, found '" + text +
                  "'");
    return success();
  }

  /// "LAYER=A:B:C".
  template <typename T>
  LogicalResult
  readList(StringRef text,
           std::vector<std::pair<std::string, std::vector<T>>> &lists) {
    auto [name, numbers] = text.rsplit('=');
    std::vector<T> &list = lists.emplace_back(name.str(), 0).second;
    SmallVector<StringRef> parts;
    numbers.split(parts, ':', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts) {
      bool bad = false;
      if constexpr (std::is_floating_point_v<T>)
        bad = part.getAsDouble(list.emplace_back());
      else
        bad = part.getAsInteger(10, list.emplace_back());
      if (bad)
        return fail("expected LAYER=A:B:.. with numbers, found '" + text + "'");
    }
    return success();
  }

  LogicalResult readOptions(UnitRequest &request) {
    request.fraction = channels;
    if (!(channels >= 0 && channels < 1))
      return fail("expected a fraction from 0 to less than 1, found " +
                  Twine(std::to_string(channels)));
    if (scope != "layer" && scope != "global")
      return fail("expected the scope layer or global, found '" + scope + "'");
    request.global = scope == "global";
    request.absolute = absolute;
    for (StringRef text : layers) {
      auto [name, number] = text.rsplit('=');
      if (failed(readFraction(
              number, request.layers.emplace_back(name.str(), 0).second)))
        return failure();
    }
    for (StringRef text : scores)
      if (failed(readList(text, request.scores)))
        return failure();
    for (StringRef text : removed)
      if (failed(readList(text, request.removed)))
        return failure();
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Removal
  //===--------------------------------------------------------------------===//

  /// Says on the module which units are gone.
  void countRemoved(const UnitFlow &flow) {
    Builder builder(&getContext());
    NamedAttrList pruned;
    for (const LayerUnits &layer : flow.getLayers()) {
      SmallVector<int64_t> gone;
      for (auto [i, unit] : llvm::enumerate(layer.units))
        if (flow.isRemoved(unit))
          gone.push_back(i);
      if (gone.empty())
        continue;
      countEvent(*this, numLayers, "layers-pruned", layer.op);
      numUnits += gone.size();
      pruned.set(layer.name, builder.getDenseI64ArrayAttr(gone));
    }
    getOperation()->setAttr(kPrunedAttr, pruned.getDictionary(&getContext()));
  }

  void dropUnits(const UnitFlow &flow) {
    sliced.clear();
    removedParameters = 0;
    getOperation().walk([&](UnitCarrierOpInterface op) { op.dropUnits(flow); });
    getOperation().walk([&](UnitCarrierOpInterface op) {
      for (OpOperand &operand : op->getOpOperands())
        sliceConstant(operand, flow);
    });
    for (auto [tensor, units] : flow.getTensors()) {
      auto type = cast<RankedTensorType>(tensor.getType());
      SmallVector<int64_t> shape(type.getShape());
      shape[units.axis] = flow.countKept(units.units);
      tensor.setType(type.clone(shape));
    }
    updateParameters();
  }

  void sliceConstant(OpOperand &operand, const UnitFlow &flow) {
    SmallVector<UnitAxis> axes = flow.getSlices(operand);
    if (axes.empty())
      return;
    ConstantOp constant = getConstant(operand.get());
    ElementsAttr old = constant.getValue();
    SmallVector<Attribute> key = {old};
    Builder keys(&getContext());
    for (const UnitAxis &axis : axes) {
      key.push_back(keys.getI64IntegerAttr(axis.axis));
      key.push_back(keys.getDenseI64ArrayAttr(flow.getKept(axis.units)));
    }
    // Entry points share their weights.
    Attribute &known = sliced[keys.getArrayAttr(key)];
    if (!known) {
      std::vector<float> storage;
      std::vector<float> values = getFloats(old, storage).vec();
      SmallVector<int64_t> shape(old.getShapedType().getShape());
      for (const UnitAxis &axis : axes)
        values =
            takeIndices(values, shape, axis.axis, flow.getKept(axis.units));
      if (!isStatistic(operand))
        removedParameters += old.getNumElements() - int64_t(values.size());
      known = makeWeightLike(old, getWeightName(old), shape, std::move(values));
    }
    OpBuilder builder(operand.getOwner());
    operand.set(ConstantOp::create(builder, constant.getLoc(),
                                   cast<ElementsAttr>(known)));
    if (constant->use_empty())
      constant->erase();
  }

  /// Running statistics are not trained.
  static bool isStatistic(OpOperand &operand) {
    auto norm = dyn_cast<BatchNormOp>(operand.getOwner());
    return norm && (operand.get() == norm.getMean() ||
                    operand.get() == norm.getVariance());
  }

  void updateParameters() {
    auto model = getOperation()->getAttrOfType<DictionaryAttr>(kModelAttr);
    auto count = model ? model.getAs<IntegerAttr>("parameters") : IntegerAttr();
    if (!count)
      return;
    NamedAttrList attributes(model);
    attributes.set("parameters",
                   Builder(&getContext())
                       .getI64IntegerAttr(count.getInt() - removedParameters));
    getOperation()->setAttr(kModelAttr,
                            attributes.getDictionary(&getContext()));
  }

  //===--------------------------------------------------------------------===//
  // Masks
  //===--------------------------------------------------------------------===//

  /// Sets every element of a removed unit to zero.
  void maskUnits(const UnitFlow &flow) {
    for (const auto &[tensor, units] : flow.getTensors()) {
      if (flow.countKept(units.units) == int64_t(units.units.size()))
        continue;
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(tensor);
      Location loc = tensor.getLoc();
      SmallVector<int64_t> order;
      for (int64_t i = 0;
           i < cast<RankedTensorType>(tensor.getType()).getRank(); ++i)
        order.push_back(i);
      std::swap(order[1], order[units.axis]);
      SmallVector<float> factors, zeros(units.units.size(), 0.0f);
      for (Unit unit : units.units)
        factors.push_back(flow.isRemoved(unit) ? 0.0f : 1.0f);
      auto type = RankedTensorType::get({int64_t(units.units.size())},
                                        builder.getF32Type());
      auto constant = [&](ArrayRef<float> values) {
        return ConstantOp::create(builder, loc,
                                  cast<ElementsAttr>(Attribute(
                                      DenseElementsAttr::get(type, values))));
      };
      Value first = TransposeOp::create(builder, loc, tensor, order);
      Value masked =
          ChannelAffineOp::create(builder, loc, first.getType(), first,
                                  constant(factors), constant(zeros));
      Value last = TransposeOp::create(builder, loc, masked, order);
      Value(tensor).replaceAllUsesExcept(last, first.getDefiningOp());
    }
  }

  llvm::DenseMap<Attribute, Attribute> sliced;
  int64_t removedParameters = 0;
};

} // namespace
