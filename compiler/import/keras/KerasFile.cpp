// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/KerasFile.h"

#include "compiler/import/keras/Archive.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

static void setFile(JsonValue &value, unsigned number) {
  value.position.file = number;
  for (JsonValue &item : value.items)
    setFile(item, number);
  for (JsonValue::Member &member : value.members) {
    member.position.file = number;
    setFile(member.value, number);
  }
}

bool keras::parseConfig(StringRef text, unsigned number, JsonValue &root,
                        Report &report) {
  if (auto error = parseJson(text, root)) {
    error->position.file = number;
    return report.fail(error->position, error->message);
  }
  setFile(root, number);
  if (!root.isObject() || getClassName(root).empty())
    return report.fail(root.position,
                       "expected a model of Keras, an object with "
                       "'class_name'");
  return true;
}

//===----------------------------------------------------------------------===//
// Names of Keras 2
//===----------------------------------------------------------------------===//

namespace {
/// A weight that a layer expects.
struct Slot {
  const JsonValue *layer;
  size_t role;
};

/// The weights of a layer or a model in Keras' order: the trained ones of all
/// its layers, then the others.
struct Slots {
  std::vector<Slot> trained, others;

  std::vector<Slot> join() const {
    std::vector<Slot> all = trained;
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }
};
} // namespace

static Slots collectSlots(const JsonValue &object, unsigned depth = 0) {
  Slots slots;
  const JsonValue *config = getConfig(object);
  const JsonValue *flag = config ? config->find("trainable") : nullptr;
  bool frozen =
      flag && flag->kind == JsonValue::Kind::Boolean && !flag->boolean;
  if (const JsonValue *list = getLayers(object); list && depth < 32) {
    for (const JsonValue &layer : list->items) {
      Slots inner = collectSlots(layer, depth + 1);
      llvm::append_range(frozen ? slots.others : slots.trained, inner.trained);
      llvm::append_range(slots.others, inner.others);
    }
    return slots;
  }
  if (const LayerClass *type = findLayerClass(getClassName(object)))
    for (auto [i, role] : enumerate(getWeightRoles(*type, config)))
      (frozen || !role.trained ? slots.others : slots.trained)
          .push_back({&object, i});
  return slots;
}

/// The texts of an attribute, which may be split in name0, name1, ...
static std::vector<std::string> readList(const Hdf5File &file,
                                         const std::string &group,
                                         const std::string &name) {
  std::vector<std::string> texts;
  auto append = [&](const JsonValue *value) {
    if (value)
      for (const JsonValue &item : value->items)
        texts.push_back(item.text);
    return value != nullptr;
  };
  if (!append(file.findAttribute(group, name)))
    for (int i = 0;
         append(file.findAttribute(group, name + std::to_string(i)));)
      ++i;
  return texts;
}

