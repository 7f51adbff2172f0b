// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Passes.h"

#include "dialects/vae/Transforms/Statistics.h"
#include "dialects/vae/Transforms/WeightSelection.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vae {
#define GEN_PASS_DEF_PRUNEWEIGHTSPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

namespace {

struct PruneWeightsPass : vae::impl::PruneWeightsPassBase<PruneWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    WeightRequest request;
    if (failed(readOptions(request)))
      return signalPassFailure();
    if (!request.all && request.layers.empty())
      return;
    auto selection = selectWeights(getOperation(), request);
    if (failed(selection) ||
        failed(maskWeights(getOperation(), selection->masks)))
      return signalPassFailure();
    report(*selection);
  }

private:
  LogicalResult fail(const Twine &message) {
    return emitError(getOperation().getLoc()) << message;
  }

  LogicalResult readPattern(StringRef text, WeightPattern &pattern) {
    auto parsed = WeightPattern::parse(text);
    if (!parsed)
      return fail("expected " + kWeightPatterns + ", found '" + text + "'");
    pattern = *parsed;
    return success();
  }

  /// "LAYER=A:B:C".
  LogicalResult readNorms(StringRef text, WeightRequest &request) {
    auto [name, numbers] = text.rsplit('=');
    std::vector<double> &list =
        request.norms.emplace_back(name.str(), 0).second;
    SmallVector<StringRef> parts;
    numbers.split(parts, ':', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts)
      if (part.getAsDouble(list.emplace_back()))
        return fail("expected LAYER=A:B:.. with numbers, found '" + text + "'");
    return success();
  }

  LogicalResult readOptions(WeightRequest &request) {
    if (scope != "layer" && scope != "global")
      return fail("expected the scope layer or global, found '" + scope + "'");
    request.global = scope == "global";
    if (!pattern.empty() && failed(readPattern(pattern, request.all.emplace())))
      return failure();
    for (StringRef text : layers) {
      auto [name, own] = text.rsplit('=');
      if (failed(readPattern(
              own,
              request.layers.emplace_back(name.str(), WeightPattern()).second)))
        return failure();
    }
    for (StringRef text : norms)
      if (failed(readNorms(text, request)))
        return failure();
    return success();
  }

  void report(const WeightSelection &selection) {
    Builder builder(&getContext());
    NamedAttrList pruned, left;
    for (const WeightMask &mask : selection.masks) {
      ++numLayers;
      numWeights += llvm::count(mask.kept, 0);
      pruned.set(mask.layer, builder.getStringAttr(mask.pattern.str()));
    }
    for (const auto &[layer, reason] : selection.left)
      left.set(layer, builder.getStringAttr(reason));
    getOperation()->setAttr(kPrunedWeightsAttr,
                            pruned.getDictionary(&getContext()));
    if (!left.empty())
      getOperation()->setAttr(kUnprunedAttr, left.getDictionary(&getContext()));
  }
};

} // namespace
