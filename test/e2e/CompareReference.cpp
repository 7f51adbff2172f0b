// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares compiled models with the reference interpreter, layer by layer.
//
//   compare-reference [--levels=0,2,3] [--widths=0] [--rotate]
//     [--cpu=NAME,...] [--precision=f32] [--storage=f32] [--quantize]
//     MODEL|FOLDER...
//
// With --quantize, all layers that can multiply integers; model.json has its
// ranges beside it, in model.ranges.txt.
// Each model is compiled at every level and for vectors of every width (0: the
// CPU's; --rotate: one after the other); ModelCheck.h says what is compared. Of
// a library for several CPUs, all versions that this machine can run are.
// Prints one line a model. Exit code 0 if all are right, 1 if not.
#include "test/e2e/ModelCheck.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

using namespace vae;
using namespace vae::test;
using llvm::StringRef;

namespace {

struct Arguments {
  llvm::SmallVector<unsigned> levels = {0, 2, 3}, widths = {0};
  bool rotate = false, quantize = false;
  std::vector<std::string> cpus = {"native"};
  std::optional<Precision> precision = Precision::F32;
  std::optional<Storage> storage = Storage::F32;
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

std::vector<std::string> parseNames(StringRef text) {
  llvm::SmallVector<StringRef> words;
  text.split(words, ',');
  return {words.begin(), words.end()};
}

/// Whether this machine has what code for a CPU needs.
bool canRun(const std::string &name) {
  auto cpu = resolveCpu(name, "");
  if (!cpu) {
    llvm::consumeError(cpu.takeError());
    return true; // the compiler says what is wrong
  }
  auto features = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(cpu->getRequired(), [&](StringRef feature) {
    return features.lookup(feature);
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
      arguments.cpus = parseNames(word);
    else if (word.consume_front("--precision="))
      good &= (arguments.precision = symbolizePrecision(word)).has_value();
    else if (word.consume_front("--storage="))
      good &= (arguments.storage = symbolizeStorage(word)).has_value();
    else if (word == "--rotate")
      arguments.rotate = true;
    else if (word == "--quantize")
      arguments.quantize = true;
    else if (word.starts_with("-"))
      return false;
    else
      addModels(word, arguments.models);
  }
  return good && !arguments.models.empty();
}

/// The ranges beside a model; none, which makes compiling fail, if there are no
/// such.
RangeTable readRanges(llvm::StringRef model) {
  llvm::SmallString<128> path(model);
  llvm::sys::path::replace_extension(path, "ranges.txt");
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return {};
  auto table = parseRangeTable((*file)->getBuffer(), path);
  if (table)
    return std::move(*table);
  llvm::errs() << toString(table.takeError()) << "\n";
  return {};
}

/// Checks a model with some options, and says how it went. `version`: the one
/// of several that runs.
bool checkModel(const std::string &path, const CompileOptions &options,
                const std::string &version) {
  ModelCheck check(path, options, std::nullopt, options.optLevel + 1);
  check.setVersion(version);
  std::string wrong = check.run();
  llvm::outs() << (wrong.empty() ? "ok   " : "FAIL ") << path << " -O"
               << options.optLevel;
  if (options.vectorWidth)
    llvm::outs() << " width " << options.vectorWidth;
  if (!version.empty())
    llvm::outs() << " for " << version;
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
                    "[--rotate] [--cpu=NAME,...] [--precision=f32] "
                    "[--storage=f32] [--quantize] MODEL.json|FOLDER...\n";
    return 2;
  }
  unsigned failures = 0, levels = arguments.levels.size(),
           variants = levels * arguments.widths.size();
  for (auto [i, path] : llvm::enumerate(arguments.models)) {
    unsigned first = arguments.rotate ? i % variants : 0;
    unsigned last = arguments.rotate ? first + 1 : variants;
    for (unsigned variant = first; variant < last; ++variant) {
      CompileOptions options;
      options.cpus = arguments.cpus;
      options.precision = *arguments.precision;
      options.storage = *arguments.storage;
      if (arguments.quantize) {
        options.quantize = Quantize::Int8;
        options.rangeTable = readRanges(path);
        options.quantizeLayers = {"int8"};
      }
      options.optLevel = arguments.levels[variant % levels];
      options.vectorWidth = arguments.widths[variant / levels];
      if (arguments.cpus.size() == 1) {
        failures += !checkModel(path, options, "");
        continue;
      }
      for (const std::string &cpu : arguments.cpus)
        if (canRun(cpu))
          failures += !checkModel(path, options, cpu);
        else
          llvm::outs() << "skip " << path << " for " << cpu << "\n";
    }
  }
  return failures ? 1 : 0;
}