/// Says which tensor each layer's weights are. Keras goes by the order too, so
/// that layers may have other names.
static bool assignNames(KerasFile &file, const std::string &group,
                        const std::string &prefix, Report &report) {
  std::string folder = group.empty() ? "" : group + "/";
  std::vector<std::vector<std::string>> stored;
  std::vector<std::string> storedNames;
  for (const std::string &name : readList(file.weights, group, "layer_names")) {
    std::vector<std::string> names;
    std::string layer = folder + name;
    for (const std::string &weight :
         readList(file.weights, layer, "weight_names")) {
      std::string path = prefix;
      path.append(layer).append("/").append(weight);
      names.push_back(std::move(path));
    }
    if (names.empty())
      continue;
    stored.push_back(std::move(names));
    storedNames.push_back(name);
  }
  const JsonValue *layers = getLayers(file.root);
  size_t next = 0;
  file.hasNames = true;
  for (const JsonValue &layer :
       layers ? ArrayRef(layers->items) : ArrayRef<JsonValue>()) {
    std::vector<Slot> slots = collectSlots(layer).join();
    if (slots.empty())
      continue;
    if (next == stored.size())
      return report.fail(layer.position,
                         "layer '" + getName(layer) +
                             "' has no weights in the file, which has those "
                             "of " +
                             Twine(stored.size()) + " layers");
    const std::vector<std::string> &names = stored[next];
    if (names.size() != slots.size())
      return report.fail(layer.position,
                         "layer '" + getName(layer) + "' expects " +
                             Twine(slots.size()) + " weights, '" +
                             storedNames[next] + "' of the file has " +
                             Twine(names.size()));
    for (auto [slot, name] : zip(slots, names)) {
      auto &list = file.namesByLayer[slot.layer];
      list.resize(std::max(list.size(), slot.role + 1));
      list[slot.role] = name;
    }
    ++next;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static bool failFile(Report &report, unsigned number, Error error) {
  return report.fail({1, 1, number}, toString(std::move(error)));
}

static bool isKeras2(StringRef version) { return version.starts_with("2."); }

/// tf.keras 2.12 and later called the folders of layers differently.
static std::string renameFolders(StringRef name) {
  std::string result = name.str();
  for (StringRef old :
       {"_layer_checkpoint_dependencies/", "_layer_checkpoint_dependencies\\"})
    for (size_t at; (at = result.find(old)) != std::string::npos;)
      result.replace(at, old.size(), "layers/");
  std::replace(result.begin(), result.end(), '\\', '/');
  return result;
}

static bool useWeights(Expected<Hdf5File> weights, StringRef path,
                       unsigned number, const std::string &prefix,
                       KerasFile &file, Report &report) {
  if (!weights)
    return failFile(report, number, weights.takeError());
  file.weights = std::move(*weights);
  file.weightsPath = path.str();
  std::string group;
  bool old = false;
  for (StringRef name : {"model_weights", ""})
    if (const JsonValue *attributes = file.weights.attributes.find(name);
        attributes && !old &&
        (attributes->find("layer_names") || attributes->find("layer_names0"))) {
      old = true;
      group = name.str();
    }
  for (WeightTensor &tensor : file.weights.tensors)
    tensor.name = prefix + (old ? tensor.name : renameFolders(tensor.name));
  if (const JsonValue *version =
          file.weights.findAttribute(group, "keras_version"))
    file.keras2 |= isKeras2(version->text);
  return !old || assignNames(file, group, prefix, report);
}

static bool readArchiveFile(StringRef path, StringRef weights, StringRef reader,
                            unsigned number, const std::string &prefix,
                            KerasFile &file, Report &report) {
  auto archive = readArchive(path);
  if (!archive)
    return failFile(report, number, archive.takeError());
  file.textName = path.str() + "/config.json";
  if (!parseConfig(archive->config, number, file.root, report))
    return false;
  JsonValue metadata;
  if (!archive->metadata.empty() && !parseJson(archive->metadata, metadata))
    if (const JsonValue *version = metadata.find("keras_version"))
      file.keras2 = isKeras2(version->text);
  if (!weights.empty())
    return useWeights(readHdf5(weights, nullptr, reader), weights, number,
                      prefix, file, report);
  if (!archive->weights)
    return report.fail({1, 1, number},
                       "the archive has no member 'model.weights.h5'; give "
                       "the weights with --weights=FILE");
  return useWeights(readHdf5(path, &*archive->weights, reader), path, number,
                    prefix, file, report);
}

static bool readHdf5File(StringRef path, StringRef reader, unsigned number,
                         const std::string &prefix, KerasFile &file,
                         Report &report) {
  auto content = readHdf5(path, nullptr, reader);
  if (!content)
    return failFile(report, number, content.takeError());
  const JsonValue *config = content->findAttribute("", "model_config");
  if (!config || !config->isString())
    return report.fail({1, 1, number},
                       "the file holds weights and no model; give the model "
                       "(JSON of to_json()), and this file with "
                       "--weights=FILE");
  file.textName = path.str() + "/model_config";
  if (const JsonValue *version = content->findAttribute("", "keras_version"))
    file.keras2 = isKeras2(version->text);
  std::string text = config->text;
  return parseConfig(text, number, file.root, report) &&
         useWeights(std::move(content), path, number, prefix, file, report);
}

bool keras::readKerasFile(StringRef path, StringRef weights, StringRef reader,
                          unsigned number, const std::string &prefix,
                          KerasFile &file, Report &report) {
  file.textName = path.str();
  auto start = MemoryBuffer::getFileSlice(path, 8, 0);
  if (!start)
    return report.fail({1, 1, number}, "cannot read the model file: " +
                                           start.getError().message());
  StringRef magic = (*start)->getBuffer();
  if (isZip(magic))
    return readArchiveFile(path, weights, reader, number, prefix, file, report);
  if (isHdf5(magic))
    return readHdf5File(path, reader, number, prefix, file, report);
  auto text = readText(path);
  if (!text)
    return report.fail({1, 1, number}, "cannot read the model file: " +
                                           toString(text.takeError()));
  if (!parseConfig((*text)->getBuffer(), number, file.root, report))
    return false;
  if (const JsonValue *version = file.root.find("keras_version"))
    file.keras2 = isKeras2(version->text);
  if (weights.empty())
    return report.fail({1, 1, number},
                       "the model has no weights; give them with " +
                           Twine(prefix.empty() ? "--weights=FILE"
                                 : prefix == "encoder/"
                                     ? "--encoder-weights=FILE"
                                     : "--decoder-weights=FILE"));
  return useWeights(readHdf5(weights, nullptr, reader), weights, number, prefix,
                    file, report);
}
