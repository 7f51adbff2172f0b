// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/conversion/QuantizeLayers.h"

#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/IR/VaeQuantAttention.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace vae;

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

std::string vae::formatRange(StringRef name, const Range &range) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (char c : name) {
    if (llvm::isAlnum(c) || StringRef("_-.+:#/").contains(c))
      out << c;
    else
      out << llvm::format("%%%02X", static_cast<unsigned char>(c));
  }
  // Nine digits tell any f32 from its neighbours.
  out << llvm::format(":%.9g:%.9g", range.low, range.high);
  return text;
}

static std::optional<std::string> unescape(StringRef text) {
  std::string name;
  while (!text.empty()) {
    char c = text.front();
    text = text.drop_front();
    if (c == '%') {
      unsigned code = 0;
      if (text.size() < 2 || text.take_front(2).getAsInteger(16, code))
        return std::nullopt;
      c = static_cast<char>(code);
      text = text.drop_front(2);
    }
    name += c;
  }
  return name;
}

std::optional<std::pair<std::string, Range>> vae::parseRange(StringRef text) {
  auto [start, high] = text.rsplit(':');
  auto [escaped, low] = start.rsplit(':');
  auto name = unescape(escaped);
  double ends[2];
  if (!name || name->empty() || low.getAsDouble(ends[0]) ||
      high.getAsDouble(ends[1]) || !std::isfinite(ends[0]) ||
      !std::isfinite(ends[1]) || ends[0] > ends[1])
    return std::nullopt;
  return std::make_pair(
      *name, Range{static_cast<float>(ends[0]), static_cast<float>(ends[1])});
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

StringRef vae::getIntegerObstacle(Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return getIntegerObstacle(attention);
  auto layer = dyn_cast<PrunableOpInterface>(op);
  if (!layer || !getConstant(op->getOperand(layer.getWeightIndex())))
    return "its weights are no constant";
  return "";
}

bool vae::paysInteger(Operation *op, const AlgorithmChooser &chooser) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return getAttentionCost(chooser.getTarget(), attention, Precision::INT8) <
           getAttentionCost(chooser.getTarget(), attention, Precision::F32);
  auto integers = chooser.getIntegerCost(op);
  auto others = chooser.getChosenCost(op);
  return !integers || !others || *integers < *others;
}

WeightSums::WeightSums(Operation *op) {
  auto layer = cast<PrunableOpInterface>(op);
  ElementsAttr value =
      getConstant(op->getOperand(layer.getWeightIndex())).getValue();
  ArrayRef<int64_t> shape = value.getShapedType().getShape();
  int64_t axis = layer.getOutputUnitAxis(), inner = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  std::vector<float> buffer;
  ArrayRef<float> values = getFloats(value, buffer);
  op->getContext()->getLoadedDialect<VaeDialect>()->getMappedFiles().countRead(
      values.size() * sizeof(float));
  if (values.empty() ||
      !llvm::all_of(values, [](float x) { return std::isfinite(x); }))
    return;
  type = getWeightType8(op->getContext(), values, shape, axis);
  auto units = [&](Value value) {
    return cast<RankedTensorType>(value.getType())
        .getDimSize(layer.getUnitAxis());
  };
  depthwise = layer.getUnitGroups() > 1 &&
              units(layer.getDataOperand().get()) == layer.getUnitGroups();
  positive.resize(shape[axis]);
  negative.resize(shape[axis]);
  std::vector<int8_t> integers = quantizeWeight(values, shape, type);
  for (auto [i, integer] : llvm::enumerate(integers)) {
    int64_t unit = static_cast<int64_t>(i) / inner % shape[axis];
    (integer > 0 ? positive : negative)[unit] += std::abs(integer);
  }
}

bool WeightSums::fit(int64_t zeroPoint) const {
  constexpr int64_t kMostOfF32 = int64_t(1) << 24;
  const int64_t most32 = std::numeric_limits<int32_t>::max();
  const int64_t limit = depthwise ? kMostOfF32 : most32;
  constexpr int64_t kHighest = 255;
  for (auto [plus, minus] : llvm::zip(positive, negative)) {
    int64_t up = kHighest - zeroPoint;
    // Each sum is largest where the data are at one end for positive weights
    // and at the other for negative ones.
    for (int64_t most :
         {plus * up + minus * zeroPoint, plus * zeroPoint + minus * up,
          std::max(plus, minus) * kHighest, std::abs(plus - minus) * zeroPoint})
      if (most > limit)
        return false;
  }
  return true;
}
