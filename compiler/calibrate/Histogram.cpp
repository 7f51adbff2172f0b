// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/Histogram.h"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace vae;

/// Of 8 bits.
static constexpr double kSteps = 255;
/// Thresholds whose divergence is computed.
static constexpr size_t kMostCandidates = 256;
/// Of the numbers may be beyond a threshold. Where all are, nothing diverges.
static constexpr double kMostClipped = 0.01;

void Extent::add(llvm::ArrayRef<float> values) {
  count += values.size();
  for (float value : values) {
    if (!std::isfinite(value)) {
      ++nonfinite;
      continue;
    }
    zeros += value == 0;
    low = std::min(low, value);
    high = std::max(high, value);
  }
}

void Extent::add(const Extent &other) {
  low = std::min(low, other.low);
  high = std::max(high, other.high);
  count += other.count;
  zeros += other.zeros;
  nonfinite += other.nonfinite;
}

Histogram::Histogram(const Extent &found, size_t numBins)
    : extent(found), bins(numBins) {
  if (extent.getFinite() == 0)
    extent.low = extent.high = 0;
  symmetric = extent.low < 0 && extent.high > 0;
  double most = std::max(-double(extent.low), double(extent.high));
  begin = symmetric ? -most : std::min(0.0, double(extent.low));
  width = (symmetric ? 2 * most : most) / double(numBins);
}

void Histogram::add(llvm::ArrayRef<float> values) {
  if (width == 0)
    return;
  double scale = 1 / width;
  for (float value : values) {
    if (!std::isfinite(value) || value == 0)
      continue;
    double bin = std::max(0.0, (value - begin) * scale);
    uint32_t &count = bins[std::min(bins.size() - 1, static_cast<size_t>(bin))];
    count += count != UINT32_MAX;
  }
}

float Histogram::getOrdered(uint64_t index) const {
  // The zeros stand where a bin begins, or behind the last.
  size_t zero = symmetric ? bins.size() / 2 : begin < 0 ? bins.size() : 0;
  uint64_t before = 0;
  for (size_t bin = 0; bin <= bins.size(); ++bin) {
    if (bin == zero) {
      before += extent.zeros;
      if (before > index)
        return 0;
    }
    if (bin == bins.size())
      break;
    if (before + bins[bin] > index) {
      double part = (double(index - before) + 0.5) / bins[bin];
      return std::clamp(static_cast<float>(getEdge(bin) + width * part),
                        extent.low, extent.high);
    }
    before += bins[bin];
  }
  return extent.high;
}

float Histogram::getPercentile(double p) const {
  if (extent.getFinite() == 0)
    return 0;
  double rank = p / 100 * double(extent.getFinite() - 1);
  auto index = static_cast<uint64_t>(rank);
  double first = getOrdered(index), second = getOrdered(index + 1);
  return static_cast<float>(first + (second - first) * (rank - double(index)));
}

namespace {
/// Numbers, their sum and that of their squares, of the bins before each.
class Moments {
public:
  Moments(llvm::ArrayRef<uint32_t> bins, double begin, double width)
      : sums(bins.size() + 1) {
    for (size_t bin = 0; bin < bins.size(); ++bin) {
      double center = begin + width * (double(bin) + 0.5), n = bins[bin];
      sums[bin + 1] = {sums[bin].count + n, sums[bin].first + n * center,
                       sums[bin].second + n * center * center};
    }
  }

  double getCount(size_t from, size_t to) const {
    return sums[to].count - sums[from].count;
  }
  /// The squared distances from `end` of the bins in [from, to).
  double getDistances(size_t from, size_t to, double end) const {
    double count = getCount(from, to);
    double first = sums[to].first - sums[from].first;
    double second = sums[to].second - sums[from].second;
    return std::max(0.0, second - 2 * end * first + end * end * count);
  }

private:
  struct Sums {
    double count = 0, first = 0, second = 0;
  };
  std::vector<Sums> sums;
};
} // namespace

