// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/kernels/LinearMap.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace vae;

namespace {
/// Computes by emitting operations.
struct Emission {
  Emitter &e;
  Value scale(double factor, Value x) {
    return e.mulf(e.constant(x.getType(), factor), x);
  }
  Value negate(Value x) { return e.negf(x); }
  Value add(Value x, Value y) { return e.addf(x, y); }
  Value subtract(Value x, Value y) { return e.subf(x, y); }
  Value addScaled(double factor, Value x, Value y) {
    return e.fma(e.constant(x.getType(), factor), x, y);
  }
};

/// Computes with numbers as that code does.
struct Computation {
  template <typename Function>
  static FloatLanes map(Function function, const FloatLanes &x,
                        const FloatLanes &y) {
    FloatLanes result;
    result.given = true;
    for (int64_t i = 0; i < FloatLanes::kCount; ++i)
      result.lanes[i] = function(x.lanes[i], y.lanes[i]);
    return result;
  }
  FloatLanes scale(double factor, const FloatLanes &x) {
    float f = static_cast<float>(factor);
    return map([f](float a, float) { return f * a; }, x, x);
  }
  FloatLanes negate(const FloatLanes &x) {
    return map([](float a, float) { return -a; }, x, x);
  }
  FloatLanes add(const FloatLanes &x, const FloatLanes &y) {
    return map([](float a, float b) { return a + b; }, x, y);
  }
  FloatLanes subtract(const FloatLanes &x, const FloatLanes &y) {
    return map([](float a, float b) { return a - b; }, x, y);
  }
  FloatLanes addScaled(double factor, const FloatLanes &x,
                       const FloatLanes &y) {
    float f = static_cast<float>(factor);
    return map([f](float a, float b) { return std::fma(f, a, b); }, x, y);
  }
};
} // namespace

/// A factor and what it multiplies.
template <typename V> using Term = std::pair<double, V>;

/// The sum, which begins with a term that costs nothing, if there is one. Null
/// without terms.
template <typename E, typename V>
static V getSum(E &e, SmallVector<Term<V>> terms) {
  llvm::erase_if(terms, [](const Term<V> &term) { return term.first == 0; });
  if (terms.empty())
    return {};
  auto *first =
      llvm::find_if(terms, [](const Term<V> &t) { return t.first == 1; });
  if (first != terms.end())
    std::rotate(terms.begin(), first, first + 1);
  V sum;
  for (const auto &[factor, value] : terms) {
    if (!sum)
      sum = factor == 1    ? value
            : factor == -1 ? e.negate(value)
                           : e.scale(factor, value);
    else if (factor == 1)
      sum = e.add(sum, value);
    else if (factor == -1)
      sum = e.subtract(sum, value);
    else
      sum = e.addScaled(factor, value, sum);
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
template <typename E, typename V>
SmallVector<V> LinearMap::evaluatePair(E &e, int64_t row, int64_t other,
                                       ArrayRef<V> values) const {
  SmallVector<Term<V>> same, opposite;
  for (const auto &[column, value] : llvm::enumerate(values)) {
    double factor = matrix[row][column];
    (factor == matrix[other][column] ? same : opposite)
        .push_back({factor, value});
  }
  V x = getSum(e, same), y = getSum(e, opposite);
  V sum = e.add(x, y);
  return {sum, e.subtract(x, y)};
}

/// Sums and differences of paired columns first.
template <typename E, typename V>
SmallVector<V> LinearMap::evaluateByColumns(E &e, ArrayRef<int64_t> rows,
                                            ArrayRef<V> values) const {
  SmallVector<SmallVector<Term<V>>> terms(rows.size());
  SmallVector<bool> paired(values.size(), false);
  for (auto [a, b] : columnPairs) {
    paired[a] = paired[b] = true;
    V sum, difference;
    for (const auto &[row, list] : llvm::zip(rows, terms)) {
      double factor = matrix[row][a];
      if (factor == 0)
        continue;
      bool same = factor == matrix[row][b];
      V &value = same ? sum : difference;
      if (!value)
        value = same ? e.add(values[a], values[b])
                     : e.subtract(values[a], values[b]);
      list.push_back({factor, value});
    }
  }
  for (const auto &[column, value] : llvm::enumerate(values))
    if (!paired[column])
      for (const auto &[row, list] : llvm::zip(rows, terms))
        list.push_back({matrix[row][column], value});
  SmallVector<V> result;
  for (SmallVector<Term<V>> &list : terms)
    result.push_back(getSum(e, std::move(list)));
  return result;
}

template <typename E, typename V>
SmallVector<V> LinearMap::evaluate(E &e, ArrayRef<int64_t> rows,
                                   ArrayRef<V> values) const {
  if (rows.size() == 2 && llvm::is_contained(groups, rows))
    return evaluatePair(e, rows[0], rows[1], values);
  return evaluateByColumns(e, rows, values);
}

template <typename E, typename V>
SmallVector<V> LinearMap::evaluate(E &e, ArrayRef<V> values) const {
  SmallVector<V> result(getNumRows());
  auto put = [&](ArrayRef<int64_t> rows) {
    for (const auto &[row, value] : llvm::zip(rows, evaluate(e, rows, values)))
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

Emitter::Values LinearMap::emit(Emitter &e, ArrayRef<int64_t> rows,
                                ArrayRef<Value> values) const {
  Emission emission = {e};
  return evaluate(emission, rows, values);
}

Emitter::Values LinearMap::emit(Emitter &e, ArrayRef<Value> values) const {
  Emission emission = {e};
  return evaluate(emission, values);
}

SmallVector<FloatLanes> LinearMap::apply(ArrayRef<FloatLanes> values) const {
  Computation computation;
  return evaluate(computation, values);
}
