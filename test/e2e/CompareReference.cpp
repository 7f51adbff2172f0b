// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares compiled models with the reference interpreter, layer by layer.
//
//   compare-reference [--levels=0,2,3] [--widths=0] [--rotate] [--cpu=NAME]
//     MODEL|FOLDER...
//
// Each model is compiled in this process at every level and for vectors of
// every width (0: the CPU's; --rotate: one after the other), twice: with all
// layers exposed, and as it ships. Every entry point runs with random inputs of
// several batches, between guard pages, with every partition of its loops. Then
//
//   1. each layer must be what the interpreter makes of the layer's operands,
//   2. the results must be what the interpreter makes of the imported model,
//   3. no partition may change a bit, and neither may exposing layers,
//   4. NaN and infinite inputs must go where the interpreter has them go.
//
// Prints one line a model. Exit code 0 if all are right, 1 if not.
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "test/e2e/LayerCheck.h"
#include "test/e2e/ModelLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <limits>
#include <optional>
#include <random>

using namespace vae;
using namespace vae::test;
using llvm::StringRef;
using reference::Tensor;

namespace {

class ModelCheck {
public:
  ModelCheck(std::string path, const CompileOptions &options)
      : path(std::move(path)), options(options), random(options.optLevel + 1) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
        errors += diagnostic.str() + "\n";
      return mlir::success();
    });
  }

  /// What is wrong; empty if nothing is.
  std::string run();

  /// The largest errors relative to their limits.
  double worstLayer = 0, worstEntry = 0;

private:
  std::string compile(bool expose, std::optional<ModelLibrary> &library);
  std::string checkEntry(const vae_abi_entry &entry, LayerCheck &check);
  std::string checkInputs(const vae_abi_entry &entry,
                          const std::vector<int64_t> &symbols,
                          const std::vector<Tensor> &inputs, bool special,
                          LayerCheck &check);
  std::string checkExamples(const vae_abi_entry &entry,
                            const std::vector<int64_t> &symbols,
                            const std::vector<Tensor> &inputs,
                            const std::vector<Tensor> &outputs);
  std::vector<int64_t> drawSymbols(int64_t batch);
  Tensor drawTensor(const vae_abi_tensor &tensor,
                    llvm::ArrayRef<int64_t> symbols, bool special);

  std::string path, errors;
  CompileOptions options;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::mt19937 random;
  /// With all layers exposed, and as it ships.
  std::optional<ModelLibrary> exposed, plain;
};

std::string ModelCheck::compile(bool expose,
                                std::optional<ModelLibrary> &library) {
  llvm::SmallString<128> output;
  if (llvm::sys::fs::createTemporaryFile("compare-reference", "so", output))
    return "cannot make a temporary file";
  options.exposeLayers = expose;
  std::string error;
  if (failed(compileModel(path, output, options, context)))
    error = "cannot be compiled: " + errors;
  else
    library.emplace(output.str().str(), error);
  llvm::sys::fs::remove(output);
  return error;
}

