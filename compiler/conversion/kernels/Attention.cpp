// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax attention, blocks of keys at a time: the scores of a few queries and
// one block of keys are all that exists of them. Maximum and sum of a query's
// exponentials run along with the blocks (Milakov and Gimelshein 2018), and
// what was added up under a smaller maximum is scaled down (Dao et al. 2022).
#include "compiler/conversion/kernels/AttentionItems.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>

using namespace mlir;
using namespace vae;

func::FuncOp vae::getPackKeysKernel(ModuleOp module, Location loc,
                                    const KernelTarget &target, int64_t heads,
                                    int64_t width) {
  int64_t stride = heads * width;
  return getOrCreateKernel(
      module, loc, llvm::formatv("pack_keys_h{0}_c{1}", heads, width).str(),
      target, 2, 2,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], heads), e.ceilDiv(s[1], kKeyBlock));
      },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], y = args.buffers[1], keys = args.sizes[1];
        Value blocks = e.ceilDiv(keys, kKeyBlock);
        e.loop(args.begin, args.end, 1, [&](Value item) {
          Value head = e.div(item, blocks);
          Value first = e.mul(e.sub(item, e.mul(head, blocks)), kKeyBlock);
          Value example = e.div(head, heads);
          Value from = e.add(e.mul(e.mul(example, keys), stride),
                             e.mul(e.rem(head, heads), width));
          Value to = e.mul(item, kKeyBlock * width);
          e.loop(e.index(0), e.index(kKeyBlock), 1, [&](Value i) {
            Value key = e.add(first, i);
            Value column = e.div(i, kChannelBlock);
            Value base = e.add(e.add(to, e.mul(column, kChannelBlock * width)),
                               e.rem(i, kChannelBlock));
            auto put = [&](Value c, Value value) {
              e.store(value, y, e.add(base, e.mul(c, kChannelBlock)));
            };
            Value row = e.add(from, e.mul(key, stride));
            e.ifThen(e.less(key, keys), [&] {
              e.loop(e.index(0), e.index(width), 1,
                     [&](Value c) { put(c, e.load(x, e.add(row, c))); });
            });
            e.ifThen(e.less(e.sub(keys, e.index(1)), key), [&] {
              e.loop(e.index(0), e.index(width), 1,
                     [&](Value c) { put(c, e.constant(e.f32(), 0)); });
            });
          });
        });
      });
}

namespace {

/// Emits the body of one attention kernel.
class AttentionEmitter : AttentionItems {
  using Values = Emitter::Values;

public:
  AttentionEmitter(Emitter &e, const Attention &shape, Tile tile,
                   const KernelArgs &args)
      : AttentionItems(e, shape, tile, args.sizes), args(args),
        query(args.buffers[0]), key(args.buffers[1]), value(args.buffers[2]),
        y(args.buffers[3]) {}

  void emit();

private:
  Value scratch(int64_t size);
  void emitScores(Value first, int64_t count);
  void emitSoftmax(Value first, int64_t count);
  void emitProduct(Value first, int64_t count, Value column, int64_t vectors,
                   int64_t columns);
  void emitValues(Value first, int64_t count);

  const KernelArgs &args;
  Value query, key, value, y;
  // Scratch: scores of a tile, then their exponentials; what a tile's sums are
  // scaled by; the maximum and the sum of each query of the item.
  Value scores, factors, maxima, totals;
  Value keys; // of the item
  // Of the block of keys.
  Value firstKey, inBlock;
};

} // namespace

Value AttentionEmitter::scratch(int64_t size) {
  return memref::AllocaOp::create(e.b, e.loc, MemRefType::get({size}, e.f32()),
                                  e.b.getI64IntegerAttr(64));
}

