// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Search in a codebook, and reading from it.
#include "compiler/conversion/kernels/ContractionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace mlir;
using namespace vae;

/// Rows that are compared with an entry while it is in a register.
static constexpr int64_t kSearchedRows = 4;

std::vector<float> vae::packCodebook(ArrayRef<float> values, int64_t entries,
                                     int64_t channels) {
  int64_t blocks = llvm::divideCeil(entries, kChannelBlock);
  // Nothing is near an entry that does not exist.
  std::vector<float> packed(blocks * channels * kChannelBlock, INFINITY);
  for (int64_t k = 0; k < entries; ++k)
    for (int64_t c = 0; c < channels; ++c)
      packed[(k / kChannelBlock * channels + c) * kChannelBlock +
             k % kChannelBlock] = values[k * channels + c];
  return packed;
}

/// 0, 1, 2, ..
static Value lanes(Emitter &e) {
  SmallVector<float> numbers(e.width);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  return arith::ConstantOp::create(
      e.b, e.loc, DenseElementsAttr::get(e.vec(), ArrayRef<float>(numbers)));
}

static Value isLess(Emitter &e, Value a, Value b) {
  return arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, a, b);
}

/// The lowest index among the lanes with the least distance.
static Value pickLane(Emitter &e, Value distance, Value index) {
  auto least = [&](Value v) -> Value {
    return vector::ReductionOp::create(e.b, e.loc,
                                       vector::CombiningKind::MINIMUMF, v);
  };
  Value isLeast = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OEQ,
                                        distance, e.broadcast(least(distance)));
  return least(e.select(isLeast, index, e.splat(INFINITY)));
}

func::FuncOp vae::getNearestCodebookKernel(ModuleOp module, Location loc,
                                           const KernelTarget &target,
                                           int64_t entries, int64_t channels) {
  using Values = Emitter::Values;
  int64_t blocks = llvm::divideCeil(entries, kChannelBlock);
  int64_t perBlock = kChannelBlock / target.vectorWidth;
  int64_t unroll = chooseUnroll(channels);
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("nearest_codebook_k{0}_c{1}", entries, channels).str(),
      target, 3, 1,
      [](Emitter &e, ValueRange s) { return e.ceilDiv(s[0], kSearchedRows); },
      [&](Emitter &e, const KernelArgs &args) {
        Value x = args.buffers[0], codebook = args.buffers[1],
              y = args.buffers[2];
        Value numbers = lanes(e), last = e.sub(args.sizes[0], e.index(1));
        e.loop(args.begin, args.end, 1, [&](Value item) {
          // Behind the last row, the last row again.
          Values rows;
          for (int64_t r = 0; r < kSearchedRows; ++r)
            rows.push_back(e.min(e.add(e.mul(item, kSearchedRows), r), last));
          // The least distances and their indices, row after row.
          Values start(kSearchedRows, e.splat(INFINITY));
          start.append(kSearchedRows, e.splat(0));
          auto body = [&](Value vector, ValueRange best) {
            Value block = e.div(vector, perBlock);
            Value base = e.add(e.mul(block, channels * kChannelBlock),
                               e.mul(e.rem(vector, perBlock), e.width));
            auto sums = e.loop(
                e.index(0), e.index(channels), unroll,
                Values(kSearchedRows, e.splat(0)),
                [&](Value c, ValueRange loopSums) {
                  Values sums(loopSums.begin(), loopSums.end());
                  for (int64_t u = 0; u < unroll; ++u) {
                    Value channel = e.add(c, u);
                    Value entry = e.loadVec(
                        codebook, e.add(base, e.mul(channel, kChannelBlock)));
                    for (int64_t r = 0; r < kSearchedRows; ++r) {
                      Value value =
                          e.load(x, e.add(e.mul(rows[r], channels), channel));
                      Value d = e.subf(e.broadcast(value), entry);
                      sums[r] = e.fma(d, d, sums[r]);
                    }
                  }
                  return sums;
                });
            Value first = e.truncate(e.toFloat(e.mul(vector, e.width)));
            Value index = e.addf(numbers, e.broadcast(first));
            Values next(best.begin(), best.end());
            for (int64_t r = 0; r < kSearchedRows; ++r) {
              Value less = isLess(e, sums[r], best[r]);
              next[r] = e.select(less, sums[r], best[r]);
              next[kSearchedRows + r] =
                  e.select(less, index, best[kSearchedRows + r]);
            }
            return next;
          };
          Values best =
              e.loop(e.index(0), e.index(blocks * perBlock), 1, start, body);
          for (int64_t r = 0; r < kSearchedRows; ++r)
            e.store(pickLane(e, best[r], best[kSearchedRows + r]), y, rows[r]);
        });
      });
}

func::FuncOp vae::getEmbeddingKernel(ModuleOp module, Location loc,
                                     const KernelTarget &target,
                                     int64_t entries, int64_t channels) {
  return getOrCreateKernel(
      module, loc,
      llvm::formatv("embedding_k{0}_c{1}", entries, channels).str(), target, 3,
      1, [](Emitter &e, ValueRange s) { return s[0]; },
      [&](Emitter &e, const KernelArgs &args) {
        Value table = args.buffers[1], y = args.buffers[2];
        Value zero = e.constant(e.f32(), 0);
        Value last = e.constant(e.f32(), static_cast<double>(entries - 1));
        e.loop(args.begin, args.end, 1, [&](Value row) {
          // Comparisons with NaN are false, so that it becomes 0.
          Value number = e.load(args.buffers[0], row);
          number = e.select(isLess(e, zero, number), number, zero);
          number = e.select(isLess(e, number, last), number, last);
          Value integer =
              arith::FPToSIOp::create(e.b, e.loc, e.b.getI64Type(), number);
          Value entry = arith::IndexCastOp::create(e.b, e.loc,
                                                   e.b.getIndexType(), integer);
          Value from = e.mul(entry, channels), to = e.mul(row, channels);
          e.strip(e.index(channels), [&](Value c, Value mask) {
            e.storeVec(e.loadVec(table, e.add(from, c), mask), y, e.add(to, c),
                       mask);
          });
        });
      });
}