std::vector<int64_t> ModelCheck::drawSymbols(int64_t batch) {
  std::vector<int64_t> symbols = {batch};
  const vae_abi_model &table = plain->getTable();
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
  result.shape = plain->getShape(tensor, symbols);
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

bool areSame(const Tensor &a, const Tensor &b) {
  return a.data.size() == b.data.size() &&
         std::memcmp(a.data.data(), b.data.data(),
                     a.data.size() * sizeof(float)) == 0;
}

/// -0 is 0: where padding is left out, 0 is not added.
bool isSameNumber(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// Example `index` of a batch.
Tensor getExample(const Tensor &batch, int64_t index) {
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
    auto results =
        plain->run(entry, alone, own, Split::Whole, Edge::End, error);
    if (!error.empty())
      return error;
    for (auto [i, result] : llvm::enumerate(results))
      if (!llvm::equal(result.data, getExample(outputs[i], example).data,
                       isSameNumber))
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
  const vae_abi_entry &shipped = *plain->findEntry(entry.name);
  std::vector<Tensor> first;
  for (Split split : kSplits)
    for (const ModelLibrary *library : {&*exposed, &*plain}) {
      Edge edge = random() % 2 ? Edge::Begin : Edge::End;
      std::string error;
      auto outputs = library->run(library == &*plain ? shipped : entry, symbols,
                                  inputs, split, edge, error);
      if (!error.empty())
        return error;
      if (first.empty()) {
        first = std::move(outputs);
        continue;
      }
      for (auto [i, output] : llvm::enumerate(outputs))
        if (!areSame(output, first[i]))
          return std::string("output '") + entry.outputs[i].name +
                 "' has other bits with " + getName(split) +
                 (library == &*plain ? ", layers not exposed" : "");
    }
  std::string wrong = check.checkLayers(entry.name, inputs, first, worstLayer);
  if (wrong.empty() && !special)
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
    setActivity(path + ", -O" + std::to_string(options.optLevel) + ", " +
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
  const vae_abi_model &table = exposed->getTable();
  for (uint32_t i = 0; i < table.num_entries; ++i)
    if (std::string wrong = checkEntry(table.entries[i], check); !wrong.empty())
      return wrong;
  return "";
}

struct Arguments {
  llvm::SmallVector<unsigned> levels = {0, 2, 3}, widths = {0};
  bool rotate = false;
  std::string cpu = "native";
  std::vector<std::string> models;
};

/// A file, or what lies in a folder: NAME.json and NAME/model.json.
void addModels(StringRef path, std::vector<std::string> &models) {
  if (!llvm::sys::fs::is_directory(path))
    return models.push_back(path.str());
  std::vector<std::string> found;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(path, code), end;
       it != end && !code; it.increment(code)) {
    std::string inner = it->path() + "/model.json";
    if (StringRef(it->path()).ends_with(".json"))
      found.push_back(it->path());
    else if (llvm::sys::fs::exists(inner))
      found.push_back(inner);
  }
  llvm::sort(found);
  llvm::append_range(models, found);
}

bool parseNumbers(StringRef text, llvm::SmallVectorImpl<unsigned> &numbers) {
  llvm::SmallVector<StringRef> words;
  text.split(words, ',');
  numbers.clear();
  return llvm::none_of(words, [&](StringRef word) {
    return word.getAsInteger(10, numbers.emplace_back());
  });
}

bool parse(llvm::ArrayRef<char *> words, Arguments &arguments) {
  bool good = true;
  for (StringRef word : words) {
    if (word.consume_front("--levels="))
      good &= parseNumbers(word, arguments.levels);
    else if (word.consume_front("--widths="))
      good &= parseNumbers(word, arguments.widths);
    else if (word.consume_front("--cpu="))
      arguments.cpu = word.str();
    else if (word == "--rotate")
      arguments.rotate = true;
    else if (word.starts_with("-"))
      return false;
    else
      addModels(word, arguments.models);
  }
  return good && !arguments.models.empty();
}

/// Checks a model with some options, and says how it went.
bool checkModel(const std::string &path, const CompileOptions &options) {
  ModelCheck check(path, options);
  std::string wrong = check.run();
  llvm::outs() << (wrong.empty() ? "ok   " : "FAIL ") << path << " -O"
               << options.optLevel;
  if (options.vectorWidth)
    llvm::outs() << " width " << options.vectorWidth;
  if (wrong.empty())
    llvm::outs() << llvm::format(": layers %.2f, results %.2f of the limit\n",
                                 check.worstLayer, check.worstEntry);
  else
    llvm::outs() << ": " << wrong << "\n";
  llvm::outs().flush();
  return wrong.empty();
}

} // namespace

int main(int argc, char **argv) {
  reportFaults();
  Arguments arguments;
  if (!parse(llvm::ArrayRef(argv + 1, argc - 1), arguments)) {
    llvm::errs() << "usage: compare-reference [--levels=0,2,3] [--widths=0] "
                    "[--rotate] [--cpu=NAME] MODEL.json|FOLDER...\n";
    return 2;
  }
  unsigned failures = 0, levels = arguments.levels.size(),
           variants = levels * arguments.widths.size();
  for (auto [i, path] : llvm::enumerate(arguments.models)) {
    unsigned first = arguments.rotate ? i % variants : 0;
    unsigned last = arguments.rotate ? first + 1 : variants;
    for (unsigned variant = first; variant < last; ++variant) {
      CompileOptions options;
      options.cpu = arguments.cpu;
      options.optLevel = arguments.levels[variant % levels];
      options.vectorWidth = arguments.widths[variant / levels];
      failures += !checkModel(path, options);
    }
  }
  return failures ? 1 : 0;
}
