// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Graph.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

namespace {
/// The order in which a section's layers are built.
class Graph {
public:
  Graph(const Source &source, const SectionSpec &section,
        const NamedValues &inputs)
      : source(source), section(section), inputs(inputs) {}

  /// Finds the layer behind each input. Fails after an error.
  LogicalResult resolve();
  /// The layers, each after its inputs. Fails after an error.
  LogicalResult sort(std::vector<unsigned> &order);

  /// Names of a layer's inputs, defaults filled in.
  std::vector<NameRef> getInputs(unsigned layer) const;

private:
  LogicalResult resolveInput(unsigned layer, const NameRef &input);
  LogicalResult visit(unsigned layer, std::vector<unsigned> &order);
  LogicalResult reportCycle(unsigned layer);

  enum State : char { New, Open, Done };

  const Source &source;
  const SectionSpec &section;
  const NamedValues &inputs;
  StringMap<unsigned> layers;
  std::vector<std::vector<unsigned>> sources;
  std::vector<State> states;
  std::vector<unsigned> path;
};
} // namespace

std::vector<NameRef> Graph::getInputs(unsigned layer) const {
  const LayerSpec &spec = section.layers[layer];
  if (!spec.inputs.empty())
    return spec.inputs;
  JsonPosition position = spec.json->position;
  if (layer == 0)
    return {{section.inputs.front().name, position}};
  return {{section.layers[layer - 1].name.name, position}};
}

LogicalResult Graph::resolveInput(unsigned layer, const NameRef &input) {
  if (inputs.contains(input.name))
    return success();
  StringRef name = StringRef(input.name).split(':').first;
  auto found = layers.find(name);
  if (found != layers.end()) {
    sources[layer].push_back(found->second);
    return success();
  }
  std::vector<StringRef> known;
  for (const NameRef &entry : section.inputs)
    known.push_back(entry.name);
  for (const LayerSpec &entry : section.layers)
    known.push_back(entry.name.name);
  std::string remedy = suggestName(name, known);
  return source.error(input.position)
         << "layer '" << section.layers[layer].name.name << "': unknown input '"
         << input.name << "'"
         << (remedy.empty() ? "; the " + section.name +
                                  " has no layer or input of that name"
                            : remedy);
}

LogicalResult Graph::resolve() {
  for (auto [i, layer] : enumerate(section.layers))
    layers[layer.name.name] = i;
  sources.resize(section.layers.size());
  for (unsigned i = 0; i < section.layers.size(); ++i)
    for (const NameRef &input : getInputs(i))
      if (failed(resolveInput(i, input)))
        return failure();
  return success();
}

LogicalResult Graph::reportCycle(unsigned layer) {
  std::string text;
  for (auto it = find(path, layer); it != path.end(); ++it)
    text += "'" + section.layers[*it].name.name + "' needs ";
  text += "'" + section.layers[layer].name.name + "'";
  return source.error(section.layers[layer].json->position)
         << "layer '" << section.layers[layer].name.name
         << "' depends on itself: " << text << "; change one of their 'inputs'";
}

LogicalResult Graph::visit(unsigned start, std::vector<unsigned> &order) {
  // Depth first without recursion: a chain may have any length.
  std::vector<unsigned> next = {0};
  path = {start};
  states[start] = Open;
  while (!path.empty()) {
    unsigned layer = path.back();
    if (next.back() == sources[layer].size()) {
      states[layer] = Done;
      order.push_back(layer);
      path.pop_back();
      next.pop_back();
      continue;
    }
    unsigned input = sources[layer][next.back()++];
    if (states[input] == Open)
      return reportCycle(input);
    if (states[input] == Done)
      continue;
    states[input] = Open;
    path.push_back(input);
    next.push_back(0);
  }
  return success();
}

LogicalResult Graph::sort(std::vector<unsigned> &order) {
  states.assign(section.layers.size(), New);
  for (unsigned i = 0; i < section.layers.size(); ++i)
    if (states[i] == New && failed(visit(i, order)))
      return failure();
  return success();
}

Value vae::findValue(BuildContext &context, const NamedValues &values,
                     const NameRef &name, StringRef subject) {
  if (Value value = values.lookup(name.name))
    return value;
  auto diagnostic = context.emitter.source.error(name.position);
  diagnostic << subject << ": ";
  if (values.contains(name.name + ":0")) {
    diagnostic << "'" << name.name << "' has several outputs; say '"
               << name.name << ":0' for the first";
    return {};
  }
  std::vector<StringRef> known;
  for (const auto &entry : values)
    known.push_back(entry.getKey());
  llvm::sort(known);
  diagnostic << "there is no layer output '" << name.name << "'"
             << suggestName(name.name, known);
  return {};
}

LogicalResult vae::buildSection(BuildContext &context,
                                const SectionSpec &section,
                                NamedValues &values) {
  Graph graph(context.emitter.source, section, values);
  std::vector<unsigned> order;
  if (failed(graph.resolve()) || failed(graph.sort(order)))
    return failure();
  for (unsigned index : order) {
    const LayerSpec &spec = section.layers[index];
    std::vector<LayerInput> inputs;
    for (const NameRef &input : graph.getInputs(index)) {
      Value value =
          findValue(context, values, input, "layer '" + spec.name.name + "'");
      if (!value)
        return failure();
      inputs.push_back({value, input.name});
    }
    LayerBuilder layer(context, spec, std::move(inputs));
    if (failed(layer.build()))
      return failure();
    if (spec.type->build == buildSplit)
      for (auto [k, output] : enumerate(layer.outputs))
        values[spec.name.name + ":" + std::to_string(k)] = output;
    else
      values[spec.name.name] = layer.outputs.front();
  }
  return success();
}
