// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax attention of bytes, with exact sums of i32 in each block of keys, and
// f32 between blocks (VaeOps.td has the formula). Keys and values are signed
// bytes, multiplied in fours: of channels, and of values. What that changes of
// scores is the same for all keys of a query, and does not count.
#include "compiler/conversion/kernels/AttentionItems.h"
#include "dialects/vae/IR/VaeQuantAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vae;

static_assert(kKeyBlock == kWeightBlock, "sums are of whole blocks");

/// Bytes of sums, and of a four, of 16 keys or channels.
static constexpr int64_t kBlockBytes = kChannelBlock * kInt8Fours;

/// Bytes of 16 keys.
static int64_t getKeyBlockSize(int64_t width) {
  return kBlockBytes * (1 + llvm::divideCeil(width, kInt8Fours));
}
int64_t vae::getInt8KeysSize(int64_t width) {
  return kKeyBlock / kChannelBlock * getKeyBlockSize(width);
}

/// Bytes of a four of all channels of values, or of their sums.
static int64_t getValueFourSize(int64_t valueWidth) {
  return llvm::alignTo(valueWidth, kChannelBlock) * kInt8Fours;
}
int64_t vae::getInt8ValuesSize(int64_t valueWidth) {
  return getValueFourSize(valueWidth) * (1 + kKeyBlock / kInt8Fours);
}

/// Fours of values that a block of so many keys has. The last of them may be of
/// keys that do not exist, whose weights are 0.
static Value getValueFours(Emitter &e, Value inBlock) {
  return e.mul(e.ceilDiv(inBlock, kChannelBlock), kChannelBlock / kInt8Fours);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

static Value loadBytes(Emitter &e, int64_t lanes, Value buffer, Value at) {
  auto type = VectorType::get({lanes}, e.b.getI8Type());
  return vector::LoadOp::create(e.b, e.loc, type, buffer, at);
}

/// Unsigned bytes less 128, as signed ones.
static Value makeSigned(Emitter &e, Value bytes) {
  constexpr unsigned kBits = 8, kSign = 0x80;
  auto type = cast<VectorType>(bytes.getType());
  return arith::XOrIOp::create(
      e.b, e.loc, bytes,
      arith::ConstantOp::create(
          e.b, e.loc, DenseElementsAttr::get(type, APInt(kBits, kSign))));
}

static Value loadInts(Emitter &e, Value buffer, Value at) {
  return vector::LoadOp::create(e.b, e.loc, e.ints(), buffer, at);
}

/// Stores integers where bytes are.
static void storeInts(Emitter &e, Value ints, Value buffer, Value at) {
  auto type = VectorType::get({kInt8Fours * e.width}, e.b.getI8Type());
  vector::StoreOp::create(e.b, e.loc,
                          vector::BitCastOp::create(e.b, e.loc, type, ints),
                          buffer, at);
}

/// Sums of the bytes of `count` fours that begin at `at`, `step` bytes apart.
static Value sumFours(Emitter &e, const KernelTarget &target, Value packed,
                      Value at, Value count, int64_t step) {
  Value ones = e.integers(0x01010101 * (1 + Emitter::getByteOffset(target)));
  return e.loop(e.index(0), count, 1, ValueRange(e.integers(0)),
                [&](Value four, ValueRange sums) {
                  Value w = e.loadFours(packed, e.add(at, e.mul(four, step)));
                  return Emitter::Values{
                      e.addByteDots(sums[0], ones, w, target)};
                })[0];
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

namespace {

/// The rows of one block of keys or values of a head.
struct PackedBlock {
  Value firstRow, rows, from, to;
  int64_t stride;

  PackedBlock(Emitter &e, Value item, Value numRows, int64_t heads,
              int64_t width, int64_t size)
      : rows(numRows), to(e.mul(item, size)), stride(heads * width) {
    Value blocks = e.ceilDiv(rows, kKeyBlock);
    Value head = e.div(item, blocks);
    firstRow = e.mul(e.sub(item, e.mul(head, blocks)), kKeyBlock);
    from = e.add(e.mul(e.mul(e.div(head, heads), rows), stride),
                 e.mul(e.rem(head, heads), width));
  }
  /// Where a row begins; the last one stands for those that do not exist.
  Value locate(Emitter &e, Value row) const {
    Value known = e.min(e.add(firstRow, row), e.sub(rows, e.index(1)));
    return e.add(from, e.mul(known, stride));
  }
};

} // namespace

/// Packs a key into its lane: `at` is that of its first four.
static void packKey(Emitter &e, Value x, Value row, Value packed, Value at,
                    int64_t width) {
  auto pack = [&](Value four, int64_t channels) {
    Value bytes = makeSigned(
        e, loadBytes(e, kInt8Fours, x, e.add(row, e.mul(four, kInt8Fours))));
    if (channels < kInt8Fours) {
      SmallVector<int8_t> kept(kInt8Fours, 0);
      std::fill_n(kept.begin(), channels, -1);
      auto type = cast<VectorType>(bytes.getType());
      bytes = arith::AndIOp::create(
          e.b, e.loc, bytes,
          arith::ConstantOp::create(
              e.b, e.loc, DenseElementsAttr::get(type, ArrayRef(kept))));
    }
    vector::StoreOp::create(e.b, e.loc, bytes, packed,
                            e.add(at, e.mul(four, kBlockBytes)));
  };
  int64_t whole = width / kInt8Fours, rest = width % kInt8Fours;
  e.loop(e.index(0), e.index(whole), 1,
         [&](Value four) { pack(four, kInt8Fours); });
  if (rest)
    pack(e.index(whole), rest);
}

func::FuncOp vae::getPackInt8KeysKernel(ModuleOp module, Location loc,
                                        const KernelTarget &target,
                                        int64_t heads, int64_t width) {
  int64_t size = getInt8KeysSize(width);
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("pack_int8_keys_h{0}_c{1}", heads, width).str(), target, 2,
      2,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], heads), e.ceilDiv(s[1], kKeyBlock));
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], packed = args.buffers[1];
        Value fours = e.index(llvm::divideCeil(width, kInt8Fours));
        e.loop(args.begin, args.end, 1, [&](Value item) {
          PackedBlock block(e, item, args.sizes[1], heads, width, size);
          e.loop(e.index(0), e.index(kKeyBlock), kChannelBlock, [&](Value row) {
            Value to = e.add(block.to, e.mul(e.div(row, kChannelBlock),
                                             getKeyBlockSize(width)));
            Value first = e.add(to, kBlockBytes);
            e.loop(e.index(0), e.index(kChannelBlock), 1, [&](Value lane) {
              packKey(e, x, block.locate(e, e.add(row, lane)), packed,
                      e.add(first, e.mul(lane, kInt8Fours)), width);
            });
            for (int64_t lane = 0; lane < kChannelBlock; lane += e.width) {
              int64_t bytes = lane * kInt8Fours;
              storeInts(e,
                        sumFours(e, target, packed, e.add(first, bytes), fours,
                                 kBlockBytes),
                        packed, e.add(to, bytes));
            }
          });
        });
      });
}

