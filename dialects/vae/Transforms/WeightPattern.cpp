// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/vae/Transforms/WeightPattern.h"

#include "llvm/Support/raw_ostream.h"

#include <charconv>

using namespace llvm;
using namespace vae;

static std::optional<WeightPattern> parseFraction(WeightPattern::Kind kind,
                                                  StringRef text) {
  WeightPattern pattern;
  pattern.kind = kind;
  if (text.getAsDouble(pattern.fraction) ||
      !(pattern.fraction >= 0 && pattern.fraction < 1))
    return std::nullopt;
  return pattern;
}

std::optional<WeightPattern> WeightPattern::parse(StringRef text) {
  constexpr int64_t kMost = 64;
  if (text.consume_front("blocks:"))
    return parseFraction(Blocks, text);
  bool named = text.consume_front("weights:");
  auto [first, second] = text.split(':');
  if (second.empty())
    return named ? parseFraction(Weights, text) : std::nullopt;
  WeightPattern pattern;
  pattern.kind = NOfM;
  if (first.getAsInteger(10, pattern.keep) ||
      second.getAsInteger(10, pattern.of) || pattern.keep < 1 ||
      pattern.keep >= pattern.of || pattern.of > kMost)
    return std::nullopt;
  return pattern;
}

/// The shortest text that is read as the same number.
static std::string format(double value) {
  char buffer[32];
  auto end = std::to_chars(buffer, std::end(buffer), value);
  return {buffer, end.ptr};
}

std::string WeightPattern::str() const {
  switch (kind) {
  case Weights:
    return "weights:" + format(fraction);
  case Blocks:
    return "blocks:" + format(fraction);
  case NOfM:
    break;
  }
  return std::to_string(keep) + ":" + std::to_string(of);
}
