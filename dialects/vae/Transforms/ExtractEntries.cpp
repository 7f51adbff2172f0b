// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace vae {
#define GEN_PASS_DEF_EXTRACTENTRIESPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

/// The name nearest to a misspelt one; empty if none is near.
StringRef findNearest(StringRef wanted, ArrayRef<StringRef> names) {
  StringRef nearest;
  unsigned least = std::max<size_t>(1, wanted.size() / 3) + 1;
  for (StringRef name : names) {
    unsigned distance = wanted.edit_distance(name, true, least);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/// Whether a constant holds a running statistic, which nobody trained.
bool isStatistic(ConstantOp constant) {
  return llvm::any_of(constant->getUsers(), [&](Operation *user) {
    auto norm = dyn_cast<BatchNormOp>(user);
    return norm &&
           (norm.getMean() == constant || norm.getVariance() == constant);
  });
}

/// The trained parameters of the functions that entry points call; a tensor
/// that serves twice counts once.
int64_t countParameters(ModuleOp module) {
  llvm::StringSet<> seen;
  int64_t count = 0;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function->hasAttr(kEntryAttr))
      function.walk([&](ConstantOp constant) {
        StringRef name = getWeightName(constant.getValue());
        if (!isStatistic(constant) &&
            (name.empty() || seen.insert(name).second))
          count += constant.getValue().getNumElements();
      });
  return count;
}

struct ExtractEntriesPass
    : vae::impl::ExtractEntriesPassBase<ExtractEntriesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (entries.empty())
      return;
    SmallVector<func::FuncOp> functions;
    SmallVector<StringRef> names;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr)) {
        functions.push_back(function);
        names.push_back(function.getName());
      }
    for (const std::string &wanted : entries)
      if (!llvm::is_contained(names, wanted)) {
        reportUnknown(wanted, names);
        return signalPassFailure();
      }
    bool erased = false;
    for (func::FuncOp function : functions)
      if (!llvm::is_contained(entries, function.getName())) {
        countEvent(*this, numErased, "entries-erased", function);
        function.erase();
        erased = true;
      }
    if (!erased)
      return;
    eraseUnreachable();
    updateParameters();
  }

  void reportUnknown(StringRef wanted, ArrayRef<StringRef> names) {
    // At the location, not at the operation: the remedy is not in its text.
    auto error = emitError(getOperation().getLoc())
                 << "no entry point '" << wanted << "'";
    if (names.empty()) {
      error << "; the model has none";
      return;
    }
    if (StringRef nearest = findNearest(wanted, names); !nearest.empty())
      error << "; did you mean '" << nearest << "'?";
    error << "; the model has ";
    llvm::interleaveComma(names, error);
  }

  /// Erases private functions that no entry point calls.
  void eraseUnreachable() {
    SymbolTable symbols(getOperation());
    llvm::SetVector<Operation *> reached;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isPrivate())
        reached.insert(function);
    for (size_t i = 0; i < reached.size(); ++i)
      reached[i]->walk([&](func::CallOp call) {
        if (Operation *callee = symbols.lookup(call.getCallee()))
          reached.insert(callee);
      });
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!reached.contains(function))
        function.erase();
  }

  void updateParameters() {
    auto model = getOperation()->getAttrOfType<DictionaryAttr>(kModelAttr);
    if (!model || !model.contains("parameters"))
      return;
    Builder builder(&getContext());
    NamedAttrList attributes(model);
    attributes.set("parameters",
                   builder.getI64IntegerAttr(countParameters(getOperation())));
    getOperation()->setAttr(kModelAttr,
                            attributes.getDictionary(&getContext()));
  }
};

} // namespace