/// Four vectors of bytes as one of fours.
static Value interleave(Emitter &e, ArrayRef<Value> rows) {
  auto zip = [&](Value a, Value b, int64_t unit) -> Value {
    int64_t lanes = cast<VectorType>(a.getType()).getDimSize(0);
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < lanes; i += unit)
      for (int64_t first : {i, lanes + i})
        for (int64_t j = 0; j < unit; ++j)
          order.push_back(first + j);
    return vector::ShuffleOp::create(e.b, e.loc, a, b, order);
  };
  return zip(zip(rows[0], rows[1], 1), zip(rows[2], rows[3], 1), 2);
}

func::FuncOp vae::getPackInt8ValuesKernel(ModuleOp module, Location loc,
                                          const KernelTarget &target,
                                          int64_t heads, int64_t width) {
  int64_t size = getInt8ValuesSize(width), fourSize = getValueFourSize(width);
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("pack_int8_values_h{0}_c{1}", heads, width).str(), target,
      2, 2,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], heads), e.ceilDiv(s[1], kKeyBlock));
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], packed = args.buffers[1];
        e.loop(args.begin, args.end, 1, [&](Value item) {
          PackedBlock block(e, item, args.sizes[1], heads, width, size);
          Value first = e.add(block.to, fourSize);
          Value fours = getValueFours(
              e, e.min(e.sub(block.rows, block.firstRow), e.index(kKeyBlock)));
          e.loop(e.index(0), fours, 1, [&](Value four) {
            SmallVector<Value> rows;
            for (int64_t i = 0; i < kInt8Fours; ++i)
              rows.push_back(
                  block.locate(e, e.add(e.mul(four, kInt8Fours), i)));
            Value to = e.add(first, e.mul(four, fourSize));
            e.loop(e.index(0), e.index(fourSize / kInt8Fours), kChannelBlock,
                   [&](Value c) {
                     SmallVector<Value> bytes;
                     for (Value row : rows)
                       bytes.push_back(
                           loadBytes(e, kChannelBlock, x, e.add(row, c)));
                     vector::StoreOp::create(
                         e.b, e.loc, makeSigned(e, interleave(e, bytes)),
                         packed, e.add(to, e.mul(c, kInt8Fours)));
                   });
          });
          if (Emitter::getByteOffset(target))
            e.loop(e.index(0), e.index(fourSize), kInt8Fours * e.width,
                   [&](Value at) {
                     storeInts(e,
                               sumFours(e, target, packed, e.add(first, at),
                                        fours, fourSize),
                               packed, e.add(block.to, at));
                   });
        });
      });
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {

/// Emits the body of one kernel.
class Int8AttentionEmitter : AttentionItems {
  using Values = Emitter::Values;

public:
  Int8AttentionEmitter(Emitter &e, const KernelTarget &target,
                       const Attention &shape, const KernelArgs &args)
      : AttentionItems(e, shape, getAttentionTile(target), args.sizes),
        target(target), args(args), query(args.buffers[0]),
        key(args.buffers[1]), value(args.buffers[2]),
        parameters(args.buffers[3]), y(args.buffers[4]),
        accumulators(args.scratch) {}

  void emit();
  /// Accumulators of a query.
  static int64_t getStride(const Attention &shape) {
    return llvm::alignTo(shape.valueWidth, kChannelBlock);
  }

private:
  Value getParameter(AttentionParameter which) {
    return e.load(parameters, e.index(which));
  }
  Value getInteger(AttentionParameter which) {
    return arith::FPToSIOp::create(e.b, e.loc, e.b.getI32Type(),
                                   getParameter(which));
  }
  Value locateAccumulators(Value query) {
    return e.mul(e.sub(query, firstQuery), getStride(shape));
  }
  Value getWeight(Value distances);
  Value quantize(Value weights);
  void emitScores(Value first, int64_t count);
  void emitWeights(Value first, int64_t count);
  void emitProduct(Value first, int64_t count, Value column, int64_t vectors);
  void emitValues(Value first, int64_t count);
  void start();
  void finish();

  const KernelTarget &target;
  const KernelArgs &args;
  Value query, key, value, parameters, y;
  // Of the item: weighted values, and the largest score and the sum of weights
  // of each query.
  Value accumulators, maxima, totals;
  // Of a tile and a block of keys: scores, weights, what the sums so far and
  // those of the block are multiplied by, and what is added to the latter.
  Value scores, weights, scalesBefore, scales, offsets;
  Value exponentScale;
  // Of the block of keys.
  Value packedKeys, packedValues, inBlock;
};

} // namespace

