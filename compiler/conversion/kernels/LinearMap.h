// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMPILER_CONVERSION_KERNELS_LINEARMAP_H
#define COMPILER_CONVERSION_KERNELS_LINEARMAP_H

#include "compiler/conversion/kernels/Emitter.h"

#include <array>

namespace vae {

/// A small constant matrix, row by row.
using Matrix = std::vector<std::vector<double>>;

/// Numbers that are computed side by side at compile time.
struct FloatLanes {
  static constexpr int64_t kCount = 16;
  std::array<float, kCount> lanes = {};
  bool given = false;
  explicit operator bool() const { return given; }
};

/// Emits products of a small constant matrix with vectors of f32 or f64. Rows
/// that differ in signs only, and columns that do, share their work.
class LinearMap {
public:
  explicit LinearMap(Matrix matrix);

  int64_t getNumRows() const { return static_cast<int64_t>(matrix.size()); }
  int64_t getNumColumns() const {
    return static_cast<int64_t>(matrix.front().size());
  }
  /// Rows that are best computed together.
  llvm::ArrayRef<llvm::SmallVector<int64_t, 2>> getRowGroups() const {
    return groups;
  }
  /// Whether some of these rows need a column.
  bool uses(llvm::ArrayRef<int64_t> rows, int64_t column) const;
  /// The products of these rows; values of columns that they do not use may be
  /// null.
  Emitter::Values emit(Emitter &e, llvm::ArrayRef<int64_t> rows,
                       llvm::ArrayRef<mlir::Value> values) const;
  Emitter::Values emit(Emitter &e, llvm::ArrayRef<mlir::Value> values) const;
  /// What the code that is emitted computes of f32, bit for bit.
  llvm::SmallVector<FloatLanes> apply(llvm::ArrayRef<FloatLanes> values) const;

private:
  // V are values, E how to compute with them: one description serves code and
  // numbers.
  template <typename E, typename V>
  llvm::SmallVector<V> evaluatePair(E &e, int64_t row, int64_t other,
                                    llvm::ArrayRef<V> values) const;
  template <typename E, typename V>
  llvm::SmallVector<V> evaluateByColumns(E &e, llvm::ArrayRef<int64_t> rows,
                                         llvm::ArrayRef<V> values) const;
  template <typename E, typename V>
  llvm::SmallVector<V> evaluate(E &e, llvm::ArrayRef<int64_t> rows,
                                llvm::ArrayRef<V> values) const;
  template <typename E, typename V>
  llvm::SmallVector<V> evaluate(E &e, llvm::ArrayRef<V> values) const;
  void findRowGroups();
  void findColumnPairs();

  Matrix matrix;
  llvm::SmallVector<llvm::SmallVector<int64_t, 2>> groups;
  /// Columns whose entries differ in signs only.
  llvm::SmallVector<std::pair<int64_t, int64_t>> columnPairs;
};

} // namespace vae

#endif // COMPILER_CONVERSION_KERNELS_LINEARMAP_H
