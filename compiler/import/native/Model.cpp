// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Model.h"

#include "compiler/import/Weights.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace llvm;
using namespace mlir;
using namespace vae;

const InputSpec *ModelSpec::findInput(StringRef name) const {
  for (const InputSpec &input : inputs)
    if (input.name.name == name)
      return &input;
  return nullptr;
}

namespace {
/// Reads one object after the other; each method reports its errors and fails.
class ModelReader {
public:
  ModelReader(const JsonValue &root, Emitter &emitter, ModelSpec &model)
      : source(emitter.source), root(root), emitter(emitter), model(model) {}

  LogicalResult read();

private:
  LogicalResult readVersion();
  LogicalResult readWeights(Fields &fields);
  LogicalResult readDynamic(const JsonValue &value);
  LogicalResult readInputs(const JsonValue &value);
  LogicalResult readInput(const JsonValue &value);
  LogicalResult readSection(const JsonValue &value, SectionSpec &section);
  LogicalResult readSectionInputs(Fields &fields, SectionSpec &section);
  LogicalResult readEncoderOutputs(Fields &fields);
  LogicalResult readLayer(const JsonValue &value, SectionSpec &section);
  LogicalResult readLatent(const JsonValue &value);
  LogicalResult readLatentShape(Fields &fields);
  LogicalResult readLatentScaling(Fields &fields);
  LogicalResult readLikelihood(const JsonValue &value);
  LogicalResult readPrior(const JsonValue &value);
  LogicalResult readSections(Fields &fields);

  /// A shape without the batch; an entry may name a dynamic dimension.
  Dims readShape(Fields &fields, const JsonValue &value);
  std::string readLayout(Fields &fields, size_t rank);
  NameRef readName(Fields &fields, StringRef key, const JsonValue &value);
  NameRef readName(Fields &fields, StringRef key);
  std::vector<NameRef> readNames(Fields &fields, StringRef key);
  SplitKind readSplit(Fields &fields);

  const Source &source;
  const JsonValue &root;
  Emitter &emitter;
  ModelSpec &model;
  llvm::StringSet<> names;
};
} // namespace

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

NameRef ModelReader::readName(Fields &fields, StringRef key,
                              const JsonValue &value) {
  return {fields.asString(key, value), value.position};
}

NameRef ModelReader::readName(Fields &fields, StringRef key) {
  const JsonValue *value = fields.require(key);
  return value ? readName(fields, key, *value) : NameRef();
}

std::vector<NameRef> ModelReader::readNames(Fields &fields, StringRef key) {
  std::vector<NameRef> result;
  const JsonValue *value = fields.get(key);
  if (!value->isArray() || value->items.empty()) {
    fields.mismatch(key, *value, "an array of names");
    return result;
  }
  for (const JsonValue &item : value->items)
    result.push_back(readName(fields, key, item));
  return result;
}

SplitKind ModelReader::readSplit(Fields &fields) {
  return fields.getChoice("split", {"halves", "interleaved"}, true) == "halves"
             ? SplitKind::Halves
             : SplitKind::Interleaved;
}

Dims ModelReader::readShape(Fields &fields, const JsonValue &value) {
  MLIRContext *context = source.getContext();
  Dims dims = {getAffineSymbolExpr(0, context) * emitter.symbols[0].multiple};
  if (!value.isArray() || value.items.empty() || value.items.size() > 4) {
    fields.mismatch("shape", value,
                    "an array of 1 to 4 sizes, without the batch");
    return dims;
  }
  int64_t elements = 1;
  for (const JsonValue &item : value.items) {
    int64_t size = 1;
    if (item.isString()) {
      size_t i = 1;
      while (i < emitter.symbols.size() && emitter.symbols[i].name != item.text)
        ++i;
      if (i == emitter.symbols.size()) {
        fields.fail(&item) << "'" << item.text
                           << "' is not a dimension of \"dynamic\"";
        return dims;
      }
      dims.push_back(getAffineSymbolExpr(i, context) *
                         emitter.symbols[i].multiple +
                     emitter.symbols[i].remainder);
      size = emitter.symbols[i].minimum;
    } else {
      size = fields.asInt("shape", item, 1, kMaxDim);
      dims.push_back(getAffineConstantExpr(size, context));
    }
    if (size > kMaxElements / elements) {
      fields.fail(&value) << "'shape' has more than 2^40 elements";
      return dims;
    }
    elements *= size;
  }
  return dims;
}

