// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/TensorNames.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/Transforms/ExposedLayers.h"
#include "llvm/ADT/DenseSet.h"

using namespace vae;
using llvm::StringRef;

/// Whether an operation of an entry point gives the latent: it samples the
/// posterior, or is the last that makes the prior of noise.
static bool isLatent(mlir::func::FuncOp function, mlir::Value value) {
  if (value.getDefiningOp<ReparameterizeOp>())
    return true;
  if (function.getName() != "sample")
    return false;
  mlir::Value noise = function.getArgument(0);
  auto isNoise = [&](mlir::Value other) {
    auto type = mlir::cast<mlir::RankedTensorType>(other.getType());
    auto expected = mlir::cast<mlir::RankedTensorType>(noise.getType());
    return getLayerNames(other.getDefiningOp()) == function.getName() &&
           type.getShape() == expected.getShape();
  };
  return isNoise(value) &&
         llvm::none_of(value.getUsers(), [&](mlir::Operation *user) {
           return user->getNumResults() == 1 &&
                  !mlir::isa<ConvertLayoutOp>(user) &&
                  isNoise(user->getResult(0));
         });
}

/// Of an output that is no layer's: names of layers have no colon.
static std::string getOutputName(StringRef name) {
  return ("output:" + name).str();
}

namespace {
/// Names the results of layers. What is computed last for a layer has its name,
/// the steps before have "#1", "#2" behind it, as where layers are exposed.
class LayerNames {
public:
  explicit LayerNames(mlir::func::FuncOp function) : function(function) {}

  std::string choose(mlir::Value value) {
    if (!seen.insert(value).second)
      return ""; // two heads that are one
    if (isLatent(function, value))
      return kLatentName;
    std::string name = getLayerNames(value.getDefiningOp());
    if (name == function.getName())
      return "";
    StringRef rest = name;
    if (rest.consume_back(("+" + function.getName()).str()))
      name = (rest + "+mean").str();
    unsigned step = steps[name]++;
    return step ? name + "#" + std::to_string(step) : name;
  }

private:
  mlir::func::FuncOp function;
  llvm::DenseSet<mlir::Value> seen;
  llvm::StringMap<unsigned> steps;
};
} // namespace

namespace {
/// The names of one entry point.
struct EntryNames {
  llvm::DenseMap<mlir::Value, std::string> values;
  ResultNames results;

  explicit EntryNames(mlir::func::FuncOp function)
      : function(function), layers(function) {
    mlir::Operation *end = function.front().getTerminator();
    // Results that are layers are there from the first to the last.
    for (unsigned i = 0; i < end->getNumOperands(); ++i)
      addResult(i, /*isLayer=*/false);
    for (unsigned i = end->getNumOperands(); i-- > 0;)
      addResult(i, /*isLayer=*/true);
    auto hidden = findHiddenLayers(function);
    if (succeeded(hidden))
      for (mlir::Value value : llvm::reverse(*hidden))
        add(value, layers.choose(value));
    for (mlir::BlockArgument argument : function.getArguments())
      add(argument, getArgumentName(argument));
  }

private:
  void add(mlir::Value value, const std::string &name) {
    if (!name.empty())
      values.try_emplace(value, name);
  }

  void addResult(unsigned i, bool isLayer) {
    auto name = function.getResultAttrOfType<mlir::StringAttr>(i, kNameAttr);
    auto role = function.getResultAttrOfType<mlir::StringAttr>(i, kRoleAttr);
    if (!name || !role || (role.getValue() == "layer") != isLayer)
      return;
    mlir::Value value = function.front().getTerminator()->getOperand(i);
    while (auto convert = value.getDefiningOp<ConvertLayoutOp>())
      value = convert.getX();
    bool isHead = role.getValue() == "mu" || role.getValue() == "logvar";
    std::string chosen = (isLayer || isHead) && value.getDefiningOp()
                             ? layers.choose(value)
                             : getOutputName(name.getValue());
    results[name.getValue()] = chosen;
    add(value, chosen);
  }

  /// Noise is the latent where nothing is computed of it before the decoder.
  std::string getArgumentName(mlir::BlockArgument argument) {
    unsigned i = argument.getArgNumber();
    auto name = function.getArgAttrOfType<mlir::StringAttr>(i, kNameAttr);
    if (getRole(i) != "noise")
      return name ? name.str() : "";
    for (unsigned other = 0; other < function.getNumArguments(); ++other)
      if (getRole(other) == "input")
        return "";
    for (const auto &[value, known] : values)
      if (known == kLatentName)
        return "";
    return kLatentName;
  }

  StringRef getRole(unsigned argument) {
    auto role =
        function.getArgAttrOfType<mlir::StringAttr>(argument, kRoleAttr);
    return role ? role.getValue() : "";
  }

  mlir::func::FuncOp function;
  LayerNames layers;
};
} // namespace

llvm::DenseMap<mlir::Value, std::string>
vae::nameTensors(mlir::func::FuncOp entry) {
  return EntryNames(entry).values;
}

llvm::StringMap<ResultNames> vae::chooseTensorNames(mlir::ModuleOp fused) {
  llvm::StringMap<ResultNames> names;
  for (auto function : fused.getOps<mlir::func::FuncOp>())
    if (function->hasAttr(kEntryAttr) && !function.isDeclaration())
      names[function.getName()] = EntryNames(function).results;
  return names;
}
