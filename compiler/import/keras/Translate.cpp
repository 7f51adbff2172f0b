// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Translate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace llvm;
using namespace vae;
using namespace vae::keras;

//===----------------------------------------------------------------------===//
// The tables
//===----------------------------------------------------------------------===//

ArrayRef<LayerClass> keras::getLayerClasses() {
  static const LayerClass classes[] = {
#define KERAS_LAYER(CLASS, FUNCTION, MIN, MAX, OPTIONS, WEIGHTS, RESTRICTIONS) \
  {CLASS, FUNCTION, MIN, MAX, OPTIONS, WEIGHTS, RESTRICTIONS},
#include "compiler/import/keras/Layers.def"
  };
  return classes;
}

const LayerClass *keras::findLayerClass(StringRef name) {
  for (const LayerClass &row : getLayerClasses())
    if (row.name == name)
      return &row;
  return nullptr;
}

static SmallVector<StringRef> splitWords(StringRef text) {
  SmallVector<StringRef> words;
  text.split(words, ' ', -1, /*KeepEmpty=*/false);
  return words;
}

std::vector<WeightRole> keras::getWeightRoles(const LayerClass &type,
                                              const JsonValue *config) {
  std::vector<WeightRole> roles;
  for (StringRef word : splitWords(type.weights)) {
    WeightRole role;
    role.trained = !word.consume_back("!");
    auto [name, option] = word.split('?');
    role.role = name;
    const JsonValue *value =
        config && !option.empty() ? config->find(option) : nullptr;
    if (value && value->kind == JsonValue::Kind::Boolean && !value->boolean)
      continue;
    roles.push_back(role);
  }
  return roles;
}

namespace {
struct ActivationName {
  StringRef name, type;
  double slope;
  int keras;
};
} // namespace

static constexpr ActivationName kActivations[] = {
#define KERAS_ACTIVATION(NAME, TYPE, SLOPE, KERAS) {NAME, TYPE, SLOPE, KERAS},
#include "compiler/import/keras/Layers.def"
};

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

std::string keras::formatDims(ArrayRef<int64_t> dims) {
  std::string text = "[";
  for (auto [i, dim] : enumerate(dims))
    text += (i ? ", " : "") + (dim < 0 ? "any" : std::to_string(dim));
  return text + "]";
}

bool LayerTranslator::fail(const JsonValue *value, const Twine &message) {
  return report.fail(value ? value->position : layer.position(),
                     "layer '" + layer.name + "' (" + layer.className +
                         "): " + message);
}

const JsonValue *LayerTranslator::get(StringRef key) const {
  const JsonValue *value = layer.config ? layer.config->find(key) : nullptr;
  return value && !value->isNull() ? value : nullptr;
}

bool LayerTranslator::getBool(StringRef key, bool missing) const {
  const JsonValue *value = get(key);
  return value && value->kind == JsonValue::Kind::Boolean ? value->boolean
                                                          : missing;
}

bool LayerTranslator::getInt(StringRef key, int64_t &result) {
  const JsonValue *value = get(key);
  if (!value)
    return true;
  if (!value->isInteger() || value->integer < -1 || value->integer > INT32_MAX)
    return fail(value, "'" + key + "': expected a whole number, found " +
                           value->describe());
  result = value->integer;
  return true;
}

bool LayerTranslator::getNumber(StringRef key, double &result) {
  const JsonValue *value = get(key);
  if (!value)
    return true;
  // Keras 2 wrote some as an array: {"type": "ndarray", "value": ...}.
  if (const JsonValue *inner = value->find("value"))
    value = inner;
  if (!value->isNumber() || !std::isfinite(value->number))
    return fail(value, "'" + key + "': expected one number, found " +
                           value->describe());
  result = value->number;
  return true;
}

