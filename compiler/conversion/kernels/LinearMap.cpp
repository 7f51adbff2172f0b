// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/LinearMap.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace vae;

/// A factor and what it multiplies.
using Term = std::pair<double, Value>;

/// The sum, which begins with a term that costs nothing, if there is one. Null
/// without terms.
static Value emitSum(Emitter &e, SmallVector<Term> terms) {
  llvm::erase_if(terms, [](const Term &term) { return term.first == 0; });
  if (terms.empty())
    return {};
  auto *first =
      llvm::find_if(terms, [](const Term &t) { return t.first == 1; });
  if (first != terms.end())
    std::rotate(terms.begin(), first, first + 1);
  Value sum;
  for (auto [factor, value] : terms) {
    if (!sum)
      sum = factor == 1    ? value
            : factor == -1 ? e.negf(value)
                           : e.mulf(e.constant(value.getType(), factor), value);
    else if (factor == 1)
      sum = e.addf(sum, value);
    else if (factor == -1)
      sum = e.subf(sum, value);
    else
      sum = e.fma(e.constant(value.getType(), factor), value, sum);
  }
  return sum;
}

LinearMap::LinearMap(Matrix rows) : matrix(std::move(rows)) {
  findRowGroups();
  findColumnPairs();
}

/// Rows whose entries differ in signs only, in some of them.
void LinearMap::findRowGroups() {
  auto differInSigns = [](ArrayRef<double> a, ArrayRef<double> b) {
    bool shared = false;
    for (auto [x, y] : llvm::zip(a, b)) {
      if (std::abs(x) != std::abs(y))
        return false;
      shared |= x == y && x != 0;
    }
    return shared && a != b;
  };
  SmallVector<bool> taken(matrix.size(), false);
  for (int64_t row = 0; row < getNumRows(); ++row) {
    if (taken[row])
      continue;
    groups.push_back({row});
    for (int64_t other = row + 1; other < getNumRows(); ++other)
      if (!taken[other] && differInSigns(matrix[row], matrix[other])) {
        groups.back().push_back(other);
        taken[other] = true;
        break;
      }
  }
}

void LinearMap::findColumnPairs() {
  SmallVector<bool> taken(getNumColumns(), false);
  for (int64_t a = 0; a < getNumColumns(); ++a)
    for (int64_t b = a + 1; b < getNumColumns() && !taken[a]; ++b) {
      int64_t shared = 0;
      bool differ = !taken[b];
      for (const std::vector<double> &row : matrix) {
        differ &= std::abs(row[a]) == std::abs(row[b]);
        shared += row[a] != 0;
      }
      if (!differ || shared < 2)
        continue;
      taken[a] = taken[b] = true;
      columnPairs.push_back({a, b});
    }
}

bool LinearMap::uses(ArrayRef<int64_t> rows, int64_t column) const {
  return llvm::any_of(rows,
                      [&](int64_t row) { return matrix[row][column] != 0; });
}

/// What two rows share, and what has another sign: their sum and difference.
Emitter::Values LinearMap::emitPair(Emitter &e, int64_t row, int64_t other,
                                    ArrayRef<Value> values) const {
  SmallVector<Term> same, opposite;
  for (auto [column, value] : llvm::enumerate(values)) {
    double factor = matrix[row][column];
    (factor == matrix[other][column] ? same : opposite)
        .push_back({factor, value});
  }
  Value x = emitSum(e, same), y = emitSum(e, opposite);
  return {e.addf(x, y), e.subf(x, y)};
}

/// Sums and differences of paired columns first.
Emitter::Values LinearMap::emitByColumns(Emitter &e, ArrayRef<int64_t> rows,
                                         ArrayRef<Value> values) const {
  SmallVector<SmallVector<Term>> terms(rows.size());
  SmallVector<bool> paired(values.size(), false);
  for (auto [a, b] : columnPairs) {
    paired[a] = paired[b] = true;
    Value sum, difference;
    for (auto [row, list] : llvm::zip(rows, terms)) {
      double factor = matrix[row][a];
      if (factor == 0)
        continue;
      bool same = factor == matrix[row][b];
      Value &value = same ? sum : difference;
      if (!value)
        value =
            same ? e.addf(values[a], values[b]) : e.subf(values[a], values[b]);
      list.push_back({factor, value});
    }
  }
  for (auto [column, value] : llvm::enumerate(values))
    if (!paired[column])
      for (auto [row, list] : llvm::zip(rows, terms))
        list.push_back({matrix[row][column], value});
  Emitter::Values result;
  for (SmallVector<Term> &list : terms)
    result.push_back(emitSum(e, std::move(list)));
  return result;
}

Emitter::Values LinearMap::emit(Emitter &e, ArrayRef<int64_t> rows,
                                ArrayRef<Value> values) const {
  if (rows.size() == 2 && llvm::is_contained(groups, rows))
    return emitPair(e, rows[0], rows[1], values);
  return emitByColumns(e, rows, values);
}

Emitter::Values LinearMap::emit(Emitter &e, ArrayRef<Value> values) const {
  Emitter::Values result(getNumRows());
  auto put = [&](ArrayRef<int64_t> rows) {
    for (auto [row, value] : llvm::zip(rows, emit(e, rows, values)))
      result[row] = value;
  };
  if (columnPairs.empty()) {
    for (ArrayRef<int64_t> group : groups)
      put(group);
  } else {
    put(llvm::to_vector(llvm::seq<int64_t>(0, getNumRows())));
  }
  return result;
}
