// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeAlgorithm.h"

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vae;

ArrayRef<Algorithm> Algorithm::getAll() {
  static constexpr Algorithm all[] = {{0}, {2}, {4}, {6}};
  return all;
}

std::optional<Algorithm> Algorithm::parse(StringRef text) {
  for (const Algorithm &algorithm : getAll())
    if (algorithm.str() == text)
      return algorithm;
  return std::nullopt;
}

std::string Algorithm::str() const {
  return winograd ? "winograd" + std::to_string(winograd) : "direct";
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
  return op->emitOpError() << "expected '" << kAlgorithmAttr
                           << "' to be \"direct\", \"winograd2\", "
                              "\"winograd4\" or \"winograd6\", found "
                           << attribute;
}
