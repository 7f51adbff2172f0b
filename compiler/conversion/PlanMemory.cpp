// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "dialects/kernel/IR/Kernel.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

namespace vae {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

constexpr int64_t kAlignment = 64;

/// A buffer of the arena.
struct Slot {
  AffineMap bytes;
  int64_t first = 0, last = 0; // launches between which it is in use
  int64_t nominalBytes = 0;
  int64_t nominalOffset = 0;
  SmallVector<kernel::LaunchOp> writers;

  bool conflictsWith(const Slot &other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Sizes for which the placement is tight: batch 1, the least image that is
/// not trivial.
constexpr int64_t kNominalUnits = 8;

int64_t evaluate(AffineExpr expr) {
  SmallVector<AffineExpr> values;
  // More symbols than any model has; unused ones do no harm.
  for (int64_t value :
       {int64_t(1), kNominalUnits, kNominalUnits, kNominalUnits, kNominalUnits})
    values.push_back(getAffineConstantExpr(value, expr.getContext()));
  AffineExpr result = expr.replaceSymbols(values);
  return cast<AffineConstantExpr>(simplifyAffineExpr(result, 0, values.size()))
      .getValue();
}

/// Rounds up to the alignment. Kept outside the product with the batch, so
/// that the plan of a batch is the batch times the plan of an example.
AffineExpr aligned(AffineExpr elements, Type type) {
  int64_t size = getElementBytes(type);
  AffineExpr end = elements * size;
  if (size == 1) // kernels read whole vectors of bytes, beyond the last one
    end = end + kAlignment;
  return end.ceilDiv(kAlignment) * kAlignment;
}

struct PlanMemoryPass : vae::impl::PlanMemoryPassBase<PlanMemoryPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kEntryAttr))
      return;
    std::vector<Slot> slots = collect(function);
    place(slots);
    annotate(function, slots);
    numSlots += slots.size();
  }

  /// The value whose buffer `value` is.
  static Value root(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (auto alias = dyn_cast<kernel::AliasOp>(op))
        value = alias.getSource();
      else if (auto launch = dyn_cast<kernel::LaunchOp>(op);
               launch && launch.getInit())
        value = launch.getInit();
      else
        break;
    }
    return value;
  }

  static std::vector<Slot> collect(func::FuncOp function) {
    llvm::MapVector<Value, Slot> slots;
    SmallPtrSet<Value, 8> returned;
    auto ret = cast<func::ReturnOp>(function.getBody().front().getTerminator());
    for (Value value : ret.getOperands())
      returned.insert(root(value));
    int64_t index = 0;
    for (auto launch : function.getOps<kernel::LaunchOp>()) {
      Value own = root(launch.getResult());
      if (!returned.contains(own)) {
        Slot &slot = slots[own];
        if (slot.writers.empty()) {
          AffineExpr bytes =
              aligned(launch.getElements().getResult(0), own.getType());
          slot.bytes =
              AffineMap::get(0, launch.getElements().getNumSymbols(), bytes);
          slot.nominalBytes = evaluate(bytes);
          slot.first = index;
        }
        slot.last = index;
        slot.writers.push_back(launch);
      }
      for (Value input : launch.getInputs())
        if (auto it = slots.find(root(input)); it != slots.end())
          it->second.last = index;
      ++index;
    }
    std::vector<Slot> result;
    for (auto &entry : slots)
      result.push_back(std::move(entry.second));
    return result;
  }

  /// Largest first, each into the smallest gap that holds it.
  static void place(std::vector<Slot> &slots) {
    SmallVector<Slot *> order;
    for (Slot &slot : slots)
      order.push_back(&slot);
    llvm::sort(order, [](const Slot *a, const Slot *b) {
      return std::tie(b->nominalBytes, a->first) <
             std::tie(a->nominalBytes, b->first);
    });
    SmallVector<Slot *> placed;
    for (Slot *slot : order) {
      SmallVector<Slot *> rivals;
      for (Slot *other : placed)
        if (slot->conflictsWith(*other))
          rivals.push_back(other);
      llvm::sort(rivals, [](const Slot *a, const Slot *b) {
        return std::tie(a->nominalOffset, a->first) <
               std::tie(b->nominalOffset, b->first);
      });
      int64_t end = 0, best = -1, bestGap = INT64_MAX;
      for (Slot *rival : rivals) {
        int64_t gap = rival->nominalOffset - end;
        if (gap >= slot->nominalBytes && gap < bestGap) {
          best = end;
          bestGap = gap;
        }
        end = std::max(end, rival->nominalOffset + rival->nominalBytes);
      }
      slot->nominalOffset = best >= 0 ? best : end;
      placed.push_back(slot);
    }
    llvm::sort(slots, [](const Slot &a, const Slot &b) {
      return std::tie(a.nominalOffset, a.first) <
             std::tie(b.nominalOffset, b.first);
    });
  }

  static void annotate(func::FuncOp function, std::vector<Slot> &slots) {
    Builder builder(function.getContext());
    SmallVector<Attribute> plan;
    for (auto [id, slot] : llvm::enumerate(slots)) {
      SmallVector<int64_t> below;
      for (size_t other = 0; other < id; ++other)
        if (slot.conflictsWith(slots[other]))
          below.push_back(other);
      plan.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("bytes", AffineMapAttr::get(slot.bytes)),
           builder.getNamedAttr("above", builder.getDenseI64ArrayAttr(below)),
           builder.getNamedAttr("live", builder.getDenseI64ArrayAttr(
                                            {slot.first, slot.last}))}));
      for (kernel::LaunchOp writer : slot.writers)
        writer.setSlot(id);
    }
    function->setAttr(kernel::kPlanAttr, builder.getArrayAttr(plan));
  }
};

} // namespace
