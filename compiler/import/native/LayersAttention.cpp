// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention, gates and codebooks.
#include "compiler/import/native/LayerBuilder.h"

#include <cmath>

using namespace llvm;
using namespace mlir;
using namespace vae;

/// Indices of entries are f32.
static constexpr int64_t kMaxEntries = int64_t(1) << 24;

LogicalResult vae::buildAttention(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  int64_t heads = fields.getInt("heads", 1, kMaxDim, 1);
  if (!fields.ok())
    return failure();
  int64_t rank = layer.rank();
  int64_t channels = rank == 3 || rank == 4 ? layer.dim(rank == 4 ? 1 : 2)
                                            : ShapedType::kDynamic;
  if (ShapedType::isDynamic(channels) || channels % heads) {
    fields.fail(fields.getPosition(), " ")
        << "expects [N, S, C] or [N, C, H, W] with channels that " << heads
        << " heads divide, '" << layer.inputs.front().name << "' gives "
        << layer.context.emitter.formatDims(layer.dims());
    return failure();
  }
  int64_t width = channels / heads; // of a head
  double scale =
      fields.getNumber("scale", 1 / std::sqrt(static_cast<double>(width)));
  if (!fields.ok())
    return failure();
  Builder &builder = layer.context.emitter.builder;
  return layer.finish(layer.create<AttentionOp>(
      layer.x(), layer.inputs[1].value, layer.inputs[2].value,
      builder.getI64IntegerAttr(heads), builder.getF64FloatAttr(scale)));
}

LogicalResult vae::buildLinearAttention(LayerBuilder &layer) {
  Fields &fields = layer.fields;
  int64_t size = fields.getInt("head_dim", 1, kMaxDim);
  double epsilon = fields.getNumber("epsilon", 1e-15);
  if (epsilon < 0)
    fields.mismatch("epsilon", *fields.get("epsilon"),
                    "a number that is not negative");
  if (!fields.ok() || failed(layer.requireImage()))
    return failure();
  Builder &builder = layer.context.emitter.builder;
  return layer.finish(layer.create<LinearAttentionOp>(
      layer.x(), builder.getI64IntegerAttr(size),
      builder.getF64FloatAttr(epsilon)));
}

LogicalResult vae::buildGlu(LayerBuilder &layer) {
  ActivationAttr gate =
      ActivationAttr::get(layer.loc.getContext(), ActivationKind::Sigmoid);
  if (const JsonValue *value = layer.fields.get("gate"))
    gate = layer.getActivation(*value);
  if (!gate)
    return failure();
  return layer.finish(layer.create<GluOp>(layer.x(), gate));
}

LogicalResult vae::buildNearestCodebook(LayerBuilder &layer) {
  int64_t entries = layer.fields.getInt("entries", 1, kMaxEntries);
  if (!layer.fields.ok())
    return failure();
  if (layer.rank() < 2 || ShapedType::isDynamic(layer.dim(1))) {
    layer.fields.fail(layer.fields.getPosition(), " ")
        << "expects channels on axis 1, '" << layer.inputs.front().name
        << "' gives " << layer.context.emitter.formatDims(layer.dims());
    return failure();
  }
  int64_t shape[] = {entries, layer.dim(1)};
  Value codebook = layer.getConstant(layer.getParameter("codebook"), shape, {},
                                     shape, "[entries, channels]");
  if (!codebook)
    return failure();
  return layer.finish(layer.create<NearestCodebookOp>(layer.x(), codebook));
}

LogicalResult vae::buildEmbedding(LayerBuilder &layer) {
  int64_t entries = layer.fields.getInt("entries", 1, kMaxEntries);
  int64_t units = layer.fields.getInt("units", 1, kMaxDim);
  if (!layer.fields.ok())
    return failure();
  int64_t shape[] = {entries, units};
  Value table = layer.getConstant(layer.getParameter("table"), shape, {}, shape,
                                  "[entries, units]");
  if (!table)
    return failure();
  return layer.finish(layer.create<EmbeddingOp>(layer.x(), table));
}
