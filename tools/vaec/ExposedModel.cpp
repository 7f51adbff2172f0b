// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/ExposedModel.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/Vaec.h"
#include "llvm/ADT/StringMap.h"

using namespace vae;
using namespace vae::tool;

namespace {
/// Finds layers in a module whose entry points give every layer.
class LayerFinder {
public:
  explicit LayerFinder(mlir::func::FuncOp function, const UnitFlow &flow)
      : function(function), flow(flow), end(function.front().getTerminator()) {}

  std::vector<ExposedLayer> find() {
    std::vector<ExposedLayer> layers;
    for (mlir::Operation &op : function.front())
      if (auto layer = mlir::dyn_cast<PrunableOpInterface>(op))
        if (auto found = describe(layer))
          layers.push_back(std::move(*found));
    return layers;
  }

private:
  static mlir::Value skipLayouts(mlir::Value value) {
    while (auto convert = value.getDefiningOp<ConvertLayoutOp>())
      value = convert.getX();
    return value;
  }

  /// Of an input or output of the function.
  std::string getName(mlir::Value value) {
    value = skipLayouts(value);
    mlir::StringAttr name;
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) {
      name = function.getArgAttrOfType<mlir::StringAttr>(
          argument.getArgNumber(), kNameAttr);
    } else {
      for (unsigned i = 0; i < end->getNumOperands() && !name; ++i)
        if (skipLayouts(end->getOperand(i)) == value)
          name = function.getResultAttrOfType<mlir::StringAttr>(i, kNameAttr);
    }
    return name ? name.str() : "";
  }

  static std::vector<float> read(mlir::Value value) {
    std::vector<float> storage;
    ConstantOp constant = getConstant(value);
    return constant ? getFloats(constant.getValue(), storage).vec() : storage;
  }

  std::optional<ExposedLayer> describe(PrunableOpInterface op) {
    const LayerUnits *known = flow.findLayer(op);
    auto patches = Patches::create(op);
    auto epilogue = mlir::dyn_cast<EpilogueOpInterface>(op.getOperation());
    if (!known || !patches ||
        (epilogue &&
         (epilogue.getEpilogueActivation() || epilogue.getEpilogueResidual())))
      return std::nullopt;
    ExposedLayer layer;
    layer.name = known->name;
    mlir::Value data = op.getDataOperand().get(), result = op->getResult(0),
                weight = op->getOperand(op.getWeightIndex());
    layer.input = getName(data);
    layer.output = getName(result);
    if (layer.input.empty() || layer.output.empty())
      return std::nullopt;
    auto type = mlir::cast<mlir::RankedTensorType>(weight.getType());
    layer.shape.assign(type.getShape().begin(), type.getShape().end());
    layer.weight = read(weight);
    layer.bias = read(op.getBiasValue());
    layer.patches = *patches;
    return layer;
  }

  mlir::func::FuncOp function;
  const UnitFlow &flow;
  mlir::Operation *end;
};
} // namespace

namespace {
/// What the units on the axes of a layer's data and result are.
struct LayerAxes {
  llvm::SmallVector<Unit> input, output;
};
} // namespace

/// Of all layers, before they are exposed: an output keeps all units.
static llvm::StringMap<LayerAxes> findUnits(mlir::ModuleOp module) {
  UnitFlow flow(module);
  llvm::StringMap<LayerAxes> found;
  module.walk([&](PrunableOpInterface op) {
    const LayerUnits *layer = flow.findLayer(op);
    if (!layer)
      return;
    LayerAxes &axes = found[layer->name];
    axes = LayerAxes();
    if (const UnitAxis *units = flow.find(op.getDataOperand().get()))
      for (Unit unit : units->units)
        axes.input.push_back(flow.getRoot(unit));
    for (Unit unit : layer->units)
      axes.output.push_back(flow.getRoot(unit));
  });
  return found;
}

Arguments vae::tool::getExactArguments(const Arguments &arguments) {
  Arguments exact;
  exact.input = arguments.input;
  CompileOptions &options = exact.options;
  options.files = arguments.options.files;
  options.size = arguments.options.size;
  options.frames = arguments.options.frames;
  options.allowNonfinite = arguments.options.allowNonfinite;
  options.removeFilesOnSignal = arguments.options.removeFilesOnSignal;
  options.exclusiveContext = true;
  options.exactConv = true;
  return exact;
}

Arguments vae::tool::getCompressedArguments(const Arguments &arguments) {
  Arguments own = getExactArguments(arguments);
  const CompileOptions &options = arguments.options;
  own.options.prune = options.prune;
  own.options.pruneWeights = options.pruneWeights;
  own.options.inputNorms = options.inputNorms;
  own.options.pruneGlobally = options.pruneGlobally;
  own.options.unitScores = options.unitScores;
  own.options.scoresAreLoss = options.scoresAreLoss;
  own.options.replay = options.replay;
  own.options.applyRecipe = options.applyRecipe;
  return own;
}

Recipe vae::tool::decideSteps(const Arguments &arguments) {
  Arguments plan = getCompressedArguments(arguments);
  plan.options.entries = arguments.options.entries;
  plan.options.emit = Stage::Compress;
  plan.output = "/dev/null";
  CompileReport report;
  require(compile(plan, [](Stage, mlir::PassManager &) {}, report));
  return std::move(report.recipe);
}

ExitCode ExposedModel::compile(const Arguments &arguments,
                               const std::string &entry, const Recipe &recipe) {
  return compileExposed(getExactArguments(arguments), arguments, entry, recipe);
}

ExitCode ExposedModel::compileIntegers(const Arguments &arguments,
                                       const std::string &entry,
                                       const Recipe &recipe) {
  Arguments own = getExactArguments(arguments);
  own.options.quantize = Quantize::Int8;
  own.options.rangeTable = arguments.options.rangeTable;
  // They may be of the model before the last steps, which moved them little.
  own.options.rangeTable->hash = hashChangedModel(recipe);
  own.options.rangeMethod = arguments.options.rangeMethod;
  own.options.quantizeLayers = arguments.options.quantizeLayers;
  return compileExposed(std::move(own), arguments, entry, recipe);
}

ExitCode ExposedModel::compileExposed(Arguments exact,
                                      const Arguments &arguments,
                                      const std::string &entry,
                                      const Recipe &recipe) {
  library.emplace(createLibraryFile(arguments.output));
  exact.output = library->getPath().str();
  exact.options.entries = {entry};
  exact.options.exposeLayers = true;
  exact.options.optLevel = 0; // nothing is fused
  exact.options.replay = recipe;
  layers.clear();
  llvm::StringMap<LayerAxes> units;
  CompileReport report;
  return tool::compile(
      exact, [](Stage, mlir::PassManager &) {}, report,
      [&](Stage stage, mlir::ModuleOp before) {
        if (stage == Stage::Fuse)
          units = findUnits(before);
        if (stage != Stage::Kernels)
          return;
        UnitFlow flow(before);
        if (auto function = before.lookupSymbol<mlir::func::FuncOp>(entry))
          layers = LayerFinder(function, flow).find();
        for (ExposedLayer &layer : layers) {
          const LayerAxes &axes = units[layer.name];
          layer.inputUnits = axes.input;
          layer.outputUnits = axes.output;
        }
      });
}

const ExposedLayer *ExposedModel::find(llvm::StringRef name) const {
  for (const ExposedLayer &layer : layers)
    if (layer.name == name)
      return &layer;
  return nullptr;
}
