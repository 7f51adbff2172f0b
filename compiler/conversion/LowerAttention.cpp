// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention and codebooks. Positions of [N, S, C], and pixels of a
// channels-last image, are rows of channels in memory.
#include "compiler/conversion/Lowering.h"

#include "dialects/vae/IR/VaeConstants.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/IR/VaeQuantAttention.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

/// Keys taken for a number that is not known, to decide on sharing work.
static constexpr int64_t kTypicalKeys = 256;

namespace {
struct Rows {
  AffineExpr positions, channels;
  explicit Rows(ArrayRef<AffineExpr> dims) {
    bool isImage = dims.size() == 4;
    positions = isImage ? dims[2] * dims[3] : dims[1];
    channels = dims[isImage ? 1 : 2];
  }
};
} // namespace

/// What the kernel of integer attention reads as numbers.
static std::vector<float> makeParameters(AttentionOp op) {
  AttentionNumbers numbers(op);
  std::vector<float> parameters(kNumAttentionParameters, 0.0f);
  constexpr int32_t kSigned = 128;
  parameters[kExponentScale] = numbers.exponentScale;
  parameters[kQueryZeroPoint] = static_cast<float>(numbers.queryZeroPoint);
  parameters[kValueOffset] =
      static_cast<float>(kSigned - numbers.valueZeroPoint);
  parameters[kValueScale] = numbers.valueScale;
  if (auto type = getQuantizedType(op.getY())) {
    Quantization of(type);
    parameters[kAttentionInverse] = of.inverse;
    parameters[kAttentionLow] = static_cast<float>(of.lowest - of.zeroPoint);
    parameters[kAttentionHigh] = static_cast<float>(of.highest - of.zeroPoint);
    parameters[kAttentionZeroPoint] = static_cast<float>(of.zeroPoint);
  }
  return parameters;
}

Value Lowering::packInt8Rows(Value rows, int64_t heads, bool values) {
  Location loc = rows.getLoc();
  const Dims dims = getDims(rows);
  const Rows of(dims);
  int64_t width = getStaticDim(of.channels) / heads;
  int64_t size = values ? getInt8ValuesSize(width) : getInt8KeysSize(width);
  const Dims packedDims = {dims[0],
                           of.positions.ceilDiv(kKeyBlock) * (heads * size)};
  RankedTensorType type = getTensorType(packedDims, builder.getI8Type());
  auto getKernel = values ? getPackInt8ValuesKernel : getPackInt8KeysKernel;
  return launch(loc,
                getKernel(module, loc, getTarget(rows, type), heads, width),
                rows, {dims[0], of.positions}, kKeyBlock * width, type,
                packedDims, {}, {expr(0), {}, {}});
}

