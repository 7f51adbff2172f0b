// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/compress/PrecisionSearch.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

using namespace vae;

static constexpr double kInfinite = std::numeric_limits<double>::infinity();
/// Measurements of single layers after the bisection, beside ceil(log2(n + 1)).
static constexpr unsigned kFurtherTries = 8;

/// The choices of a layer that are worth anything, from the one that saves most
/// to kBaseKind: the lower convex hull of drop over saving. From each to the
/// next, less is lost for what is no longer saved: the order of steps over all
/// layers never takes a later step of a layer before an earlier one.
static PrecisionChoices getHull(const PrecisionChoices &choices) {
  PrecisionChoices points = {PrecisionChoice()};
  for (PrecisionChoice choice : choices) {
    if (std::isnan(choice.drop))
      choice.drop = kInfinite;
    choice.saving = std::max(choice.saving, 0.0);
    points.push_back(choice);
  }
  // Of equal savings, the least drop last, and kBaseKind first.
  llvm::sort(points, [](const auto &a, const auto &b) {
    bool aBase = a.kind == kBaseKind;
    bool bBase = b.kind == kBaseKind;
    if (a.saving != b.saving)
      return a.saving < b.saving;
    return aBase != bBase ? aBase : a.drop > b.drop;
  });
  PrecisionChoices hull;
  for (const PrecisionChoice &point : points) {
    // Points on or above the line from the one before them to this one.
    while (hull.size() > 1) {
      const PrecisionChoice &a = hull[hull.size() - 2], &b = hull.back();
      double before = (b.drop - a.drop) * (point.saving - a.saving);
      double whole = (point.drop - a.drop) * (b.saving - a.saving);
      if (before < whole || std::isnan(before) || std::isnan(whole))
        break;
      hull.pop_back();
    }
    hull.push_back(point);
  }
  return {hull.rbegin(), hull.rend()};
}

namespace {

/// Makes layer `layer` go from level `level` of its hull to the next.
struct Move {
  size_t layer = 0, level = 0;
  double drop = 0, saving = 0;

  double getRatio() const {
    if (drop <= 0)
      return drop;
    return saving > 0 ? drop / saving : kInfinite;
  }
};

class Search {
public:
  using MeasureFn =
      llvm::function_ref<std::optional<double>(const PrecisionAssignment &)>;
  using Levels = std::vector<size_t>;

  Search(llvm::ArrayRef<PrecisionChoices> layers, double budget,
         MeasureFn measure)
      : budget(budget), measure(measure) {
    for (const PrecisionChoices &choices : layers)
      hulls.push_back(getHull(choices));
    for (size_t layer = 0; layer < hulls.size(); ++layer)
      for (size_t level = 0; level + 1 < hulls[layer].size(); ++level)
        moves.push_back(getMove(layer, level));
    llvm::sort(moves, [](const Move &a, const Move &b) {
      double first = a.getRatio(), second = b.getRatio();
      return first != second
                 ? first > second
                 : std::pair(a.layer, a.level) < std::pair(b.layer, b.level);
    });
  }

  std::optional<PrecisionSearchResult> run() {
    if (!bisect())
      return std::nullopt;
    return std::move(result);
  }

private:
  Move getMove(size_t layer, size_t level) const {
    const PrecisionChoice &from = hulls[layer][level];
    const PrecisionChoice &to = hulls[layer][level + 1];
    double drop = from.drop - to.drop; // NaN if both are infinite
    return {layer, level, std::isnan(drop) ? kInfinite : drop,
            from.saving - to.saving};
  }

  /// After the first `count` moves.
  Levels getPrefix(size_t count) const {
    Levels levels(hulls.size(), 0);
    for (const Move &move : llvm::ArrayRef(moves).take_front(count))
      ++levels[move.layer];
    return levels;
  }

  PrecisionAssignment getAssignment(const Levels &levels) const {
    PrecisionAssignment assignment;
    for (auto [hull, level] : llvm::zip(hulls, levels))
      assignment.push_back(hull[level].kind);
    return assignment;
  }

  /// Whether it fits; it is the result then. Nothing if the search ends.
  std::optional<bool> tryLevels(const Levels &levels) {
    PrecisionAssignment assignment = getAssignment(levels);
    for (const PrecisionStep &step : result.steps)
      if (step.assignment == assignment)
        return step.fits;
    auto drop = measure(assignment);
    if (!drop)
      return std::nullopt;
    bool fits = *drop <= budget; // not if it is NaN
    result.steps.push_back({assignment, *drop, fits});
    if (fits || !result.fits) {
      result.fits = fits;
      result.assignment = std::move(assignment);
      result.drop = *drop;
    }
    return fits;
  }

  /// False if the search ends.
  bool bisect() {
    auto fits = tryLevels(getPrefix(0));
    if (!fits || *fits || moves.empty())
      return fits.has_value();
    fits = tryLevels(getPrefix(moves.size()));
    if (!fits || !*fits)
      return fits.has_value();
    size_t fails = 0, keeps = moves.size();
    while (keeps - fails > 1) {
      size_t middle = fails + (keeps - fails) / 2;
      fits = tryLevels(getPrefix(middle));
      if (!fits)
        return false;
      (*fits ? keeps : fails) = middle;
    }
    return giveBack(getPrefix(keeps));
  }

  /// Undoes single moves: those that by themselves lose no more than is left of
  /// the budget, the one that saves most first, then those that lose least.
  bool giveBack(Levels levels) {
    std::set<std::pair<size_t, size_t>> tried;
    size_t tries = llvm::Log2_64_Ceil(moves.size() + 1) + kFurtherTries;
    for (; tries > 0; --tries) {
      std::optional<Move> best;
      double left = budget - result.drop;
      for (size_t layer = 0; layer < levels.size(); ++layer) {
        if (!levels[layer] || tried.count({layer, levels[layer]}))
          continue;
        Move move = getMove(layer, levels[layer] - 1);
        bool fits = move.drop <= left, bestFits = best && best->drop <= left;
        if (!best || (fits && !bestFits) ||
            (fits == bestFits &&
             (fits ? move.saving > best->saving : move.drop < best->drop)))
          best = move;
      }
      if (!best)
        break;
      tried.insert({best->layer, best->level + 1});
      Levels next = levels;
      --next[best->layer];
      auto fits = tryLevels(next);
      if (!fits)
        return false;
      if (*fits)
        levels = std::move(next);
    }
    return true;
  }

  double budget;
  MeasureFn measure;
  std::vector<PrecisionChoices> hulls;
  std::vector<Move> moves; // in the order in which they are made
  PrecisionSearchResult result;
};

} // namespace

std::optional<PrecisionSearchResult>
vae::searchPrecisions(llvm::ArrayRef<PrecisionChoices> layers, double budget,
                      Search::MeasureFn measure) {
  return Search(layers, budget, measure).run();
}
