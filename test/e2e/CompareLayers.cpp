// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares compiled layers with the reference interpreter, each by itself.
//
//   compare-layers [--first=0] [--count=200] [--cpu=NAME] [--keep=FOLDER]
//
// A seed stands for a model (RandomLayer.h), an optimization level, a width of
// vectors, two register tiles, a precision, a storage, whether the code is
// deterministic, the algorithm of convolutions, whether layers multiply
// integers, and which weights are zero and whether these are stored.
// ModelCheck.h says what is compared. A model that fails is left in the folder,
// and the command that checks it again is printed. Exit code 0 if all are
// right, 1 if not.
#include "test/e2e/ModelCheck.h"
#include "test/e2e/RandomLayer.h"
#include "test/e2e/RandomRanges.h"
#include "test/e2e/RandomZeros.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace vae;
using namespace vae::test;
using llvm::StringRef;

namespace {

struct Arguments {
  unsigned first = 0, count = 200;
  std::string cpu = "native", keep = "compare-layers-failed";
};

bool parse(llvm::ArrayRef<char *> words, Arguments &arguments) {
  for (StringRef word : words) {
    if (word.consume_front("--first=")) {
      if (word.getAsInteger(10, arguments.first))
        return false;
    } else if (word.consume_front("--count=")) {
      if (word.getAsInteger(10, arguments.count))
        return false;
    } else if (word.consume_front("--cpu=")) {
      arguments.cpu = word.str();
    } else if (word.consume_front("--keep=")) {
      arguments.keep = word.str();
    } else {
      return false;
    }
  }
  return true;
}

/// Any tile that fits the registers; none: the chosen ones.
std::optional<Tile> drawTile(const KernelTarget &target, std::mt19937 &random) {
  if (random() % 4 == 0)
    return std::nullopt;
  for (;;) {
    KernelTarget wanted = target;
    wanted.tile = Tile{int64_t(1 + random() % 6), int64_t(1 + random() % 13)};
    if (llvm::Error error = checkTile(wanted))
      llvm::consumeError(std::move(error));
    else
      return wanted.tile;
  }
}

std::string describe(const std::optional<Tile> &tile) {
  return tile ? std::to_string(tile->positions) + "x" +
                    std::to_string(tile->vectors)
              : "chosen";
}

bool writeText(StringRef path, StringRef text) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  out << text;
  out.close();
  if (!code && !out.has_error())
    return true;
  llvm::errs() << path << ": error: cannot be written\n";
  out.clear_error();
  return false;
}

/// Checks the model of a seed, and says what is wrong.
bool checkSeed(unsigned seed, const Arguments &arguments, StringRef folder) {
  std::mt19937 random(seed + 0x9e3779b9u);
  CompileOptions options;
  options.cpus = {arguments.cpu};
  constexpr int64_t kWidths[] = {8, 8, 4, 16};
  options.vectorWidth = kWidths[random() % std::size(kWidths)];
  options.optLevel = random() % 4;
  options.deterministic = random() % 2;
  auto target = KernelTarget::withWidth(options.vectorWidth);
  options.tile = drawTile(target, random);
  std::optional<Tile> shipTile = drawTile(target, random);
  // Of convolutions, at any level.
  constexpr const char *kAlgorithms[] = {"", "winograd2", "winograd4",
                                         "winograd6"};
  size_t drawn = random(), count = std::size(kAlgorithms);
  std::string algorithm = kAlgorithms[drawn % count];
  if (!algorithm.empty())
    options.algorithms = {algorithm +
                          (drawn / count % 3 == 0 ? "-stored" : "")};
  switch (random() % 6) {
  case 0:
  case 1:
    options.precision = Precision::BF16;
    break;
  case 2:
  case 3:
    options.precision = Precision::BFP16;
  }
  constexpr Storage kStorages[] = {Storage::F32, Storage::F16, Storage::F16,
                                   Storage::F16Weights};
  options.storage = kStorages[random() % std::size(kStorages)];
  options.exactEnds = false;
  if (random() % 2)
    options.streamBytes = 1;
  constexpr Quantize kQuantizations[] = {Quantize::None, Quantize::None,
                                         Quantize::None, Quantize::W8,
                                         Quantize::W4};
  options.quantize = kQuantizations[random() % std::size(kQuantizations)];
  constexpr int64_t kGroups[] = {8, 13, 32, 64};
  options.weightGroup = kGroups[random() % std::size(kGroups)];

  std::string name = std::to_string(seed) + ".json";
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  std::string model = writeLayerModel(seed);
  bool sparse = random() % 3 == 0;
  if (sparse) {
    model = addZeros(model, random);
    options.sparse = random() % 4 ? "size" : "speed";
    if (random() % 4) { // what else is stored has all zeros
      options.storage = Storage::F32;
      options.quantize = Quantize::None;
      if (options.precision == Precision::BF16)
        options.precision = Precision::F32;
    }
  }
  if (!writeText(path, model))
    return false;
  if (random() % 4 == 0) {
    options.quantize = Quantize::Int8;
    options.quantizeLayers = {"int8"};
    options.rangeTable = drawRanges(path.str().str(), options, random);
  }
  std::string variant =
      "seed " + std::to_string(seed) + ", " + getLayerType(seed) + ", -O" +
      std::to_string(options.optLevel) + ", width " +
      std::to_string(options.vectorWidth) + ", tiles " +
      describe(options.tile) + " and " + describe(shipTile) + ", " +
      stringifyPrecision(options.precision).str() + " stored as " +
      stringifyStorage(options.storage).str() +
      (options.quantize == Quantize::W8   ? ", W8"
       : options.quantize == Quantize::W4 ? ", W4"
                                          : "") +
      (options.deterministic ? ", deterministic" : "") +
      (options.rangeTable ? ", int8" : "") +
      (sparse ? ", zeros stored by " + options.sparse : "") +
      (algorithm.empty() ? "" : ", " + algorithm);
  setActivity(variant);
  ModelCheck check(path.str().str(), options, shipTile, seed);
  check.setLabel(variant);
  if (sparse)
    check.allowSkips();
  std::string wrong = check.run();
  if (wrong.empty()) {
    llvm::sys::fs::remove(path);
    return true;
  }
  llvm::outs() << "FAIL " << variant << ": " << wrong << "\n  " << path
               << "; again: compare-layers --first=" << seed
               << " --count=1 --cpu=" << arguments.cpu << "\n";
  llvm::outs().flush();
  return false;
}

} // namespace

int main(int argc, char **argv) {
  reportFaults();
  Arguments arguments;
  if (!parse(llvm::ArrayRef(argv + 1, argc - 1), arguments)) {
    llvm::errs() << "usage: compare-layers [--first=0] [--count=200] "
                    "[--cpu=NAME] [--keep=FOLDER]\n";
    return 2;
  }
  if (llvm::sys::fs::create_directories(arguments.keep)) {
    llvm::errs() << arguments.keep << ": error: the folder cannot be made\n";
    return 1;
  }
  unsigned failures = 0;
  std::map<std::string, unsigned> types;
  for (unsigned i = 0; i < arguments.count; ++i) {
    unsigned seed = arguments.first + i;
    ++types[getLayerType(seed)];
    failures += !checkSeed(seed, arguments, arguments.keep);
  }
  llvm::outs() << arguments.count - failures << " of " << arguments.count
               << " layers passed, of " << types.size() << " types, seeds "
               << arguments.first << " to "
               << arguments.first + arguments.count - 1 << "\n";
  return failures ? 1 : 0;
}
