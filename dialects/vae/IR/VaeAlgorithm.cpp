// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/IR/VaeAlgorithm.h"

#include "dialects/vae/IR/Vae.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vae;

static constexpr StringLiteral kDirect = "direct";
static constexpr StringLiteral kWinograd = "winograd";

std::optional<Algorithm> Algorithm::parse(StringRef text) {
  Algorithm result;
  if (text == kDirect)
    return result;
  constexpr int64_t most = 6;
  if (text.consume_front(kWinograd) &&
      !text.getAsInteger(10, result.winograd) && result.winograd >= 2 &&
      result.winograd <= most && result.winograd % 2 == 0)
    return result;
  return std::nullopt;
}

std::string Algorithm::str() const {
  return winograd ? (kWinograd + llvm::Twine(winograd)).str() : kDirect.str();
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
