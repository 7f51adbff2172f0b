// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges of activations as a text file: docs/calibration.md.
#ifndef COMPILER_CALIBRATE_RANGETABLE_H
#define COMPILER_CALIBRATE_RANGETABLE_H

#include "compiler/calibrate/Range.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace vae {

struct TensorRanges {
  /// The layer, or the input.
  std::string name;
  /// Numbers that were seen, and how many of them are NaN or infinite.
  uint64_t count = 0, nonfinite = 0;
  Ranges ranges;
  /// None if the tensor has no dimension of channels.
  std::vector<Ranges> channels;

  bool operator==(const TensorRanges &other) const;
};

/// RangeTable::data of a model that made its own.
inline constexpr llvm::StringLiteral kGeneratedData = "generated";

struct RangeTable {
  /// Name and hash (ModelHash.h) of the model.
  std::string model, hash;
  /// What it was run on: "generated", or the names of files.
  std::string data;
  uint64_t samples = 0, seed = 0;
  std::vector<TensorRanges> tensors;
  /// SHA-256, in hexadecimal digits, of the numbers that it was measured on,
  /// and of the text that it was read from. Not in the file; empty if unknown.
  std::string dataHash, fileHash;

  /// Null if there is none of that name.
  const TensorRanges *find(llvm::StringRef name) const;
  bool operator==(const RangeTable &other) const;
};

void printRangeTable(const RangeTable &table, llvm::raw_ostream &out);

/// Errors begin with "FILE:LINE: error: ", and say what would do.
llvm::Expected<RangeTable> parseRangeTable(llvm::StringRef text,
                                           llvm::StringRef file);

/// Fails if the table is not of the model with that hash; `remedy` says how
/// another one is written.
llvm::Error checkRangeTable(
    const RangeTable &table, llvm::StringRef file, llvm::StringRef model,
    llvm::StringRef hash,
    llvm::StringRef remedy = "write the table again with vaec calibrate");

} // namespace vae

#endif // COMPILER_CALIBRATE_RANGETABLE_H
