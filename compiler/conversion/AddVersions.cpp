// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One entry point becomes one for each version of the code.
#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Versions.h"

#include "dialects/vae/IR/Vae.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace vae {
#define GEN_PASS_DEF_ADDVERSIONSPASS
#include "compiler/conversion/Passes.h.inc"
} // namespace vae

using namespace mlir;
using namespace vae;

StringRef vae::getVersionName(Operation *function) {
  auto name = function->getAttrOfType<StringAttr>(kVersionAttr);
  return name ? name.getValue() : StringRef();
}

std::string vae::getVersionSymbol(StringRef name, StringRef version) {
  return version.empty() ? name.str() : (name + "." + version).str();
}

StringRef vae::dropVersion(StringRef symbol, StringRef version) {
  if (!version.empty() && symbol.consume_back(version))
    symbol.consume_back(".");
  return symbol;
}

namespace {
/// The numbers of a KernelTarget, by their names.
struct Field {
  StringRef name;
  int64_t KernelTarget::*value;
};
constexpr Field kFields[] = {
    {"vector_width", &KernelTarget::vectorWidth},
    {"vector_registers", &KernelTarget::vectorRegisters},
    {"l1_bytes", &KernelTarget::l1Bytes},
    {"l2_bytes", &KernelTarget::l2Bytes},
    {"stream_bytes", &KernelTarget::streamBytes}};
} // namespace

/// Positions and vectors, if the user wants a tile.
static constexpr StringLiteral kTileAttr = "tile";
namespace {
/// What a machine has or has not.
struct Feature {
  StringRef name;
  bool KernelTarget::*value;
};
constexpr Feature kFeatures[] = {{"bf16_dot", &KernelTarget::bf16Dot},
                                 {"word_dots", &KernelTarget::wordDots},
                                 {"vnni", &KernelTarget::vnni},
                                 {"byte_dots", &KernelTarget::byteDots},
                                 {"amx_int8", &KernelTarget::amxInt8},
                                 {"amx_bf16", &KernelTarget::amxBf16}};
} // namespace

void vae::setKernelTarget(NamedAttrList &version, const KernelTarget &target,
                          MLIRContext *context) {
  Builder builder(context);
  for (const Field &field : kFields)
    version.set(field.name, builder.getI64IntegerAttr(target.*field.value));
  for (const Feature &feature : kFeatures)
    if (target.*feature.value)
      version.set(feature.name, builder.getUnitAttr());
  if (target.tile)
    version.set(kTileAttr, builder.getDenseI64ArrayAttr(
                               {target.tile->positions, target.tile->vectors}));
}

KernelTarget vae::getKernelTarget(DictionaryAttr version) {
  KernelTarget target;
  if (auto name = version.getAs<StringAttr>(kVersionNameAttr))
    target.version = name.str();
  for (const Field &field : kFields)
    if (auto number = version.getAs<IntegerAttr>(field.name))
      target.*field.value = number.getInt();
  for (const Feature &feature : kFeatures)
    target.*feature.value = version.contains(feature.name);
  if (auto tile = version.getAs<DenseI64ArrayAttr>(kTileAttr))
    if (tile.size() == 2)
      target.tile = Tile{tile[1], tile[0]};
  return target;
}

/// The versions of a module; null if there is one only. Emits an error if they
/// are not what they should be.
static FailureOr<ArrayAttr> getVersions(ModuleOp module) {
  Attribute attr = module->getAttr(kVersionsAttr);
  if (!attr)
    return ArrayAttr();
  auto versions = dyn_cast<ArrayAttr>(attr);
  llvm::StringSet<> names;
  for (Attribute entry : versions ? versions.getValue() : ArrayRef(attr)) {
    auto version = dyn_cast<DictionaryAttr>(entry);
    auto name =
        version ? version.getAs<StringAttr>(kVersionNameAttr) : StringAttr();
    if (!name || name.empty() || !names.insert(name.getValue()).second)
      return module.emitError()
             << "'" << kVersionsAttr << "' is no array of dictionaries, each "
             << "with a '" << kVersionNameAttr << "' of its own";
  }
  return versions;
}

FailureOr<KernelTarget> vae::getKernelTarget(Operation *function,
                                             const KernelTarget &other) {
  StringRef name = getVersionName(function);
  if (name.empty())
    return other;
  auto versions = getVersions(function->getParentOfType<ModuleOp>());
  if (failed(versions))
    return failure();
  auto known = *versions ? versions->getValue() : ArrayRef<Attribute>();
  for (auto version : llvm::map_range(known, llvm::CastTo<DictionaryAttr>))
    if (version.getAs<StringAttr>(kVersionNameAttr) == name)
      return getKernelTarget(version);
  return function->emitError()
         << "the module does not describe the version '" << name << "'";
}

namespace {
struct AddVersionsPass : vae::impl::AddVersionsPassBase<AddVersionsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto versions = getVersions(module);
    if (failed(versions))
      return signalPassFailure();
    if (!*versions || versions->empty())
      return;
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        entries.push_back(function);
    // The copies of an entry point follow each other, so that weights which
    // only it reads are packed and dropped before the next.
    OpBuilder builder(module.getContext());
    for (func::FuncOp entry : entries) {
      std::string name = entry.getName().str();
      SmallVector<func::FuncOp> copies = {entry};
      builder.setInsertionPointAfter(entry);
      for (size_t i = 1; i < versions->size(); ++i)
        copies.push_back(cast<func::FuncOp>(builder.clone(*entry)));
      for (auto [copy, version] :
           llvm::zip_equal(copies, versions->getValue())) {
        auto of =
            cast<DictionaryAttr>(version).getAs<StringAttr>(kVersionNameAttr);
        copy->setAttr(kVersionAttr, of);
        copy.setName(getVersionSymbol(name, of));
        ++numCopies;
      }
    }
  }
};
} // namespace
