// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Report.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/LayerShape.h"
#include "compiler/conversion/Shapes.h"
#include "compiler/conversion/Versions.h"
#include "compiler/pipeline/Formula.h"
#include "compiler/pipeline/LayerCosts.h"
#include "dialects/kernel/IR/Kernel.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

#include <set>

using namespace mlir;
using namespace vae;

/// Formulas with more alternatives than this are not written out.
static constexpr size_t kMaxAlternatives = 8;

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

static void readDimensions(ModuleOp module, CompileReport &report) {
  auto symbols = module->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  if (!symbols)
    return;
  for (auto entry : symbols.getAsRange<DictionaryAttr>()) {
    DimensionReport dimension;
    dimension.name = entry.getAs<StringAttr>("name").str();
    dimension.symbol = report.dimensions.empty() ? "N" : dimension.name;
    dimension.minimum = entry.getAs<IntegerAttr>("minimum").getInt();
    dimension.multiple = entry.getAs<IntegerAttr>("multiple").getInt();
    if (auto remainder = entry.getAs<IntegerAttr>("remainder"))
      dimension.remainder = remainder.getInt();
    report.dimensions.push_back(std::move(dimension));
  }
}

/// "relu" for an activation, the operation's name for others.
static std::string getKind(Operation *op) {
  if (auto activation = dyn_cast<ActivationOp>(op))
    return stringifyActivationKind(activation.getFunction().getKind()).str();
  return op->getName().stripDialect().str();
}

/// Names of the layers that a location stands for, the first one first. Inlined
/// operations keep the place where they were written.
static void collectLayers(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    if (!llvm::is_contained(names, name.getName().getValue()))
      names.push_back(name.getName().getValue());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectLayers(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectLayers(call.getCallee(), names);
  }
}

namespace {
/// Follows the entry points into the functions that hold the layers, with the
/// shape of every value.
class LayerCollector {
public:
  LayerCollector(ModuleOp module, CompileReport &report)
      : module(module), report(report) {}

  void collect(func::FuncOp entry) {
    for (BlockArgument argument : entry.getArguments()) {
      auto map = entry.getArgAttrOfType<AffineMapAttr>(argument.getArgNumber(),
                                                       kDimsAttr);
      if (map)
        dims[argument] = Dims(map.getValue().getResults());
    }
    visit(entry, /*section=*/"");
  }

private:
  void visit(func::FuncOp function, StringRef section);
  void addOp(SymbolicShapeOpInterface op, StringRef section);
  void addConstants(Operation *op, LayerReport &layer);
  Dims getDims(Value value) {
    auto found = dims.find(value);
    if (found != dims.end())
      return found->second;
    unsigned next = report.dimensions.size();
    return vae::getDims(cast<RankedTensorType>(value.getType()), next);
  }
  std::string formatDims(ArrayRef<AffineExpr> shape) {
    std::string text = "[";
    for (AffineExpr dim : shape)
      text += (text.size() > 1 ? ", " : "") +
              Polynomial(dim, report.dimensions).format();
    return text + "]";
  }

  ModuleOp module;
  CompileReport &report;
  llvm::DenseMap<Value, Dims> dims;
  llvm::StringSet<> visited;
  AffineExpr layerFlops; // of the layer that is collected
};
} // namespace

void LayerCollector::addConstants(Operation *op, LayerReport &layer) {
  // Running statistics are not trained.
  auto norm = dyn_cast<BatchNormOp>(op);
  for (Value operand : op->getOperands()) {
    ConstantOp constant = getConstant(operand);
    if (!constant)
      continue;
    int64_t elements = constant.getValue().getNumElements();
    layer.weightBytes += elements * 4;
    if (!norm || (operand != norm.getMean() && operand != norm.getVariance()))
      layer.parameters += elements;
  }
}

void LayerCollector::addOp(SymbolicShapeOpInterface op, StringRef section) {
  SmallVector<Dims> operands, results;
  for (Value operand : op->getOperands())
    operands.push_back(getDims(operand));
  if (failed(op.inferSymbolicDims(operands, results)))
    return; // cannot be: the module was verified
  for (auto [result, shape] : llvm::zip(op->getResults(), results))
    dims[result] = shape;
  if (section.empty())
    return;
  SmallVector<StringRef> names;
  collectLayers(op->getLoc(), names);
  std::string name = names.empty() ? "" : names.front().str();
  AffineExpr work = op.getFlops(operands, results);
  if (report.layers.empty() || report.layers.back().name != name ||
      report.layers.back().section != section) {
    LayerReport &layer = report.layers.emplace_back();
    layer.name = name;
    layer.section = section.str();
    layerFlops = getAffineConstantExpr(0, op->getContext());
  }
  LayerReport &layer = report.layers.back();
  layer.op += (layer.op.empty() ? "" : "+") + getKind(op);
  layer.shape = formatDims(results.front());
  layerFlops = layerFlops + work;
  AffineExpr perExample =
      layerFlops.replace(getAffineSymbolExpr(0, op->getContext()),
                         getAffineConstantExpr(1, op->getContext()));
  layer.flops = evaluate(perExample, report.dimensions, 1);
  layer.flopsFormula = Polynomial(perExample, report.dimensions).format();
  addConstants(op, layer);
}

