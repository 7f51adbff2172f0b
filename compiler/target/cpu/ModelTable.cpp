// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table behind vae_model_query.
#include "compiler/target/cpu/Codegen.h"

#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Versions.h"
#include "compiler/target/cpu/ModelDescription.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

#ifndef VAEC_VERSION
#error "VAEC_VERSION comes from the build"
#endif

using namespace llvm;
using namespace vae;
using namespace vae::table;

namespace {

/// The versions of a library: an array that their tables point to and that
/// points to them.
struct Versions {
  Constant *array;
  uint32_t count = 0; // 0: a null pointer
  void define(ArrayRef<Constant *> records) const {
    if (!count)
      return;
    auto *variable = cast<GlobalVariable>(array);
    variable->setInitializer(
        ConstantArray::get(cast<ArrayType>(variable->getValueType()), records));
  }
};

/// Builds constants in the layout of vae_abi.h on 64-bit machines.
class TableEmitter {
public:
  explicit TableEmitter(Module &module)
      : module(module), context(module.getContext()),
        pointer(PointerType::get(context, 0)), i32(Type::getInt32Ty(context)),
        i64(Type::getInt64Ty(context)) {}

  Constant *text(StringRef value) {
    return global(ConstantDataArray::getString(context, value), "text");
  }
  Constant *number(int64_t value) { return ConstantInt::getSigned(i64, value); }
  Constant *number32(int64_t value) {
    return ConstantInt::getSigned(i32, value);
  }
  Constant *real(float value) {
    return ConstantFP::get(Type::getFloatTy(context), value);
  }
  Constant *reserved(unsigned count) {
    return ConstantAggregateZero::get(ArrayType::get(i64, count));
  }
  Constant *record(ArrayRef<Constant *> fields) {
    return ConstantStruct::getAnon(context, fields);
  }
  Constant *array(ArrayRef<Constant *> records, StringRef name) {
    if (records.empty())
      return ConstantPointerNull::get(pointer);
    auto *type = ArrayType::get(records.front()->getType(), records.size());
    return global(ConstantArray::get(type, records), name);
  }
  Constant *global(Constant *value, StringRef name) {
    auto *variable =
        new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                           GlobalValue::PrivateLinkage, value, name);
    variable->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return variable;
  }

  /// An array of vae_abi_version, still without content; none of less than two.
  Versions declareVersions(uint32_t count) {
    if (count < 2)
      return {ConstantPointerNull::get(pointer)};
    auto *version =
        StructType::get(context, {pointer, pointer, ArrayType::get(i64, 2)});
    auto *array = new GlobalVariable(
        module, ArrayType::get(version, count), /*isConstant=*/true,
        GlobalValue::PrivateLinkage, nullptr, "versions");
    return {array, count};
  }

  /// A vae_abi_scaling; NULL if there is none.
  Constant *scaling(const Scaling &scaling) {
    if (scaling.scale.empty())
      return ConstantPointerNull::get(pointer);
    auto numbers = [&](ArrayRef<double> values, StringRef name) {
      return global(ConstantDataArray::get(context, values), name);
    };
    return global(record({number32(scaling.scale.size()), number32(0),
                          numbers(scaling.scale, "scale"),
                          numbers(scaling.shift, "shift"), reserved(2)}),
                  "scaling");
  }

  Constant *tensors(const std::vector<Tensor> &tensors) {
    SmallVector<Constant *> records;
    for (const Tensor &tensor : tensors) {
      SmallVector<Constant *> dims;
      for (const Dim &dim : tensor.dims)
        dims.push_back(record({number32(dim.symbol), number32(0),
                               number(dim.scale), number(dim.offset)}));
      auto range = tensor.range.value_or(std::pair<float, float>(0, 0));
      records.push_back(record(
          {text(tensor.name), number32(tensor.role), number32(tensor.dtype),
           number32(tensor.dims.size()), number32(tensor.range.has_value()),
           array(dims, "dims"), text(tensor.layout), real(range.first),
           real(range.second), real(1), number32(0), reserved(4)}));
    }
    return array(records, "tensors");
  }

  /// Spends no time on code that only launches kernels: an entry point's
  /// segments launch several times as many as it does.
  void leaveAsItIs(const Entry &entry) {
    if (Function *run = getCode(entry)) {
      run->addFnAttr(Attribute::NoInline);
      run->addFnAttr(Attribute::OptimizeNone);
    }
  }

  /// The segments of an entry point, the whole among them; null if the code of
  /// one is missing, a null pointer if there are none.
  Constant *segments(const Entry &entry) {
    SmallVector<Constant *> records;
    auto next = entry.segments.begin();
    for (int64_t begin = 0; begin < entry.points; ++begin)
      for (int64_t end = begin + 1; end < entry.points; ++end) {
        bool whole = begin == 0 && end + 1 == entry.points;
        Entry copy = whole ? entry : *next++;
        copy.points = 0;
        copy.segments.clear();
        copy.steps.clear(); // and no costs
        if (!whole)
          leaveAsItIs(copy);
        records.push_back(this->entry(copy));
        if (!records.back())
          return nullptr;
      }
    return array(records, "segments");
  }

