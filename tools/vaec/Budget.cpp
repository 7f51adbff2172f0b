// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Budget.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace vae::tool;
using vaedata::Statistic;

std::string Budget::parse(const std::string &text, Budget &budget) {
  std::string expected =
      "--max-drop takes elbo:Nnat, elbo:N%, mse:N%, mse:N or psnr:NdB, as "
      "elbo:0.1nat; found '" +
      text + "'";
  auto [name, amount] = llvm::StringRef(text).split(':');
  if (name == "elbo")
    budget.measure = BudgetMeasure::Elbo;
  else if (name == "mse")
    budget.measure = BudgetMeasure::Mse;
  else if (name == "psnr")
    budget.measure = BudgetMeasure::Psnr;
  else
    return expected;
  budget.percent = amount.consume_back("%");
  if (budget.percent && budget.measure == BudgetMeasure::Psnr)
    return "--max-drop: a part of decibels means nothing; write psnr:NdB, or "
           "mse:N% for a part of the error; found '" +
           text + "'";
  if (!budget.percent) {
    bool unit =
        budget.measure == BudgetMeasure::Elbo   ? amount.consume_back("nat")
        : budget.measure == BudgetMeasure::Psnr ? amount.consume_back("dB")
                                                : true;
    if (!unit)
      return expected;
  }
  if (amount.trim().getAsDouble(budget.most))
    return expected;
  if (!std::isfinite(budget.most) || budget.most < 0)
    return "--max-drop: a budget is 0 or more; found '" + text + "'";
  return "";
}

const char *Budget::getName() const {
  switch (measure) {
  case BudgetMeasure::Elbo:
    return "elbo";
  case BudgetMeasure::Mse:
    return "mse";
  case BudgetMeasure::Psnr:
    return "psnr";
  }
  return "";
}

const char *Budget::getEntry() const {
  return measure == BudgetMeasure::Elbo ? "score" : "reconstruct";
}

const char *Budget::getUnit() const {
  if (percent)
    return "%";
  switch (measure) {
  case BudgetMeasure::Elbo:
    return " nat";
  case BudgetMeasure::Mse:
    return "";
  case BudgetMeasure::Psnr:
    return " dB";
  }
  return "";
}

std::string Budget::format(double drop) const {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%.4g", drop) << getUnit();
  return result;
}

Statistic Budget::getDrop(const std::vector<double> &reference,
                          const std::vector<double> &other) const {
  double before = vaedata::summarize(reference).mean;
  double after = vaedata::summarize(other).mean;
  // Of each example, to first order, what it adds to the drop.
  std::vector<double> parts;
  auto add = [&](double ofReference, double ofOther) {
    for (size_t i = 0; i < reference.size(); ++i)
      parts.push_back(ofOther * other[i] - ofReference * reference[i]);
  };
  bool higherIsBetter = measure == BudgetMeasure::Elbo;
  double lost = higherIsBetter ? before - after : after - before;
  double sign = higherIsBetter ? -1 : 1;
  Statistic drop;
  if (measure == BudgetMeasure::Psnr) {
    double scale = 10 / std::log(10.0);
    drop.mean = scale * std::log(after / before);
    add(scale / before, scale / after);
  } else if (percent) {
    double scale = 100 / std::fabs(before);
    drop.mean = scale * lost;
    add(sign * scale * after / before, sign * scale);
  } else {
    drop.mean = lost;
    add(sign, sign);
  }
  drop.error = vaedata::summarize(parts).error;
  return drop;
}