/// AttentionNumbers::getWeight.
Value Int8AttentionEmitter::getWeight(Value distances) {
  constexpr double kRound = 0x1.8p23;
  constexpr int kMantissa = 23;
  constexpr uint32_t kOne = 127u << kMantissa;
  Value x = e.mulf(e.fromIntegers(distances), exponentScale);
  Value most = e.splat(kMostExponent);
  x = e.select(
      arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, x, most), x,
      most);
  Value shifted = e.addf(x, e.splat(kRound)); // whose last bits are rint(x)
  Value t = e.subf(e.subf(shifted, e.splat(kRound)), x);
  Value sum = e.splat(std::end(kExp2Minus1)[-1]);
  for (float coefficient : llvm::reverse(ArrayRef(kExp2Minus1).drop_back()))
    sum = e.fma(sum, t, e.splat(coefficient));
  sum = e.fma(sum, t, e.splat(1));
  Value exponent = arith::ShLIOp::create(e.b, e.loc, e.toBits(shifted),
                                         e.integers(kMantissa));
  return e.mulf(sum, e.fromBits(arith::SubIOp::create(
                         e.b, e.loc, e.integers(kOne), exponent)));
}

/// AttentionNumbers::quantize.
Value Int8AttentionEmitter::quantize(Value weights) {
  constexpr double kRound = 0x1.8p23;
  constexpr uint32_t kByte = 0xff;
  Value shifted = e.fma(weights, e.splat(kLargestWeight), e.splat(kRound));
  return arith::AndIOp::create(e.b, e.loc, e.toBits(shifted),
                               e.integers(kByte));
}

