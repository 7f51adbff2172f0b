// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Random.h"

#include "vae/vae_runtime.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace vae::runtime;

namespace {

using Words = std::array<uint32_t, 4>;

Words philox(Words counter, std::array<uint32_t, 2> key) {
  Words out;
  vae_philox4x32_10(counter.data(), key.data(), out.data());
  return out;
}

std::vector<float> noise(uint64_t seed, uint64_t stream, uint64_t first,
                         uint64_t count) {
  std::vector<float> out(count);
  EXPECT_EQ(vae_noise_normal(seed, stream, first, count, out.data()), VAE_OK);
  return out;
}

// kat_vectors of Random123, the authors' own library.
TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, DoesNothingWithNull) {
  uint32_t words[4] = {1, 2, 3, 4};
  vae_philox4x32_10(nullptr, words, words);
  vae_philox4x32_10(words, nullptr, words);
  vae_philox4x32_10(words, words, nullptr);
  EXPECT_EQ(words[0], 1u);
}

// From the formula of vae_noise_normal in decimal arithmetic of 60 digits,
// rounded to f32 once. Every machine must give these bits.
TEST(Noise, HasTheseBits) {
  struct {
    uint64_t seed, stream, element;
    uint32_t bits;
  } cases[] = {{0x0, 0x0, 0x0, 0xbecb9b14}, // -0.397667538
               {0x0, 0x0, 0x1, 0x3fb1841e}, // 1.38684443
               {0x1, 0x0, 0x0, 0xbde8d12a}, // -0.113680197
               {0x1, 0x0, 0x1, 0xbe93c2cf}, // -0.288595635
               {0x2a, 0x0, 0x3039, 0xbf3e404f},
               {0xfedcba9876543210, 0x7, 0x10000000000, 0x3eef8e8e},
               {~0ull, ~0ull, ~0ull, 0xbfbd3def},
               {0x1, 0x200000000, 0x3, 0xbd7067d8}};
  for (const auto &c : cases) {
    float value = noise(c.seed, c.stream, c.element, 1)[0];
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    EXPECT_EQ(bits, c.bits) << value;
  }
}

// The formula with the C library's functions in long double. Where the exact
// value lies within an error of the f64 computation of the middle between two
// floats, the two may round apart.
TEST(Noise, IsTheFormula) {
  const long double turn = 2 * std::acos(-1.0L);
  int differences = 0;
  for (uint64_t i = 0; i < 200'000; ++i) {
    Words w = philox({uint32_t(i), 0, 4, 0}, {3, 0});
    long double u = ((w[0] | uint64_t(w[1]) << 32) + 1.0L) / 0x1p64L;
    long double v = (w[2] | uint64_t(w[3]) << 32) / 0x1p64L;
    auto exact =
        static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(turn * v));
    float found = noise(3, 4, i, 1)[0];
    differences += found != exact;
    ASSERT_LE(std::fabs(found - exact), 1e-7f * std::fabs(exact)) << i;
  }
  EXPECT_LE(differences, 2);
}

// A checksum over many: no platform may differ in a single one.
TEST(Noise, HasTheseBitsInAMillionElements) {
  uint64_t hash = 14695981039346656037ull; // FNV-1a
  for (float value : noise(2026, 11, 0, 1'000'000)) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    hash = (hash ^ bits) * 1099511628211ull;
  }
  EXPECT_EQ(hash, 0x8fa7837ddd4d4b35ull);
}

TEST(Noise, IsTheSameHoweverItIsSplit) {
  std::vector<float> whole = noise(5, 3, 1000, 997);
  std::vector<float> parts;
  for (uint64_t first = 0, size = 1; first < whole.size();
       size = size * 2 + 1) {
    size = std::min<uint64_t>(size, whole.size() - first);
    std::vector<float> part = noise(5, 3, 1000 + first, size);
    parts.insert(parts.end(), part.begin(), part.end());
    first += size;
  }
  EXPECT_EQ(whole, parts);
  // Past the end the index starts again.
  EXPECT_EQ(noise(5, 3, ~0ull, 2)[1], noise(5, 3, 0, 1)[0]);
}

TEST(Noise, DependsOnSeedAndStream) {
  EXPECT_NE(noise(1, 0, 0, 8), noise(2, 0, 0, 8));
  EXPECT_NE(noise(1, 0, 0, 8), noise(1ull << 32 | 1, 0, 0, 8));
  EXPECT_NE(noise(1, 0, 0, 8), noise(1, 1, 0, 8));
  EXPECT_NE(noise(1, 0, 0, 8), noise(1, 1ull << 32, 0, 8));
  EXPECT_NE(noise(1, 0, 0, 8), noise(1, 0, 8, 8));
}

