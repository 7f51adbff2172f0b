// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table behind vae_model_query, and the note that repeats it as text.
#include "compiler/target/cpu/Codegen.h"

#include "compiler/conversion/Conversion.h"
#include "compiler/conversion/Versions.h"
#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/JSON.h"

#include <numeric>

#ifndef VAEC_VERSION
#error "VAEC_VERSION comes from the build"
#endif

using namespace llvm;
using namespace vae;

namespace {

/// A dimension as the ABI states it.
struct Dim {
  int32_t symbol = -1;
  int64_t scale = 0, offset = 0;
};

struct Tensor {
  std::string name, roleName, layout;
  int32_t role = 0;
  SmallVector<Dim> dims;
  std::optional<std::pair<float, float>> range;
};

struct Halo {
  int64_t before, after, multiple; // in values of a symbol
};

/// Whether and how an entry point runs in parts.
struct Tiling {
  std::vector<Halo> halos; // one a symbol; none: it does not
  std::string layer, operation;
};

struct Entry {
  std::string name, version; // of its code; empty if there is one only
  std::vector<Tensor> inputs, outputs;
  std::vector<std::pair<std::string, std::string>> steps; // layer, kernel
  int64_t scratch = 0;                                    // bytes
  std::optional<Tiling> tiling;
  /// From each point to each later one but the whole, in this order.
  std::vector<Entry> segments;
  int64_t points = 0;
};

struct Symbol {
  std::string name;
  int64_t minimum, multiple, remainder;
  bool whole; // the batch is one clip
};

/// Scale and shift of the latent: one number each, or one a channel; empty if
/// the model declares none.
struct Scaling {
  SmallVector<double> scale, shift;
};

struct Description {
  std::string name, likelihood, prior;
  int64_t parameters = 0, weightBytes = 0;
  mlir::DictionaryAttr model;
  Scaling scaling;
  std::vector<Symbol> symbols;
  std::vector<Entry> entries;
};

int64_t evaluate(mlir::AffineExpr expr, unsigned symbols, unsigned which,
                 int64_t value) {
  SmallVector<mlir::AffineExpr> values(
      symbols, mlir::getAffineConstantExpr(0, expr.getContext()));
  if (which < symbols)
    values[which] = mlir::getAffineConstantExpr(value, expr.getContext());
  mlir::AffineExpr result = expr.replaceSymbols(values);
  result = mlir::simplifyAffineExpr(result, 0, symbols);
  return cast<mlir::AffineConstantExpr>(result).getValue();
}

Expected<Dim> toDim(mlir::AffineExpr expr, unsigned symbols) {
  Dim dim;
  dim.offset = evaluate(expr, symbols, symbols, 0);
  for (unsigned s = 0; s < symbols; ++s) {
    if (!expr.isFunctionOfSymbol(s))
      continue;
    dim.scale = evaluate(expr, symbols, s, 1) - dim.offset;
    bool linear = evaluate(expr, symbols, s, 3) == dim.offset + 3 * dim.scale;
    if (dim.symbol >= 0 || !linear)
      return createStringError(
          "a tensor of an entry point has a dimension that is not linear in "
          "one dynamic dimension; give that dimension a larger multiple");
    dim.symbol = s;
  }
  return dim;
}

/// VAE_ROLE_* of a role's name.
Expected<int32_t> toRole(StringRef role) {
  static constexpr StringLiteral names[] = {
      "input",  "condition", "noise",         "latent", "mu",
      "logvar", "output",    "output_logvar", "mean",   "log_likelihood",
      "kl",     "elbo",      "layer"};
  static_assert(std::size(names) == VAE_ROLE_LAYER + 1, "one name a role");
  for (auto [value, name] : llvm::enumerate(names))
    if (name == role)
      return value;
  return createStringError("unknown role '" + role + "' of a tensor");
}

Expected<Tensor> toTensor(mlir::DictionaryAttr attrs, unsigned symbols) {
  Tensor tensor;
  auto text = [&](StringRef key) {
    auto value = attrs.getAs<mlir::StringAttr>(key);
    return value ? value.str() : std::string();
  };
  tensor.name = text(kNameAttr);
  tensor.roleName = text(kRoleAttr);
  auto role = toRole(tensor.roleName);
  if (!role)
    return role.takeError();
  tensor.role = *role;
  tensor.layout = text(kLayoutAttr);
  if (auto range = attrs.getAs<mlir::DenseF32ArrayAttr>(kRangeAttr))
    tensor.range = {range[0], range[1]};
  else if (auto list = attrs.getAs<mlir::ArrayAttr>(kRangeAttr))
    tensor.range = {float(cast<mlir::FloatAttr>(list[0]).getValueAsDouble()),
                    float(cast<mlir::FloatAttr>(list[1]).getValueAsDouble())};
  auto type = cast<mlir::RankedTensorType>(
      attrs.getAs<mlir::TypeAttr>("type").getValue());
  SmallVector<mlir::AffineExpr> exprs;
  if (auto map = attrs.getAs<mlir::AffineMapAttr>(kDimsAttr)) {
    exprs.append(map.getValue().getResults().begin(),
                 map.getValue().getResults().end());
  } else {
    unsigned next = 1;
    Dims dims = getDims(type, next);
    exprs.append(dims.begin(), dims.end());
  }
  // What passes between segments lies as it is in memory.
  auto layout = dyn_cast_or_null<LayoutAttr>(type.getEncoding());
  if (layout && layout.getKind() == LayoutKind::ChannelsLast) {
    std::rotate(exprs.begin() + 1, exprs.begin() + 2, exprs.end());
    tensor.layout = "NHWC";
  }
  for (mlir::AffineExpr expr : exprs) {
    auto dim = toDim(expr, symbols);
    if (!dim)
      return dim.takeError();
    tensor.dims.push_back(*dim);
  }
  return tensor;
}

Scaling readScaling(mlir::DictionaryAttr model) {
  Scaling scaling;
  if (auto dict = model.getAs<mlir::DictionaryAttr>(kLatentScalingAttr))
    for (auto [key, numbers] : {std::pair("scale", &scaling.scale),
                                std::pair("shift", &scaling.shift)})
      for (auto number :
           dict.getAs<mlir::ArrayAttr>(key).getAsRange<mlir::FloatAttr>())
        numbers->push_back(number.getValueAsDouble());
  return scaling;
}

/// The attribute of vae-find-halos, which counts in units of symbols.
Tiling toTiling(mlir::DictionaryAttr attrs, ArrayRef<Symbol> symbols) {
  Tiling result;
  auto halos = attrs.getAs<mlir::ArrayAttr>("halos");
  if (!halos) {
    result.layer = attrs.getAs<mlir::StringAttr>("layer").str();
    result.operation = attrs.getAs<mlir::StringAttr>("operation").str();
    return result;
  }
  for (auto [halo, symbol] :
       llvm::zip_equal(halos.getAsRange<mlir::DenseI64ArrayAttr>(), symbols))
    result.halos.push_back({halo[0] * symbol.multiple,
                            halo[1] * symbol.multiple,
                            halo[2] * symbol.multiple});
  return result;
}

/// What the module says of the entry points of a version.
Expected<Description> describe(mlir::ModuleOp module, StringRef version) {
  Description result;
  result.model = module->getAttrOfType<mlir::DictionaryAttr>(kModelAttr);
  auto text = [](mlir::DictionaryAttr dict, StringRef key) {
    auto value = dict ? dict.getAs<mlir::StringAttr>(key) : mlir::StringAttr();
    return value ? value.str() : std::string();
  };
  if (result.model) {
    result.name = text(result.model, "name");
    result.likelihood =
        text(result.model.getAs<mlir::DictionaryAttr>("likelihood"), "kind");
    result.prior =
        text(result.model.getAs<mlir::DictionaryAttr>("prior"), "kind");
    if (auto parameters = result.model.getAs<mlir::IntegerAttr>("parameters"))
      result.parameters = parameters.getInt();
    result.scaling = readScaling(result.model);
  }
  for (mlir::Attribute entry :
       module->getAttrOfType<mlir::ArrayAttr>(kSymbolsAttr)) {
    auto symbol = cast<mlir::DictionaryAttr>(entry);
    auto remainder = symbol.getAs<mlir::IntegerAttr>("remainder");
    result.symbols.push_back(
        {text(symbol, "name"),
         symbol.getAs<mlir::IntegerAttr>("minimum").getInt(),
         symbol.getAs<mlir::IntegerAttr>("multiple").getInt(),
         remainder ? remainder.getInt() : 0, symbol.contains("whole")});
  }
  for (mlir::Attribute entry :
       module->getAttrOfType<mlir::ArrayAttr>("vae.entries")) {
    auto dict = cast<mlir::DictionaryAttr>(entry);
    Entry out;
    out.name = text(dict, "name");
    out.version = text(dict, "version");
    if (out.version != version)
      continue;
    for (bool input : {true, false})
      for (mlir::Attribute attrs :
           dict.getAs<mlir::ArrayAttr>(input ? "inputs" : "outputs")) {
        auto tensor =
            toTensor(cast<mlir::DictionaryAttr>(attrs), result.symbols.size());
        if (!tensor)
          return tensor.takeError();
        (input ? out.inputs : out.outputs).push_back(std::move(*tensor));
      }
    for (mlir::Attribute step : dict.getAs<mlir::ArrayAttr>("steps")) {
      auto names = cast<mlir::ArrayAttr>(step).getAsRange<mlir::StringAttr>();
      out.steps.push_back(
          {(*names.begin()).str(), (*std::next(names.begin())).str()});
    }
    out.scratch = dict.getAs<mlir::IntegerAttr>("scratch").getInt();
    if (auto tiling = dict.getAs<mlir::DictionaryAttr>("tiling"))
      out.tiling = toTiling(tiling, result.symbols);
    auto segment = dict.getAs<mlir::DictionaryAttr>("segment");
    if (!segment) {
      result.entries.push_back(std::move(out));
      continue;
    }
    std::string whole = text(segment, "entry");
    auto owner = llvm::find_if(result.entries, [&](const Entry &entry) {
      return entry.name == whole;
    });
    if (owner == result.entries.end())
      return createStringError("segment " + out.name + " has no entry point");
    owner->points = segment.getAs<mlir::DenseI64ArrayAttr>("place")[2];
    owner->segments.push_back(std::move(out));
  }
  for (mlir::Attribute entry :
       module->getAttrOfType<mlir::ArrayAttr>(kWeightsAttr)) {
    auto weight = cast<mlir::DictionaryAttr>(entry);
    auto type = weight.getAs<mlir::ElementsAttr>("value").getShapedType();
    result.weightBytes = weight.getAs<mlir::IntegerAttr>("offset").getInt() +
                         type.getNumElements() * 4;
  }
  return result;
}

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
          {text(tensor.name), number32(tensor.role), number32(VAE_DTYPE_F32),
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
    for (const auto &[layer, kernel] : entry.steps)
      steps.push_back(record({text(layer), text(kernel), reserved(2)}));
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
                            t.text("f32"),
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
                            t.reserved(5)}),
                  "model");
}