/// Scores of `count` queries and the block of keys, but for what is the same
/// for all keys.
void Int8AttentionEmitter::emitScores(Value first, int64_t count) {
  Values rows;
  for (int64_t r = 0; r < count; ++r)
    rows.push_back(e.add(queries, e.mul(e.add(first, r), queryStride())));
  int64_t vectors = tile.vectors;
  int64_t fours = llvm::divideCeil(shape.width, kInt8Fours);
  constexpr int64_t kMostUnroll = 4; // as of contractions
  int64_t unroll = chooseUnroll(fours, kMostUnroll);
  Value factor = e.broadcast(
      arith::SubIOp::create(e.b, e.loc,
                            arith::ConstantIntOp::create(
                                e.b, e.loc, Emitter::getByteOffset(target), 32),
                            getInteger(kQueryZeroPoint)));
  auto place = [&](Value base, int64_t v) {
    int64_t lane = v * e.width;
    return e.add(base, lane / kChannelBlock * getKeyBlockSize(shape.width) +
                           lane % kChannelBlock * kInt8Fours);
  };
  e.loop(e.index(0), e.index(kKeyBlock), vectors * e.width, [&](Value column) {
    Value base = e.add(packedKeys, e.mul(e.div(column, kChannelBlock),
                                         getKeyBlockSize(shape.width)));
    Values start, sums;
    for (int64_t v = 0; v < vectors; ++v)
      start.push_back(arith::MulIOp::create(e.b, e.loc, factor,
                                            e.loadFours(key, place(base, v))));
    for (int64_t r = 0; r < count; ++r)
      llvm::append_range(sums, start);
    sums = e.loop(e.index(0), e.index(fours), unroll, sums,
                  [&](Value k, ValueRange before) {
                    Values sums(before.begin(), before.end());
                    for (int64_t u = 0; u < unroll; ++u) {
                      Value four = e.add(k, u);
                      Value at =
                          e.add(base, e.mul(e.add(four, 1), kBlockBytes));
                      Values w;
                      for (int64_t v = 0; v < vectors; ++v)
                        w.push_back(e.loadFours(key, place(at, v)));
                      for (int64_t r = 0; r < count; ++r) {
                        Value q = e.broadcastFour(
                            query, e.add(rows[r], e.mul(four, kInt8Fours)));
                        for (int64_t v = 0; v < vectors; ++v)
                          sums[r * vectors + v] = e.addByteDots(
                              sums[r * vectors + v], q, w[v], target);
                      }
                    }
                    return sums;
                  });
    for (int64_t r = 0; r < count; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        vector::StoreOp::create(e.b, e.loc, sums[r * vectors + v], scores,
                                e.add(column, r * kKeyBlock + v * e.width));
  });
}

/// Scores become integer weights under the largest of their query in the block.
void Int8AttentionEmitter::emitWeights(Value first, int64_t count) {
  constexpr uint32_t kLowest = 1u << 31;
  Value zeros = e.integers(0), lowest = e.integers(kLowest);
  Value one = e.constant(e.f32(), 1), offset = getInteger(kValueOffset);
  auto reduce = [&](vector::CombiningKind kind, Value x) -> Value {
    return vector::ReductionOp::create(e.b, e.loc, kind, x);
  };
  e.loop(e.index(0), e.index(count), 1, [&](Value r) {
    Value row = e.mul(r, kKeyBlock);
    Value slot = e.add(e.sub(first, firstQuery), r);
    Values masks, s;
    Value largest;
    for (int64_t lane = 0; lane < kKeyBlock; lane += e.width) {
      masks.push_back(e.mask(e.sub(inBlock, e.index(lane))));
      s.push_back(e.select(masks.back(), loadInts(e, scores, e.add(row, lane)),
                           lowest));
      largest = largest ? arith::MaxSIOp::create(e.b, e.loc, largest, s.back())
                        : s.back();
    }
    Value before = e.load(maxima, slot);
    Value inThis = reduce(vector::CombiningKind::MAXSI, largest);
    Value greater = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sgt,
                                          inThis, before);
    Value now = e.max(inThis, before);
    e.store(now, maxima, slot);
    Value scale = vector::ExtractOp::create(
        e.b, e.loc, getWeight(e.broadcast(e.sub(now, e.min(inThis, before)))),
        int64_t(0));
    Value scaleBefore = e.select(greater, scale, one);
    scale = e.select(greater, one, scale);
    Value limit = e.broadcast(inThis), total;
    for (auto [v, score] : llvm::enumerate(s)) {
      Value distance = arith::SubIOp::create(e.b, e.loc, limit, score);
      Value weight = e.select(masks[v], quantize(getWeight(distance)), zeros);
      auto bytes = VectorType::get({e.width}, e.b.getI8Type());
      vector::StoreOp::create(
          e.b, e.loc, arith::TruncIOp::create(e.b, e.loc, bytes, weight),
          weights, e.add(row, static_cast<int64_t>(v) * e.width));
      total = total ? arith::AddIOp::create(e.b, e.loc, total, weight) : weight;
    }
    Value sum = reduce(vector::CombiningKind::ADD, total);
    e.store(scaleBefore, scalesBefore, r);
    e.store(scale, scales, r);
    e.store(e.mul(sum, offset), offsets, r);
    Value old = e.mulf(e.load(totals, slot), scaleBefore);
    e.store(
        e.fma(arith::SIToFPOp::create(e.b, e.loc, e.f32(), sum), scale, old),
        totals, slot);
  });
}