TEST(Noise, IsStandardNormal) {
  constexpr int kCount = 1'000'000;
  std::vector<float> values = noise(17, 0, 0, kCount);
  double moments[5] = {};
  for (double value : values) {
    double power = 1;
    for (double &moment : moments) {
      moment += power / kCount;
      power *= value;
    }
  }
  // Within four standard errors: sqrt(1, 2, 15, 96 over the count).
  EXPECT_NEAR(moments[1], 0, 4e-3);
  EXPECT_NEAR(moments[2], 1, 4 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(moments[3], 0, 4 * std::sqrt(15.0 / kCount));
  EXPECT_NEAR(moments[4], 3, 4 * std::sqrt(96.0 / kCount));
  // Kolmogorov and Smirnov's distance; 1.95 is the 0.1% point.
  std::sort(values.begin(), values.end());
  double distance = 0;
  for (int i = 0; i < kCount; ++i) {
    double expected = std::erfc(-values[i] / std::sqrt(2.0)) / 2;
    distance = std::max(distance, std::fabs(expected - (i + 0.5) / kCount));
  }
  EXPECT_LT(distance, 1.95 / std::sqrt(double(kCount)));
  // Neighbours and streams are not correlated.
  std::vector<float> a = noise(17, 0, 0, kCount), b = noise(17, 1, 0, kCount);
  double neighbours = 0, streams = 0;
  for (int i = 0; i + 1 < kCount; ++i) {
    neighbours += double(a[i]) * a[i + 1] / kCount;
    streams += double(a[i]) * b[i] / kCount;
  }
  EXPECT_NEAR(neighbours, 0, 4e-3);
  EXPECT_NEAR(streams, 0, 4e-3);
}

TEST(Noise, RefusesNull) {
  EXPECT_EQ(vae_noise_normal(0, 0, 0, 1, nullptr), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_noise_normal(0, 0, 0, 0, nullptr), VAE_OK);
}

/// |value - exact| in units in the last place of exact.
double ulps(double value, long double exact) {
  double rounded = static_cast<double>(exact);
  double ulp =
      std::nextafter(std::fabs(rounded), INFINITY) - std::fabs(rounded);
  return static_cast<double>(std::fabs(value - exact) / ulp);
}

// long double is f64 on some machines; there the bounds grow by one half.
TEST(Logarithm, IsAsGoodAsItSays) {
  std::mt19937_64 random(1);
  double worst = 0;
  auto check = [&](double x) {
    worst = std::max(worst, ulps(logOf(x), std::log((long double)x)));
  };
  for (int i = 0; i < 300'000; ++i) {
    uint64_t w = random();
    check((double(w) + 1) * 0x1p-64);             // the whole range
    check((double(w >> (i % 64)) + 1) * 0x1p-64); // its small numbers
    check(1 - double(w >> 11) * 0x1p-53 * std::ldexp(1, -(i % 53)));
  }
  for (int e = -64; e <= 0; ++e) {
    check(std::ldexp(1, e));
    check(std::ldexp(std::nextafter(std::sqrt(0.5), 0.0), e));
    check(std::ldexp(std::sqrt(0.5), e));
  }
  EXPECT_LT(worst, 2.0);
  EXPECT_EQ(logOf(1), 0);
}

TEST(Cosine, IsAsGoodAsItSays) {
  std::mt19937_64 random(2);
  const long double turn = 2 * std::acos(-1.0L) / 18446744073709551616.0L;
  double worst = 0;
  auto check = [&](uint64_t w) {
    long double exact = std::cos(turn * static_cast<long double>(w));
    worst = std::max(worst, (double)std::fabs(cosOfTurns(w) - exact));
  };
  for (int i = 0; i < 300'000; ++i) {
    check(random());
    check(random() >> (i % 64));
  }
  for (uint64_t eighth = 0; eighth < 8; ++eighth)
    for (uint64_t offset : {~0ull, 0ull, 1ull})
      check((eighth << 61) + offset);
  EXPECT_LT(worst, 0x1p-52);
  EXPECT_EQ(cosOfTurns(0), 1);
  EXPECT_EQ(cosOfTurns(1ull << 62), 0);
  EXPECT_EQ(cosOfTurns(1ull << 63), -1);
  EXPECT_EQ(cosOfTurns(3ull << 62), 0);
}

} // namespace
