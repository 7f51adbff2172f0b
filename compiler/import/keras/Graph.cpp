// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Graph.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

/// Calls of layers and of nested models, which need not have any layer.
static constexpr size_t kMaxCalls = 20000;
static constexpr unsigned kMaxDepth = 16;
/// Layers are read again for each call of their model, and references looked up
/// until what they refer to is there: a second's worth of both.
static constexpr size_t kMaxWork = size_t(1) << 25;
static constexpr size_t kWorkOfLayer = 64, kWorkOfReference = 1;

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

namespace {

/// Which output of which call of a layer, by name.
struct Reference {
  std::string layer;
  int64_t node = 0, tensor = 0;
  JsonPosition position;
  /// Counts the node that a nested functional model has from the start.
  bool countsOwnNode = false;
};

/// A layer of a model that is being inlined.
struct Entry {
  const JsonValue *json = nullptr;
  const Layer *layer = nullptr; // null for a nested model
  std::string path;
  std::vector<std::vector<Reference>> nodes;
  std::vector<bool> training;
  /// What each node gave; as long as nodes when the layer is done.
  std::vector<std::vector<Tensor>> results;
  bool isInput = false;
};

class GraphBuilder {
public:
  GraphBuilder(Graph &graph, Report &report) : graph(graph), report(report) {}

  bool build(const JsonValue &object) {
    graph.name = getName(object).str();
    graph.position = object.position;
    std::vector<Tensor> inputs;
    return inlineModel(object, graph.weights.prefix, nullptr, 0, inputs,
                       graph.outputs) &&
           (graph.inputs = inputs, true);
  }

private:
  /// Adds a model's calls. `arguments` is null for the outermost one, whose
  /// inputs become `inputs`.
  bool inlineModel(const JsonValue &object, const std::string &path,
                   const std::vector<Tensor> *arguments, unsigned depth,
                   std::vector<Tensor> &inputs, std::vector<Tensor> &outputs);
  bool inlineFunctional(const JsonValue &object, const std::string &path,
                        const std::vector<Tensor> *arguments, unsigned depth,
                        std::vector<Tensor> &inputs,
                        std::vector<Tensor> &outputs);
  bool inlineSequential(const JsonValue &object, const std::string &path,
                        const std::vector<Tensor> *arguments, unsigned depth,
                        std::vector<Tensor> &inputs,
                        std::vector<Tensor> &outputs);

  /// False after a problem: the model is too large.
  bool spend(size_t amount, JsonPosition position);
  const Layer *makeLayer(const JsonValue &json, const std::string &path);
  bool addInput(const Layer &layer, const JsonValue *shape, Tensor &tensor);
  bool addCall(const JsonValue &json, const Layer *layer,
               const std::string &path, std::vector<Tensor> arguments,
               bool training, unsigned depth, std::vector<Tensor> &outputs);

  bool readEntries(const JsonValue &layers, const std::string &path,
                   std::vector<Entry> &entries, StringMap<unsigned> &byName);
  bool readNodes(Entry &entry);
  bool readReference(const JsonValue &value, bool countsOwnNode,
                     Reference &reference);
  bool readReferences(const JsonValue &value,
                      std::vector<Reference> &references);
  bool collectTensors(const JsonValue &value, std::vector<Reference> &found);
  /// The tensor behind a reference; none if it is not there yet.
  bool lookUp(std::vector<Entry> &entries, const StringMap<unsigned> &byName,
              const Reference &reference, std::optional<Tensor> &tensor);
  bool runNodes(std::vector<Entry> &entries, const StringMap<unsigned> &byName,
                unsigned depth);

  Graph &graph;
  Report &report;
  std::map<const JsonValue *, const Layer *> layers;
  std::map<int64_t, std::string> sharedPaths;
  size_t work = 0;
};

/// The paths that Keras gives the layers of a list: the class, counted.
class PathCounter {
public:
  std::string next(const std::string &folder, StringRef className) {
    std::string name = toSnakeCase(className);
    unsigned &count = counts[name];
    std::string path =
        folder + "layers/" + name + (count ? "_" + std::to_string(count) : "");
    ++count;
    return path;
  }

private:
  StringMap<unsigned> counts;
};

} // namespace

