// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/WeightSelection.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/Transforms/LayerEnds.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace vae;

/// What layers of fewer weights would lose is not worth what it saves.
static constexpr int64_t kFewestWeights = 1 << 10;

namespace {

/// Where the weights of a layer lie.
struct Axes {
  int64_t outputs, inputs;           // of a group
  int64_t outputStride, inputStride; // between elements
  int64_t groups;
  /// Whether the axis of inputs runs over those of all groups, as of transposed
  /// convolutions, not that of outputs.
  bool inputsOfAll;
  SmallVector<int64_t> shape;
  size_t outputAxis, inputAxis;

  explicit Axes(PrunableOpInterface layer) {
    auto type = cast<RankedTensorType>(
        layer->getOperand(layer.getWeightIndex()).getType());
    auto result = cast<RankedTensorType>(layer->getResult(0).getType());
    shape.assign(type.getShape().begin(), type.getShape().end());
    outputAxis = layer.getOutputUnitAxis();
    inputAxis = layer.getInputUnitAxis();
    groups = layer.getUnitGroups();
    inputsOfAll = shape[outputAxis] != result.getDimSize(layer.getUnitAxis());
    outputs = inputsOfAll ? shape[outputAxis] : shape[outputAxis] / groups;
    inputs = inputsOfAll ? shape[inputAxis] / groups : shape[inputAxis];
    outputStride = getStride(outputAxis);
    inputStride = getStride(inputAxis);
  }

  int64_t getStride(size_t axis) const {
    return ShapedType::getNumElements(ArrayRef(shape).drop_front(axis + 1));
  }
  int64_t count() const { return ShapedType::getNumElements(shape); }
  /// Of an element, the index on an axis.
  int64_t getOutput(int64_t element) const {
    return element / outputStride % shape[outputAxis];
  }
  int64_t getInput(int64_t element) const {
    return element / inputStride % shape[inputAxis];
  }
  /// The input unit, of those of all groups.
  int64_t getInputUnit(int64_t element) const {
    int64_t input = getInput(element);
    return inputsOfAll ? input : getOutput(element) / outputs * inputs + input;
  }
};

/// A layer whose weights are chosen from.
struct Layer {
  const LayerUnits *units;
  WeightPattern pattern;
  bool fromAll; // not named
  Axes axes;
  std::vector<float> scores; // of single weights
  size_t mask = 0;
};

/// Weights that go together.
struct Piece {
  float score;
  uint32_t layer;
  int64_t first; // its first element

  bool operator<(const Piece &other) const {
    return std::tie(score, layer, first) <
           std::tie(other.score, other.layer, other.first);
  }
};

class Selection {
public:
  Selection(ModuleOp module, const WeightRequest &request)
      : module(module), request(request), flow(module) {}

  FailureOr<WeightSelection> run();

private:
  LogicalResult checkNames();
  LogicalResult collect();
  /// Why a layer is left out unless it is named; empty if it is not.
  std::string getReason(PrunableOpInterface op, const Axes &axes) const;
  void score(Layer &layer) const;
  void addPieces(const Layer &layer, std::vector<Piece> &pieces) const;
  void removeLeast(std::vector<Piece> &pieces, double fraction);
  void keepOfEach(const Layer &layer);

  ModuleOp module;
  const WeightRequest &request;
  UnitFlow flow;
  DenseSet<Operation *> heads;
  std::vector<Layer> layers;
  WeightSelection result;
};

} // namespace

LogicalResult Selection::checkNames() {
  for (const auto &[name, pattern] : request.layers)
    if (llvm::none_of(flow.getLayers(), [&, &name = name](const auto &layer) {
          return layer.name == name;
        })) {
      auto error = emitError(module.getLoc())
                   << "no layer '" << name
                   << "' has weights; those that do are ";
      llvm::interleaveComma(
          flow.getLayers(), error,
          [&](const LayerUnits &known) { error << known.name; });
      return error;
    }
  if (request.global && request.all && request.all->kind == WeightPattern::NOfM)
    return emitError(module.getLoc())
           << "the scope global compares the weights of all layers, and "
           << request.all->str()
           << " those of a few inputs; use the scope layer";
  return success();
}

