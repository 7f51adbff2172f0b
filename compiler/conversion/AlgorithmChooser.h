// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who decides how a convolution is computed: what the user says of it, else
// --exact-conv, else what was measured, else the model of the machine.
#ifndef COMPILER_CONVERSION_ALGORITHMCHOOSER_H
#define COMPILER_CONVERSION_ALGORITHMCHOOSER_H

#include "compiler/conversion/CostModel.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <string>

namespace vae {

enum class AlgorithmSource {
  Forced, // --algorithm
  Exact,  // --exact-conv, -O0 or -O1: nothing but direct
  Tuned,  // a tuning table
  Model   // the cost model
};
llvm::StringRef stringifyAlgorithmSource(AlgorithmSource source);

/// Options of vae-choose-algorithm.
struct AlgorithmRules {
  bool fast = false;                   // algorithms other than direct
  std::vector<std::string> algorithms; // "[LAYER=]ALGORITHM"
  std::vector<std::string> tuned;      // "SHAPE=ALGORITHM" (LayerShape.h)
  bool blockFloat = false;             // Winograd's products of 16 bits
  bool bf16 = false;                   // direct products of 16 bits
  bool stores = true;                  // transformed weights, unasked
  KernelTarget target;

  /// Whether an algorithm is exact enough to be chosen unasked, and there is
  /// one.
  bool allows(const Algorithm &algorithm) const;

  /// Those of a pass with AlgorithmOptions (Passes.td).
  template <typename PassTy> static AlgorithmRules of(const PassTy &pass) {
    AlgorithmRules rules;
    rules.fast = pass.fast;
    rules.algorithms.assign(pass.algorithms.begin(), pass.algorithms.end());
    rules.tuned.assign(pass.tuned.begin(), pass.tuned.end());
    rules.blockFloat = pass.blockFloat;
    rules.bf16 = pass.bf16;
    rules.stores = pass.stores;
    rules.target.vectorWidth = pass.vectorWidth;
    rules.target.vectorRegisters = pass.vectorRegisters;
    rules.target.wordDots = pass.blockFloat || pass.wordDots;
    rules.target.byteDots = pass.byteDots;
    rules.target.vnni = pass.vnni;
    rules.target.amxInt8 = pass.amxInt8;
    rules.target.amxBf16 = pass.amxBf16;
    return rules;
  }
};

struct AlgorithmChoice {
  Algorithm algorithm;
  AlgorithmSource source = AlgorithmSource::Model;
  /// What was asked for and cannot compute the layer, which is direct
  /// therefore.
  std::optional<Algorithm> refused;
};

class AlgorithmChooser {
public:
  /// Fails on names of no algorithm.
  static llvm::Expected<AlgorithmChooser> create(const AlgorithmRules &rules);
  /// Nothing for operations that have no algorithms. Does not look at the
  /// values of weights.
  std::optional<AlgorithmChoice> choose(mlir::Operation *op) const;
  /// What an operation costs as it would be chosen, or with integers. Nothing
  /// for operations that have no algorithms.
  std::optional<double> getChosenCost(mlir::Operation *op) const;
  std::optional<double> getIntegerCost(mlir::Operation *op) const;
  const KernelTarget &getTarget() const { return rules.target; }

private:
  /// What the products of an algorithm will be of.
  Precision getPrecision(const Algorithm &algorithm) const {
    if (rules.bf16 && !algorithm.winograd)
      return Precision::BF16;
    return rules.blockFloat ? Precision::BFP16 : Precision::F32;
  }
  AlgorithmChoice obey(mlir::Operation *op, AlgorithmSource source,
                       const Algorithm &wanted, bool ofLayer) const;

  AlgorithmRules rules;
  llvm::StringMap<Algorithm> forced, tuned;
};

} // namespace vae

#endif // COMPILER_CONVERSION_ALGORITHMCHOOSER_H
