// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Formula.h"

#include "compiler/pipeline/Report.h"

#include <algorithm>
#include <numeric>
#include <tuple>

using namespace mlir;
using namespace vae;

Polynomial::Ratio Polynomial::sum(Ratio x, Ratio y) {
  int64_t above = x.above * y.below + y.above * x.below;
  int64_t below = x.below * y.below;
  int64_t common = std::max<int64_t>(1, std::gcd(above, below));
  return {above / common, below / common};
}

void Polynomial::add(const Monomial &monomial, Ratio ratio) {
  Ratio &entry = terms[monomial];
  entry = sum(entry, ratio);
  if (!entry.above)
    terms.erase(monomial);
}

Polynomial Polynomial::operator+(const Polynomial &other) const {
  Polynomial sum = *this;
  for (const auto &[monomial, ratio] : other.terms)
    sum.add(monomial, ratio);
  return sum;
}

Polynomial::Polynomial(AffineExpr expr, ArrayRef<DimensionReport> dimensions)
    : Polynomial(build(expr, dimensions)) {}

Polynomial Polynomial::build(AffineExpr expr,
                             ArrayRef<DimensionReport> dimensions) {
  Polynomial result;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    result.add({}, {constant.getValue(), 1});
    return result;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    const DimensionReport &dimension = dimensions[symbol.getPosition()];
    result.add({dimension.symbol}, {1, dimension.multiple});
    if (dimension.remainder)
      result.add({}, {-dimension.remainder, dimension.multiple});
    return result;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Polynomial left = build(binary.getLHS(), dimensions);
  Polynomial right = build(binary.getRHS(), dimensions);
  if (binary.getKind() == AffineExprKind::Add)
    return left + right;
  if (binary.getKind() == AffineExprKind::Mul) {
    for (const auto &[m, x] : left.terms)
      for (const auto &[n, y] : right.terms) {
        Monomial product;
        std::merge(m.begin(), m.end(), n.begin(), n.end(),
                   std::back_inserter(product));
        result.add(product, {x.above * y.above, x.below * y.below});
      }
    return result;
  }
  std::string name = binary.getKind() == AffineExprKind::CeilDiv    ? "ceil"
                     : binary.getKind() == AffineExprKind::FloorDiv ? "floor"
                                                                    : "mod";
  std::string quotient =
      name == "mod" ? "mod(" + left.format() + ", " + right.format() + ")"
      : left.terms.size() > 1
          ? name + "((" + left.format() + ")/" + right.format() + ")"
          : name + "(" + left.format() + "/" + right.format() + ")";
  result.add({quotient}, {1, 1});
  return result;
}

std::string Polynomial::format() const {
  // The highest degree first; equal ones in the order of the map.
  std::vector<std::pair<Monomial, Ratio>> order(terms.begin(), terms.end());
  std::sort(order.begin(), order.end(), [](auto &a, auto &b) {
    size_t m = a.first.size(), n = b.first.size();
    return std::tie(n, a.first) < std::tie(m, b.first);
  });
  std::string text;
  for (const auto &[monomial, ratio] : order) {
    bool negative = ratio.above < 0;
    if (text.empty())
      text = negative ? "-" : "";
    else
      text += negative ? " - " : " + ";
    std::string term;
    int64_t above = std::abs(ratio.above);
    if (above != 1 || monomial.empty())
      term = std::to_string(above);
    for (const std::string &factor : monomial)
      term += (term.empty() ? "" : "*") + factor;
    text += term;
    if (ratio.below != 1)
      text += "/" + std::to_string(ratio.below);
  }
  return text.empty() ? "0" : text;
}

bool Polynomial::isCoveredBy(const Polynomial &other) const {
  auto notGreater = [](Ratio x, Ratio y) {
    return x.above * y.below <= y.above * x.below;
  };
  for (const auto &[monomial, ratio] : terms) {
    auto it = other.terms.find(monomial);
    if (!notGreater(ratio, it == other.terms.end() ? Ratio() : it->second))
      return false;
  }
  for (const auto &[monomial, ratio] : other.terms)
    if (!terms.count(monomial) && !notGreater({}, ratio))
      return false;
  return true;
}

int64_t vae::evaluate(AffineExpr expr, ArrayRef<DimensionReport> dimensions,
                      int64_t batch) {
  SmallVector<AffineExpr> values;
  for (const DimensionReport &dimension : dimensions)
    values.push_back(getAffineConstantExpr(
        values.empty() ? batch : dimension.minimum / dimension.multiple,
        expr.getContext()));
  AffineExpr result = expr.replaceSymbols(values);
  return cast<AffineConstantExpr>(simplifyAffineExpr(result, 0, values.size()))
      .getValue();
}
