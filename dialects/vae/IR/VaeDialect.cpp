// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/Vae.h"

#include "dialects/vae/IR/VaeAlgorithm.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/vae/IR/VaeDialect.cpp.inc"
#include "dialects/vae/IR/VaeEnums.cpp.inc"
#include "dialects/vae/IR/VaeInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vae/IR/VaeAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/vae/IR/VaeOps.cpp.inc"

using namespace mlir;
using namespace vae;

namespace {
/// Every operation of the dialect is pure and may be inlined anywhere.
struct VaeInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

void vae::VaeDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/vae/IR/VaeAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/vae/IR/VaeOps.cpp.inc"
      >();
  addInterfaces<VaeInliner>();
}

static LogicalResult verifyStorage(Operation *op, Attribute attribute) {
  auto name = dyn_cast<StringAttr>(attribute);
  bool isModule = isa<ModuleOp>(op);
  auto storage = name ? symbolizeStorage(name.getValue()) : std::nullopt;
  if (!storage || *storage == Storage::F32 ||
      (!isModule && *storage != Storage::F16))
    return op->emitError() << "'" << kStorageAttr << "' is \"f16\""
                           << (isModule ? " or \"f16-weights\"" : "")
                           << ", found " << attribute;
  if (!isModule && !isa<PrunableOpInterface>(op))
    return op->emitError() << "'" << kStorageAttr
                           << "' belongs to a layer with weights or a module";
  return success();
}

static LogicalResult verifyWeightType(Operation *op, Attribute attribute) {
  auto type = dyn_cast<TypeAttr>(attribute);
  auto quantized =
      type ? dyn_cast<quant::QuantizedType>(type.getValue()) : nullptr;
  if (!quantized || !quantized.isSigned() ||
      !isa<quant::UniformQuantizedPerAxisType,
           quant::UniformQuantizedSubChannelType>(quantized))
    return op->emitError() << "'" << kWeightTypeAttr
                           << "' is a type of signed integers with a scale for "
                              "each output unit or block of one, found "
                           << attribute;
  auto layer = dyn_cast<PrunableOpInterface>(op);
  if (!layer)
    return op->emitError() << "'" << kWeightTypeAttr
                           << "' belongs to a layer with weights";
  if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(quantized))
    return vae::detail::verifyWeightBlocks(op, blocks);
  auto perAxis = cast<quant::UniformQuantizedPerAxisType>(quantized);
  auto weight = dyn_cast<RankedTensorType>(
      op->getOperand(layer.getWeightIndex()).getType());
  int64_t axis = layer.getOutputUnitAxis();
  if (!weight || weight.getRank() <= axis)
    return success(); // the layer's own verifier refuses it
  if (perAxis.getQuantizedDimension() != axis ||
      static_cast<int64_t>(perAxis.getScales().size()) !=
          weight.getDimSize(axis))
    return op->emitError() << "'" << kWeightTypeAttr << "' must have "
                           << weight.getDimSize(axis) << " scales on axis "
                           << axis;
  if (llvm::any_of(perAxis.getZeroPoints(),
                   [](int64_t zeroPoint) { return zeroPoint != 0; }))
    return op->emitError() << "'" << kWeightTypeAttr
                           << "' must have zero points of 0";
  return success();
}

LogicalResult
vae::VaeDialect::verifyOperationAttribute(Operation *op,
                                          NamedAttribute attribute) {
  if (attribute.getName() == kStorageAttr)
    return verifyStorage(op, attribute.getValue());
  if (attribute.getName() == kAlgorithmAttr)
    return verifyAlgorithm(op, attribute.getValue());
  if (attribute.getName() == kWeightTypeAttr)
    return verifyWeightType(op, attribute.getValue());
  if (attribute.getName() != kPrecisionAttr)
    return success();
  auto name = dyn_cast<StringAttr>(attribute.getValue());
  auto precision =
      name ? symbolizePrecision(name.getValue()) : std::optional<Precision>();
  if (!precision || precision == Precision::F32 ||
      (precision == Precision::INT8 && !isa<ModuleOp>(op)))
    return op->emitError() << "'" << kPrecisionAttr
                           << "' is \"bf16\" or \"bfp16\", found "
                           << attribute.getValue();
  if (!isa<PrunableOpInterface, ModuleOp>(op))
    return op->emitError() << "'" << kPrecisionAttr
                           << "' belongs to a layer with weights or a module";
  return success();
}

vae::Precision vae::getPrecision(Operation *op) {
  if (isIntegerLayer(op))
    return Precision::INT8;
  auto name = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  auto precision =
      name ? symbolizePrecision(name.getValue()) : std::optional<Precision>();
  return precision.value_or(Precision::F32);
}

bool vae::hasF16Weights(Operation *op) {
  return isa<PrunableOpInterface>(op) && op->hasAttr(kStorageAttr);
}

Storage vae::getStorage(ModuleOp module) {
  auto name = module->getAttrOfType<StringAttr>(kStorageAttr);
  auto storage = name ? symbolizeStorage(name.getValue()) : std::nullopt;
  return storage.value_or(Storage::F32);
}

Operation *vae::VaeDialect::materializeConstant(OpBuilder &builder,
                                                Attribute value, Type type,
                                                Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

std::string vae::getLogicalLayout(int64_t rank) {
  switch (rank) {
  case 2:
    return "NC";
  case 3:
    return "NHW";
  case 4:
    return "NCHW";
  case 5:
    return "NCDHW";
  default:
    return "N" + std::string(std::max<int64_t>(rank - 1, 0), 'D');
  }
}

StringRef vae::getLayerName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().getValue();
  if (auto call = dyn_cast<CallSiteLoc>(loc)) // inlined
    return getLayerName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = getLayerName(part); !name.empty())
        return name;
  return {};
}

std::string vae::getLayerNames(Operation *op) {
  llvm::SetVector<StringRef> names;
  SmallVector<Location> parts = {op->getLoc()};
  if (auto fused = dyn_cast<FusedLoc>(op->getLoc()))
    parts.assign(fused.getLocations().begin(), fused.getLocations().end());
  for (Location part : parts)
    if (StringRef name = getLayerName(part); !name.empty())
      names.insert(name);
  return names.empty() ? op->getName().stripDialect().str()
                       : llvm::join(names, "+");
}