  /// A pointer to a vae_abi_tiling, or null.
  Constant *tiling(const Entry &entry) {
    const std::optional<Tiling> &tiling = entry.tiling;
    Constant *null = ConstantPointerNull::get(pointer);
    if (!tiling)
      return null;
    SmallVector<Constant *> halos;
    for (const Halo &halo : tiling->halos)
      halos.push_back(record({number(halo.before), number(halo.after),
                              number(halo.multiple), number(0)}));
    bool whole = halos.empty();
    return global(
        record({array(halos, "halos"), whole ? text(tiling->layer) : null,
                whole ? text(tiling->operation) : null, segments(entry),
                number32(entry.points), number32(0)}),
        "tiling");
  }

  /// A function of an entry point, by the suffix of its name; null if there is
  /// none.
  Function *getCode(const Entry &entry, StringRef suffix = "") {
    return module.getFunction(
        (kEntryPrefix + getVersionSymbol(entry.name, entry.version) + suffix)
            .str());
  }

  /// One vae_abi_entry. Null if its code is missing.
  Constant *entry(const Entry &entry) {
    Function *run = getCode(entry);
    Function *arena = getCode(entry, ".arena");
    Function *flops = getCode(entry, ".flops");
    Function *costs = getCode(entry, ".costs");
    if (!run || !arena || !flops || (!costs && !entry.steps.empty()))
      return nullptr;
    SmallVector<Constant *> steps;
    for (const Step &step : entry.steps)
      steps.push_back(record({text(step.layer), text(step.kernel),
                              ConstantInt::get(i64, step.predicted),
                              ConstantInt::get(i64, 0)}));
    return record({text(entry.name), number32(entry.inputs.size()),
                   number32(entry.outputs.size()), tensors(entry.inputs),
                   tensors(entry.outputs), arena, flops, run,
                   number32(steps.size()), number32(entry.scratch),
                   array(steps, "steps"),
                   steps.empty() ? ConstantPointerNull::get(pointer)
                                 : cast<Constant>(costs),
                   tiling(entry)});
  }

  Module &module;
  LLVMContext &context;
  PointerType *pointer;
  Type *i32, *i64;
};

} // namespace

/// The table of a version. Null if the code of an entry point is missing.
static Constant *makeTable(TableEmitter &t, const Description &description,
                           const Cpu &cpu, const Versions &versions) {
  SmallVector<Constant *> symbols, entries;
  for (const Symbol &symbol : description.symbols)
    symbols.push_back(
        t.record({t.text(symbol.name), t.number(symbol.minimum),
                  t.number(symbol.multiple), t.number(symbol.remainder),
                  t.number(symbol.whole ? VAE_SYMBOL_WHOLE : 0)}));
  for (const Entry &entry : description.entries) {
    entries.push_back(t.entry(entry));
    if (!entries.back())
      return nullptr;
  }
  Constant *weights = t.module.getNamedGlobal(kWeightsSymbol);
  return t.global(t.record({t.number32(VAE_ABI_VERSION),
                            t.number32(sizeof(vae_abi_model)),
                            t.text(description.name),
                            t.text("vaec " VAEC_VERSION),
                            t.text(cpu.triple),
                            t.text(cpu.required),
                            t.text(description.quantization),
                            t.text(description.likelihood),
                            t.text(description.prior),
                            t.number32(symbols.size()),
                            t.number32(entries.size()),
                            t.array(symbols, "symbols"),
                            t.array(entries, "entries"),
                            weights,
                            t.number(description.weightBytes),
                            t.number(description.parameters),
                            t.scaling(description.scaling),
                            versions.array,
                            t.number32(versions.count),
                            t.number32(0),
                            t.text(description.storage),
                            t.reserved(4)}),
                  "model");
}

Error vae::addModelTable(mlir::ModuleOp source, ArrayRef<Cpu> cpus,
                         Module &module) {
  TableEmitter t(module);
  Versions versions = t.declareVersions(cpus.size());
  SmallVector<Constant *> tables, records;
  for (const Cpu &cpu : cpus) {
    auto description = describe(source, getName(cpus, cpu));
    if (!description)
      return description.takeError();
    Constant *table = makeTable(t, *description, cpu, versions);
    if (!table)
      return createStringError("an entry point has no code for " + cpu.name);
    tables.push_back(table);
    records.push_back(t.record({t.text(cpu.name), table, t.reserved(2)}));
  }
  versions.define(records);
  auto *query = Function::Create(FunctionType::get(t.pointer, {t.i32}, false),
                                 GlobalValue::ExternalLinkage,
                                 VAE_MODEL_QUERY_SYMBOL, module);
  query->setDSOLocal(true);
  IRBuilder<> builder(BasicBlock::Create(t.context, "", query));
  Value *known =
      builder.CreateICmpUGE(query->getArg(0), t.number32(VAE_ABI_VERSION));
  builder.CreateRet(builder.CreateSelect(known, tables.front(),
                                         ConstantPointerNull::get(t.pointer)));
  return Error::success();
}