bool LayerTranslator::getPair(StringRef key, std::vector<int64_t> &pair,
                              int64_t missing) {
  pair = {missing, missing};
  const JsonValue *value = get(key);
  if (!value)
    return missing > 0 || fail("option '" + key + "' is missing");
  ArrayRef<JsonValue> items =
      value->isArray() ? ArrayRef(value->items) : ArrayRef(*value);
  if (items.size() != 1 && items.size() != 2)
    return fail(value, "'" + key + "': expected one or two numbers, found " +
                           value->describe());
  for (int i : {0, 1}) {
    const JsonValue &item = items[items.size() == 1 ? 0 : i];
    if (!item.isInteger() || item.integer < 1 || item.integer > 65535)
      return fail(&item, "'" + key +
                             "': expected a number from 1 to 65535, "
                             "found " +
                             item.describe());
    pair[i] = item.integer;
  }
  return true;
}

bool LayerTranslator::getString(StringRef key, std::string &text,
                                StringRef missing) {
  text = missing.str();
  const JsonValue *value = get(key);
  if (!value)
    return true;
  if (!value->isString())
    return fail(value,
                "'" + key + "': expected a string, found " + value->describe());
  text = value->text;
  return true;
}

bool LayerTranslator::requireImage() {
  if (!x().isImage())
    return fail("expects an image [height, width, channels], found " +
                formatDims(x().dims));
  if (x().last() < 1)
    return fail("expects a fixed number of channels");
  return requireChannelsLast();
}

bool LayerTranslator::requireChannelsLast() {
  const JsonValue *value = get("data_format");
  if (value && value->text != "channels_last")
    return fail(value, "option 'data_format' is " + value->describe() +
                           ", only 'channels_last' is supported");
  return true;
}

