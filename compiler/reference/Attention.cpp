// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention and codebooks.
#include "compiler/reference/Evaluate.h"
#include "dialects/vae/IR/VaeQuant.h"
#include "dialects/vae/IR/VaeQuantAttention.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vae;
using namespace vae::reference;
using llvm::Error;

namespace {
/// [N, S, C] or [N, C, H, W] as channels of positions.
struct Sequence {
  int64_t channels, positions;
  bool isImage;

  explicit Sequence(const Tensor &tensor) : isImage(tensor.shape.size() == 4) {
    channels = tensor.shape[isImage ? 1 : 2];
    positions = isImage ? tensor.shape[2] * tensor.shape[3] : tensor.shape[1];
  }
  int64_t at(int64_t n, int64_t s, int64_t c) const {
    return isImage ? (n * channels + c) * positions + s
                   : (n * positions + s) * channels + c;
  }
};
} // namespace

/// Softmax in place.
static void normalize(std::vector<double> &scores) {
  double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double &score : scores)
    sum += score = std::exp(score - most);
  for (double &score : scores)
    score /= sum;
}

namespace {
/// What the blocks of keys so far give for one query and head of integers.
struct RunningAttention {
  const AttentionNumbers &numbers;
  int32_t most = 0;
  float sum = 0;
  std::vector<float> totals;

  RunningAttention(const AttentionNumbers &numbers, int64_t channels)
      : numbers(numbers), totals(channels, 0.0f) {}

  /// Adds a block of keys by their scores; `getValue` gives the integer of a
  /// key and a channel, without the zero point.
  void add(llvm::ArrayRef<int32_t> scores,
           llvm::function_ref<int32_t(size_t, size_t)> getValue) {
    int32_t largest = *std::max_element(scores.begin(), scores.end());
    if (sum == 0)
      most = largest;
    int32_t now = std::max(most, largest);
    float scaleBefore = numbers.getWeight(now - most),
          scale = numbers.getWeight(now - largest);
    most = now;
    std::vector<int32_t> weights;
    int32_t weightSum = 0;
    for (int32_t score : scores) {
      weights.push_back(
          AttentionNumbers::quantize(numbers.getWeight(largest - score)));
      weightSum += weights.back();
    }
    auto accumulate = [&](float &total, int32_t sum) {
      float before = total * scaleBefore;
      total = std::fmaf(static_cast<float>(sum), scale, before);
    };
    accumulate(sum, weightSum);
    for (size_t c = 0; c < totals.size(); ++c) {
      int32_t dot = 0;
      for (size_t t = 0; t < weights.size(); ++t)
        dot += weights[t] * getValue(t, c);
      accumulate(totals[c], dot);
    }
  }
};
} // namespace

/// In i32 and f32, step by step as the description of the operation has it.
static void attendIntegers(AttentionOp op, const Operands &in, Results out) {
  const AttentionNumbers numbers(op);
  Sequence q(in[0]), k(in[1]), v(in[2]);
  int64_t heads = op.getHeads();
  int64_t width = q.channels / heads, valueWidth = v.channels / heads;
  auto get = [](const Tensor &tensor, int64_t at, int32_t zeroPoint) {
    return static_cast<int32_t>(tensor.data[at]) - zeroPoint;
  };
  std::optional<Quantization> result;
  if (auto type = getQuantizedType(op.getY()))
    result.emplace(type);
  auto attend = [&](int64_t n, int64_t h, int64_t s) {
    RunningAttention running(numbers, valueWidth);
    for (int64_t first = 0; first < k.positions; first += kWeightBlock) {
      std::vector<int32_t> scores;
      for (int64_t t = first; t < std::min(first + kWeightBlock, k.positions);
           ++t) {
        int32_t score = 0;
        for (int64_t c = h * width; c < (h + 1) * width; ++c)
          score += get(in[0], q.at(n, s, c), numbers.queryZeroPoint) *
                   get(in[1], k.at(n, t, c), numbers.keyZeroPoint);
        scores.push_back(score);
      }
      running.add(scores, [&](int64_t t, int64_t c) {
        return get(in[2], v.at(n, first + t, h * valueWidth + c),
                   numbers.valueZeroPoint);
      });
    }
    float scale = numbers.valueScale / running.sum;
    for (int64_t c = 0; c < valueWidth; ++c) {
      float y = running.totals[c] * scale;
      // The result lies like the query, with the value's channels.
      int64_t channel = h * valueWidth + c;
      int64_t at = q.isImage ? (n * v.channels + channel) * q.positions + s
                             : (n * q.positions + s) * v.channels + channel;
      out[0].data[at] = result ? static_cast<float>(result->quantize(y)) : y;
    }
  };
  for (int64_t n = 0; n < in[0].shape[0]; ++n)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t s = 0; s < q.positions; ++s)
        attend(n, h, s);
}

