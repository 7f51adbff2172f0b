// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/LayerKinds.h"

#include "dialects/vae/IR/Vae.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace vae;

llvm::Expected<LayerKinds> LayerKinds::parse(ArrayRef<std::string> texts) {
  LayerKinds result;
  for (const std::string &text : texts) {
    auto [layer, name] = StringRef(text).rsplit('=');
    if (name.empty())
      std::swap(layer, name);
    auto kind = parsePrecisionKind(name);
    if (!kind)
      return llvm::createStringError("layers are [LAYER=]KIND with a kind of " +
                                     listPrecisionKinds() + "; found '" + text +
                                     "'");
    result.kinds[layer] = *kind;
  }
  return result;
}

std::optional<PrecisionKind> LayerKinds::find(Operation *layer) const {
  auto one = kinds.find(getLayerName(layer->getLoc()));
  if (one == kinds.end())
    one = kinds.find("");
  return one == kinds.end() ? std::nullopt : std::optional(one->second);
}

LogicalResult vae::readKinds(ArrayRef<std::string> texts, LayerKinds &kinds,
                             MLIRContext *context) {
  auto parsed = LayerKinds::parse(texts);
  if (!parsed)
    return emitError(UnknownLoc::get(context)) << toString(parsed.takeError());
  kinds = std::move(*parsed);
  return success();
}

bool LayerKinds::has(PrecisionKind kind) const {
  return llvm::any_of(kinds,
                      [&](const auto &entry) { return entry.second == kind; });
}
