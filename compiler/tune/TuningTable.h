// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What was measured of convolutions, and what won: a text file that people
// read, compare and edit (docs/cli.md, "Tuning").
#ifndef COMPILER_TUNE_TUNINGTABLE_H
#define COMPILER_TUNE_TUNINGTABLE_H

#include "dialects/vae/IR/VaeAlgorithm.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <utility>
#include <vector>

namespace vae {

/// A convolution of one shape.
struct TunedLayer {
  std::string shape; // LayerShape::str
  Algorithm choice;
  /// Milliseconds of algorithms, in the order of Algorithm::getAll; those that
  /// were not measured are missing.
  std::vector<std::pair<Algorithm, double>> times;

  /// Sets `choice` to the fastest that is worth it (isWorth).
  void choose();
};

class TuningTable {
public:
  /// Version of the format, in the first line.
  static constexpr int64_t kVersion = 1;

  /// What was measured, and with what; empty: not said.
  std::string compiler, cpu, features, precision;

  /// In the order in which they were added.
  llvm::ArrayRef<TunedLayer> getLayers() const { return layers; }
  /// Null if the shape was not measured.
  const TunedLayer *find(llvm::StringRef shape) const;
  /// False if there is one of the shape.
  bool add(TunedLayer layer);

  /// Reads a table. Errors are emitted at the line and column of `path`.
  static llvm::FailureOr<TuningTable>
  parse(llvm::StringRef text, llvm::StringRef path, mlir::MLIRContext &context);
  void print(llvm::raw_ostream &out) const;

private:
  std::vector<TunedLayer> layers;
  llvm::StringMap<size_t> places;
};

} // namespace vae

#endif // COMPILER_TUNE_TUNINGTABLE_H
