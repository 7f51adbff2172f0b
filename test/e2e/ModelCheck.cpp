// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/ModelCheck.h"

#include "compiler/pipeline/RegisterAll.h"
#include "llvm/Support/FileSystem.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace vae;
using namespace vae::test;
using reference::Tensor;

ModelCheck::ModelCheck(std::string path, const CompileOptions &options,
                       std::optional<Tile> shipTile, unsigned seed)
    : path(path), label(path), options(options), shipTile(shipTile),
      random(seed) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      errors += diagnostic.str() + "\n";
    return mlir::success();
  });
}

std::string ModelCheck::compile(bool expose, Compiled &result) {
  llvm::SmallString<128> output;
  if (llvm::sys::fs::createTemporaryFile("compare", "so", output))
    return "cannot make a temporary file";
  CompileOptions own = options;
  own.exposeLayers = expose;
  if (!expose && shipTile)
    own.tile = shipTile;
  std::string error;
  if (failed(compileModel(path, output, own, context)))
    error = "cannot be compiled: " + errors;
  else
    result.library.emplace(output.str().str(), error, version);
  llvm::sys::fs::remove(output);
  if (!version.empty())
    own.cpus = {version}; // whose kernels are those of a library for it alone
  if (error.empty())
    result.launches.emplace(path, own, context, error);
  return error;
}

std::vector<Tensor>
ModelCheck::Compiled::run(const vae_abi_entry &entry,
                          const std::vector<int64_t> &symbols,
                          const std::vector<Tensor> &inputs, Split split,
                          Edge edge, std::string &error) const {
  return library->run(entry, symbols, inputs, split, edge, error,
                      launches->get(entry.name, symbols));
}

std::vector<int64_t> ModelCheck::drawSymbols(int64_t batch) {
  std::vector<int64_t> symbols = {batch};
  const vae_abi_model &table = plain.library->getTable();
  for (uint32_t i = 1; i < table.num_symbols; ++i)
    symbols.push_back(table.symbols[i].minimum +
                      table.symbols[i].multiple * (random() % 4));
  return symbols;
}

Tensor ModelCheck::drawTensor(const vae_abi_tensor &tensor,
                              llvm::ArrayRef<int64_t> symbols, bool special) {
  static constexpr float kSpecial[] = {std::numeric_limits<float>::quiet_NaN(),
                                       std::numeric_limits<float>::infinity(),
                                       -std::numeric_limits<float>::infinity(),
                                       0.0f,
                                       -0.0f,
                                       1e4f,
                                       -1e4f,
                                       1e-40f};
  Tensor result;
  result.shape = plain.library->getShape(tensor, symbols);
  int64_t count = 1;
  for (int64_t size : result.shape)
    count *= size;
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < count; ++i) {
    float value = normal(random);
    if (special && random() % (count / 4 + 1) == 0)
      value = kSpecial[random() % std::size(kSpecial)];
    result.data.push_back(value);
  }
  return result;
}

/// Bit for bit, but for the payloads of NaN. Not `strict`: -0 is 0, for where
/// padding is left out, 0 is not added.
static bool areSame(const Tensor &a, const Tensor &b, bool strict) {
  return llvm::equal(a.data, b.data, [&](float x, float y) {
    return (x == y && (!strict || std::signbit(x) == std::signbit(y))) ||
           (std::isnan(x) && std::isnan(y));
  });
}

/// Example `index` of a batch.
static Tensor getExample(const Tensor &batch, int64_t index) {
  Tensor example;
  example.shape = batch.shape;
  example.shape[0] = 1;
  int64_t size = static_cast<int64_t>(batch.data.size()) / batch.shape[0];
  example.data.assign(batch.data.begin() + index * size,
                      batch.data.begin() + (index + 1) * size);
  return example;
}