bool GraphBuilder::spend(size_t amount, JsonPosition position) {
  work += amount;
  return work <= kMaxWork ||
         report.fail(position, "the model is too large: its nested models have "
                               "too many layers in all their calls, or its "
                               "layers are not in the order of their calls");
}

const Layer *GraphBuilder::makeLayer(const JsonValue &json,
                                     const std::string &path) {
  const Layer *&known = layers[&json];
  if (known)
    return known;
  auto layer = std::make_unique<Layer>();
  layer->json = &json;
  layer->config = getConfig(json);
  layer->className = getClassName(json).str();
  layer->name = getName(json).str();
  if (layer->name.empty())
    layer->name = toSnakeCase(layer->className);
  layer->type = findLayerClass(layer->className);
  layer->path = path;
  // The weights of an object that is in several models are stored once.
  if (const JsonValue *id = json.find("shared_object_id");
      id && id->isInteger())
    layer->path = sharedPaths.try_emplace(id->integer, path).first->second;
  known = layer.get();
  graph.layers.push_back(std::move(layer));
  return known;
}

bool GraphBuilder::addInput(const Layer &layer, const JsonValue *shape,
                            Tensor &tensor) {
  if (!shape || !shape->isArray() || shape->items.size() < 2 ||
      shape->items.size() > 8)
    return report.fail(shape ? shape->position : layer.position(),
                       "input '" + layer.name +
                           "': expected a shape with a batch and one to seven "
                           "sizes; build the model before it is saved");
  Call call;
  call.layer = &layer;
  call.inputShape.emplace();
  for (const JsonValue &item : ArrayRef(shape->items).drop_front()) {
    if (!item.isNull() &&
        (!item.isInteger() || item.integer < 1 || item.integer > INT32_MAX))
      return report.fail(item.position, "input '" + layer.name +
                                            "': expected a size, found " +
                                            item.describe());
    call.inputShape->push_back(item.isNull() ? -1 : item.integer);
  }
  tensor = {static_cast<int>(graph.calls.size()), 0};
  graph.calls.push_back(std::move(call));
  return true;
}

bool GraphBuilder::addCall(const JsonValue &json, const Layer *layer,
                           const std::string &path,
                           std::vector<Tensor> arguments, bool training,
                           unsigned depth, std::vector<Tensor> &outputs) {
  if (graph.calls.size() + graph.nested.size() >= kMaxCalls)
    return report.fail(json.position, "the model has more than " +
                                          Twine(kMaxCalls) +
                                          " calls of layers");
  if (!layer) {
    std::vector<Tensor> unused;
    return inlineModel(json, path + "/", &arguments, depth + 1, unused,
                       outputs);
  }
  Call call;
  call.layer = layer;
  call.inputs = std::move(arguments);
  call.training = training;
  outputs = {{static_cast<int>(graph.calls.size()), 0}};
  graph.calls.push_back(std::move(call));
  return true;
}

bool GraphBuilder::inlineModel(const JsonValue &object, const std::string &path,
                               const std::vector<Tensor> *arguments,
                               unsigned depth, std::vector<Tensor> &inputs,
                               std::vector<Tensor> &outputs) {
  if (depth > kMaxDepth)
    return report.fail(object.position, "more than " + Twine(kMaxDepth) +
                                            " models in each other");
  const JsonValue *config = getConfig(object);
  bool functional = config && config->find("input_layers");
  bool ok =
      functional
          ? inlineFunctional(object, path, arguments, depth, inputs, outputs)
          : inlineSequential(object, path, arguments, depth, inputs, outputs);
  if (ok && arguments)
    graph.nested.push_back(
        {getName(object).str(), &object, depth, *arguments, outputs});
  return ok;
}

//===----------------------------------------------------------------------===//
// Sequential models
//===----------------------------------------------------------------------===//

