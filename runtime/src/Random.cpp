// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Noise with the same bits on every machine: integers, and IEEE f64 operations
// that round correctly (+, -, *, /, sqrt), in the order that the source gives.
// The file is compiled with -ffp-contract=off and calls no libm function.
#include "runtime/src/Random.h"

#include "vae/vae_runtime.h"

#include <algorithm>
#include <cstring>

using namespace vae::runtime;

static constexpr uint64_t kChunk = 64;

namespace {
struct Block {
  uint32_t words[4];
};
} // namespace

static inline Block philox(Block c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53) * c.words[0];
    uint64_t p1 = uint64_t(0xCD9E8D57) * c.words[2];
    c = {{uint32_t(p1 >> 32) ^ c.words[1] ^ k0, uint32_t(p1),
          uint32_t(p0 >> 32) ^ c.words[3] ^ k1, uint32_t(p0)}};
    k0 += 0x9E3779B9; // the golden ratio
    k1 += 0xBB67AE85; // sqrt(3) - 1
  }
  return c;
}

void vae_philox4x32_10(const uint32_t counter[4], const uint32_t key[2],
                       uint32_t out[4]) {
  if (!counter || !key || !out)
    return;
  Block block = philox({{counter[0], counter[1], counter[2], counter[3]}},
                       key[0], key[1]);
  std::memcpy(out, block.words, sizeof(block.words));
}

/// Value of c[0] + c[1] x + ... + c[N-1] x^(N-1), by Horner's rule.
template <int N> static double polynomial(const double (&c)[N], double x) {
  double sum = c[N - 1];
  for (int i = N - 2; i >= 0; --i)
    sum = sum * x + c[i];
  return sum;
}

static inline double ln(double x) {
  // x = m 2^e with sqrt(1/2) <= m < sqrt(2).
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  constexpr uint64_t kFraction = (uint64_t(1) << 52) - 1;
  constexpr uint64_t kSqrt2Fraction = 0x6a09e667f3bcd;
  uint64_t fraction = bits & kFraction;
  int up = fraction >= kSqrt2Fraction;
  int e = int(bits >> 52) - 1023 + up;
  bits = fraction | (uint64_t(1023 - up) << 52);
  double m;
  std::memcpy(&m, &bits, sizeof(m));

  // ln m = 2 atanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716: the series of
  // atanh, whose first omitted term is below 2^-61 of the sum.
  static constexpr double kAtanh[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,
                                      2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17,
                                      2.0 / 19, 2.0 / 21, 2.0 / 23};
  double f = m - 1.0; // exact
  double s = f / (m + 1.0);
  double s2 = s * s;
  // 2s = f - s f: f carries most of the sum without error.
  double tail = s * (s2 * polynomial(kAtanh, s2) - f);
  // ln 2 in two parts; the product of the first with e is exact.
  constexpr double kLn2High = 0x1.62e42fefa3800p-1;
  constexpr double kLn2Low = 0x1.ef35793c76730p-45;
  double de = e;
  return de * kLn2High + (f + (tail + de * kLn2Low));
}

static inline double cosine(uint64_t turns) {
  // The nearest quarter, and the rest in [-1/8, 1/8) of a turn: exact.
  uint64_t quarter = (turns + (uint64_t(1) << 61)) >> 62;
  auto rest = static_cast<int64_t>(turns - (quarter << 62));
  double t = double(rest) * 0x1.921fb54442d18p-62; // 2 pi / 2^64
  double t2 = t * t;
  // The Taylor series: |t| <= pi / 4 leaves a rest below 2^-58.
  static constexpr double kCos[] = {1.0,
                                    -1.0 / 2,
                                    1.0 / 24,
                                    -1.0 / 720,
                                    1.0 / 40320,
                                    -1.0 / 3628800,
                                    1.0 / 479001600,
                                    -1.0 / 87178291200,
                                    1.0 / 20922789888000};
  static constexpr double kSin[] = {1.0,
                                    -1.0 / 6,
                                    1.0 / 120,
                                    -1.0 / 5040,
                                    1.0 / 362880,
                                    -1.0 / 39916800,
                                    1.0 / 6227020800,
                                    -1.0 / 1307674368000,
                                    1.0 / 355687428096000};
  double value = quarter & 1 ? -t * polynomial(kSin, t2) : polynomial(kCos, t2);
  return quarter & 2 ? -value : value;
}

double vae::runtime::logOf(double x) { return ln(x); }
double vae::runtime::cosOfTurns(uint64_t turns) { return cosine(turns); }

/// In loops of one kind of work each, which the compiler turns into vector
/// instructions; an element's bits do not depend on its neighbours.
static void makeNormals(uint64_t seed, uint64_t stream, uint64_t first,
                        uint64_t count, float *out) {
  uint64_t radius[kChunk], angle[kChunk];
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t element = first + i;
    Block block = philox({{uint32_t(element), uint32_t(element >> 32),
                           uint32_t(stream), uint32_t(stream >> 32)}},
                         uint32_t(seed), uint32_t(seed >> 32));
    radius[i] = block.words[0] | uint64_t(block.words[1]) << 32;
    angle[i] = block.words[2] | uint64_t(block.words[3]) << 32;
  }
  for (uint64_t i = 0; i < count; ++i) {
    double u = (double(radius[i]) + 1.0) * 0x1p-64;
    out[i] = float(__builtin_sqrt(-2.0 * ln(u)) * cosine(angle[i]));
  }
}

vae_status_t vae_noise_normal(uint64_t seed, uint64_t stream, uint64_t first,
                              uint64_t count, float *out) {
  if (!out && count)
    return VAE_INVALID_ARGUMENT;
  for (uint64_t i = 0; i < count; i += kChunk)
    makeNormals(seed, stream, first + i, std::min(kChunk, count - i), out + i);
  return VAE_OK;
}