Error reference::evaluate(AttentionOp op, const Operands &in, Results out) {
  if (isIntegerLayer(op)) {
    attendIntegers(op, in, out);
    return Error::success();
  }
  const Tensor &query = in[0], &key = in[1], &value = in[2];
  Sequence q(query), k(key), v(value);
  int64_t heads = op.getHeads();
  int64_t width = q.channels / heads, valueWidth = v.channels / heads;
  double scale = op.getScale().convertToDouble();
  std::vector<double> scores(k.positions);
  for (int64_t n = 0; n < query.shape[0]; ++n)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t s = 0; s < q.positions; ++s) {
        for (int64_t t = 0; t < k.positions; ++t) {
          double dot = 0;
          for (int64_t c = h * width; c < (h + 1) * width; ++c)
            dot += double(query.data[q.at(n, s, c)]) *
                   double(key.data[k.at(n, t, c)]);
          scores[t] = scale * dot;
        }
        normalize(scores);
        for (int64_t c = h * valueWidth; c < (h + 1) * valueWidth; ++c) {
          double sum = 0;
          for (int64_t t = 0; t < k.positions; ++t)
            sum += scores[t] * double(value.data[v.at(n, t, c)]);
          // The result lies like the query, with the value's channels.
          int64_t index = q.isImage ? (n * v.channels + c) * q.positions + s
                                    : (n * q.positions + s) * v.channels + c;
          out[0].data[index] = sum;
        }
      }
  return Error::success();
}

Error reference::evaluate(LinearAttentionOp op, const Operands &in,
                          Results out) {
  const Tensor &x = in[0];
  Sequence from(x), to(out[0]);
  int64_t width = op.getHeadDim();
  double epsilon = op.getEpsilon().convertToDouble();
  for (int64_t n = 0; n < x.shape[0]; ++n)
    for (int64_t h = 0; h < to.channels / width; ++h) {
      // `part` is 0 for the query, 1 for the key, 2 for the value.
      auto get = [&](int64_t part, int64_t c, int64_t s) {
        double value = x.data[from.at(n, s, (3 * h + part) * width + c)];
        return part == 2 || value > 0 || std::isnan(value) ? value : 0;
      };
      for (int64_t s = 0; s < from.positions; ++s) {
        std::vector<double> sums(width, 0);
        double total = 0;
        for (int64_t t = 0; t < from.positions; ++t) {
          double weight = 0;
          for (int64_t c = 0; c < width; ++c)
            weight += get(0, c, s) * get(1, c, t);
          total += weight;
          for (int64_t d = 0; d < width; ++d)
            sums[d] += weight * get(2, d, t);
        }
        for (int64_t d = 0; d < width; ++d)
          out[0].data[to.at(n, s, h * width + d)] = sums[d] / (total + epsilon);
      }
    }
  return Error::success();
}

Error reference::evaluate(NearestCodebookOp op, const Operands &in,
                          Results out) {
  const Tensor &x = in[0], &codebook = in[1];
  AxisView view(x.shape, 1);
  if (Error error =
          checkShape(op, &codebook, "codebook", {codebook.shape[0], view.size}))
    return error;
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t k = 0; k < view.inner; ++k) {
      double least = INFINITY;
      int64_t nearest = 0;
      for (int64_t entry = 0; entry < codebook.shape[0]; ++entry) {
        double distance = 0;
        for (int64_t c = 0; c < view.size; ++c)
          distance += std::pow(double(x.data[view.at(n, c, k)]) -
                                   double(codebook.data[entry * view.size + c]),
                               2);
        if (distance < least) {
          least = distance;
          nearest = entry;
        }
      }
      out[0].data[n * view.inner + k] = nearest;
    }
  return Error::success();
}

Error reference::evaluate(EmbeddingOp op, const Operands &in, Results out) {
  const Tensor &table = in[1];
  AxisView view(out[0].shape, 1);
  double last = table.shape[0] - 1;
  for (int64_t n = 0; n < view.outer; ++n)
    for (int64_t k = 0; k < view.inner; ++k) {
      double number = in[0].data[n * view.inner + k];
      int64_t entry = number >= 0 ? std::min(number, last) : 0; // NaN is 0
      for (int64_t c = 0; c < view.size; ++c)
        out[0].data[view.at(n, c, k)] = table.data[entry * view.size + c];
    }
  return Error::success();
}
