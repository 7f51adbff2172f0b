// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/AlgorithmChooser.h"

#include "compiler/conversion/LayerShape.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeQuant.h"

using namespace mlir;
using namespace vae;

StringRef vae::stringifyAlgorithmSource(AlgorithmSource source) {
  switch (source) {
  case AlgorithmSource::Forced:
    return "forced";
  case AlgorithmSource::Exact:
    return "exact";
  case AlgorithmSource::Tuned:
    return "tuned";
  case AlgorithmSource::Model:
    return "model";
  }
  return "";
}

/// The largest tile that is exact enough in block floating point.
static constexpr int64_t kMostBlockFloatOutputs = 4;

bool AlgorithmRules::allows(const Algorithm &algorithm) const {
  if (algorithm.stored && (blockFloat || !stores))
    return false;
  return !blockFloat || algorithm.winograd <= kMostBlockFloatOutputs;
}

/// Reads "KEY=ALGORITHM"; without a key, for all.
static llvm::Error readNames(ArrayRef<std::string> texts,
                             llvm::StringMap<Algorithm> &names) {
  for (const std::string &text : texts) {
    auto [key, name] = StringRef(text).rsplit('=');
    if (name.empty())
      std::swap(key, name);
    auto algorithm = Algorithm::parse(name);
    if (!algorithm)
      return llvm::createStringError("unknown algorithm '" + name + "'");
    names[key] = *algorithm;
  }
  return llvm::Error::success();
}

llvm::Expected<AlgorithmChooser>
AlgorithmChooser::create(const AlgorithmRules &rules) {
  AlgorithmChooser chooser;
  chooser.rules = rules;
  if (llvm::Error error = readNames(rules.algorithms, chooser.forced))
    return error;
  if (llvm::Error error = readNames(rules.tuned, chooser.tuned))
    return error;
  return chooser;
}

AlgorithmChoice AlgorithmChooser::obey(Operation *op, AlgorithmSource source,
                                       const Algorithm &wanted,
                                       bool ofLayer) const {
  AlgorithmChoice choice;
  choice.source = source;
  if (getCost(rules.target, op, wanted))
    choice.algorithm = wanted;
  else if (ofLayer)
    choice.refused = wanted;
  return choice;
}

std::optional<AlgorithmChoice> AlgorithmChooser::choose(Operation *op) const {
  if (isIntegerLayer(op))
    return std::nullopt; // its sums are exact, and direct
  AlgorithmChoice best;
  auto direct =
      getCost(rules.target, op, best.algorithm, getPrecision(best.algorithm));
  if (!direct)
    return std::nullopt;
  auto one = forced.find(getLayerName(op->getLoc()));
  if (one != forced.end())
    return obey(op, AlgorithmSource::Forced, one->second,
                /*ofLayer=*/!one->first().empty());
  auto all = forced.find("");
  if (all != forced.end())
    return obey(op, AlgorithmSource::Forced, all->second, /*ofLayer=*/false);
  if (!rules.fast) {
    best.source = AlgorithmSource::Exact;
    return best;
  }
  if (!tuned.empty()) {
    auto measured = tuned.find(LayerShape::of(op)->str());
    if (measured != tuned.end()) {
      // Measured with other storage: the same tile has the same results.
      Algorithm wanted = measured->second;
      if (!rules.allows(wanted))
        wanted.stored = false;
      if (rules.allows(wanted))
        return obey(op, AlgorithmSource::Tuned, wanted, /*ofLayer=*/true);
    }
  }
  double least = *direct;
  for (const Algorithm &algorithm : Algorithm::getAll()) {
    auto cost = getCost(rules.target, op, algorithm, getPrecision(algorithm));
    if (!cost || !rules.allows(algorithm) ||
        !isWorth(algorithm, *cost, least) ||
        !isAffordable(rules.target, op, algorithm))
      continue;
    best.algorithm = algorithm;
    least = *cost;
  }
  return best;
}

std::optional<double> AlgorithmChooser::getChosenCost(Operation *op) const {
  auto choice = choose(op);
  if (!choice)
    return std::nullopt;
  return getCost(rules.target, op, choice->algorithm,
                 getPrecision(choice->algorithm));
}

std::optional<double> AlgorithmChooser::getIntegerCost(Operation *op) const {
  return getCost(rules.target, op, Algorithm(), Precision::INT8);
}