/// Adds weights times values to `vectors` vectors of the sums.
void Int8AttentionEmitter::emitProduct(Value first, int64_t count, Value column,
                                       int64_t vectors) {
  int64_t fourSize = getValueFourSize(shape.valueWidth);
  Value base = e.add(packedValues, e.mul(column, kInt8Fours));
  auto load = [&](Value at, int64_t v) {
    return e.loadFours(value, e.add(at, v * e.width * kInt8Fours));
  };
  Values start, dots;
  int64_t missing = Emitter::getByteOffset(target);
  for (int64_t v = 0; v < vectors; ++v)
    start.push_back(missing ? arith::MulIOp::create(e.b, e.loc, load(base, v),
                                                    e.integers(missing))
                            : e.integers(0));
  for (int64_t r = 0; r < count; ++r)
    llvm::append_range(dots, start);
  constexpr int64_t kUnroll = kChannelBlock / kInt8Fours;
  dots =
      e.loop(e.index(0), getValueFours(e, inBlock), kUnroll, dots,
             [&](Value t, ValueRange before) {
               Values dots(before.begin(), before.end());
               for (int64_t u = 0; u < kUnroll; ++u) {
                 Value four = e.add(t, u);
                 Value at = e.add(base, e.mul(e.add(four, 1), fourSize));
                 Values w;
                 for (int64_t v = 0; v < vectors; ++v)
                   w.push_back(load(at, v));
                 for (int64_t r = 0; r < count; ++r) {
                   Value p = e.broadcastFour(
                       weights, e.add(e.mul(four, kInt8Fours), r * kKeyBlock));
                   for (int64_t v = 0; v < vectors; ++v)
                     dots[r * vectors + v] =
                         e.addByteDots(dots[r * vectors + v], p, w[v], target);
                 }
               }
               return dots;
             });
  for (int64_t r = 0; r < count; ++r) {
    auto get = [&](Value buffer) {
      return e.broadcast(e.load(buffer, e.index(r)));
    };
    Value scaleBefore = get(scalesBefore), scale = get(scales),
          offset = get(offsets);
    Value to = e.add(locateAccumulators(e.add(first, r)), column);
    for (int64_t v = 0; v < vectors; ++v) {
      Value at = e.add(to, v * e.width);
      Value sum = e.fromIntegers(
          arith::AddIOp::create(e.b, e.loc, dots[r * vectors + v], offset));
      e.storeVec(
          e.fma(sum, scale, e.mulf(e.loadVec(accumulators, at), scaleBefore)),
          accumulators, at);
    }
  }
}