Range Histogram::getLeastSquares() const {
  // Ends are edges of bins; zero is one, and always inside.
  size_t zero = symmetric ? bins.size() / 2 : begin < 0 ? bins.size() : 0;
  size_t low = 0, high = bins.size();
  if (width == 0)
    return {extent.low, extent.high};
  Moments moments(bins, begin, width);
  auto getError = [&](size_t from, size_t to) {
    double step = width * double(to - from) / kSteps;
    return step * step / 12 * moments.getCount(from, to) +
           moments.getDistances(0, from, getEdge(from)) +
           moments.getDistances(to, bins.size(), getEdge(to));
  };
  // Each end in turn; an end seldom moves after the second round.
  double least = getError(low, high);
  for (unsigned round = 0; round < 4; ++round) {
    for (size_t from = 0; from <= zero; ++from)
      if (from < high && getError(from, high) < least)
        least = getError(from, high), low = from;
    for (size_t to = zero; to <= bins.size(); ++to)
      if (low < to && getError(low, to) < least)
        least = getError(low, to), high = to;
  }
  // No further than what was seen, except to zero.
  return {
      std::max(static_cast<float>(getEdge(low)), std::min(0.f, extent.low)),
      std::min(static_cast<float>(getEdge(high)), std::max(0.f, extent.high))};
}

std::vector<uint64_t> Histogram::fold() const {
  std::vector<uint64_t> folded(bins.begin(), bins.end());
  if (begin == 0)
    return folded;
  std::reverse(folded.begin(), folded.end());
  if (!symmetric)
    return folded;
  size_t half = bins.size() / 2;
  std::rotate(folded.begin(), folded.begin() + half, folded.end());
  folded.resize(half);
  for (size_t bin = 0; bin < half; ++bin)
    folded[bin] += bins[half + bin];
  return folded;
}

/// The divergence of the first `used` bins, those behind them added to the
/// last, from themselves in `levels` steps. `after`: numbers behind them.
static double getDivergence(llvm::ArrayRef<uint64_t> bins, size_t used,
                            size_t levels, double after) {
  constexpr double kNothing = 1e-9; // in the place of a probability of 0
  double inside = 0;
  for (uint64_t count : bins.take_front(used))
    inside += double(count);
  double total = inside + after, divergence = 0;
  for (size_t level = 0; level < levels; ++level) {
    size_t from = level * used / levels, to = (level + 1) * used / levels;
    double sum = 0, filled = 0;
    for (size_t bin = from; bin < to; ++bin) {
      sum += double(bins[bin]);
      filled += bins[bin] != 0;
    }
    for (size_t bin = from; bin < to; ++bin) {
      double p = double(bins[bin]) + (bin + 1 == used ? after : 0);
      if (p == 0)
        continue;
      double q = bins[bin] && inside > 0 ? sum / filled / inside : kNothing;
      divergence += p / total * std::log(p / total / q);
    }
  }
  return divergence;
}

Range Histogram::getLeastDivergence() const {
  if (width == 0)
    return {extent.low, extent.high};
  std::vector<uint64_t> folded = fold();
  size_t levels = symmetric ? 128 : 256;
  size_t best = folded.size();
  if (levels < best) {
    size_t stride = std::max<size_t>(1, (best - levels) / kMostCandidates);
    double least = std::numeric_limits<double>::infinity(), after = 0;
    // From the widest range on: of equal ones that is kept.
    for (size_t used = folded.size(), last = used;; used -= stride) {
      while (last > used)
        after += double(folded[--last]);
      if (after > kMostClipped * double(extent.getFinite()))
        break;
      double divergence = getDivergence(folded, used, levels, after);
      if (divergence < least)
        least = divergence, best = used;
      if (used < levels + stride)
        break;
    }
  }
  auto most = static_cast<float>(width * double(best));
  return {std::max(-most, std::min(0.f, extent.low)),
          std::min(most, std::max(0.f, extent.high))};
}

Ranges Histogram::getRanges() const {
  Ranges ranges;
  ranges[RangeMethod::MinMax] = {extent.low, extent.high};
  ranges[RangeMethod::Percentile999] = {getPercentile(0.1),
                                        getPercentile(99.9)};
  ranges[RangeMethod::Percentile9999] = {getPercentile(0.01),
                                         getPercentile(99.99)};
  ranges[RangeMethod::Mse] = getLeastSquares();
  ranges[RangeMethod::Entropy] = getLeastDivergence();
  return ranges;
}
