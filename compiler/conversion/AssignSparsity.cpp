// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/AlgorithmChooser.h"
#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Shapes.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/Transforms/LayerEnds.h"
#include "dialects/vae/Transforms/WeightPattern.h"
#include "llvm/Support/FormatVariadic.h"

namespace vae {
#define GEN_PASS_DEF_ASSIGNSPARSITYPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

static_assert(kOutputsOfBlock == kChannelBlock, "blocks are rows of kernels");

/// Of the bytes of all weights, what is stored; and of those of a bitmap, what
/// rows may take instead, for the others are not read.
static constexpr double kWorthBytes = 0.9, kLikeBitmap = 1.5;
/// Weights that are zero, of those of which there is something to say.
static constexpr double kManyZeros = 0.1;
/// Of the cost of direct sums, what those of rows cost for each row that is
/// left; and the part of a layer's cost that expanding its weights may take
/// (docs/design/sparse-weights.md).
static constexpr double kRowsCost = 1.05, kWorthExpanding = 0.1;
/// Weights of a dense layer that come from memory for each run.
static constexpr int64_t kManyBytes = int64_t(16) << 20;
/// Vector instructions to expand a row, in the unit of the cost model.
static constexpr double kExpandRow = 10;

namespace {

struct Choice {
  Sparsity sparsity = Sparsity::None;
  std::string note;
  bool direct = false; // instead of Winograd's algorithm
};

struct AssignSparsityPass
    : vae::impl::AssignSparsityPassBase<AssignSparsityPass> {
  using Base::Base;
  friend struct vae::AlgorithmRules;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!llvm::is_contained({"size", "speed", "none"}, StringRef(sparse))) {
      module.emitError() << "unknown choice of sparse weights '" << sparse
                         << "'; choose one of size, speed, none";
      return signalPassFailure();
    }
    if (sparse == "none")
      return;
    rules = AlgorithmRules::of(*this);
    auto created = AlgorithmChooser::create(rules);
    if (!created) {
      module.emitError() << llvm::toString(created.takeError());
      return signalPassFailure();
    }
    chooser.emplace(std::move(*created));
    choices.clear();
    module.walk([&](PrunableOpInterface op) { assign(op); });
  }

private:
  void assign(Operation *op) {
    Attribute weight = getSharedWeight(op);
    if (!weight)
      return;
    // The same weights may be those of another layer with other options.
    auto [found, isNew] =
        choices.try_emplace({weight, op->getAttrDictionary()});
    if (isNew)
      found->second = choose(op);
    const Choice &choice = found->second;
    auto set = [&](StringRef name, StringRef text) {
      op->setAttr(name, StringAttr::get(&getContext(), text));
    };
    if (!choice.note.empty())
      set(kSparsityNoteAttr, choice.note);
    if (choice.sparsity == Sparsity::None)
      return;
    bool rows = choice.sparsity == Sparsity::Rows;
    set(kSparsityAttr, rows ? "rows" : "bitmap");
    ++(rows ? numRows : numBitmaps);
    if (choice.direct)
      setAlgorithm(op, Algorithm());
  }

  /// Why the weights are not f32 as they are; empty if they are.
  std::string getOtherForm(Operation *op, const ZeroCount &count) {
    auto [inputs, outputs] = getUnitsOfGroup(op);
    if (isIntegerLayer(op) || isWeightOnlyLayer(op))
      return "its weights are integers";
    if (hasF16Weights(op) || getStorage(getOperation()) != Storage::F32)
      return "f16 is stored";
    if (getPrecision(op) == Precision::BF16)
      return "its weights are bf16";
    if (getAlgorithm(op).stored)
      return "its weights are stored transformed";
    if (!count.finite)
      return "a weight is not finite";
    // Depthwise, or dot products.
    constexpr int64_t kFewestOutputs = 4;
    if (inputs == 1 || outputs < kFewestOutputs)
      return "it has one input or fewer than 4 outputs in a group";
    return "";
  }

  /// Whether the rows that are left cost less than the layer does.
  bool areRowsFast(Operation *op, double left, bool &direct) {
    Algorithm algorithm = getAlgorithm(op);
    if (getPrecision(op) != Precision::F32)
      return false; // block floating point
    if (!algorithm.winograd)
      return left * kRowsCost < 1;
    auto choice = chooser->choose(op);
    auto own = getCost(rules.target, op, algorithm);
    auto sums = getCost(rules.target, op, Algorithm());
    direct = choice && choice->source == AlgorithmSource::Model && own &&
             sums && *sums * left * kRowsCost < *own;
    return direct;
  }

  /// Why a bitmap would make the layer slow; empty if it would not.
  std::string getSlowness(Operation *op, const ZeroCount &count) {
    if (!rules.target.wordDots) // AVX2 and more
      return "bitmaps are slow without AVX2";
    if (isa<DenseOp>(op) && getPrecision(op) == Precision::F32)
      return count.getDenseBytes() >= kManyBytes
                 ? ""
                 : "a bitmap is slower than weights that a cache holds";
    auto cost = getCost(rules.target, op, getAlgorithm(op), getPrecision(op));
    double expanding = kExpandRow * static_cast<double>(count.rows) *
                       static_cast<double>(kChannelBlock) /
                       static_cast<double>(rules.target.vectorWidth);
    if (cost && expanding < kWorthExpanding * *cost)
      return "";
    return "expanding a bitmap would take more than a tenth of its time";
  }

  Choice choose(Operation *op) {
    auto count = countZeros(op);
    if (!count || static_cast<double>(count->zeros) <
                      kManyZeros * static_cast<double>(count->weights))
      return {};
    if (std::string note = getOtherForm(op, *count); !note.empty())
      return {Sparsity::None, note};
    auto all = static_cast<double>(count->getDenseBytes());
    auto rows = static_cast<double>(count->getBytes(Sparsity::Rows));
    auto bitmap = static_cast<double>(count->getBytes(Sparsity::Bitmap));
    double left = static_cast<double>(count->rows - count->zeroRows) /
                  static_cast<double>(count->rows);
    bool direct = false;
    constexpr int64_t kPlaces = 1 << 16;
    bool fits = getUnitsOfGroup(op).first * count->taps <= kPlaces;
    if (fits && rows <= kWorthBytes * all && rows <= kLikeBitmap * bitmap &&
        areRowsFast(op, left, direct))
      return {Sparsity::Rows, "", direct};
    if (bitmap > kWorthBytes * all)
      return {Sparsity::None,
              llvm::formatv("a bitmap would take {0:P0} of the bytes of all "
                            "weights",
                            bitmap / all)};
    if (std::string slow = getSlowness(op, *count);
        sparse == "speed" && !slow.empty())
      return {Sparsity::None, slow + "; --sparse=size stores one"};
    return {Sparsity::Bitmap, ""};
  }

  AlgorithmRules rules;
  std::optional<AlgorithmChooser> chooser;
  DenseMap<std::pair<Attribute, Attribute>, Choice> choices;
};

} // namespace