static const JsonValue *findShape(const JsonValue *config) {
  if (!config)
    return nullptr;
  for (StringRef key : {"batch_shape", "batch_input_shape"})
    if (const JsonValue *shape = config->find(key))
      return shape;
  return nullptr;
}

bool GraphBuilder::inlineSequential(const JsonValue &object,
                                    const std::string &path,
                                    const std::vector<Tensor> *arguments,
                                    unsigned depth, std::vector<Tensor> &inputs,
                                    std::vector<Tensor> &outputs) {
  const JsonValue &list = *getLayers(object);
  std::vector<Tensor> values;
  if (arguments) {
    values = *arguments;
    if (values.size() != 1)
      return report.fail(object.position, "model '" + getName(object) +
                                              "' takes one input, found " +
                                              Twine(values.size()));
  }
  PathCounter paths;
  for (const JsonValue &json : list.items) {
    if (!spend(kWorkOfLayer, json.position))
      return false;
    if (!json.isObject())
      return report.fail(json.position, "expected a layer, an object, found " +
                                            json.describe());
    std::string layerPath = paths.next(path, getClassName(json));
    bool isInput = getClassName(json) == "InputLayer";
    if (values.empty()) {
      const JsonValue *shape = findShape(getConfig(json));
      const JsonValue *config = getConfig(object);
      if (!shape && config)
        shape = config->find("build_input_shape");
      if (const JsonValue *build = object.find("build_config"); !shape && build)
        shape = build->find("input_shape");
      Tensor input;
      const Layer *layer = makeLayer(json, layerPath);
      if (!isInput) { // an input of its own, with the layer's position
        auto own = std::make_unique<Layer>();
        own->json = &json;
        own->className = "InputLayer";
        own->name = "input";
        layer = own.get();
        graph.layers.push_back(std::move(own));
      }
      if (!addInput(*layer, shape, input))
        return false;
      inputs = {input};
      values = {input};
    }
    if (isInput)
      continue;
    const Layer *layer = isModel(json) ? nullptr : makeLayer(json, layerPath);
    std::vector<Tensor> results;
    if (!addCall(json, layer, layerPath, values, false, depth, results))
      return false;
    values = std::move(results);
  }
  if (values.empty())
    return report.fail(object.position,
                       "model '" + getName(object) + "' has no layers");
  outputs = std::move(values);
  return true;
}

//===----------------------------------------------------------------------===//
// Functional models
//===----------------------------------------------------------------------===//

/// ["layer", node, tensor], with more after it in old files.
bool GraphBuilder::readReference(const JsonValue &value, bool countsOwnNode,
                                 Reference &reference) {
  if (!value.isArray() || value.items.size() < 3 ||
      !value.items[0].isString() || !value.items[1].isInteger() ||
      !value.items[2].isInteger())
    return report.fail(value.position,
                       "expected [layer, node, tensor], found " +
                           value.describe());
  reference = {value.items[0].text, value.items[1].integer,
               value.items[2].integer, value.position, countsOwnNode};
  return true;
}

/// Any structure of references, in order.
bool GraphBuilder::readReferences(const JsonValue &value,
                                  std::vector<Reference> &references) {
  if (value.isArray() && value.items.size() >= 3 && value.items[0].isString()) {
    references.emplace_back();
    return readReference(value, true, references.back());
  }
  for (const JsonValue &item : value.items)
    if (!readReferences(item, references))
      return false;
  std::map<StringRef, const JsonValue *> sorted;
  for (const JsonValue::Member &member : value.members)
    sorted[member.key] = &member.value;
  for (auto [key, item] : sorted)
    if (!readReferences(*item, references))
      return false;
  return true;
}

/// The tensors among the arguments of a call of Keras 3.
bool GraphBuilder::collectTensors(const JsonValue &value,
                                  std::vector<Reference> &found) {
  if (getClassName(value) == "__keras_tensor__") {
    const JsonValue *config = getConfig(value);
    const JsonValue *history = config ? config->find("keras_history") : nullptr;
    if (!history)
      return report.fail(value.position, "a tensor without 'keras_history'");
    found.emplace_back();
    return readReference(*history, false, found.back());
  }
  for (const JsonValue &item : value.items)
    if (!collectTensors(item, found))
      return false;
  for (const JsonValue::Member &member : value.members)
    if (!collectTensors(member.value, found))
      return false;
  return true;
}

