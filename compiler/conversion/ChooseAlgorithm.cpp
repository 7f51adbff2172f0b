// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/Conversion.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/Shapes.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace vae {
#define GEN_PASS_DEF_CHOOSEALGORITHMPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

/// Sizes that are assumed where the model's are dynamic.
static constexpr int64_t kNominalImages = 1, kNominalSize = 128;

/// Winograd's tiles, of 2x2 to 6x6 outputs.
static constexpr int64_t kTileOutputs[] = {2, 4, 6};
/// A larger tile is less exact and must be worth it.
static constexpr double kWorthLargerTile = 0.9;

static int64_t getSize(RankedTensorType type, int64_t axis) {
  int64_t size = type.getDimSize(axis);
  if (!ShapedType::isDynamic(size))
    return size;
  return axis == 0 ? kNominalImages : kNominalSize;
}

/// The contractions of a convolution with their positions.
static SmallVector<Work> getWork(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t strides[2] = {1, 1};
  if (auto transposed = dyn_cast<ConvTranspose2dOp>(op))
    llvm::copy(transposed.getStrides(), strides);
  SmallVector<Work> result;
  for (const Contraction &shape : getContractions(op)) {
    Work &work = result.emplace_back();
    work.shape = shape;
    work.images = getSize(type, 0);
    work.rows = llvm::divideCeil(getSize(type, 2), strides[0]);
    work.columns = llvm::divideCeil(getSize(type, 3), strides[1]);
  }
  return result;
}

/// Of all contractions; those that the algorithm cannot compute are direct.
/// Nothing if it can compute none.
static std::optional<double> getCost(const KernelTarget &target,
                                     ArrayRef<Work> work,
                                     const Algorithm &algorithm) {
  double total = 0;
  bool any = false;
  for (const Work &part : work) {
    auto cost = vae::getCost(target, part, algorithm);
    any |= cost.has_value();
    total += cost ? *cost : *vae::getCost(target, part, Algorithm());
  }
  return any ? std::optional(total) : std::nullopt;
}

/// Winograd's sums of weights must be numbers, and have some room left.
static bool hasFiniteWeights(Operation *op) {
  constexpr float most = 1e30f;
  std::vector<float> storage;
  ConstantOp weight = getConstant(op->getOperand(1));
  return weight &&
         llvm::all_of(getFloats(weight.getValue(), storage),
                      [](float value) { return std::fabs(value) < most; });
}

namespace {

struct ChooseAlgorithmPass
    : vae::impl::ChooseAlgorithmPassBase<ChooseAlgorithmPass> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    for (const std::string &text : algorithms) {
      auto [layer, name] = StringRef(text).rsplit('=');
      if (name.empty())
        std::swap(layer, name);
      auto algorithm = Algorithm::parse(name);
      if (!algorithm)
        return emitError(UnknownLoc::get(context))
               << "unknown algorithm '" << name << "'";
      wanted[layer] = *algorithm;
    }
    return success();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    target.vectorWidth = vectorWidth;
    target.vectorRegisters = vectorRegisters;
    for (Operation &op : function.getBody().front())
      choose(&op);
  }

  void choose(Operation *op) {
    SmallVector<Work> work = getWork(op);
    if (work.empty())
      return;
    Algorithm best;
    double least = *::getCost(target, work, best);
    auto consider = [&](const Algorithm &algorithm) {
      auto cost = ::getCost(target, work, algorithm);
      if (!cost || *cost >= kWorthLargerTile * least)
        return;
      best = algorithm;
      least = *cost;
    };
    auto forced = wanted.find(getLayerName(op->getLoc()));
    if (forced == wanted.end())
      forced = wanted.find("");
    if (forced != wanted.end()) {
      if (::getCost(target, work, forced->second))
        best = forced->second;
      else if (!forced->first().empty())
        op->emitWarning() << forced->second.str() << " cannot compute layer '"
                          << forced->first() << "'; it stays direct";
    } else if (fast) {
      for (int64_t outputs : kTileOutputs)
        if (outputs <= mostOutputs)
          consider({outputs});
    }
    if (best.winograd && !hasFiniteWeights(op))
      best = Algorithm();
    if (best.winograd) {
      setAlgorithm(op, best);
      ++numWinograd;
    }
  }

  llvm::StringMap<Algorithm> wanted;
  KernelTarget target;
};

} // namespace