/// The name of a version, as entry points have it; empty if there is one only.
static StringRef getName(ArrayRef<Cpu> versions, const Cpu &cpu) {
  return versions.size() > 1 ? StringRef(cpu.name) : StringRef();
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

/// "batch", "3*height/8+1": what follows from the value of a dynamic dimension.
static std::string formatDim(const Dim &dim, const Symbol &symbol) {
  int64_t common = std::gcd(dim.scale, symbol.multiple);
  int64_t scale = dim.scale / common, divisor = symbol.multiple / common;
  std::string text = symbol.name;
  if (scale != 1)
    text = std::to_string(scale) + "*" + text;
  if (divisor != 1)
    text += "/" + std::to_string(divisor);
  // The value itself is what its units make with the remainder.
  bool isValue = scale == 1 && divisor == 1;
  int64_t offset = dim.offset - (isValue ? symbol.remainder : 0);
  if (offset)
    text += (offset > 0 ? "+" : "") + std::to_string(offset);
  return text;
}

static json::Value toJson(const Tensor &tensor,
                          const std::vector<Symbol> &symbols) {
  json::Array shape;
  for (const Dim &dim : tensor.dims)
    shape.push_back(dim.symbol < 0
                        ? json::Value(dim.offset)
                        : json::Value(formatDim(dim, symbols[dim.symbol])));
  json::Object object{{"name", tensor.name},
                      {"role", tensor.roleName},
                      {"dtype", "f32"},
                      {"shape", std::move(shape)},
                      {"layout", tensor.layout}};
  if (tensor.range)
    object["range"] = json::Array{tensor.range->first, tensor.range->second};
  return object;
}

/// Attributes of strings and numbers as JSON.
static json::Value toJson(mlir::Attribute attr) {
  if (auto text = dyn_cast<mlir::StringAttr>(attr))
    return text.getValue();
  if (auto number = dyn_cast<mlir::FloatAttr>(attr))
    return number.getValueAsDouble();
  if (auto number = dyn_cast<mlir::IntegerAttr>(attr))
    return number.getInt();
  if (auto dict = dyn_cast<mlir::DictionaryAttr>(attr)) {
    json::Object object;
    for (mlir::NamedAttribute entry : dict)
      object[entry.getName().getValue()] = toJson(entry.getValue());
    return object;
  }
  json::Array array;
  if (auto list = dyn_cast<mlir::ArrayAttr>(attr))
    for (mlir::Attribute element : list)
      array.push_back(toJson(element));
  return array;
}

static json::Array getFeatures(const Cpu &cpu) {
  json::Array features;
  for (StringRef name : cpu.getRequired())
    features.push_back(name);
  return features;
}

Expected<std::string> vae::getModelNote(mlir::ModuleOp source,
                                        ArrayRef<Cpu> versions) {
  const Cpu &cpu = versions.front();
  auto description = describe(source, getName(versions, cpu));
  if (!description)
    return description.takeError();
  json::Array symbols, entries, code;
  for (const Symbol &symbol : description->symbols)
    symbols.push_back(json::Object{{"name", symbol.name},
                                   {"minimum", symbol.minimum},
                                   {"multiple", symbol.multiple},
                                   {"remainder", symbol.remainder}});
  for (const Entry &entry : description->entries) {
    json::Array inputs, outputs;
    for (const Tensor &tensor : entry.inputs)
      inputs.push_back(toJson(tensor, description->symbols));
    for (const Tensor &tensor : entry.outputs)
      outputs.push_back(toJson(tensor, description->symbols));
    entries.push_back(json::Object{{"name", entry.name},
                                   {"inputs", std::move(inputs)},
                                   {"outputs", std::move(outputs)}});
  }
  for (const Cpu &version : versions)
    code.push_back(json::Object{{"name", version.name},
                                {"features", getFeatures(version)}});
  json::Object note{{"schema", 1},
                    {"abi_version", VAE_ABI_VERSION},
                    {"name", description->name},
                    {"compiler", "vaec " VAEC_VERSION},
                    {"target", cpu.triple},
                    {"features", getFeatures(cpu)},
                    {"quantization", "f32"},
                    {"symbols", std::move(symbols)},
                    {"entries", std::move(entries)},
                    {"parameters", description->parameters},
                    {"weight_bytes", description->weightBytes}};
  if (versions.size() > 1)
    note["versions"] = std::move(code);
  for (StringRef key : {StringRef("likelihood"), StringRef("prior"),
                        StringRef(kLatentScalingAttr)})
    if (mlir::Attribute value =
            description->model ? description->model.get(key) : nullptr)
      note[key] = toJson(value);
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(note));
  return text;
}
