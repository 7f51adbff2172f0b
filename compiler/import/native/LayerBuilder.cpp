// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/LayerBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace llvm;
using namespace mlir;
using namespace vae;

//===----------------------------------------------------------------------===//
// The tables
//===----------------------------------------------------------------------===//

ArrayRef<LayerType> vae::getLayerTypes() {
  static const LayerType types[] = {
#define VAE_LAYER(TYPE, FUNCTION, MIN, MAX, KEYS, TENSORS)                     \
  {TYPE, FUNCTION, MIN, MAX, KEYS, TENSORS},
#define VAE_ACTIVATION(TYPE, KIND, KEYS)                                       \
  {TYPE, buildActivation, 1, 1, KEYS, ""},
#include "compiler/import/native/Format.def"
  };
  return types;
}

const LayerType *vae::findLayerType(StringRef type) {
  for (const LayerType &row : getLayerTypes())
    if (row.type == type)
      return &row;
  return nullptr;
}

ArrayRef<ObjectType> vae::getObjectTypes() {
  static const ObjectType types[] = {
#define VAE_OBJECT(NAME, SCHEMA, KEYS) {SCHEMA, KEYS},
#include "compiler/import/native/Format.def"
  };
  return types;
}

namespace {
struct ActivationType {
  StringRef type;
  ActivationKind kind;
  StringRef keys;
};
} // namespace

static constexpr ActivationType kActivations[] = {
#define VAE_ACTIVATION(TYPE, KIND, KEYS) {TYPE, ActivationKind::KIND, KEYS},
#include "compiler/import/native/Format.def"
};

static const ActivationType *findActivation(StringRef type) {
  for (const ActivationType &row : kActivations)
    if (row.type == type)
      return &row;
  return nullptr;
}

