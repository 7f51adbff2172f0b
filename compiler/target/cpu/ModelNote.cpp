// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The note that repeats the table as text.
#include "compiler/target/cpu/Codegen.h"

#include "compiler/target/cpu/ModelDescription.h"
#include "dialects/vae/IR/Vae.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/Support/JSON.h"

#include <numeric>

#ifndef VAEC_VERSION
#error "VAEC_VERSION comes from the build"
#endif

using namespace llvm;
using namespace vae;
using namespace vae::table;

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
                    {"quantization", description->quantization},
                    {"storage", description->storage},
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