std::string ModelReader::readLayout(Fields &fields, size_t rank) {
  if (rank == 2)
    return fields.getChoice("layout", {"NC"});
  if (rank == 3)
    return fields.getChoice("layout", {"NHW"});
  if (rank == 5)
    return fields.getChoice("layout", {"NCDHW"});
  return fields.getChoice("layout", {"NCHW", "NHWC"});
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// First, so that a newer file is not met with an error about its new keys.
LogicalResult ModelReader::readVersion() {
  if (!root.isObject())
    return source.error(root.position)
           << "expected a model, an object, found " << root.describe();
  const JsonValue *version = root.find("format_version");
  if (!version)
    return source.error(root.position)
           << "key 'format_version' is missing; write \"format_version\": 1";
  if (!version->isInteger() || version->integer < 1)
    return source.error(version->position)
           << "'format_version': expected 1, found " << version->describe();
  if (version->integer > 1)
    return source.error(version->position)
           << "the file has format_version " << version->integer
           << ", this program knows 1; use a newer vaec";
  return success();
}

LogicalResult ModelReader::readWeights(Fields &fields) {
  const JsonValue *value = fields.get("weights");
  if (!value)
    return success();
  if (value->isArray())
    model.weightFiles = readNames(fields, "weights");
  else
    model.weightFiles.push_back(readName(fields, "weights", *value));
  for (const NameRef &file : model.weightFiles)
    if (fields.ok() && !StringRef(file.name).ends_with(".safetensors") &&
        !StringRef(file.name).ends_with(".safetensors.index.json"))
      fields.fail(file.position) << "weights file '" << file.name
                                 << "': expected the name of a .safetensors or "
                                    ".safetensors.index.json file";
  return success(fields.ok());
}

LogicalResult ModelReader::readDynamic(const JsonValue &value) {
  Fields outer(source, value, "dynamic", "batch frames height width");
  if (!outer.ok())
    return failure();
  for (const JsonValue::Member &member : value.members) {
    Fields fields(source, member.value, "dynamic '" + member.key + "'",
                  Keys::DynamicDim);
    if (!fields.ok())
      return failure();
    DynamicDim dim;
    dim.name = member.key;
    dim.multiple = fields.getInt("multiple", 1, 65536, 1);
    dim.remainder = fields.getInt("remainder", 0, dim.multiple - 1, 0);
    dim.minimum = fields.getInt("min", 1, 1 << 24,
                                dim.remainder ? dim.remainder : dim.multiple);
    if (fields.ok() && dim.minimum % dim.multiple != dim.remainder)
      fields.mismatch(
          "min", *fields.get("min"),
          (dim.remainder ? Twine(dim.remainder) + " more than " : Twine()) +
              "a multiple of " + Twine(dim.multiple));
    bool isBatch = dim.name == "batch";
    if (isBatch && (dim.remainder || fields.has("min")))
      fields.fail(&member.value) << "'batch' takes 'multiple' only";
    if (!fields.ok())
      return failure();
    if (isBatch)
      emitter.symbols[0] = std::move(dim);
    else
      emitter.symbols.push_back(std::move(dim));
  }
  return success();
}

LogicalResult ModelReader::readInput(const JsonValue &value) {
  Fields fields(source, value, "input " + Twine(model.inputs.size() + 1),
                Keys::Input);
  if (!fields.ok())
    return failure();
  InputSpec input;
  input.name = readName(fields, "name");
  const JsonValue *shape = fields.require("shape");
  if (!fields.ok())
    return failure();
  StringRef name = input.name.name;
  if (is_contained({"z", "noise"}, name) || name.contains(':'))
    fields.fail(input.name.position)
        << "'" << name << "' is a reserved name; choose another";
  else if (!names.insert(name).second)
    fields.fail(input.name.position)
        << "duplicate name '" << name << "'; give each input its own";
  input.dims = readShape(fields, *shape);
  input.layout = readLayout(fields, input.dims.size());
  input.range = fields.getRange("range");
  if (!fields.ok())
    return failure();
  model.inputs.push_back(std::move(input));
  return success();
}

LogicalResult ModelReader::readInputs(const JsonValue &value) {
  if (!value.isArray() || value.items.empty())
    return source.error(value.position)
           << "'inputs': expected an array of inputs, found "
           << value.describe();
  for (const JsonValue &item : value.items)
    if (failed(readInput(item)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Encoder and decoder
//===----------------------------------------------------------------------===//

LogicalResult ModelReader::readLayer(const JsonValue &value,
                                     SectionSpec &section) {
  std::string subject = "layer " + std::to_string(section.layers.size() + 1) +
                        " of the " + section.name;
  if (!value.isObject())
    return source.error(value.position)
           << subject << ": expected an object, found " << value.describe();
  const JsonValue *name = value.find("name");
  if (!name)
    return source.error(value.position)
           << subject << ": key 'name' is missing; each layer needs its own";
  if (!name->isString() || name->text.empty() ||
      StringRef(name->text).contains(':'))
    return source.error(name->position)
           << subject << ": 'name': expected a string without ':', found "
           << name->describe();
  LayerSpec layer;
  layer.name = {name->text, name->position};
  layer.json = &value;
  subject = "layer '" + name->text + "'";
  if (name->text == "z")
    return source.error(name->position)
           << subject << ": 'z' is the latent's name; choose another";
  if (!names.insert(name->text).second)
    return source.error(name->position)
           << subject << ": duplicate name '" << name->text
           << "'; give each layer and input its own";
  const JsonValue *type = value.find("type");
  if (!type || !type->isString())
    return source.error(type ? type->position : value.position)
           << subject << ": key 'type' "
           << (type ? "must be a string" : "is missing");
  layer.type = findLayerType(type->text);
  if (!layer.type) {
    std::vector<StringRef> types;
    for (const LayerType &row : getLayerTypes())
      types.push_back(row.type);
    std::string remedy = suggestName(type->text, types);
    return source.error(type->position)
           << subject << ": unknown type '" << type->text << "'"
           << (remedy.empty() ? "; known types: " + join(types, ", ") : remedy);
  }
  if (value.find("inputs")) {
    Fields fields(source, value, subject,
                  (Keys::Layer + " " + layer.type->keys).str());
    if (!fields.ok())
      return failure();
    layer.inputs = readNames(fields, "inputs");
    if (!fields.ok())
      return failure();
  }
  section.layers.push_back(std::move(layer));
  return success();
}

LogicalResult ModelReader::readSectionInputs(Fields &fields,
                                             SectionSpec &section) {
  bool decoder = &section == &model.decoder;
  if (fields.has("inputs")) {
    section.inputs = readNames(fields, "inputs");
  } else {
    if (decoder)
      section.inputs.push_back({"z", fields.getPosition()});
    for (const InputSpec &input :
         ArrayRef(model.inputs)
             .drop_front(decoder && !model.inputs.empty() ? 1 : 0))
      section.inputs.push_back({input.name.name, fields.getPosition()});
  }
  llvm::StringSet<> seen;
  StringRef main = decoder ? StringRef("z")
                   : model.inputs.empty()
                       ? StringRef()
                       : StringRef(model.inputs[0].name.name);
  for (const NameRef &input : section.inputs) {
    if (!fields.ok())
      return failure();
    if (!seen.insert(input.name).second)
      fields.fail(input.position) << "input '" << input.name << "' twice";
    if (decoder && !model.inputs.empty() &&
        input.name == model.inputs[0].name.name)
      fields.fail(input.position)
          << "the decoder cannot read the data input '" << input.name << "'";
    if ((decoder && input.name == "z") || model.findInput(input.name))
      continue;
    std::vector<StringRef> known;
    for (const InputSpec &spec : model.inputs)
      known.push_back(spec.name.name);
    fields.fail(input.position) << "unknown input '" << input.name << "'"
                                << suggestName(input.name, known);
  }
  if (fields.ok() && !seen.contains(main))
    fields.fail(fields.get("inputs")) << "'inputs' must name '" << main << "'";
  return success(fields.ok());
}

/// Names of layers; each output of the entry point has the name of its own.
LogicalResult ModelReader::readEncoderOutputs(Fields &fields) {
  std::vector<NameRef> &outputs = model.encoder.outputs;
  if (fields.has("outputs"))
    outputs = readNames(fields, "outputs");
  llvm::StringSet<> seen;
  for (const NameRef &output : outputs) {
    StringRef name = output.name;
    if (fields.ok() && is_contained({"mu", "logvar"}, name))
      fields.fail(output.position)
          << "'" << name
          << "' is a reserved name in 'outputs'; give the layer another";
    else if (fields.ok() && model.findInput(name))
      fields.fail(output.position)
          << "'" << name << "' is an input; 'outputs' names layers";
    else if (fields.ok() && !seen.insert(name).second)
      fields.fail(output.position) << "output '" << name << "' twice";
  }
  return success(fields.ok());
}

LogicalResult ModelReader::readSection(const JsonValue &value,
                                       SectionSpec &section) {
  bool decoder = &section == &model.decoder;
  section.present = true;
  section.name = decoder ? "decoder" : "encoder";
  section.position = value.position;
  Fields fields(source, value, section.name,
                decoder ? Keys::Decoder : Keys::Encoder);
  const JsonValue *layers = fields.ok() ? fields.require("layers") : nullptr;
  if (!layers)
    return failure();
  if (!decoder && model.inputs.empty()) {
    fields.fail(fields.getPosition())
        << "the model has no key 'inputs', which an encoder needs";
    return failure();
  }
  if (!layers->isArray() || layers->items.empty())
    fields.mismatch("layers", *layers, "an array of layers");
  if (!fields.ok() || failed(readSectionInputs(fields, section)))
    return failure();
  for (const JsonValue &layer : layers->items)
    if (failed(readLayer(layer, section)))
      return failure();
  if (!decoder)
    return readEncoderOutputs(fields);
  if (fields.has("output"))
    section.output = readName(fields, "output");
  else
    section.output = section.layers.back().name;
  if (fields.has("output_logvar"))
    section.outputLogvar = readName(fields, "output_logvar");
  return success(fields.ok());
}

//===----------------------------------------------------------------------===//
// Latent, likelihood, prior
//===----------------------------------------------------------------------===//

LogicalResult ModelReader::readLatentShape(Fields &fields) {
  LatentSpec &latent = model.latent;
  if (const JsonValue *shape = fields.get("shape")) {
    latent.dims = readShape(fields, *shape);
    latent.layout = readLayout(fields, latent.dims.size());
  } else if (fields.has("layout")) {
    latent.layout = fields.getChoice("layout", {"NC", "NHW", "NCHW", "NHWC"});
  }
  if (fields.ok() && latent.dims.empty() && !model.encoder.present)
    fields.fail(fields.getPosition())
        << "key 'shape' is missing; a model without encoder must give it";
  return success(fields.ok());
}

LogicalResult ModelReader::readLatentScaling(Fields &fields) {
  if (!fields.has("scale")) {
    if (fields.ok() && fields.has("shift"))
      fields.fail(fields.get("shift")) << "key 'shift' goes with key 'scale'";
    return success(fields.ok());
  }
  model.latent.scale = fields.getNumbers("scale", 1);
  model.latent.shift = fields.getNumbers("shift", 0);
  for (double number : model.latent.scale)
    if (fields.ok() && !(static_cast<float>(number) > 0))
      fields.mismatch("scale", *fields.get("scale"), "positive numbers");
  return success(fields.ok());
}

LogicalResult ModelReader::readLatent(const JsonValue &value) {
  Fields fields(source, value, "latent", Keys::Latent);
  if (!fields.ok())
    return failure();
  LatentSpec &latent = model.latent;
  latent.position = value.position;
  latent.isCode =
      fields.getChoice("kind", {"gaussian", "code"}, true) == "code";
  auto refuse = [&](std::initializer_list<StringRef> keys, StringRef why) {
    for (StringRef key : keys)
      if (fields.ok() && fields.has(key))
        fields.fail(fields.get(key)) << "key '" << key << "' " << why;
  };
  if (latent.isCode)
    refuse({"mu", "logvar", "head", "split", "logvar_clamp"},
           "is for kind 'gaussian'");
  else
    refuse({"code"}, "is for kind 'code'");
  if (!model.encoder.present)
    refuse({"mu", "logvar", "head", "split", "code", "logvar_clamp"},
           "needs an encoder, and the model has none");
  else if (latent.isCode)
    latent.mu = readName(fields, "code");
  else if (fields.has("head")) {
    refuse({"mu", "logvar"}, "and key 'head' exclude each other");
    latent.mu = readName(fields, "head");
    latent.split = readSplit(fields);
  } else {
    if (fields.ok() && !fields.has("mu") && !fields.has("logvar"))
      fields.fail(fields.getPosition())
          << "expected the layers 'mu' and 'logvar', or 'head' and 'split'";
    refuse({"split"}, "goes with key 'head'");
    latent.mu = readName(fields, "mu");
    latent.logvar = readName(fields, "logvar");
  }
  latent.clamp = fields.getRange("logvar_clamp");
  return success(fields.ok() && succeeded(readLatentShape(fields)) &&
                 succeeded(readLatentScaling(fields)));
}

LogicalResult ModelReader::readLikelihood(const JsonValue &value) {
  Fields fields(source, value, "likelihood", Keys::Likelihood);
  if (!fields.ok())
    return failure();
  LikelihoodSpec &likelihood = model.likelihood;
  likelihood.present = true;
  likelihood.position = value.position;
  likelihood.kind =
      fields.getChoice("kind", {"bernoulli", "gaussian", "laplace"}, true);
  auto only = [&](StringRef key, StringRef kind) {
    if (fields.ok() && fields.has(key) && likelihood.kind != kind)
      fields.fail(fields.get(key))
          << "key '" << key << "' is for kind '" << kind << "'";
  };
  only("parameterization", "bernoulli");
  only("variance", "gaussian");
  only("split", "gaussian");
  only("scale", "laplace");
  if (likelihood.kind == "bernoulli") {
    likelihood.parameterization =
        fields.getChoice("parameterization", {"logits", "probabilities"}, true);
    likelihood.likelihood = likelihood.parameterization == "logits"
                                ? Likelihood::BernoulliLogits
                                : Likelihood::Bernoulli;
  } else if (likelihood.kind == "laplace") {
    likelihood.likelihood = Likelihood::Laplace;
    likelihood.scale = fields.getNumber("scale", 1);
    if (fields.ok() && !(likelihood.scale > 0))
      fields.mismatch("scale", *fields.get("scale"), "a positive number");
  } else if (const JsonValue *variance = fields.get("variance");
             variance && variance->isString()) {
    likelihood.learned = fields.getChoice("variance", {"learned"}) == "learned";
    if (fields.has("split"))
      likelihood.split = readSplit(fields);
  } else {
    double number = fields.getNumber("variance", 1);
    if (fields.ok() && !(number > 0))
      fields.mismatch("variance", *variance,
                      "a positive number or \"learned\"");
    likelihood.scale = std::sqrt(number);
  }
  if (fields.ok() && !likelihood.learned && fields.has("split"))
    fields.fail(fields.get("split"))
        << "key 'split' goes with \"variance\": \"learned\"";
  bool head = likelihood.split != SplitKind::None;
  if (fields.ok() && model.decoder.present && likelihood.learned &&
      head == static_cast<bool>(model.decoder.outputLogvar))
    fields.fail(fields.getPosition())
        << "a learned variance needs either key 'output_logvar' of the "
           "decoder or key 'split' here";
  return success(fields.ok());
}

LogicalResult ModelReader::readPrior(const JsonValue &value) {
  Fields fields(source, value, "prior", Keys::Prior);
  if (!fields.ok())
    return failure();
  PriorSpec &prior = model.prior;
  prior.position = value.position;
  prior.standard = fields.getChoice("kind", {"standard_normal", "normal"},
                                    true) == "standard_normal";
  if (prior.standard) {
    for (StringRef key : {"mean", "std"})
      if (fields.ok() && fields.has(key))
        fields.fail(fields.get(key))
            << "key '" << key << "' is for kind 'normal'";
    return success(fields.ok());
  }
  prior.mean = fields.getNumbers("mean", 0);
  prior.deviation = fields.getNumbers("std", 1);
  for (double number : prior.deviation)
    if (fields.ok() && !(number > 0))
      fields.mismatch("std", *fields.get("std"), "positive numbers");
  return success(fields.ok());
}

LogicalResult ModelReader::readSections(Fields &fields) {
  const JsonValue *encoder = fields.get("encoder");
  const JsonValue *decoder = fields.get("decoder");
  if (!encoder && !decoder) {
    fields.fail(fields.getPosition())
        << "the model has neither an encoder nor a decoder";
    return failure();
  }
  if ((encoder && failed(readSection(*encoder, model.encoder))) ||
      (decoder && failed(readSection(*decoder, model.decoder))))
    return failure();
  const JsonValue *latent = fields.require("latent");
  if (!latent || failed(readLatent(*latent)))
    return failure();
  if (const JsonValue *value = fields.get("likelihood"))
    if (failed(readLikelihood(*value)))
      return failure();
  if (model.decoder.outputLogvar && !model.likelihood.learned) {
    source.error(model.decoder.outputLogvar.position)
        << "decoder: key 'output_logvar' needs the likelihood {\"kind\": "
           "\"gaussian\", \"variance\": \"learned\"}";
    return failure();
  }
  if (const JsonValue *value = fields.get("prior")) {
    if (model.latent.isCode)
      return source.error(value->position)
             << "prior: a latent of kind 'code' has none; remove it";
    return readPrior(*value);
  }
  return success();
}

LogicalResult ModelReader::read() {
  if (failed(readVersion()))
    return failure();
  Fields fields(source, root, "model", Keys::Model);
  if (!fields.ok())
    return failure();
  model.name = fields.getString("name");
  model.keras =
      fields.getChoice("tensor_layout", {"pytorch", "keras"}) == "keras";
  if (!fields.ok() || failed(readWeights(fields)))
    return failure();
  const JsonValue *dynamic = fields.get("dynamic");
  if (dynamic && failed(readDynamic(*dynamic)))
    return failure();
  const JsonValue *inputs = fields.get("inputs");
  if (inputs && failed(readInputs(*inputs)))
    return failure();
  return readSections(fields);
}

LogicalResult vae::readModel(const JsonValue &root, Emitter &emitter,
                             ModelSpec &model) {
  return ModelReader(root, emitter, model).read();
}