std::string Selection::getReason(PrunableOpInterface op,
                                 const Axes &axes) const {
  if (heads.contains(op))
    return "is a head of the latent";
  if (axes.count() < kFewestWeights)
    return llvm::formatv("has fewer than {0} weights", kFewestWeights);
  if (axes.inputs == 1)
    return "has one input in a group";
  if (request.all->kind == WeightPattern::NOfM &&
      axes.inputs <= request.all->keep)
    return llvm::formatv("has {0} inputs in a group, all of which {1} keeps",
                         axes.inputs, request.all->str());
  if (request.all->kind == WeightPattern::Blocks &&
      axes.outputs < kOutputsOfBlock)
    return llvm::formatv("has fewer than {0} outputs in a group",
                         kOutputsOfBlock);
  return "";
}

LogicalResult Selection::collect() {
  for (auto entry : module.getOps<func::FuncOp>())
    if (!entry.isDeclaration()) {
      LayerEnds ends(entry);
      entry.walk([&](PrunableOpInterface op) {
        if (const LayerUnits *layer = flow.findLayer(op))
          if (ends.isHead(op))
            heads.insert(layer->op);
      });
    }
  for (const LayerUnits &known : flow.getLayers()) {
    const WeightPattern *pattern = nullptr;
    for (const auto &[name, own] : request.layers)
      if (name == known.name)
        pattern = &own;
    auto op = cast<PrunableOpInterface>(known.op);
    if (!getConstant(op->getOperand(op.getWeightIndex())))
      continue;
    bool fromAll = !pattern && request.all;
    if (!pattern && !request.all)
      continue;
    Axes axes(op);
    if (fromAll)
      if (std::string reason = getReason(op, axes); !reason.empty()) {
        result.left.push_back({known.name, std::move(reason)});
        continue;
      }
    layers.push_back(
        {&known, pattern ? *pattern : *request.all, fromAll, axes, {}, 0});
  }
  if (!layers.empty())
    return success();
  auto error = emitError(module.getLoc())
               << "no layer of this model is pruned unless it is named";
  for (const auto &[name, reason] : result.left)
    error << "; '" << name << "' " << reason;
  return error;
}

void Selection::score(Layer &layer) const {
  auto op = cast<PrunableOpInterface>(layer.units->op);
  std::vector<float> storage;
  ArrayRef<float> values = getFloats(
      getConstant(op->getOperand(op.getWeightIndex())).getValue(), storage);
  const std::vector<double> *norms = nullptr;
  for (const auto &[name, own] : request.norms)
    if (name == layer.units->name && static_cast<int64_t>(own.size()) ==
                                         layer.axes.inputs * layer.axes.groups)
      norms = &own;
  layer.scores.resize(values.size());
  for (auto [i, value] : llvm::enumerate(values)) {
    double norm =
        norms ? (*norms)[layer.axes.getInputUnit(static_cast<int64_t>(i))] : 1;
    auto score = static_cast<float>(std::fabs(value) * norm);
    // What is no number has no order, and stays.
    layer.scores[i] =
        std::isnan(score) ? std::numeric_limits<float>::infinity() : score;
  }
}

void Selection::addPieces(const Layer &layer,
                          std::vector<Piece> &pieces) const {
  const Axes &axes = layer.axes;
  auto index = static_cast<uint32_t>(&layer - layers.data());
  bool single = layer.pattern.kind == WeightPattern::Weights;
  for (int64_t i = 0; i < axes.count(); ++i) {
    if (single) {
      pieces.push_back({layer.scores[i], index, i});
      continue;
    }
    int64_t output = axes.getOutput(i) % axes.outputs;
    if (output % kOutputsOfBlock)
      continue;
    double sum = 0;
    int64_t last = std::min(kOutputsOfBlock, axes.outputs - output);
    for (int64_t o = 0; o < last; ++o) {
      double score = layer.scores[i + o * axes.outputStride];
      sum += score * score;
    }
    pieces.push_back({static_cast<float>(std::sqrt(sum)), index, i});
  }
}