std::optional<StringRef> vae::getActivationKeys(StringRef type) {
  if (const ActivationType *row = findActivation(type))
    return row->keys;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

ActivationAttr vae::readActivation(Fields &fields, StringRef type,
                                   MLIRContext *context) {
  ActivationKind kind = findActivation(type)->kind;
  double alpha = 0, beta = 0;
  switch (kind) {
  case ActivationKind::LeakyRelu:
    alpha = fields.getNumber("alpha", 0.01);
    break;
  case ActivationKind::Elu:
    alpha = fields.getNumber("alpha", 1);
    break;
  case ActivationKind::HardSigmoid:
    alpha = fields.getNumber("slope", 1.0 / 6);
    beta = 0.5;
    break;
  case ActivationKind::Gelu:
    if (fields.getChoice("approximate", {"none", "tanh"}) == "tanh")
      kind = ActivationKind::GeluTanh;
    break;
  case ActivationKind::Clamp:
    fields.require("min");
    fields.require("max");
    alpha = fields.getNumber("min", 0);
    beta = fields.getNumber("max", 0);
    if (fields.ok() && alpha > beta)
      fields.fail(fields.get("min")) << "'min' is greater than 'max'";
    break;
  default:
    break;
  }
  return fields.ok() ? ActivationAttr::get(context, kind, alpha, beta)
                     : ActivationAttr();
}

LogicalResult vae::buildActivation(LayerBuilder &layer) {
  ActivationAttr function = readActivation(layer.fields, layer.spec.type->type,
                                           layer.loc.getContext());
  if (!function)
    return failure();
  return layer.finish(layer.create<ActivationOp>(layer.x(), function));
}

ActivationAttr LayerBuilder::getActivation(const JsonValue &value) {
  const JsonValue *type = value.isObject() ? value.find("type") : &value;
  std::optional<StringRef> keys;
  if (type && type->isString())
    keys = getActivationKeys(type->text);
  if (!keys) {
    std::vector<StringRef> names;
    for (const ActivationType &row : kActivations)
      names.push_back(row.type);
    std::string remedy =
        type && type->isString() ? suggestName(type->text, names) : "";
    fields.fail(type ? type : &value)
        << "unknown activation " << (type ? type : &value)->describe()
        << (remedy.empty() ? "; known: " + join(names, ", ") : remedy);
    return {};
  }
  JsonValue plain;
  plain.kind = JsonValue::Kind::Object;
  plain.position = value.position;
  Fields parameters(context.emitter.source, value.isObject() ? value : plain,
                    fields.getSubject() + ": activation '" + type->text + "'",
                    ("type " + *keys).str());
  if (!parameters.ok())
    return {};
  return readActivation(parameters, type->text, loc.getContext());
}

LogicalResult LayerBuilder::applyActivation() {
  const JsonValue *value = fields.get("activation");
  if (!value)
    return success();
  ActivationAttr function = getActivation(*value);
  if (!function)
    return failure();
  for (Value &output : outputs) {
    output = create<ActivationOp>(output, function);
    if (!output)
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The layer
//===----------------------------------------------------------------------===//

static std::string getKeys(const LayerType &type) {
  return (Keys::Layer + " " + type.keys).str();
}

LayerBuilder::LayerBuilder(BuildContext &context, const LayerSpec &spec,
                           std::vector<LayerInput> inputs)
    : context(context), spec(spec),
      fields(context.emitter.source, *spec.json,
             "layer '" + spec.name.name + "'", getKeys(*spec.type)),
      loc(NameLoc::get(
          StringAttr::get(context.emitter.source.getContext(), spec.name.name),
          context.emitter.source.getLoc(spec.json->position))),
      inputs(std::move(inputs)), keras(context.model.keras) {}

LogicalResult LayerBuilder::build() {
  if (!fields.ok())
    return failure();
  const LayerType &type = *spec.type;
  if (inputs.size() < type.minInputs || inputs.size() > type.maxInputs) {
    auto diagnostic = fields.fail(fields.get("inputs"));
    diagnostic << "type '" << type.type << "' takes ";
    if (type.minInputs == type.maxInputs)
      diagnostic << type.minInputs
                 << (type.minInputs == 1 ? " input" : " inputs");
    else
      diagnostic << type.minInputs << " to " << type.maxInputs << " inputs";
    diagnostic << ", found " << static_cast<unsigned>(inputs.size());
    return failure();
  }
  if (fields.has("tensor_layout"))
    keras = fields.getChoice("tensor_layout", {"pytorch", "keras"}) == "keras";
  if (const JsonValue *weights = fields.get("weights")) {
    std::string roles;
    for (StringRef entry : splitWords(type.tensors))
      roles += (entry.split('=').first + " ").str();
    Fields check(context.emitter.source, *weights,
                 fields.getSubject() + ", weights", roles);
    if (!check.ok())
      return failure();
  }
  if (!fields.ok() || failed(type.build(*this)) || !fields.ok())
    return failure();
  return applyActivation();
}

LogicalResult LayerBuilder::requireImage() {
  if (rank() == 4)
    return success();
  fields.fail(fields.getPosition(), " ")
      << "expects an image [N, C, H, W], '" << inputs.front().name << "' gives "
      << context.emitter.formatDims(x())
      << "; a layer of type 'reshape' can make an image of it";
  return failure();
}

LogicalResult LayerBuilder::requireUnits(int64_t axis, int64_t units,
                                         StringRef what) {
  if (dim(axis) == units)
    return success();
  auto diagnostic = fields.fail(fields.getPosition(), " ");
  diagnostic << "expects " << units << " " << what << ", '"
             << inputs.front().name << "' gives ";
  if (ShapedType::isDynamic(dim(axis)))
    diagnostic << context.emitter.formatDims(x());
  else
    diagnostic << dim(axis);
  return failure();
}

int64_t LayerBuilder::getAxis(int64_t missing) {
  int64_t axis = fields.getInt("axis", -7, 7, missing);
  if (axis < 0)
    axis += rank();
  if (fields.ok() && (axis < 1 || axis >= rank()))
    fields.fail(fields.get("axis"))
        << "axis " << axis << " is not in 1.." << rank() - 1 << " of "
        << context.emitter.formatDims(x());
  return axis;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Appends the numbers of nested arrays and finds out their shape.
static bool flatten(const JsonValue &value, size_t depth,
                    SmallVectorImpl<int64_t> &shape, std::vector<float> &data) {
  if (!value.isArray()) {
    data.push_back(static_cast<float>(value.number));
    return value.isNumber() && depth == shape.size();
  }
  if (depth == shape.size()) {
    if (!data.empty())
      return false;
    shape.push_back(value.items.size());
  }
  if (shape[depth] != static_cast<int64_t>(value.items.size()))
    return false;
  return all_of(value.items, [&](const JsonValue &item) {
    return flatten(item, depth + 1, shape, data);
  });
}

const WeightTensor *LayerBuilder::readInline(StringRef role,
                                             const JsonValue &value) {
  auto tensor = std::make_unique<WeightTensor>();
  tensor->name = spec.name.name + "." + role.str();
  tensor->fileName = "the model file";
  tensor->dtype = "F32";
  const JsonValue *numbers = &value;
  if (value.isObject()) {
    Fields check(context.emitter.source, value,
                 fields.getSubject() + ", tensor '" + role + "'",
                 Keys::InlineTensor);
    numbers = check.require("data");
    if (!check.ok())
      return nullptr;
  }
  std::vector<float> data;
  SmallVector<int64_t, 4> shape;
  if (!flatten(*numbers, 0, shape, data) || data.empty()) {
    fields.fail(numbers) << "tensor '" << role
                         << "': expected an array of numbers, or arrays of "
                            "equal length of them";
    return nullptr;
  }
  tensor->shape = shape;
  if (value.isObject() && value.find("shape")) {
    Fields object(context.emitter.source, value,
                  fields.getSubject() + ", tensor '" + role + "'",
                  Keys::InlineTensor);
    tensor->shape = object.getInts("shape", 1, kMaxElements);
    size_t count = 1;
    for (int64_t dim : tensor->shape)
      if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count))
        count = 0;
    if (object.ok() && count != data.size())
      object.fail(numbers) << "shape " << formatShape(tensor->shape)
                           << " does not fit " << data.size() << " numbers";
    if (!object.ok())
      return nullptr;
  }
  StringRef bytes(reinterpret_cast<const char *>(data.data()),
                  data.size() * sizeof(float));
  tensor->file = MemoryBuffer::getMemBufferCopy(bytes, tensor->name);
  tensor->data = ArrayRef<char>(tensor->file->getBufferStart(), bytes.size());
  context.inlineTensors.push_back(std::move(tensor));
  return context.inlineTensors.back().get();
}

Parameter LayerBuilder::getParameter(StringRef role, bool mayBeNull) {
  Parameter parameter{role, nullptr, fields.getPosition()};
  StringRef suffix = role;
  for (StringRef entry : splitWords(spec.type->tensors))
    if (entry.split('=').first == role)
      suffix = entry.split('=').second;
  std::string name = (spec.name.name + "." + suffix).str();
  const JsonValue *weights = fields.get("weights");
  if (const JsonValue *value = weights ? weights->find(role) : nullptr) {
    parameter.position = value->position;
    if (value->isNull() && mayBeNull)
      return parameter;
    if (value->isArray() || value->isObject()) {
      parameter.tensor = readInline(role, *value);
      if (!parameter.tensor)
        fields.setFailed();
      return parameter;
    }
    name = fields.asString(role, *value);
  }
  parameter.tensor = context.weights.find(name);
  if (!parameter.tensor)
    fields.fail(parameter.position)
        << "tensor '" << name << "' (" << role << ") is "
        << context.weights.describeFiles() << context.weights.suggest(name);
  return parameter;
}

std::string LayerBuilder::hintLayout(const Parameter &parameter,
                                     ArrayRef<int64_t> shape) const {
  if (shape.size() < 2)
    return "";
  SmallVector<int64_t, 4> found = parameter.tensor->shape;
  SmallVector<int64_t, 4> other;
  if (shape.size() == 2)
    other = {shape[1], shape[0]};
  else if (keras)
    other = {shape[3], shape[2], shape[0], shape[1]};
  else
    other = {shape[2], shape[3], shape[1], shape[0]};
  if (ArrayRef<int64_t>(found) != ArrayRef<int64_t>(other))
    return "";
  return std::string("; the tensor has the other layout: \"tensor_layout\": ") +
         (keras ? "\"pytorch\"" : "\"keras\"");
}

Value LayerBuilder::getConstant(const Parameter &parameter,
                                ArrayRef<int64_t> fileShape,
                                ArrayRef<int64_t> permutation,
                                ArrayRef<int64_t> shape, StringRef meaning) {
  if (!parameter.tensor)
    return {};
  const WeightTensor &tensor = *parameter.tensor;
  if (ArrayRef<int64_t>(tensor.shape) != fileShape) {
    fields.fail(parameter.position)
        << "tensor '" << tensor.name << "' has the shape "
        << formatShape(tensor.shape) << ", expected " << formatShape(fileShape)
        << " = " << meaning << hintLayout(parameter, fileShape);
    return {};
  }
  WeightView view;
  view.permutation.assign(permutation.begin(), permutation.end());
  view.shape.assign(shape.begin(), shape.end());
  auto value = context.weights.getConstant(tensor, view, loc.getContext());
  if (!value) {
    fields.fail(parameter.position) << toString(value.takeError());
    return {};
  }
  if (!parameter.role.starts_with("running_") &&
      context.counted.insert(tensor.name).second)
    context.parameters += (*value).getNumElements();
  return ConstantOp::create(context.emitter.builder, loc, *value);
}

Value LayerBuilder::getVector(StringRef role, int64_t units, StringRef meaning,
                              bool mayBeNull) {
  Parameter parameter = getParameter(role, mayBeNull);
  return getConstant(parameter, {units}, {}, {units}, meaning);
}
