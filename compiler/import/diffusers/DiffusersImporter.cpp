// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/diffusers/DiffusersImporter.h"

#include "compiler/import/diffusers/Family.h"
#include "compiler/import/diffusers/WeightFiles.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vae;
using namespace vae::diffusers;

namespace {

struct Family {
  StringRef name;
  void (*build)(Fields &, WeightStore &, Autoencoder &);
  StringRef keys;
};
constexpr Family kFamilies[] = {
#define VAE_FAMILY(CLASS, FUNCTION, KEYS, OTHER_KEYS)                          \
  {#CLASS, FUNCTION, KEYS " " OTHER_KEYS},
#include "compiler/import/diffusers/Families.def"
};

} // namespace

static const Family *findFamily(StringRef name) {
  const auto *found = llvm::find_if(
      kFamilies, [&](const Family &family) { return family.name == name; });
  return found == std::end(kFamilies) ? nullptr : found;
}

static JsonValue makeRange(double low, double high, JsonPosition at) {
  JsonValue range = JsonValue::makeArray(at);
  for (double bound : {low, high})
    range.items.push_back(JsonValue::makeNumber(bound, at));
  return range;
}

/// A number, or an array with one a channel.
static JsonValue makeNumbers(ArrayRef<double> numbers, JsonPosition at) {
  if (numbers.size() == 1)
    return JsonValue::makeNumber(numbers.front(), at);
  JsonValue array = JsonValue::makeArray(at);
  for (double number : numbers)
    array.items.push_back(JsonValue::makeNumber(number, at));
  return array;
}

static JsonValue makeInput(const Autoencoder &model, JsonPosition at) {
  JsonValue shape = JsonValue::makeArray(at);
  shape.items.push_back(JsonValue::makeInteger(model.imageChannels, at));
  if (model.frameMultiple)
    shape.items.push_back(JsonValue::makeString("frames", at));
  for (StringRef size : {"height", "width"})
    shape.items.push_back(JsonValue::makeString(size, at));
  JsonValue input = JsonValue::makeObject(at);
  input.set("name", JsonValue::makeString("x", at));
  input.set("shape", std::move(shape));
  input.set("range", makeRange(-1, 1, at));
  JsonValue inputs = JsonValue::makeArray(at);
  inputs.items.push_back(std::move(input));
  return inputs;
}

static JsonValue makeLatent(const Autoencoder &model, JsonPosition at) {
  JsonValue latent = JsonValue::makeObject(at);
  bool code = !model.code.empty();
  latent.set("kind", JsonValue::makeString(code ? "code" : "gaussian", at));
  if (code) {
    latent.set("code", JsonValue::makeString(model.code, at));
  } else {
    latent.set("head", JsonValue::makeString(model.head, at));
    latent.set("split", JsonValue::makeString("halves", at));
    latent.set("logvar_clamp", makeRange(-30, 20, at));
  }
  if (!model.scale.empty()) {
    latent.set("scale", makeNumbers(model.scale, at));
    latent.set("shift", makeNumbers(model.shift, at));
  }
  return latent;
}

static JsonValue makeSection(Graph &graph, JsonPosition at) {
  JsonValue section = JsonValue::makeObject(at);
  section.set("layers", graph.takeLayers());
  return section;
}

static JsonValue makeEncoder(Autoencoder &model, JsonPosition at) {
  JsonValue section = makeSection(model.encoder, at);
  if (model.outputs.empty())
    return section;
  JsonValue names = JsonValue::makeArray(at);
  for (const std::string &output : model.outputs)
    names.items.push_back(JsonValue::makeString(output, at));
  section.set("outputs", std::move(names));
  return section;
}

static JsonValue makeModel(StringRef name, Autoencoder &model,
                           JsonPosition at) {
  JsonValue dynamic = JsonValue::makeObject(at);
  for (StringRef size : {"height", "width"}) {
    JsonValue dim = JsonValue::makeObject(at);
    dim.set("multiple", JsonValue::makeInteger(model.multiple, at));
    dynamic.set(size, std::move(dim));
  }
  if (int64_t multiple = model.frameMultiple) {
    JsonValue dim = JsonValue::makeObject(at);
    dim.set("multiple", JsonValue::makeInteger(multiple, at));
    if (multiple > 1)
      dim.set("remainder", JsonValue::makeInteger(1, at));
    dynamic.set("frames", std::move(dim));
  }
  JsonValue root = JsonValue::makeObject(at);
  root.set("format_version", JsonValue::makeInteger(1, at));
  root.set("name", JsonValue::makeString(name, at));
  root.set("dynamic", std::move(dynamic));
  root.set("inputs", makeInput(model, at));
  root.set("encoder", makeEncoder(model, at));
  root.set("latent", makeLatent(model, at));
  root.set("decoder", makeSection(model.decoder, at));
  return root;
}

/// Keys that begin with "_" are the library's own.
static void dropPrivateKeys(JsonValue &config) {
  llvm::erase_if(config.members, [](const JsonValue::Member &member) {
    return StringRef(member.key).starts_with("_");
  });
}

/// The class that config.json names; null after an error.
static const Family *readFamily(const JsonValue &config, const Source &source) {
  const JsonValue *name = config.find("_class_name");
  if (!name || !name->isString()) {
    source.error(config.position)
        << "the file has no '_class_name'; a folder that diffusers saved has";
    return nullptr;
  }
  if (const Family *family = findFamily(name->text))
    return family;
  std::string known;
  std::vector<StringRef> names;
  for (const Family &family : kFamilies) {
    known += (known.empty() ? "" : ", ") + family.name.str();
    names.push_back(family.name);
  }
  source.error(name->position)
      << "vaec does not read the class '" << name->text << "'"
      << suggestName(name->text, names) << "; it reads " << known;
  return nullptr;
}

/// Reads config.json; null after an error.
static std::unique_ptr<llvm::MemoryBuffer>
readConfig(StringRef folder, StringRef path, const Source &source) {
  auto file = readText(path);
  if (file)
    return std::move(*file);
  auto error = source.error({0, 0});
  error << "a folder is a model of diffusers, but its configuration cannot be "
           "read: "
        << llvm::toString(file.takeError());
  llvm::SmallString<256> pipeline(folder), vae(folder);
  llvm::sys::path::append(pipeline, "model_index.json");
  llvm::sys::path::append(vae, "vae");
  if (llvm::sys::fs::exists(pipeline))
    error << "; the folder holds a whole pipeline, give its folder '" << vae
          << "'";
  return nullptr;
}

LogicalResult vae::readDiffusersFolder(StringRef folder, MLIRContext &context,
                                       ModelDocument &document) {
  llvm::SmallString<256> path(folder);
  llvm::sys::path::append(path, "config.json");
  document.files = {path.str().str()};
  Source source(&context, document.files);
  auto text = readConfig(folder, path, source);
  if (!text)
    return failure();
  JsonValue config;
  if (auto error = parseJson(text->getBuffer(), config))
    return source.error(error->position) << error->message;
  if (!config.isObject())
    return source.error(config.position)
           << "expected an object, found " << config.describe();
  const Family *family = readFamily(config, source);
  if (!family)
    return failure();
  if (llvm::Error error = addWeightFiles(folder, document.weights))
    return source.error(config.position) << llvm::toString(std::move(error));
  JsonPosition at = config.find("_class_name")->position;
  dropPrivateKeys(config);
  Fields fields(source, config, family->name, family->keys);
  Autoencoder model(at);
  family->build(fields, document.weights, model);
  if (!fields.ok())
    return failure();
  llvm::SmallString<256> name(folder);
  if (llvm::sys::fs::make_absolute(name))
    name = folder;
  llvm::sys::path::remove_dots(name, /*remove_dot_dot=*/true);
  document.root = makeModel(llvm::sys::path::filename(name), model, at);
  return success();
}