static bool isTraining(const JsonValue *keywords) {
  const JsonValue *value = keywords ? keywords->find("training") : nullptr;
  return value && value->boolean;
}

bool GraphBuilder::readNodes(Entry &entry) {
  const JsonValue *nodes = entry.json->find("inbound_nodes");
  if (!nodes || !nodes->isArray())
    return report.fail(entry.json->position, "layer '" + getName(*entry.json) +
                                                 "' has no 'inbound_nodes'");
  for (const JsonValue &node : nodes->items) {
    std::vector<Reference> inputs;
    bool training = false;
    if (node.isObject()) {
      for (StringRef key : {"args", "kwargs"})
        if (const JsonValue *value = node.find(key))
          if (!collectTensors(*value, inputs))
            return false;
      training = isTraining(node.find("kwargs"));
    } else {
      bool single = !node.items.empty() && node.items[0].isString();
      ArrayRef<JsonValue> items = node.items;
      if (single)
        items = ArrayRef(node);
      for (const JsonValue &item : items) {
        inputs.emplace_back();
        if (!readReference(item, true, inputs.back()))
          return false;
        if (item.items.size() > 3)
          training |= isTraining(&item.items[3]);
      }
    }
    entry.nodes.push_back(std::move(inputs));
    entry.training.push_back(training);
  }
  return true;
}

bool GraphBuilder::readEntries(const JsonValue &list, const std::string &path,
                               std::vector<Entry> &entries,
                               StringMap<unsigned> &byName) {
  PathCounter paths;
  for (const JsonValue &json : list.items) {
    if (!spend(kWorkOfLayer, json.position))
      return false;
    StringRef name = getName(json);
    if (!json.isObject() || name.empty())
      return report.fail(json.position, "expected a layer with a name, found " +
                                            json.describe());
    if (!byName.try_emplace(name, entries.size()).second)
      return report.fail(json.position, "two layers are called '" + name + "'");
    Entry entry;
    entry.json = &json;
    entry.path = paths.next(path, getClassName(json));
    entry.isInput = getClassName(json) == "InputLayer";
    if (!isModel(json))
      entry.layer = makeLayer(json, entry.path);
    else if (const JsonValue *id = json.find("shared_object_id");
             id && id->isInteger())
      entry.path =
          sharedPaths.try_emplace(id->integer, entry.path).first->second;
    if (!entry.isInput && !readNodes(entry))
      return false;
    entries.push_back(std::move(entry));
  }
  return true;
}

bool GraphBuilder::lookUp(std::vector<Entry> &entries,
                          const StringMap<unsigned> &byName,
                          const Reference &reference,
                          std::optional<Tensor> &tensor) {
  if (!spend(kWorkOfReference, reference.position))
    return false;
  auto found = byName.find(reference.layer);
  if (found == byName.end())
    return report.fail(reference.position,
                       "there is no layer '" + reference.layer + "'");
  Entry &entry = entries[found->second];
  int64_t count = entry.isInput ? 1 : static_cast<int64_t>(entry.nodes.size());
  int64_t node = reference.node;
  // A nested functional model has a node of its own, which some references
  // count and others do not.
  if (!entry.layer && node > 0 &&
      (node >= count ||
       (reference.countsOwnNode && getClassName(*entry.json) != "Sequential")))
    --node;
  if (node < 0 || node >= count)
    return report.fail(reference.position, "layer '" + reference.layer +
                                               "' is called " + Twine(count) +
                                               " times, there is no call " +
                                               Twine(reference.node));
  if (node >= static_cast<int64_t>(entry.results.size()))
    return true; // not there yet
  const std::vector<Tensor> &results = entry.results[node];
  if (reference.tensor < 0 ||
      reference.tensor >= static_cast<int64_t>(results.size())) {
    // A custom layer may have several outputs; which is found out later.
    if (entry.layer && !entry.layer->type && reference.tensor >= 0 &&
        reference.tensor < 64) {
      tensor = Tensor{results[0].call, static_cast<int>(reference.tensor)};
      return true;
    }
    return report.fail(reference.position, "layer '" + reference.layer +
                                               "' has no output " +
                                               Twine(reference.tensor));
  }
  tensor = results[reference.tensor];
  return true;
}