void LayerCollector::visit(func::FuncOp function, StringRef section) {
  for (Operation &op : function.getBody().front()) {
    if (auto shaped = dyn_cast<SymbolicShapeOpInterface>(op)) {
      addOp(shaped, section);
      continue;
    }
    auto call = dyn_cast<func::CallOp>(op);
    if (!call)
      continue;
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    if (!callee || callee.isExternal())
      continue;
    if (visited.insert(callee.getName()).second) {
      for (auto [argument, operand] :
           llvm::zip(callee.getArguments(), call.getOperands()))
        dims[argument] = getDims(operand);
      visit(callee, callee.getName());
    }
    Operation *end = callee.front().getTerminator();
    for (auto [result, inner] :
         llvm::zip(call.getResults(), end->getOperands()))
      dims[result] = getDims(inner);
  }
}

void vae::reportParameters(ModuleOp module, CompileReport &report) {
  auto model = module->getAttrOfType<DictionaryAttr>(kModelAttr);
  auto count = model ? model.getAs<IntegerAttr>("parameters") : IntegerAttr();
  if (count)
    report.parameters = count.getInt();
}

void vae::reportModel(ModuleOp module, ArrayRef<std::string> entries,
                      CompileReport &report) {
  readDimensions(module, report);
  if (auto model = module->getAttrOfType<DictionaryAttr>(kModelAttr)) {
    if (auto name = model.getAs<StringAttr>("name"))
      report.model = name.str();
  }
  reportParameters(module, report);
  LayerCollector collector(module, report);
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kEntryAttr) &&
        (entries.empty() ||
         llvm::is_contained(entries, function.getName().str())))
      collector.collect(function);
}

//===----------------------------------------------------------------------===//
// Fusion
//===----------------------------------------------------------------------===//

namespace {
/// What is left of the layers, over all entry points.
struct Survivors {
  /// Operations by (layer, kind): the most that any entry point has.
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  /// Where the work of a layer went, by its name.
  std::map<std::string, std::string> hosts;

  explicit Survivors(ModuleOp module) {
    for (auto function : module.getOps<func::FuncOp>()) {
      std::map<std::pair<std::string, std::string>, int64_t> found;
      function.walk([&](SymbolicShapeOpInterface op) {
        SmallVector<StringRef> names;
        collectLayers(op->getLoc(), names);
        if (names.empty() || isa<ConvertLayoutOp>(op.getOperation()))
          return;
        ++found[{names.front().str(), getKind(op)}];
        for (StringRef name : names)
          hosts.try_emplace(name.str(), names.front().str());
      });
      for (const auto &[key, count] : found)
        counts[key] = std::max(counts[key], count);
    }
  }
};
} // namespace

/// What weights are stored as that are integers, and the bytes of these and
/// their scales, without what kernels pad.
static std::pair<std::string, int64_t> getIntegerStorage(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  auto weight =
      cast<RankedTensorType>(op->getOperand(layer.getWeightIndex()).getType());
  int64_t elements = weight.getNumElements();
  WeightForm form = getWeightForm(op);
  if (form.bits == 0)
    return {"f32", elements * int64_t(sizeof(float))};
  WeightLayout layout(form, 1, 1);
  int64_t scales = weight.getDimSize(layer.getOutputUnitAxis());
  if (form.bits == 4) {
    int64_t inputs = weight.getDimSize(layer.getInputUnitAxis());
    scales = elements / inputs * llvm::divideCeil(inputs, form.group);
  }
  return {form.bits == 8 ? "int8" : "int4",
          llvm::divideCeil(elements * form.bits, 8) +
              scales * layout.scaleBytes()};
}

/// The numbers that the weights of a layer are stored as, and their bytes,
/// without what kernels pad.
static std::pair<std::string, int64_t>
getWeightStorage(PrunableOpInterface op) {
  if (isWeightOnlyLayer(op))
    return getIntegerStorage(op);
  int64_t elements =
      cast<RankedTensorType>(op->getOperand(op.getWeightIndex()).getType())
          .getNumElements();
  Precision precision = getPrecision(op);
  if (precision == Precision::INT8)
    return {stringifyPrecision(precision).str(), elements};
  if (auto zeros =
          getSparsity(op) != Sparsity::None ? countZeros(op) : std::nullopt)
    return {"f32", zeros->getBytes(getSparsity(op))};
  constexpr int64_t kShortBytes = 2;
  if (hasF16Weights(op))
    return {stringifyStorage(Storage::F16).str(), kShortBytes * elements};
  if (precision == Precision::BF16)
    return {stringifyPrecision(precision).str(), kShortBytes * elements};
  return {"f32", elements * int64_t(sizeof(float))};
}