bool LayerTranslator::getAxis(const JsonValue *value, int64_t missing,
                              int64_t &axis) {
  if (value && value->isArray() && value->items.size() == 1)
    value = &value->items.front();
  if (value && !value->isInteger())
    return fail(value, "'axis': expected one axis, found " + value->describe());
  int64_t rank = x().rank();
  axis = value ? value->integer : missing;
  if (axis < 0)
    axis += rank;
  if (axis < 1 || axis >= rank)
    return fail(value, "axis " + Twine(axis) + " is not in 1.." +
                           Twine(rank - 1) + " of " + formatDims(x().dims) +
                           " with a batch");
  return true;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

JsonValue LayerTranslator::number(double value) const {
  return JsonValue::makeNumber(value, layer.position());
}
JsonValue LayerTranslator::integer(int64_t value) const {
  return JsonValue::makeInteger(value, layer.position());
}
JsonValue LayerTranslator::string(StringRef value) const {
  return JsonValue::makeString(value, layer.position());
}
JsonValue LayerTranslator::boolean(bool value) const {
  return JsonValue::makeBoolean(value, layer.position());
}
JsonValue LayerTranslator::array(ArrayRef<int64_t> values) const {
  JsonValue result = JsonValue::makeArray(layer.position());
  for (int64_t value : values)
    result.items.push_back(integer(value));
  return result;
}

JsonValue &LayerTranslator::add(StringRef type, StringRef suffix) {
  Piece piece;
  piece.suffix = suffix.str();
  piece.json = JsonValue::makeObject(layer.position());
  piece.json.set("type", string(type));
  if (!fragment.pieces.empty())
    piece.inputs = {-static_cast<int>(fragment.pieces.size())};
  else
    for (size_t i = 0; i < inputs.size(); ++i)
      piece.inputs.push_back(i);
  fragment.pieces.push_back(std::move(piece));
  return fragment.pieces.back().json;
}

std::string LayerTranslator::getTensor(StringRef role) const {
  auto roles = getWeightRoles(*layer.type, layer.config);
  for (auto [i, entry] : enumerate(roles)) {
    if (entry.role != role)
      continue;
    if (!graph.weights.byLayer)
      return layer.path + "/vars/" + std::to_string(i);
    auto names = graph.weights.byLayer->find(layer.json);
    if (names != graph.weights.byLayer->end() && i < names->second.size())
      return names->second[i];
    return layer.name + "/" + role.str();
  }
  return "";
}

void LayerTranslator::addWeights(
    JsonValue &piece,
    std::initializer_list<std::pair<StringRef, StringRef>> roles) {
  JsonValue weights = JsonValue::makeObject(layer.position());
  bool bias = true;
  for (auto [native, role] : roles) {
    std::string name = getTensor(role);
    if (!name.empty())
      weights.set(native, string(name));
    else if (role == "bias") // "bias": false says it
      bias = false;
    else
      weights.set(native, JsonValue::makeNull(layer.position()));
  }
  if (!bias)
    piece.set("bias", boolean(false));
  piece.set("weights", std::move(weights));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static std::string listActivations() {
  std::string text;
  for (const ActivationName &row : kActivations)
    if (text.find((row.name + ",").str()) == std::string::npos)
      text += (row.name + ", ").str();
  return text.substr(0, text.size() - 2);
}

/// An elementwise function in the native format: a type and parameters. No
/// members if it is the identity.
static bool makeActivation(LayerTranslator &layer, const JsonValue *value,
                           JsonValue &function);

/// The function of a layer like ReLU.
static bool makeActivationLayer(LayerTranslator &layer, StringRef name,
                                const JsonValue *config, JsonValue &function) {
  static const JsonValue empty;
  // Reads the options of that layer, which may be inside another's.
  Layer inner = layer.layer;
  inner.config = config ? config : &empty;
  LayerTranslator reader{inner,        layer.graph,    layer.options,
                         layer.inputs, layer.fragment, layer.report};
  auto set = [&](StringRef type) { function.set("type", layer.string(type)); };
  if (name == "LeakyReLU") {
    double slope = 0.3;
    if (!reader.getNumber("alpha", slope) ||
        !reader.getNumber("negative_slope", slope))
      return false;
    set("leaky_relu");
    function.set("alpha", layer.number(slope));
    return true;
  }
  if (name == "ELU") {
    double alpha = 1;
    if (!reader.getNumber("alpha", alpha))
      return false;
    set("elu");
    function.set("alpha", layer.number(alpha));
    return true;
  }
  double most = 0, slope = 0, threshold = 0;
  if (!reader.getNumber("max_value", most) ||
      !reader.getNumber("negative_slope", slope) ||
      !reader.getNumber("threshold", threshold))
    return false;
  if (threshold != 0)
    return layer.fail(reader.get("threshold"),
                      "option 'threshold' other than 0 is not supported");
  bool limited = reader.get("max_value");
  if (limited && slope != 0)
    return layer.fail(reader.get("max_value"),
                      "options 'max_value' and 'negative_slope' together are "
                      "not supported");
  if (limited) {
    set("clamp");
    function.set("min", layer.integer(0));
    function.set("max", layer.number(most));
  } else if (slope != 0) {
    set("leaky_relu");
    function.set("alpha", layer.number(slope));
  } else {
    set("relu");
  }
  return true;
}

static bool makeActivation(LayerTranslator &layer, const JsonValue *value,
                           JsonValue &function) {
  if (!value)
    return true;
  std::string name = value->text;
  if (value->isObject()) {
    StringRef className = getClassName(*value);
    const JsonValue *config = getConfig(*value);
    if (is_contained({"ReLU", "LeakyReLU", "ELU"}, className))
      return makeActivationLayer(layer, className, config, function);
    if (className == "Activation" && config)
      return makeActivation(layer, config->find("activation"), function);
    if (className == "Softmax")
      name = "softmax";
    // {"class_name": "function", "config": "relu"}
    else if (className == "function" && config && config->isString())
      name = config->text;
    else
      name = className.str();
  }
  int version = layer.options.keras2 ? 2 : 3;
  for (const ActivationName &row : kActivations) {
    if (row.name != name || (row.keras && row.keras != version))
      continue;
    if (!row.type.empty())
      function.set("type", layer.string(row.type));
    if (row.slope != 0)
      function.set(row.type == "leaky_relu" ? "alpha" : "slope",
                   layer.number(row.slope));
    return true;
  }
  return layer.fail(value, "activation '" + name +
                               "' is not supported; supported are " +
                               listActivations());
}

/// Adds a function, if any, to the last piece or as one of its own.
static bool applyActivation(LayerTranslator &layer, JsonValue function) {
  const JsonValue *type = function.find("type");
  if (!type)
    return true;
  std::vector<Piece> &pieces = layer.fragment.pieces;
  if (type->text == "softmax") {
    int64_t axis = layer.output().isImage() ? 1 : layer.output().rank() - 1;
    if (!pieces.empty())
      pieces.back().suffix = "logits";
    JsonValue &piece = layer.add("softmax");
    piece.set("axis", layer.integer(axis));
    return true;
  }
  if (pieces.empty()) {
    JsonValue &piece = layer.add(type->text);
    for (JsonValue::Member &member : function.members)
      if (member.key != "type")
        piece.set(member.key, std::move(member.value));
    return true;
  }
  JsonValue &piece = pieces.back().json;
  if (function.members.size() == 1)
    piece.set("activation", *type);
  else
    piece.set("activation", std::move(function));
  return true;
}

bool LayerTranslator::addActivation(StringRef key) {
  JsonValue function = JsonValue::makeObject(layer.position());
  return makeActivation(*this, get(key), function) &&
         applyActivation(*this, std::move(function));
}

bool keras::translateActivation(LayerTranslator &layer) {
  if (!layer.get("activation"))
    return layer.fail("option 'activation' is missing");
  return layer.addActivation();
}

bool keras::translateActivationLayer(LayerTranslator &layer) {
  JsonValue function = JsonValue::makeObject(layer.layer.position());
  return makeActivationLayer(layer, layer.layer.className, layer.layer.config,
                             function) &&
         applyActivation(layer, std::move(function));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Options that have no effect on a trained model.
static bool isWithoutEffect(const JsonValue::Member &option) {
  StringRef key = option.key;
  for (StringRef end : {"_initializer", "_regularizer", "_constraint"})
    if (key.ends_with(end))
      return true;
  if (is_contained({"name", "trainable", "dtype", "batch_input_shape",
                    "batch_shape", "input_shape", "seed", "momentum",
                    "renorm_momentum", "synchronized", "fused"},
                   key))
    return true;
  const JsonValue &value = option.value;
  return value.isNull() ||
         (value.kind == JsonValue::Kind::Boolean && !value.boolean);
}

static bool checkOptions(LayerTranslator &layer) {
  if (!layer.layer.config)
    return true;
  auto known = splitWords(layer.layer.type->options);
  for (const JsonValue::Member &option : layer.layer.config->members)
    if (!is_contained(known, option.key) && !isWithoutEffect(option))
      return layer.fail(&option.value, "option '" + option.key + "' is " +
                                           option.value.describe() +
                                           ", which is not supported");
  return true;
}

static bool isLambda(StringRef className) {
  return className == "Lambda" || className.ends_with("OpLambda");
}

static bool looksLikeSampling(const Layer &layer) {
  for (StringRef name : {StringRef(layer.className), StringRef(layer.name)})
    for (StringRef part : {"sampl", "reparam"})
      if (name.contains_insensitive(part))
        return true;
  return false;
}

static bool failUnknown(LayerTranslator &layer) {
  if (isLambda(layer.layer.className))
    return layer.fail(
        "a Lambda layer holds Python code, which is never run; if it samples "
        "from mean and log-variance, name these layers, "
        "--latent=z_mean,z_log_var, or give --encoder= and --decoder= as "
        "models without it; otherwise use layers of Keras");
  std::string known;
  for (const LayerClass &row : getLayerClasses())
    known += (known.empty() ? "" : ", ") + row.name.str();
  return layer.fail("layers of this class are not supported; supported are " +
                    known);
}

/// Whether a call reads the mean and the log-variance that the user has named.
static bool readsLatent(const Graph &graph, const Call &call,
                        StringRef latent) {
  auto [mean, logvar] = latent.split(',');
  if (!latent.contains(',') || call.inputs.size() != 2)
    return false;
  StringRef first = graph.getLayer(call.inputs[0]).name,
            second = graph.getLayer(call.inputs[1]).name;
  return (first == mean && second == logvar) ||
         (first == logvar && second == mean);
}

/// A custom layer with two inputs of one shape: the mean and the log-variance.
static bool isSampling(const Layer &layer, ArrayRef<Shape> inputs,
                       bool isNamed) {
  if (layer.type || inputs.size() != 2 || inputs[0].dims != inputs[1].dims)
    return false;
  if (isNamed || isLambda(layer.className))
    return isNamed;
  const JsonValue *module = layer.json->find("module");
  bool custom = !module || module->isNull() ||
                !StringRef(module->text).starts_with("keras");
  return custom || looksLikeSampling(layer);
}

static bool translateCall(LayerTranslator &layer, const Call &call) {
  const LayerClass *type = layer.layer.type;
  layer.output() = layer.inputs.empty() ? Shape() : layer.x();
  if (isSampling(layer.layer, layer.inputs,
                 readsLatent(layer.graph, call, layer.options.latent))) {
    layer.fragment.isSampling = true;
    return true;
  }
  const JsonValue *module = layer.layer.json->find("module");
  if (!type && module && StringRef(module->text).starts_with("keras.src.ops"))
    return layer.fail("functions of keras.ops on tensors are not supported; "
                      "use a layer");
  if (!type)
    return failUnknown(layer);
  size_t count = layer.inputs.size();
  if (count == 1 && type->minInputs == 2 && module &&
      StringRef(module->text).starts_with("keras.src.ops"))
    return layer.fail("arithmetic with constants is not supported; use a "
                      "layer, such as Rescaling");
  if (count < type->minInputs || count > type->maxInputs)
    return layer.fail("expected " + Twine(type->minInputs) + " to " +
                      Twine(type->maxInputs) + " inputs, found " +
                      Twine(count));
  if (call.training)
    return layer.fail("it is called with training=True; save the model as it "
                      "is used");
  for (const Shape &shape : layer.inputs)
    layer.output().down = std::max(layer.output().down, shape.down);
  return checkOptions(layer) && type->translate(layer);
}

std::vector<Fragment> keras::translate(const Graph &graph,
                                       const TranslateOptions &options) {
  std::vector<Fragment> fragments;
  for (const Call &call : graph.calls) {
    fragments.emplace_back();
    Fragment &fragment = fragments.back();
    if (call.inputShape) {
      fragment.shape.dims = *call.inputShape;
      continue;
    }
    Report report;
    std::vector<Shape> inputs;
    for (Tensor input : call.inputs) {
      const Fragment &source = fragments[input.call];
      if (source.problem && !fragment.problem)
        fragment.problem = source.problem;
      // Only custom layers have more outputs: unknown ones.
      if (input.index && !fragment.problem)
        fragment.problem = Problem{
            call.layer->position(),
            "layer '" + call.layer->name + "' reads output " +
                std::to_string(input.index) + " of layer '" +
                graph.getLayer(input).name + "', which is not supported"};
      inputs.push_back(source.shape);
    }
    if (fragment.problem)
      continue;
    LayerTranslator layer{*call.layer, graph,    options,
                          inputs,      fragment, report};
    if (!translateCall(layer, call))
      fragment.problem = report.problem;
  }
  return fragments;
}