/// Calls layers as soon as their inputs are there, as Keras does.
bool GraphBuilder::runNodes(std::vector<Entry> &entries,
                            const StringMap<unsigned> &byName, unsigned depth) {
  bool progress = true, complete = false;
  while (progress && !complete) {
    progress = false;
    complete = true;
    for (Entry &entry : entries) {
      while (!entry.isInput && entry.results.size() < entry.nodes.size()) {
        size_t node = entry.results.size();
        std::vector<Tensor> arguments;
        bool ready = true;
        for (const Reference &reference : entry.nodes[node]) {
          std::optional<Tensor> tensor;
          if (!lookUp(entries, byName, reference, tensor))
            return false;
          if (!tensor) {
            ready = false;
            break;
          }
          arguments.push_back(*tensor);
        }
        if (!ready) {
          complete = false;
          break;
        }
        std::vector<Tensor> results;
        if (!addCall(*entry.json, entry.layer, entry.path, std::move(arguments),
                     entry.training[node], depth, results))
          return false;
        entry.results.push_back(std::move(results));
        progress = true;
      }
    }
  }
  for (Entry &entry : entries)
    if (!entry.isInput && entry.results.size() < entry.nodes.size())
      return report.fail(entry.json->position,
                         "layer '" + getName(*entry.json) +
                             "' depends on itself, or on an input that the "
                             "model does not list");
  return true;
}

bool GraphBuilder::inlineFunctional(const JsonValue &object,
                                    const std::string &path,
                                    const std::vector<Tensor> *arguments,
                                    unsigned depth, std::vector<Tensor> &inputs,
                                    std::vector<Tensor> &outputs) {
  const JsonValue &config = *getConfig(object);
  std::vector<Entry> entries;
  StringMap<unsigned> byName;
  if (!readEntries(*getLayers(object), path, entries, byName))
    return false;
  std::vector<Reference> references;
  if (!readReferences(*config.find("input_layers"), references))
    return false;
  if (arguments && arguments->size() != references.size())
    return report.fail(object.position,
                       "model '" + getName(object) + "' takes " +
                           Twine(references.size()) + " inputs, found " +
                           Twine(arguments->size()));
  for (auto [i, reference] : enumerate(references)) {
    auto found = byName.find(reference.layer);
    if (found == byName.end() || !entries[found->second].isInput)
      return report.fail(reference.position,
                         "'" + reference.layer + "' is no input layer");
    Entry &entry = entries[found->second];
    Tensor tensor;
    if (arguments)
      tensor = (*arguments)[i];
    else if (!addInput(*entry.layer, findShape(entry.layer->config), tensor))
      return false;
    entry.results = {{tensor}};
    inputs.push_back(tensor);
  }
  if (!runNodes(entries, byName, depth))
    return false;
  references.clear();
  const JsonValue *list = config.find("output_layers");
  if (!list || !readReferences(*list, references) || references.empty())
    return report.fail(object.position,
                       "model '" + getName(object) + "' has no outputs");
  for (const Reference &reference : references) {
    std::optional<Tensor> tensor;
    if (!lookUp(entries, byName, reference, tensor))
      return false;
    if (!tensor)
      return report.fail(reference.position,
                         "'" + reference.layer + "' gives nothing");
    outputs.push_back(*tensor);
  }
  return true;
}

bool keras::buildGraph(const JsonValue &object, const WeightNames &weights,
                       Graph &graph, Report &report) {
  graph.weights = weights;
  return GraphBuilder(graph, report).build(object);
}