/// Zeros of a layer's weights, and what is made of them.
static void reportZeros(PrunableOpInterface op, LayerReport &layer) {
  auto zeros = countZeros(op);
  if (!zeros)
    return;
  layer.weights = zeros->weights;
  layer.zeros = zeros->zeros;
  if (auto sparsity = op->getAttrOfType<StringAttr>(kSparsityAttr))
    layer.sparsity = sparsity.str();
  if (auto note = op->getAttrOfType<StringAttr>(kSparsityNoteAttr))
    layer.sparsityNote = note.str();
  if (getSparsity(op) == Sparsity::Rows)
    layer.skipped =
        static_cast<double>(zeros->zeroRows) / static_cast<double>(zeros->rows);
}

/// What layers multiply, and weights that are stored in less than f32.
static void reportPrecision(ModuleOp fused, CompileReport &report) {
  llvm::StringMap<Operation *> known;
  fused.walk([&](QuantizableOpInterface layer) {
    known[getLayerName(layer->getLoc())] = layer;
  });
  for (LayerReport &layer : report.layers) {
    Operation *found = known.lookup(layer.name);
    if (!found)
      continue;
    layer.precision = getPrecision(found);
    if (auto note = found->getAttrOfType<StringAttr>(kStorageNoteAttr))
      layer.storageNote = note.str();
    if (auto note = found->getAttrOfType<StringAttr>(kQuantizeNoteAttr))
      layer.quantizeNote = note.str();
    auto op = dyn_cast<PrunableOpInterface>(found);
    if (!op)
      continue;
    auto type =
        cast<RankedTensorType>(op->getOperand(op.getWeightIndex()).getType());
    reportZeros(op, layer);
    auto [storage, bytes] = getWeightStorage(op);
    layer.storage = storage;
    layer.weightBytes += bytes - type.getNumElements() * int64_t(sizeof(float));
    for (const PrunedLayerReport &pruned : report.pruning.layers)
      if (pruned.name == layer.name)
        layer.weightBytes -= pruned.before.bytes - pruned.after.bytes;
  }
}

/// One row a layer, in the order of the entry points that have it first.
static void reportAlgorithms(ModuleOp fused, const AlgorithmRules &rules,
                             CompileReport &report) {
  auto chooser = AlgorithmChooser::create(rules);
  if (!chooser)
    return llvm::consumeError(chooser.takeError()); // the pass has failed
  std::set<StringRef> known;
  fused.walk([&](Operation *op) {
    auto choice = chooser->choose(op);
    if (!choice || !known.insert(getLayerName(op->getLoc())).second)
      return;
    AlgorithmReport &row = report.algorithms.emplace_back();
    row.layer = getLayerName(op->getLoc());
    row.algorithm = getAlgorithm(op).str();
    row.source = choice->source;
    row.storedBytes = getStoredBytes(rules.target, op, getAlgorithm(op));
    double direct = *getCost(rules.target, op, Algorithm());
    for (const Algorithm &algorithm : Algorithm::getAll())
      if (auto cost = getCost(rules.target, op, algorithm, getPrecision(op)))
        row.costs.push_back({algorithm.str(), *cost / direct});
    if (const TunedLayer *layer = report.tuning.find(LayerShape::of(op)->str()))
      for (const auto &[algorithm, time] : layer->times)
        row.measured.push_back({algorithm.str(), time});
  });
}

