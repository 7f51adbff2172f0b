// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Borders.h"

#include "compiler/conversion/QuantizeTensors.h"
#include "compiler/conversion/Shapes.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vae;

/// What the user of an image reads around it; nothing where it is not a
/// convolution that reads more than the image.
static std::optional<Border> getWanted(OpOperand &use) {
  Border border = {};
  if (use.getOperandNumber() == 0) {
    if (!readsBorder(use.getOwner()))
      return std::nullopt;
    if (auto conv = dyn_cast<Conv2dOp>(use.getOwner()))
      llvm::copy(conv.getPadding(), border.begin());
    else if (auto conv = dyn_cast<ConvTranspose2dOp>(use.getOwner()))
      border = getInputBorder(conv);
  }
  if (isEmpty(border))
    return std::nullopt;
  return border;
}

static Value getResidual(Operation *op) {
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return conv.getResidual();
  if (auto conv = dyn_cast<ConvTranspose2dOp>(op))
    return conv.getResidual();
  return nullptr;
}

bool vae::keepsBytes(ConvertLayoutOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  return type.getDimSize(1) == 1 ||
         llvm::all_of(type.getShape().drop_front(2),
                      [](int64_t size) { return size == 1; });
}

static bool copiesToChannelsLast(ConvertLayoutOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  return type.getEncoding() && type.getRank() == 4 && !keepsBytes(op);
}

/// Whether it is the kernel of an image's norm that stores these integers.
static bool quantizesNorm(ConvertLayoutOp op) {
  auto norm = op.getX().getDefiningOp<GroupNormOp>();
  return norm && findQuantizer(norm) == op &&
         cast<RankedTensorType>(op.getType()).getRank() == 4;
}

/// Whether the lowering of an operation can leave out a border of its result.
static bool canLeaveBorder(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto conv = dyn_cast_or_null<ConvTranspose2dOp>(op))
    return !isOfPixel(conv);
  if (auto conversion = dyn_cast_or_null<ConvertLayoutOp>(op))
    return copiesToChannelsLast(conversion) || quantizesNorm(conversion);
  if (auto norm = dyn_cast_or_null<GroupNormOp>(op))
    return cast<RankedTensorType>(norm.getType()).getRank() == 4;
  return isa_and_nonnull<Conv2dOp>(op);
}

/// Whether the user of an image reads it as well with a border as without one.
static bool toleratesBorder(OpOperand &use) {
  if (use.getOperandNumber() != 0)
    return false;
  if (auto norm = dyn_cast<GroupNormOp>(use.getOwner()))
    return cast<RankedTensorType>(norm.getType()).getRank() == 4;
  if (!getContractions(use.getOwner()).empty() && !readsBorder(use.getOwner()))
    return true;
  auto conv = dyn_cast<Conv2dOp>(use.getOwner());
  return conv && llvm::all_of(conv.getPadding(),
                              [](int64_t side) { return side == 0; });
}

/// Whether nothing reads a value after a user of it.
static bool isLastUse(Value value, Operation *user) {
  return llvm::none_of(value.getUsers(), [&](Operation *other) {
    return user->isBeforeInBlock(other);
  });
}

llvm::DenseMap<Operation *, Border> vae::planBorders(func::FuncOp function) {
  // A result and what is added to it are addressed alike: they have one border.
  llvm::EquivalenceClasses<void *> groups;
  for (Operation &op : function.getBody().front())
    if (Value residual = getResidual(&op))
      groups.unionSets(op.getResult(0).getAsOpaquePointer(),
                       residual.getAsOpaquePointer());
  auto leaderOf = [&](Value value) {
    return groups.getOrInsertLeaderValue(value.getAsOpaquePointer());
  };

  // The border that all of a group want; empty if they do not agree.
  llvm::DenseMap<void *, Border> wanted;
  auto want = [&](Value value, std::optional<Border> border) {
    auto [found, isNew] =
        wanted.try_emplace(leaderOf(value), border.value_or(Border{}));
    if (!isNew && (!border || found->second != *border))
      found->second = Border{};
  };
  auto visit = [&](Value value) {
    if (!canLeaveBorder(value))
      want(value, std::nullopt);
    for (OpOperand &use : value.getUses())
      if (getResidual(use.getOwner()) != value || use.getOperandNumber() == 0)
        if (!toleratesBorder(use))
          want(value, getWanted(use));
  };
  for (Value argument : function.getArguments())
    visit(argument);
  for (Operation &op : function.getBody().front())
    for (Value result : op.getResults())
      visit(result);

  // An image with the border that its norm is to have is normalized in place.
  for (auto norm : function.getBody().front().getOps<GroupNormOp>()) {
    auto found = wanted.find(leaderOf(norm.getY()));
    if (found == wanted.end() || isEmpty(found->second) ||
        !isLastUse(norm.getX(), norm) || wanted.contains(leaderOf(norm.getX())))
      continue;
    want(norm.getX(), Border(found->second));
  }

  llvm::DenseMap<Operation *, Border> borders;
  for (Operation &op : function.getBody().front())
    if (isa<Conv2dOp, ConvTranspose2dOp, ConvertLayoutOp, GroupNormOp>(op)) {
      auto found = wanted.find(leaderOf(op.getResult(0)));
      if (found != wanted.end() && !isEmpty(found->second))
        borders[&op] = found->second;
    }
  return borders;
}