/// Scores of `count` queries and the block of keys.
void AttentionEmitter::emitScores(Value first, int64_t count) {
  Values rows;
  for (int64_t r = 0; r < count; ++r)
    rows.push_back(e.add(queries, e.mul(e.add(first, r), queryStride())));
  int64_t vectors = tile.vectors, unroll = chooseUnroll(shape.width);
  e.loop(e.index(0), e.index(kKeyBlock), vectors * e.width, [&](Value column) {
    Value base = e.add(keys, e.mul(e.add(firstKey, column), shape.width));
    Values sums(count * vectors, e.splat(0));
    sums = e.loop(
        e.index(0), e.index(shape.width), unroll, sums,
        [&](Value c, ValueRange loopSums) {
          Values sums(loopSums.begin(), loopSums.end());
          for (int64_t u = 0; u < unroll; ++u) {
            Value channel = e.add(c, u);
            Value at = e.add(base, e.mul(channel, kChannelBlock));
            Values w;
            for (int64_t v = 0; v < vectors; ++v) {
              int64_t lane = v * e.width;
              w.push_back(e.loadVec(
                  key,
                  e.add(at, lane / kChannelBlock * kChannelBlock * shape.width +
                                lane % kChannelBlock)));
            }
            for (int64_t r = 0; r < count; ++r) {
              Value q = e.broadcast(e.load(query, e.add(rows[r], channel)));
              for (int64_t v = 0; v < vectors; ++v)
                sums[r * vectors + v] = e.fma(q, w[v], sums[r * vectors + v]);
            }
          }
          return sums;
        });
    Value scale = e.splat(shape.scale);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        e.storeVec(e.mulf(sums[r * vectors + v], scale), scores,
                   e.add(column, r * kKeyBlock + v * e.width));
  });
}

/// Scores become exponentials under the new maximum of their query.
void AttentionEmitter::emitSoftmax(Value first, int64_t count) {
  Value none = e.splat(-std::numeric_limits<double>::infinity());
  int64_t vectors = kKeyBlock / e.width;
  e.loop(e.index(0), e.index(count), 1, [&](Value r) {
    Value row = e.mul(r, kKeyBlock);
    Value slot = e.add(e.sub(first, firstQuery), r);
    Values s;
    Value largest;
    for (int64_t v = 0; v < vectors; ++v) {
      Value mask = e.mask(e.sub(inBlock, e.index(v * e.width)));
      Value at = e.add(row, v * e.width);
      s.push_back(e.select(mask, e.loadVec(scores, at), none));
      largest = largest ? e.maxf(largest, s.back()) : s.back();
    }
    Value before = e.load(maxima, slot);
    Value now = e.maxf(
        before, vector::ReductionOp::create(
                    e.b, e.loc, vector::CombiningKind::MAXIMUMF, largest));
    e.store(now, maxima, slot);
    Value limit = e.broadcast(now);
    Value factor = vector::ExtractOp::create(
        e.b, e.loc, e.exp(e.subf(e.broadcast(before), limit)), int64_t(0));
    Value sum;
    for (int64_t v = 0; v < vectors; ++v) {
      Value power = e.exp(e.subf(s[v], limit));
      e.storeVec(power, scores, e.add(row, v * e.width));
      sum = sum ? e.addf(sum, power) : power;
    }
    e.store(factor, factors, r);
    e.store(e.fma(e.load(totals, slot), factor, e.reduceAdd(sum)), totals,
            slot);
  });
}

