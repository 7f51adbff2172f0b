// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions whose weights are stored without zeros. Of rows that are zero,
// neither the weights nor the inputs are read. Of a bitmap, vectors are made of
// the values in registers, right before they are multiplied. Sums have the same
// order as those of all weights.
#include "compiler/conversion/kernels/ContractionEmitter.h"
#include "compiler/conversion/kernels/SparseWeights.h"

using namespace mlir;
using namespace vae;

static constexpr int64_t kFloatBytes = 4, kShortBytes = 2, kWordBytes = 4;

/// The vectors of a tile that are of its block `block`.
static std::pair<int64_t, int64_t> getVectors(const Emitter &e, int64_t block,
                                              int64_t vectors) {
  int64_t perBlock = std::max<int64_t>(1, kChannelBlock / e.width);
  return {block * perBlock, std::min((block + 1) * perBlock, vectors)};
}

static int64_t countBlocks(const Emitter &e, int64_t vectors) {
  return llvm::divideCeil(vectors * e.width, kChannelBlock);
}

Emitter::Values ContractionEmitter::multiplyRows(const Values &inputs,
                                                 const Weights &weights,
                                                 const Taps &taps,
                                                 int64_t vectors,
                                                 const Values &accumulators) {
  SparseLayout layout(shape);
  auto getStart = [&](Value tap) {
    return loadUnsigned(e, weight, e.mul(tap, kWordBytes), kWordBytes);
  };
  Value all = getStart(e.index(layout.blocks * layout.taps));
  Value placesAt =
      e.add(e.mul(all, kChannelBlock * kFloatBytes), layout.rowValuesAt());
  bool merged = shape.hasContiguousRows();
  int64_t blocks = countBlocks(e, vectors);

  auto addRow = [&](const Values &places, int64_t block, Value row,
                    Values &sums) {
    Value place = loadUnsigned(
        e, weight, e.add(placesAt, e.mul(row, kShortBytes)), kShortBytes);
    Value begin =
        e.add(e.mul(row, kChannelBlock * kFloatBytes), layout.rowValuesAt());
    auto [first, last] = getVectors(e, block, vectors);
    Values w;
    for (int64_t v = first; v < last; ++v)
      w.push_back(loadFloats(
          e, weight, e.add(begin, (v - first) * e.width * kFloatBytes)));
    for (auto [r, start] : llvm::enumerate(places)) {
      Value value = e.broadcast(e.load(x, e.add(start, place)));
      for (int64_t v = first; v < last; ++v) {
        Value &sum = sums[static_cast<int64_t>(r) * vectors + v];
        sum = e.fma(value, w[v - first], sum);
      }
    }
  };

  auto run = [&](Value at, Value step, const Values &sums) {
    Values places;
    for (Value input : inputs)
      places.push_back(e.add(input, at));
    Value tap = e.div(step, shape.inputs), end = e.add(tap, 1);
    if (merged) {
      end = e.add(tap,
                  taps.lastColumn ? taps.lastColumn : e.index(shape.window[1]));
      if (taps.firstColumn)
        tap = e.add(tap, taps.firstColumn);
    }
    // Blocks have as many rows as each, side by side, so that sums do not wait
    // for each other; then what each has more.
    Values begins, counts;
    Value common;
    for (int64_t block = 0; block < blocks; ++block) {
      Value base = e.mul(e.add(weights.base, block), layout.taps);
      begins.push_back(getStart(e.add(base, tap)));
      counts.push_back(e.sub(getStart(e.add(base, end)), begins.back()));
      common = common ? e.min(common, counts.back()) : counts.back();
    }
    Values result =
        e.loop(e.index(0), common, 1, sums, [&](Value k, ValueRange old) {
          Values sums(old.begin(), old.end());
          for (int64_t block = 0; block < blocks; ++block)
            addRow(places, block, e.add(begins[block], k), sums);
          return sums;
        });
    for (int64_t block = 0; block < blocks && blocks > 1; ++block)
      result = e.loop(common, counts[block], 1, result,
                      [&, block](Value k, ValueRange old) {
                        Values sums(old.begin(), old.end());
                        addRow(places, block, e.add(begins[block], k), sums);
                        return sums;
                      });
    return result;
  };
  return overTaps(taps, accumulators, run);
}

/// Of a dense layer: all inputs follow each other.
Emitter::Values ContractionEmitter::multiplyBitmap(const Values &inputs,
                                                   const Weights &weights,
                                                   int64_t vectors,
                                                   const Values &accumulators) {
  SparseLayout layout(shape);
  int64_t blocks = countBlocks(e, vectors);
  Values masksAt, state(accumulators.begin(), accumulators.end());
  for (int64_t block = 0; block < blocks; ++block) {
    Value number = e.add(weights.base, block);
    masksAt.push_back(
        e.add(e.mul(number, layout.rows() * kShortBytes), layout.masksAt()));
    Value first =
        loadUnsigned(e, weight, e.mul(number, kWordBytes), kWordBytes);
    state.push_back(e.add(e.mul(first, kFloatBytes), layout.bitmapValuesAt()));
  }
  auto body = [&](Value k, ValueRange old) {
    Values state(old.begin(), old.end());
    Values values;
    for (Value input : inputs)
      values.push_back(e.broadcast(e.load(x, e.add(input, k))));
    for (int64_t block = 0; block < blocks; ++block) {
      Value mask = loadUnsigned(
          e, weight, e.add(masksAt[block], e.mul(k, kShortBytes)), kShortBytes);
      Value &at = state[accumulators.size() + block];
      auto [first, last] = getVectors(e, block, vectors);
      for (int64_t v = first; v < last; ++v) {
        Value w =
            expandRow(e, target, weight, {mask, at}, (v - first) * e.width);
        for (size_t r = 0; r < inputs.size(); ++r) {
          Value &sum = state[static_cast<int64_t>(r) * vectors + v];
          sum = e.fma(values[r], w, sum);
        }
      }
      at = e.add(at, e.mul(countValues(e, mask), kFloatBytes));
    }
    return state;
  };
  Values result = e.loop(e.index(0), e.index(shape.inputs), 1, state, body);
  result.resize(accumulators.size());
  return result;
}
