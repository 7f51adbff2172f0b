// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tune/Candidates.h"

#include "compiler/conversion/CostModel.h"
#include "compiler/conversion/LayerShape.h"
#include "dialects/vae/IR/Vae.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace vae;

void Candidates::add(ModuleOp fused, const Algorithm &algorithm) {
  if (!module) {
    module = ModuleOp::create(fused.getLoc());
    for (StringRef name : {kSymbolsAttr, kModelAttr})
      if (Attribute attribute = fused->getAttr(name))
        (*module)->setAttr(name, attribute);
  }
  for (auto entry : fused.getOps<func::FuncOp>())
    if (!tiling)
      tiling = entry->getAttr(kTilingAttr);
  for (auto entry : fused.getOps<func::FuncOp>())
    if (entry->hasAttr(kEntryAttr) && !entry->hasAttr(kSegmentAttr))
      for (Operation &op : entry.getBody().front())
        add(&op, algorithm);
}

void Candidates::add(Operation *op, const Algorithm &algorithm) {
  auto shape = LayerShape::of(op);
  if (!shape || known.find(shape->str()) || !getConstant(op->getOperand(1)) ||
      !getCost(target, op, algorithm) || !isAffordable(target, op, algorithm) ||
      !(getAlgorithm(op) == algorithm))
    return;
  CandidateLayer &layer = getLayer(op, shape->str());
  for (const auto &[other, entry] : layer.algorithms)
    if (other == algorithm)
      return;
  std::string entry =
      ("layer" + Twine(places[layer.shape]) + "." + algorithm.str()).str();
  addEntry(op, entry);
  layer.algorithms.push_back({algorithm, entry});
}

CandidateLayer &Candidates::getLayer(Operation *op, StringRef shape) {
  auto [place, isNew] = places.try_emplace(shape, layers.size());
  if (!isNew)
    return layers[place->second];
  CandidateLayer &layer = layers.emplace_back();
  layer.name = getLayerName(op->getLoc()).str();
  layer.shape = shape.str();
  auto image = cast<RankedTensorType>(op->getOperand(0).getType());
  layer.dynamic =
      llvm::any_of(image.getShape().drop_front(2), ShapedType::isDynamic);
  return layer;
}

static DictionaryAttr describe(OpBuilder &builder, RankedTensorType type,
                               unsigned numSymbols) {
  SmallVector<AffineExpr> dims;
  for (int64_t size : type.getShape())
    dims.push_back(builder.getAffineConstantExpr(size));
  return builder.getDictionaryAttr(
      {builder.getNamedAttr(kNameAttr, builder.getStringAttr("image")),
       builder.getNamedAttr(kRoleAttr, builder.getStringAttr("layer")),
       builder.getNamedAttr(kLayoutAttr, builder.getStringAttr(
                                             getLogicalLayout(type.getRank()))),
       builder.getNamedAttr(kDimsAttr,
                            AffineMapAttr::get(AffineMap::get(
                                0, numSymbols, dims, builder.getContext())))});
}

/// An entry point that converts the layout of its argument, as if a layer had
/// written it, with the border that the convolution reads; then computes the
/// convolution, without a residual.
void Candidates::addEntry(Operation *op, StringRef name) {
  LayerShape shape = *LayerShape::of(op);
  OpBuilder builder(module->getBodyRegion());
  builder.setInsertionPointToEnd(module->getBody());
  auto symbols = (*module)->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  unsigned numSymbols = symbols ? symbols.size() : 1;
  auto input = RankedTensorType::get(shape.input, builder.getF32Type());
  auto typeLike = [&](Value value, ArrayRef<int64_t> sizes) {
    auto type = cast<RankedTensorType>(value.getType());
    return RankedTensorType::get(sizes, type.getElementType(),
                                 type.getEncoding());
  };
  RankedTensorType inside = typeLike(op->getOperand(0), shape.input);
  RankedTensorType output = typeLike(op->getResult(0), shape.output);

  Location loc = NameLoc::get(builder.getStringAttr("(input)"));
  auto entry = func::FuncOp::create(builder, loc, name,
                                    builder.getFunctionType({input}, {output}));
  entry->setAttr(kEntryAttr, builder.getUnitAttr());
  // Where a run can be cut into parts, kernels are made for it.
  if (tiling)
    entry->setAttr(kTilingAttr, tiling);
  entry.setArgAttrs(0, describe(builder, input, numSymbols));
  entry.setResultAttrs(0, describe(builder, output, numSymbols));
  Block *body = entry.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  Value x = body->getArgument(0);
  if (inside != input)
    x = ConvertLayoutOp::create(builder, loc, inside, x);
  mapping.map(op->getOperand(0), x);
  for (Value operand : op->getOperands().drop_front())
    if (ConstantOp constant = getConstant(operand))
      builder.clone(*constant, mapping);
  Operation *layer = builder.clone(*op, mapping);
  if (auto conv = dyn_cast<Conv2dOp>(layer))
    conv.getResidualMutable().clear();
  else
    cast<ConvTranspose2dOp>(layer).getResidualMutable().clear();
  layer->getResult(0).setType(output);
  func::ReturnOp::create(builder, loc, layer->getResults());
}

std::vector<CandidateLayer> Candidates::getLayers() const {
  std::vector<CandidateLayer> chosen;
  llvm::copy_if(
      layers, std::back_inserter(chosen),
      [](const CandidateLayer &layer) { return layer.algorithms.size() > 1; });
  return chosen;
}
