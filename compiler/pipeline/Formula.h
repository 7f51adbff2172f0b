// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Affine expressions of the dynamic dimensions, as people write them.
#ifndef COMPILER_PIPELINE_FORMULA_H
#define COMPILER_PIPELINE_FORMULA_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/ArrayRef.h"

#include <map>
#include <string>
#include <vector>

namespace vae {

struct DimensionReport;

/// A sum of products of dimensions with rational coefficients. Divisions that
/// round are factors of their own.
class Polynomial {
public:
  /// Symbol i of the expression is dimension i divided by its multiple.
  Polynomial(mlir::AffineExpr expr, llvm::ArrayRef<DimensionReport> dimensions);

  /// "3136*N*height + 64".
  std::string format() const;
  /// Whether no coefficient is greater than the other's. With terms that are
  /// never negative, the value is then not greater either.
  bool isCoveredBy(const Polynomial &other) const;
  Polynomial operator+(const Polynomial &other) const;

private:
  struct Ratio {
    int64_t above = 0, below = 1;
  };
  using Monomial = std::vector<std::string>; // sorted factors

  Polynomial() = default;
  static Polynomial build(mlir::AffineExpr expr,
                          llvm::ArrayRef<DimensionReport> dimensions);
  static Ratio sum(Ratio x, Ratio y);
  void add(const Monomial &monomial, Ratio ratio);

  std::map<Monomial, Ratio> terms;
};

/// The value for a batch, other dimensions at their minimum.
int64_t evaluate(mlir::AffineExpr expr,
                 llvm::ArrayRef<DimensionReport> dimensions, int64_t batch);

} // namespace vae

#endif // COMPILER_PIPELINE_FORMULA_H