/// An example gives the same numbers alone as in a batch.
std::string ModelCheck::checkExamples(const vae_abi_entry &entry,
                                      const std::vector<int64_t> &symbols,
                                      const std::vector<Tensor> &inputs,
                                      const std::vector<Tensor> &outputs) {
  std::vector<int64_t> alone = symbols;
  alone[0] = 1;
  for (int64_t example = 0; example < symbols[0]; ++example) {
    std::vector<Tensor> own;
    for (const Tensor &input : inputs)
      own.push_back(getExample(input, example));
    std::string error;
    auto results = plain.run(entry, alone, own, Split::Whole, Edge::End, error);
    if (!error.empty())
      return error;
    for (auto [i, result] : llvm::enumerate(results))
      if (!areSame(result, getExample(outputs[i], example),
                   options.deterministic))
        return std::string("output '") + entry.outputs[i].name +
               "' has other bits in a batch of " + std::to_string(symbols[0]) +
               " than alone";
  }
  return "";
}

std::string ModelCheck::checkInputs(const vae_abi_entry &entry,
                                    const std::vector<int64_t> &symbols,
                                    const std::vector<Tensor> &inputs,
                                    bool special, LayerCheck &check) {
  const vae_abi_entry &shipped = *plain.library->findEntry(entry.name);
  std::vector<Tensor> first;
  unsigned runs = 2 * (random() % 2);
  for (Split split : kSplits)
    for (const Compiled *compiled : {&exposed, &plain}) {
      // Each library at both edges, with two partitions each.
      Edge edge = ++runs / 2 % 2 ? Edge::Begin : Edge::End;
      std::string error;
      auto outputs = compiled->run(compiled == &plain ? shipped : entry,
                                   symbols, inputs, split, edge, error);
      if (!error.empty())
        return error;
      if (first.empty()) {
        first = std::move(outputs);
        continue;
      }
      for (auto [i, output] : llvm::enumerate(outputs))
        if (!areSame(output, first[i], options.deterministic || !shipTile))
          return std::string("output '") + entry.outputs[i].name +
                 "' has other bits with " + getName(split) +
                 (compiled == &plain
                      ? ", layers not exposed, as with another tile"
                      : "");
    }
  std::string wrong;
  if (!special || !skips)
    wrong = check.checkLayers(entry.name, inputs, first, worstLayer);
  if (wrong.empty() && (!special || options.deterministic))
    wrong = checkExamples(shipped, symbols, inputs, first);
  if (wrong.empty() && !special)
    wrong = check.checkEntry(entry.name, inputs, first, worstEntry);
  return wrong;
}

std::string ModelCheck::checkEntry(const vae_abi_entry &entry,
                                   LayerCheck &check) {
  // Batch 1, another one, and one with special values.
  int64_t batches[] = {1, int64_t(2 + random() % 6), int64_t(1 + random() % 3)};
  for (auto [round, batch] : llvm::enumerate(batches)) {
    bool special = round == 2;
    setActivity(label + ", -O" + std::to_string(options.optLevel) + ", " +
                entry.name + ", batch " + std::to_string(batch));
    std::vector<int64_t> symbols = drawSymbols(batch);
    std::vector<Tensor> inputs;
    for (uint32_t i = 0; i < entry.num_inputs; ++i)
      inputs.push_back(drawTensor(entry.inputs[i], symbols, special));
    std::string wrong = checkInputs(entry, symbols, inputs, special, check);
    if (!wrong.empty())
      return std::string(entry.name) + ", batch " + std::to_string(batch) +
             (special ? ", special values: " : ": ") + wrong;
  }
  return "";
}

std::string ModelCheck::run() {
  for (bool expose : {true, false})
    if (std::string error = compile(expose, expose ? exposed : plain);
        !error.empty())
      return error;
  options.exposeLayers = true;
  std::string error;
  LayerCheck check(path, options, context, error);
  if (!error.empty())
    return error + ": " + errors;
  const vae_abi_model &table = exposed.library->getTable();
  for (uint32_t i = 0; i < table.num_entries; ++i)
    if (std::string wrong = checkEntry(table.entries[i], check); !wrong.empty())
      return wrong;
  return "";
}