void Selection::removeLeast(std::vector<Piece> &pieces, double fraction) {
  // What is written as 0.3 of 10 are 3.
  constexpr double kRounding = 1e-9;
  auto count = static_cast<size_t>(
      fraction * request.part * static_cast<double>(pieces.size()) + kRounding);
  std::nth_element(pieces.begin(), pieces.begin() + static_cast<long>(count),
                   pieces.end());
  for (const Piece &piece : ArrayRef(pieces).take_front(count)) {
    const Layer &layer = layers[piece.layer];
    const Axes &axes = layer.axes;
    int64_t size = 1;
    if (layer.pattern.kind == WeightPattern::Blocks)
      size =
          std::min(kOutputsOfBlock,
                   axes.outputs - axes.getOutput(piece.first) % axes.outputs);
    for (int64_t o = 0; o < size; ++o)
      result.masks[layer.mask].kept[piece.first + o * axes.outputStride] = 0;
  }
}

/// Of every `of` inputs, the last of a group maybe fewer.
void Selection::keepOfEach(const Layer &layer) {
  const Axes &axes = layer.axes;
  const WeightPattern &pattern = layer.pattern;
  SmallVector<std::pair<float, int64_t>> inputs;
  for (int64_t i = 0; i < axes.count(); ++i) {
    int64_t input = axes.getInput(i) % axes.inputs;
    if (input % pattern.of)
      continue;
    inputs.clear();
    for (int64_t k = 0; k < std::min(pattern.of, axes.inputs - input); ++k) {
      int64_t element = i + k * axes.inputStride;
      inputs.push_back({-layer.scores[element], -element});
    }
    llvm::sort(inputs); // the largest, and of equals the last, first
    for (size_t k = pattern.keep; k < inputs.size(); ++k)
      result.masks[layer.mask].kept[-inputs[k].second] = 0;
  }
}

FailureOr<WeightSelection> Selection::run() {
  if (failed(checkNames()) || failed(collect()))
    return failure();
  std::vector<Piece> rest;
  for (Layer &layer : layers) {
    layer.mask = result.masks.size();
    result.masks.push_back({layer.units->name, layer.pattern, layer.axes.shape,
                            std::vector<uint8_t>(layer.axes.count(), 1)});
    score(layer);
    if (layer.pattern.kind == WeightPattern::NOfM) {
      keepOfEach(layer);
    } else if (request.global && layer.fromAll) {
      addPieces(layer, rest);
    } else {
      std::vector<Piece> pieces;
      addPieces(layer, pieces);
      removeLeast(pieces, layer.pattern.fraction);
    }
    layer.scores = {};
  }
  if (!rest.empty())
    removeLeast(rest, request.all->fraction);
  return std::move(result);
}

FailureOr<WeightSelection> vae::selectWeights(ModuleOp module,
                                              const WeightRequest &request) {
  return Selection(module, request).run();
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static ElementsAttr maskWeight(ElementsAttr weight, const WeightMask &mask) {
  std::vector<float> storage;
  std::vector<float> values = getFloats(weight, storage).vec();
  for (auto [value, kept] : llvm::zip_equal(values, mask.kept))
    if (!kept && value != 0) // -0 stays, as without a mask
      value = 0;
  return makeWeightLike(weight, getWeightName(weight), mask.shape,
                        std::move(values));
}

LogicalResult vae::maskWeights(ModuleOp module, ArrayRef<WeightMask> masks) {
  std::vector<StringRef> names;
  for (const WeightMask &mask : masks)
    names.push_back(mask.layer);
  DenseMap<std::pair<Attribute, const WeightMask *>, ElementsAttr> masked;
  for (auto [op, row] : UnitFlow(module).findLayers(module, names)) {
    const WeightMask *mask = &masks[row];
    OpOperand &operand = op->getOpOperand(op.getWeightIndex());
    ConstantOp constant = getConstant(operand.get());
    ElementsAttr old = constant.getValue();
    if (old.getShapedType().getShape() != ArrayRef(mask->shape))
      return emitError(op->getLoc())
             << "layer '" << mask->layer
             << "': the mask has another shape than the weights; make the "
                "recipe again";
    ElementsAttr &value = masked[{old, mask}];
    if (!value)
      value = maskWeight(old, *mask);
    OpBuilder builder(op);
    operand.set(ConstantOp::create(builder, constant.getLoc(), value));
    if (constant->use_empty())
      constant->erase();
  }
  return success();
}
