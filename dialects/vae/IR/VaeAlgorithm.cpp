// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeAlgorithm.h"

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vae;

ArrayRef<Algorithm> Algorithm::getAll() {
  static constexpr Algorithm all[] = {{0, false}, {2, false}, {2, true},
                                      {4, false}, {4, true},  {6, false},
                                      {6, true}};
  return all;
}

std::optional<Algorithm> Algorithm::parse(StringRef text) {
  for (const Algorithm &algorithm : getAll())
    if (algorithm.str() == text)
      return algorithm;
  return std::nullopt;
}

std::string Algorithm::str() const {
  return winograd
             ? "winograd" + std::to_string(winograd) + (stored ? "-stored" : "")
             : "direct";
}

std::string vae::listAlgorithms(StringRef quote) {
  ArrayRef<Algorithm> all = Algorithm::getAll();
  std::string text;
  for (const Algorithm &algorithm : all) {
    bool first = &algorithm == all.begin(), last = &algorithm + 1 == all.end();
    text += first ? "" : last ? " or " : ", ";
    text += (quote + algorithm.str() + quote).str();
  }
  return text;
}

Algorithm vae::getAlgorithm(Operation *op) {
  auto attr = op->getAttrOfType<StringAttr>(kAlgorithmAttr);
  return attr ? Algorithm::parse(attr).value_or(Algorithm()) : Algorithm();
}

void vae::setAlgorithm(Operation *op, Algorithm algorithm) {
  op->setAttr(kAlgorithmAttr,
              StringAttr::get(op->getContext(), algorithm.str()));
}

LogicalResult vae::verifyAlgorithm(Operation *op, Attribute attribute) {
  if (!isa<Conv2dOp, ConvTranspose2dOp>(op))
    return op->emitOpError() << "has no algorithms: '" << kAlgorithmAttr
                             << "' belongs on convolutions";
  auto name = dyn_cast<StringAttr>(attribute);
  if (name && Algorithm::parse(name))
    return success();
  return op->emitOpError() << "expected '" << kAlgorithmAttr << "' to be "
                           << listAlgorithms("\"") << ", found " << attribute;
}
