// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/Halos.h"
#include "dialects/vae/Transforms/Passes.h"
#include "dialects/vae/Transforms/Statistics.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

namespace vae {
#define GEN_PASS_DEF_FINDHALOSPASS
#include "dialects/vae/Transforms/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// An alignment beyond this is no use to anybody.
static constexpr int64_t kMostMultiple = int64_t(1) << 20;

static bool follows(const Reach &reach) {
  return llvm::any_of(reach, [](const AxisReach &axis) { return axis.symbol; });
}

/// The value of an expression of at most one symbol.
static int64_t evaluate(AffineExpr dim, unsigned symbol, int64_t value) {
  AffineExpr constant = getAffineConstantExpr(value, dim.getContext());
  AffineExpr result = simplifyAffineExpr(
      dim.replace(getAffineSymbolExpr(symbol, dim.getContext()), constant), 0,
      symbol + 1);
  return cast<AffineConstantExpr>(result).getValue();
}

/// Whether a symbol's values are no multiples, as of frames: parts of them are
/// no values.
static bool hasRemainder(func::FuncOp function, unsigned symbol) {
  auto module = function->getParentOfType<ModuleOp>();
  auto symbols =
      module ? module->getAttrOfType<ArrayAttr>(kSymbolsAttr) : ArrayAttr();
  return symbols && symbol < symbols.size() &&
         cast<DictionaryAttr>(symbols[symbol]).contains("remainder");
}

/// What an argument's axis is. False unless it is linear in one symbol.
bool HaloFinder::follow(AffineExpr dim, AxisReach &axis) {
  SmallVector<unsigned> symbols;
  dim.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      if (!llvm::is_contained(symbols, symbol.getPosition()))
        symbols.push_back(symbol.getPosition());
  });
  if (symbols.empty())
    return true;
  if (symbols.size() > 1 || symbols[0] == 0 ||
      hasRemainder(function, symbols[0]))
    return false;
  axis.symbol = symbols[0];
  int64_t offset = evaluate(dim, axis.symbol, 0);
  axis.up = evaluate(dim, axis.symbol, 1) - offset;
  axis.after = axis.missing = -offset;
  if (halos.size() <= axis.symbol)
    halos.resize(axis.symbol + 1);
  return axis.up > 0 && evaluate(dim, axis.symbol, 3) == offset + 3 * axis.up;
}

bool HaloFinder::follow() {
  bool any = false;
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    Reach reach(1); // the batch
    llvm::SmallDenseSet<unsigned> taken;
    bool fits = true;
    const Dims dims = getArgumentDims(function, index);
    for (AffineExpr dim : ArrayRef<AffineExpr>(dims).drop_front()) {
      AxisReach &axis = reach.emplace_back();
      fits &= follow(dim, axis);
      // Tiles of a symbol are ranges on one axis.
      fits &= !axis.symbol || taken.insert(axis.symbol).second;
    }
    any |= !fits || follows(reach);
    if (!fits || !align(reach)) {
      auto name = function.getArgAttrOfType<StringAttr>(index, kNameAttr);
      obstacle = {name ? name.str() : "", "input"};
    }
    reaches[argument] = std::move(reach);
  }
  return any;
}

/// Tiles begin where every tensor has an element.
bool HaloFinder::align(const Reach &reach) {
  for (const AxisReach &axis : reach) {
    if (!axis.symbol)
      continue;
    int64_t &multiple = halos[axis.symbol].multiple;
    int64_t unit = axis.down * axis.grid;
    multiple = std::lcm(std::max<int64_t>(multiple, 1),
                        unit / std::gcd(unit, axis.up));
    if (multiple > kMostMultiple)
      return false;
  }
  return true;
}

/// Tiles overlap as far as a result needs it.
void HaloFinder::widen(const Reach &reach) {
  for (const AxisReach &axis : reach) {
    if (!axis.symbol)
      continue;
    Halo &halo = halos[axis.symbol];
    auto units = [&](int64_t elements) {
      int64_t count = llvm::divideCeilSigned(elements * axis.down, axis.up);
      return llvm::divideCeilSigned(count, halo.multiple) * halo.multiple;
    };
    halo.before = std::max(halo.before, units(axis.before));
    halo.after = std::max(halo.after, units(axis.after));
  }
}

bool HaloFinder::infer(Operation &op) {
  SmallVector<Reach> in, out;
  bool any = false;
  for (Value operand : op.getOperands()) {
    in.push_back(reaches.lookup(operand));
    any |= follows(in.back());
  }
  if (!any) { // weights, and what follows no symbol
    for (Value result : op.getResults())
      out.emplace_back(cast<RankedTensorType>(result.getType()).getRank());
  } else {
    auto local = dyn_cast<LocalOpInterface>(op);
    if (!local || failed(local.inferReach(in, out)))
      return false;
  }
  for (auto [result, reach] : llvm::zip_equal(op.getResults(), out)) {
    if (!align(reach))
      return false;
    for (AxisReach &axis : reach)
      axis.grid = 1;
    reaches[result] = std::move(reach);
  }
  return true;
}

std::optional<Obstacle> HaloFinder::run() {
  if (obstacle)
    return obstacle;
  Block &block = function.front();
  for (Operation &op : block.without_terminator())
    if (!infer(op))
      return Obstacle{getLayerName(op.getLoc()).str(),
                      op.getName().stripDialect().str()};
  for (Value result : block.getTerminator()->getOperands())
    widen(reaches.lookup(result));
  return std::nullopt;
}

namespace {

struct FindHalosPass : vae::impl::FindHalosPassBase<FindHalosPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || !function->hasAttr(kEntryAttr))
      return;
    function->removeAttr(kTilingAttr);
    HaloFinder finder(function);
    if (!finder.follow())
      return;
    Builder builder(&getContext());
    NamedAttrList tiling;
    if (auto obstacle = finder.run()) {
      tiling.set("layer", builder.getStringAttr(obstacle->layer));
      tiling.set("operation", builder.getStringAttr(obstacle->operation));
      countEvent(*this, numWhole, "whole", function);
    } else {
      SmallVector<Attribute> halos;
      for (const Halo &halo : finder.getHalos())
        halos.push_back(builder.getDenseI64ArrayAttr(
            {halo.before, halo.after, halo.multiple}));
      tiling.set("halos", builder.getArrayAttr(halos));
      countEvent(*this, numTiled, "tiled", function);
    }
    function->setAttr(kTilingAttr, tiling.getDictionary(&getContext()));
  }
};

} // namespace
