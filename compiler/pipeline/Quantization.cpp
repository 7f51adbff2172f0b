// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Quantization.h"

#include "compiler/import/Json.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace vae;

PrecisionKind vae::getKind(const LayerReport &layer) {
  switch (layer.precision) {
  case Precision::INT8:
    return PrecisionKind::Int8;
  case Precision::BF16:
    return PrecisionKind::BF16;
  default:
    break;
  }
  if (layer.storage == "int8")
    return PrecisionKind::W8;
  if (layer.storage == "int4")
    return PrecisionKind::W4;
  return layer.precision == Precision::BFP16 ? PrecisionKind::Mixed
                                             : PrecisionKind::F32;
}

StringRef vae::getPrecisionName(Precision precision) {
  return precision == Precision::BFP16 ? "mixed"
                                       : stringifyPrecision(precision);
}

//===----------------------------------------------------------------------===//
// Replay
//===----------------------------------------------------------------------===//

void vae::applyQuantization(const QuantizeStep &step, CompileOptions &options) {
  options.precision = step.precision == "bf16"    ? Precision::BF16
                      : step.precision == "mixed" ? Precision::BFP16
                                                  : Precision::F32;
  options.storage = symbolizeStorage(step.storage).value_or(Storage::F32);
  // Every kind has a layer's name; none of them is chosen here.
  options.quantize = Quantize::Int8;
  options.quantizeLayers = {getPrecisionKindName(PrecisionKind::None).str()};
  for (const QuantizeStep::Layer &layer : step.layers)
    options.quantizeLayers.push_back(layer.name + "=" +
                                     getPrecisionKindName(layer.kind).str());
  options.ranges.clear();
  options.rangeTable.emplace();
  if (!step.ranges)
    return;
  for (const QuantizeStep::Tensor &tensor : step.ranges->tensors) {
    TensorRanges &row = options.rangeTable->tensors.emplace_back();
    row.name = tensor.name;
    row.ranges.of.fill({tensor.low, tensor.high});
  }
}

static Location getPlace(const QuantizeStep::Layer &layer, StringRef file,
                         MLIRContext &context) {
  return FileLineColLoc::get(&context, file, layer.line, layer.column);
}

LogicalResult vae::checkLayers(const QuantizeStep &step,
                               const CompileReport &report, StringRef file,
                               MLIRContext &context) {
  std::vector<StringRef> known;
  for (const LayerReport &layer : report.layers)
    known.push_back(layer.name);
  for (const QuantizeStep::Layer &layer : step.layers)
    if (!llvm::is_contained(known, layer.name))
      return emitError(getPlace(layer, file, context))
             << "the model has no layer '" << layer.name << "'"
             << suggestName(layer.name, known) << "; remove it from the recipe";
  return success();
}

LogicalResult vae::checkKinds(const QuantizeStep &step,
                              const CompileReport &report, StringRef file,
                              MLIRContext &context) {
  llvm::StringMap<const LayerReport *> known;
  for (const LayerReport &layer : report.layers)
    known[layer.name] = &layer;
  for (const QuantizeStep::Layer &layer : step.layers) {
    const LayerReport *found = known.lookup(layer.name);
    if (!found || layer.kind == PrecisionKind::None)
      continue; // of another entry point
    PrecisionKind kind = getKind(*found);
    if (kind == layer.kind)
      continue;
    Location place = getPlace(layer, file, context);
    StringRef wanted = getPrecisionKindName(layer.kind),
              is = getPrecisionKindName(kind);
    if (layer.kind == PrecisionKind::Mixed ||
        layer.kind == PrecisionKind::BF16) {
      emitWarning(place) << "layer '" << layer.name << "' is " << is << ", not "
                         << wanted
                         << ", of which it has no form with these options and "
                            "on this CPU";
      continue;
    }
    const std::string &note = layer.kind == PrecisionKind::Int8
                                  ? found->quantizeNote
                                  : found->storageNote;
    return emitError(place)
           << "layer '" << layer.name << "' cannot be " << wanted
           << (note.empty() ? "" : ": " + note) << "; write \"" << is
           << "\", which it is, or compile with the options that the recipe "
              "was made with";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// What was decided
//===----------------------------------------------------------------------===//

static QuantizeStep::Ranges describeRanges(const CompileOptions &options) {
  const RangeTable &table = *options.rangeTable;
  QuantizeStep::Ranges ranges;
  ranges.method = kRangeMethodNames[static_cast<size_t>(options.rangeMethod)];
  if (table.data != kGeneratedData)
    ranges.data = {table.data};
  ranges.dataHash = table.dataHash;
  if (!options.ranges.empty()) {
    ranges.table = options.ranges;
    ranges.tableHash = table.fileHash;
  }
  ranges.samples = table.samples;
  ranges.seed = table.seed;
  for (const TensorRanges &tensor : table.tensors) {
    const Range &range = tensor.ranges[options.rangeMethod];
    ranges.tensors.push_back({tensor.name, range.low, range.high});
  }
  return ranges;
}

QuantizeStep vae::describeQuantization(ModuleOp fused,
                                       const CompileOptions &options,
                                       const CompileReport &report) {
  QuantizeStep step;
  step.method = options.quantize == Quantize::W8   ? "w8"
                : options.quantize == Quantize::W4 ? "w4"
                                                   : "int8";
  if (!options.searchBudget.empty())
    step.method = "auto";
  step.budget = options.searchBudget;
  step.objective = options.searchObjective;
  step.precision = getPrecisionName(options.precision).str();
  step.storage = stringifyStorage(options.storage).str();
  llvm::StringSet<> choosable;
  fused.walk([&](QuantizableOpInterface layer) {
    choosable.insert(getLayerName(layer->getLoc()));
  });
  for (const LayerReport &layer : report.layers)
    if (choosable.contains(layer.name))
      step.layers.push_back({layer.name, getKind(layer)});
  if (options.rangeTable)
    step.ranges = describeRanges(options);
  return step;
}