Value Lowering::lowerIntegerAttention(AttentionOp op, const Attention &shape) {
  const Rows query(getDims(op.getQuery())), key(getDims(op.getKey()));
  Location loc = op.getLoc();
  Value operands[] = {
      op.getQuery(), packInt8Rows(op.getKey(), shape.heads, /*values=*/false),
      packInt8Rows(op.getValue(), shape.heads, /*values=*/true),
      constant(loc, (getLayerName(loc) + ".int8").str(), makeParameters(op))};
  int64_t keys = getStaticDim(key.positions);
  int64_t itemFlops = getAttentionQueries(target) *
                      llvm::divideCeil(shape.width + shape.valueWidth, 2) *
                      (ShapedType::isDynamic(keys) ? kTypicalKeys : keys);
  KernelTarget machine = getTarget(operands, op.getY().getType());
  return launch(loc, getInt8AttentionKernel(module, loc, machine, shape),
                operands,
                {getDims(op.getQuery())[0], query.positions, key.positions},
                itemFlops, typeOf(op.getY()), getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerAttention(AttentionOp op) {
  const Rows query(getDims(op.getQuery())), key(getDims(op.getKey())),
      value(getDims(op.getValue()));
  AffineExpr batch = getDims(op.getQuery())[0];
  Attention shape;
  shape.heads = op.getHeads();
  shape.width = getStaticDim(key.channels) / shape.heads;
  shape.valueWidth = getStaticDim(value.channels) / shape.heads;
  shape.scale = op.getScale().convertToDouble();
  if (isIntegerLayer(op))
    return lowerIntegerAttention(op, shape);

  const Dims packedDims = {batch, key.positions.ceilDiv(kKeyBlock) *
                                      (kKeyBlock * shape.heads * shape.width)};
  auto pack =
      getPackKeysKernel(module, op.getLoc(), target, shape.heads, shape.width);
  Value packed =
      launch(op.getLoc(), pack, {op.getKey()}, {batch, key.positions},
             kKeyBlock * shape.width,
             getTensorType(packedDims, typeOf(op.getY()).getElementType()),
             packedDims, {}, {expr(0), {}, {}});

  int64_t keys = getStaticDim(key.positions);
  int64_t itemFlops = getAttentionQueries(target) * 2 *
                      (shape.width + shape.valueWidth) *
                      (ShapedType::isDynamic(keys) ? kTypicalKeys : keys);
  return launch(op.getLoc(),
                getAttentionKernel(module, op.getLoc(), target, shape),
                {op.getQuery(), packed, op.getValue()},
                {batch, query.positions, key.positions}, itemFlops,
                typeOf(op.getY()), getDims(op.getY()));
}

FailureOr<Value> Lowering::lowerLinearAttention(LinearAttentionOp op) {
  const Dims shape = getDims(op.getY());
  int64_t width = op.getHeadDim(), heads = getStaticDim(shape[1]) / width;
  AffineExpr pixels = shape[2] * shape[3];
  Dims productDims = {shape[0], expr(heads * width * getLinearColumns(width))};
  AffineExpr half = count(shape) * (2 * (width + 1));
  Value products =
      launch(op.getLoc(),
             getLinearKeysKernel(module, op.getLoc(), target, heads, width),
             {op.getX()}, {shape[0], pixels}, 8 * width * kTypicalKeys,
             scratchType(productDims), productDims, {}, {half, {}, {}});
  return launch(op.getLoc(),
                getLinearQueriesKernel(module, op.getLoc(), target, heads,
                                       width,
                                       op.getEpsilon().convertToDouble()),
                {op.getX(), products}, {shape[0], pixels}, 8 * width * width,
                typeOf(op.getY()), shape, {}, {half, {}, {}});
}

FailureOr<Value> Lowering::lowerNearestCodebook(NearestCodebookOp op) {
  ConstantOp source = getConstant(op.getCodebook());
  if (!source)
    return op.emitError() << "the codebook must be a constant";
  int64_t entries = typeOf(op.getCodebook()).getDimSize(0),
          channels = typeOf(op.getCodebook()).getDimSize(1);
  std::vector<float> storage;
  Value packed = constant(
      op.getLoc(), (getWeightName(source.getValue()) + ".p").str(),
      packCodebook(getFloats(source.getValue(), storage), entries, channels));
  const Dims rows = getDims(op.getY());
  return launch(
      op.getLoc(),
      getNearestCodebookKernel(module, op.getLoc(), target, entries, channels),
      {channelsInnermost(op.getX()), packed}, {count(rows)},
      4 * 3 * entries * channels, typeOf(op.getY()), rows);
}

FailureOr<Value> Lowering::lowerEmbedding(EmbeddingOp op) {
  int64_t entries = typeOf(op.getTable()).getDimSize(0),
          channels = typeOf(op.getTable()).getDimSize(1);
  Value y =
      launch(op.getLoc(),
             getEmbeddingKernel(module, op.getLoc(), target, entries, channels),
             {op.getX(), op.getTable()}, {count(getDims(op.getX()))}, channels,
             typeOf(op.getY()), getDims(op.getY()));
  return channelsRestored(y, op.getY());
}