void vae::reportFusion(ModuleOp fused, const AlgorithmRules &rules,
                       CompileReport &report) {
  reportAlgorithms(fused, rules, report);
  reportPrecision(fused, report);
  reportCosts(fused, rules.target, report);
  Survivors survivors(fused);
  for (const LayerReport &layer : report.layers) {
    SmallVector<StringRef> kinds;
    StringRef(layer.op).split(kinds, '+');
    // An operation under a new name (a split that became slices) took the place
    // of one that is gone.
    int64_t replacements = 0;
    for (const auto &[key, count] : survivors.counts)
      if (key.first == layer.name && !llvm::is_contained(kinds, key.second))
        ++replacements;
    std::map<StringRef, int64_t> seen;
    for (StringRef kind : kinds) {
      auto left = survivors.counts.find({layer.name, kind.str()});
      if (left != survivors.counts.end() && ++seen[kind] <= left->second)
        continue;
      if (replacements-- > 0)
        continue;
      auto host = survivors.hosts.find(layer.name);
      report.fused.push_back(
          {layer.name, kind.str(),
           host == survivors.hosts.end() ? "" : host->second});
    }
  }
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

namespace {
/// The ends that an arena, or a tensor in it, may have; those that are never
/// the greatest are left out.
using Ends = std::vector<Polynomial>;
} // namespace

static void addEnd(Ends &ends, const Polynomial &end) {
  for (const Polynomial &other : ends)
    if (end.isCoveredBy(other))
      return;
  llvm::erase_if(
      ends, [&](const Polynomial &other) { return other.isCoveredBy(end); });
  ends.push_back(end);
}

static std::string formatEnds(const Ends &ends) {
  if (ends.empty())
    return "0";
  std::string text;
  for (const Polynomial &end : ends)
    text += (text.empty() ? "" : ", ") + end.format();
  return ends.size() > 1 ? "max(" + text + ")" : text;
}

/// Where the buffers of an arena lie for a batch, other dimensions at their
/// minimum. The same arithmetic as KernelToLLVM.cpp emits.
static std::vector<BufferReport>
placeBuffers(ArrayAttr plan, const CompileReport &report, int64_t batch) {
  std::vector<BufferReport> buffers;
  for (auto slot : plan.getAsRange<DictionaryAttr>()) {
    BufferReport buffer;
    for (int64_t below : slot.getAs<DenseI64ArrayAttr>("above").asArrayRef())
      buffer.offset = std::max(buffer.offset, buffers[below].getEnd());
    AffineMap bytes = slot.getAs<AffineMapAttr>("bytes").getValue();
    buffer.bytes = evaluate(bytes.getResult(0), report.dimensions, batch);
    ArrayRef<int64_t> live = slot.getAs<DenseI64ArrayAttr>("live").asArrayRef();
    buffer.first = live[0];
    buffer.last = live[1];
    buffers.push_back(std::move(buffer));
  }
  return buffers;
}

static Formula getArena(ArrayAttr plan, const CompileReport &report) {
  Formula formula;
  for (int64_t batch : kReportBatches) {
    int64_t total = 0;
    for (const BufferReport &buffer : placeBuffers(plan, report, batch))
      total = std::max(total, buffer.getEnd());
    formula.values.push_back(total);
  }
  std::vector<Ends> ends;
  Ends total;
  for (auto slot : plan.getAsRange<DictionaryAttr>()) {
    Polynomial bytes(slot.getAs<AffineMapAttr>("bytes").getValue().getResult(0),
                     report.dimensions);
    Ends own;
    ArrayRef<int64_t> above =
        slot.getAs<DenseI64ArrayAttr>("above").asArrayRef();
    if (above.empty())
      own.push_back(bytes);
    for (int64_t below : above)
      for (const Polynomial &start : ends[below])
        addEnd(own, start + bytes);
    for (const Polynomial &end : own)
      addEnd(total, end);
    if (own.size() > kMaxAlternatives || total.size() > kMaxAlternatives)
      return formula;
    ends.push_back(std::move(own));
  }
  formula.text = formatEnds(total);
  return formula;
}

/// The arena's buffers with names from the launches that write them.
static std::vector<BufferReport>
getBuffers(func::FuncOp function, ArrayAttr plan, const CompileReport &report) {
  std::vector<BufferReport> buffers = placeBuffers(plan, report, 1);
  function.walk([&](kernel::LaunchOp launch) {
    if (!launch.getSlot())
      return;
    std::string &layer = buffers[*launch.getSlot()].layer;
    if (!layer.empty())
      return;
    StringRef name = getLayerName(launch.getLoc());
    layer = (name.empty()
                 ? dropVersion(launch.getCallee(), getVersionName(function))
                 : name)
                .str();
  });
  return buffers;
}

void vae::reportEntries(ModuleOp planned, CompileReport &report) {
  for (auto function : planned.getOps<func::FuncOp>()) {
    report.kernels += function->hasAttr(kernel::kKernelAttr);
    auto plan = function->getAttrOfType<ArrayAttr>(kernel::kPlanAttr);
    auto flops = function->getAttrOfType<AffineMapAttr>("kernel.flops");
    if (!plan || !flops || function->hasAttr(kSegmentAttr))
      continue;
    EntryReport &entry = report.entries.emplace_back();
    entry.version = getVersionName(function).str();
    entry.name = dropVersion(function.getName(), entry.version).str();
    function.walk([&](kernel::LaunchOp) { ++entry.launches; });
    AffineExpr work = flops.getValue().getResult(0);
    entry.flops.text = Polynomial(work, report.dimensions).format();
    for (int64_t batch : kReportBatches)
      entry.flops.values.push_back(evaluate(work, report.dimensions, batch));
    entry.arenaBytes = getArena(plan, report);
    entry.buffers = getBuffers(function, plan, report);
  }
}