void Int8AttentionEmitter::emitValues(Value first, int64_t count) {
  int64_t columns = tile.vectors * e.width, all = getStride(shape);
  int64_t whole = all / columns * columns;
  e.loop(e.index(0), e.index(whole), columns, [&](Value column) {
    emitProduct(first, count, column, tile.vectors);
  });
  if (whole < all)
    emitProduct(first, count, e.index(whole), (all - whole) / e.width);
}

void Int8AttentionEmitter::start() {
  // Not more than any score, and no score is more than 2^31 - 1 above it
  // (kMostScoreChannels).
  constexpr int64_t kMostProduct = 255 * 128;
  Value lowest =
      arith::ConstantIntOp::create(e.b, e.loc, -kMostProduct * shape.width, 32);
  e.loop(firstQuery, lastQuery, 1, [&](Value query) {
    Value slot = e.sub(query, firstQuery);
    e.store(lowest, maxima, slot);
    e.store(e.constant(e.f32(), 0), totals, slot);
    Value to = locateAccumulators(query);
    e.strip(e.index(getStride(shape)), [&](Value c, Value mask) {
      e.storeVec(e.splat(0), accumulators, e.add(to, c), mask);
    });
  });
}

void Int8AttentionEmitter::finish() {
  Emitter::QuantizationValues numbers;
  if (holdsBytes(y))
    numbers = {e.broadcast(getParameter(kAttentionInverse)),
               e.broadcast(getParameter(kAttentionLow)),
               e.broadcast(getParameter(kAttentionHigh)),
               e.broadcast(getInteger(kAttentionZeroPoint))};
  Value valueScale = getParameter(kValueScale);
  e.loop(firstQuery, lastQuery, 1, [&](Value query) {
    Value total = e.load(totals, e.sub(query, firstQuery));
    Value scale = e.broadcast(e.divf(valueScale, total));
    Value from = locateAccumulators(query);
    Value to = e.add(results, e.mul(query, valueStride()));
    e.strip(e.index(shape.valueWidth), [&](Value c, Value mask) {
      // Whole vectors: what is behind the last channel is there, too.
      Value result = e.mulf(e.loadVec(accumulators, e.add(from, c)), scale);
      if (holdsBytes(y))
        result = e.quantize(result, numbers);
      e.storeVec(result, y, e.add(to, c), mask);
    });
  });
}

void Int8AttentionEmitter::emit() {
  Type i32 = e.b.getI32Type();
  scores = e.stack(tile.positions * kKeyBlock, i32);
  weights = e.stack(tile.positions * kKeyBlock, e.b.getI8Type());
  scalesBefore = e.stack(tile.positions, e.f32());
  scales = e.stack(tile.positions, e.f32());
  offsets = e.stack(tile.positions, i32);
  maxima = e.stack(most(), i32);
  totals = e.stack(most(), e.f32());
  exponentScale = e.broadcast(getParameter(kExponentScale));
  e.loop(args.begin, args.end, 1, [&](Value item) {
    locate(item);
    start();
    Value blocks = e.ceilDiv(numKeys, kKeyBlock);
    e.loop(e.index(0), blocks, 1, [&](Value index) {
      Value block = e.add(e.mul(head, blocks), index);
      packedKeys = e.mul(block, getInt8KeysSize(shape.width));
      packedValues = e.mul(block, getInt8ValuesSize(shape.valueWidth));
      inBlock =
          e.min(e.sub(numKeys, e.mul(index, kKeyBlock)), e.index(kKeyBlock));
      overTiles([&](Value first, int64_t count) {
        emitScores(first, count);
        emitWeights(first, count);
        emitValues(first, count);
      });
    });
    finish();
  });
}

func::FuncOp vae::getInt8AttentionKernel(ModuleOp module, Location loc,
                                         const KernelTarget &target,
                                         const Attention &shape) {
  int64_t accumulators =
      getAttentionQueries(target) * Int8AttentionEmitter::getStride(shape);
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("attention_int8_h{0}_c{1}_v{2}", shape.heads, shape.width,
                    shape.valueWidth)
          .str(),
      target, 5, 3,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], shape.heads),
                     e.ceilDiv(s[1], getAttentionQueries(target)));
      },
      [&](Emitter &e, const KernelArgs &args) {
        Int8AttentionEmitter(e, target, shape, args).emit();
      },
      accumulators * static_cast<int64_t>(sizeof(float)));
}
