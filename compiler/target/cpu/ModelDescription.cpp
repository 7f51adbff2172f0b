// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/ModelDescription.h"

#include "compiler/conversion/Conversion.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/include/vae/vae_abi.h"

using namespace llvm;
using namespace vae;
using namespace vae::table;

static int64_t evaluate(mlir::AffineExpr expr, unsigned symbols, unsigned which,
                        int64_t value) {
  SmallVector<mlir::AffineExpr> values(
      symbols, mlir::getAffineConstantExpr(0, expr.getContext()));
  if (which < symbols)
    values[which] = mlir::getAffineConstantExpr(value, expr.getContext());
  mlir::AffineExpr result = expr.replaceSymbols(values);
  result = mlir::simplifyAffineExpr(result, 0, symbols);
  return cast<mlir::AffineConstantExpr>(result).getValue();
}

static Expected<Dim> toDim(mlir::AffineExpr expr, unsigned symbols) {
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
static Expected<int32_t> toRole(StringRef role) {
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

static Expected<Tensor> toTensor(mlir::DictionaryAttr attrs, unsigned symbols) {
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
  // Only what passes between segments is of f16.
  tensor.dtype = type.getElementType().isF16() ? VAE_DTYPE_F16 : VAE_DTYPE_F32;
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

static Scaling readScaling(mlir::DictionaryAttr model) {
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
static Tiling toTiling(mlir::DictionaryAttr attrs, ArrayRef<Symbol> symbols) {
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

Expected<Description> table::describe(mlir::ModuleOp module,
                                      StringRef version) {
  Description result;
  result.model = module->getAttrOfType<mlir::DictionaryAttr>(kModelAttr);
  result.quantization = stringifyPrecision(getPrecision(module)).str();
  result.storage = stringifyStorage(getStorage(module)).str();
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
      auto fields = cast<mlir::ArrayAttr>(step);
      out.steps.push_back({cast<mlir::StringAttr>(fields[0]).str(),
                           cast<mlir::StringAttr>(fields[1]).str(),
                           cast<mlir::IntegerAttr>(fields[2]).getInt()});
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
    result.weightBytes =
        weight.getAs<mlir::IntegerAttr>("offset").getInt() +
        getBytes(weight.getAs<mlir::ElementsAttr>("value")).size();
  }
  return result;
}
