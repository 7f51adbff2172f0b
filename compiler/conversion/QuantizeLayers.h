// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which layers can multiply integers of 8 bits, and should.
#ifndef COMPILER_CONVERSION_QUANTIZELAYERS_H
#define COMPILER_CONVERSION_QUANTIZELAYERS_H

#include "compiler/calibrate/Range.h"
#include "compiler/conversion/AlgorithmChooser.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace vae {

/// The range of a tensor as text, NAME:LOW:HIGH, which is read back exactly.
/// What means something in an option of a pass is written %XX.
std::string formatRange(llvm::StringRef name, const Range &range);
/// Nothing if it is no such text, or the ends are no numbers in order.
std::optional<std::pair<std::string, Range>> parseRange(llvm::StringRef text);

/// Why there is no code for a layer that multiplies integers; empty if there
/// is.
llvm::StringRef getIntegerObstacle(mlir::Operation *layer);

/// Whether a layer with an integer form is faster with it than without.
/// `chooser` knows how it is computed without.
bool paysInteger(mlir::Operation *layer, const AlgorithmChooser &chooser);

/// The integers of a layer's weights, by output unit.
struct WeightSums {
  /// Null if a weight is no finite number.
  mlir::quant::QuantizedType type;
  /// Sums of the positive integers and of the amounts of the negative ones.
  std::vector<int64_t> positive, negative;
  /// Depthwise convolutions sum up in f32, which is exact up to 2^24.
  bool depthwise = false;

  /// `layer` has constant weights.
  explicit WeightSums(mlir::Operation *layer);

  /// Whether 32 bits (24 of f32) hold, for all data q of 8 bits with that zero
  /// point and each output unit, the sums of (q - zero point) * v and of q * v,
  /// and the zero point times the sum of v.
  bool fit(int64_t zeroPoint) const;
};

} // namespace vae

#endif // COMPILER_CONVERSION_QUANTIZELAYERS_H