/// Adds exponentials times values to `columns` columns of the results.
void AttentionEmitter::emitProduct(Value first, int64_t count, Value column,
                                   int64_t vectors, int64_t columns) {
  auto mask = [&](int64_t v) {
    int64_t left = columns - v * e.width;
    return left < e.width ? e.mask(left) : Value();
  };
  Values rows, sums;
  for (int64_t r = 0; r < count; ++r) {
    rows.push_back(
        e.add(e.add(results, e.mul(e.add(first, r), valueStride())), column));
    Value factor = e.broadcast(e.load(factors, e.index(r)));
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(
          e.mulf(factor, e.loadVec(y, e.add(rows[r], v * e.width), mask(v))));
  }
  Value base = e.add(values, column);
  auto step = [&](Value t, const Values &sums) {
    Values next = sums, w;
    Value at = e.add(base, e.mul(e.add(firstKey, t), valueStride()));
    for (int64_t v = 0; v < vectors; ++v)
      w.push_back(e.loadVec(value, e.add(at, v * e.width), mask(v)));
    for (int64_t r = 0; r < count; ++r) {
      Value p = e.broadcast(e.load(scores, e.add(t, r * kKeyBlock)));
      for (int64_t v = 0; v < vectors; ++v)
        next[r * vectors + v] = e.fma(p, w[v], next[r * vectors + v]);
    }
    return next;
  };
  constexpr int64_t kUnroll = 4;
  Value whole = e.mul(e.div(inBlock, kUnroll), kUnroll);
  sums = e.loop(e.index(0), whole, kUnroll, sums,
                [&](Value t, ValueRange loopSums) {
                  Values sums(loopSums.begin(), loopSums.end());
                  for (int64_t u = 0; u < kUnroll; ++u)
                    sums = step(e.add(t, u), sums);
                  return sums;
                });
  sums = e.loop(whole, inBlock, 1, sums, [&](Value t, ValueRange sums) {
    return step(t, Values(sums.begin(), sums.end()));
  });
  for (int64_t r = 0; r < count; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      e.storeVec(sums[r * vectors + v], y, e.add(rows[r], v * e.width),
                 mask(v));
}

void AttentionEmitter::emitValues(Value first, int64_t count) {
  int64_t columns = tile.vectors * e.width;
  int64_t whole = shape.valueWidth / columns * columns;
  int64_t rest = shape.valueWidth - whole;
  e.loop(e.index(0), e.index(whole), columns, [&](Value column) {
    emitProduct(first, count, column, tile.vectors, columns);
  });
  if (rest)
    emitProduct(first, count, e.index(whole), llvm::divideCeil(rest, e.width),
                rest);
}

void AttentionEmitter::emit() {
  scores = scratch(tile.positions * kKeyBlock);
  factors = scratch(tile.positions);
  maxima = scratch(most());
  totals = scratch(most());
  Value width = e.index(shape.valueWidth);
  auto at = [&](Value query) {
    return e.add(results, e.mul(query, valueStride()));
  };
  e.loop(args.begin, args.end, 1, [&](Value item) {
    locate(item);
    keys = e.mul(e.mul(head, e.ceilDiv(numKeys, kKeyBlock)),
                 kKeyBlock * shape.width);
    // The lowest number, not -infinity: a difference of infinities is NaN.
    Value lowest = e.constant(e.f32(), std::numeric_limits<float>::lowest());
    e.loop(firstQuery, lastQuery, 1, [&](Value query) {
      Value slot = e.sub(query, firstQuery);
      e.store(lowest, maxima, slot);
      e.store(e.constant(e.f32(), 0), totals, slot);
      e.strip(width, [&](Value c, Value mask) {
        e.storeVec(e.splat(0), y, e.add(at(query), c), mask);
      });
    });
    e.loop(e.index(0), numKeys, kKeyBlock, [&](Value block) {
      firstKey = block;
      inBlock = e.min(e.sub(numKeys, block), e.index(kKeyBlock));
      overTiles([&](Value first, int64_t count) {
        emitScores(first, count);
        emitSoftmax(first, count);
        emitValues(first, count);
      });
    });
    e.loop(firstQuery, lastQuery, 1, [&](Value query) {
      Value sum = e.broadcast(e.load(totals, e.sub(query, firstQuery)));
      e.strip(width, [&](Value c, Value mask) {
        Value where = e.add(at(query), c);
        e.storeVec(e.divf(e.loadVec(y, where, mask), sum), y, where, mask);
      });
    });
  });
}

func::FuncOp vae::getAttentionKernel(ModuleOp module, Location loc,
                                     const KernelTarget &target,
                                     const Attention &shape) {
  std::string name =
      llvm::formatv("attention_h{0}_c{1}_v{2}_{3}", shape.heads, shape.width,
                    shape.valueWidth, nameOf(shape.scale));
  return getOrCreateKernel(
      module, loc, name, target, 4, 3,
      [&](Emitter &e, ValueRange s) {
        return e.mul(e.mul(s[0], shape.heads),
                     e.ceilDiv(s[1], getAttentionQueries(target)));
      },
      [&](Emitter &e, const KernelArgs &args) {
        AttentionEmitter(e, shape, getAttentionTile(target), args).emit();
      });
}
