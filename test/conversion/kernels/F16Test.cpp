// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers that f16 holds, and those that it does not.
#include "compiler/target/cpu/Cpu.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "test/conversion/kernels/CompileText.h"
#include "llvm/ADT/APFloat.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstddef>
#include <limits>

using namespace vae;
using namespace vae::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

uint16_t roundByDefinition(float value) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &inexact);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

TEST(F16, RoundsToNearestEven) {
  // Every number, and what lies between it and the next one.
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    float low = getFloatOfF16(bits), high = getFloatOfF16(bits + 1);
    float middle = low + (high - low) / 2;
    for (float value : {low, middle, std::nextafterf(middle, low),
                        std::nextafterf(middle, high)}) {
      ASSERT_EQ(roundToF16(value), roundByDefinition(value)) << value;
      ASSERT_EQ(roundToF16(-value), roundByDefinition(-value)) << -value;
    }
    ASSERT_EQ(roundToF16(low), bits);
  }
  EXPECT_EQ(roundToF16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(roundToF16(-0.0f), 0x8000);
}

TEST(F16, KeepsFiniteNumbersFinite) {
  EXPECT_EQ(roundToF16(65504), 0x7bff);
  EXPECT_EQ(roundToF16(65520), 0x7bff);
  EXPECT_EQ(roundToF16(-std::numeric_limits<float>::max()), 0xfbff);
  EXPECT_EQ(roundToF16(kInfinity), 0x7c00);
  EXPECT_EQ(roundToF16(-kInfinity), 0xfc00);
  EXPECT_TRUE(std::isnan(getFloatOfF16(roundToF16(kNaN))));
  float signaling = std::numeric_limits<float>::signaling_NaN();
  EXPECT_TRUE(std::isnan(getFloatOfF16(roundToF16(signaling))));
  EXPECT_EQ(getFloatOfF16(0x7c00), kInfinity);
}

/// Two dense layers: 'wide' gives 1000 x, -1000 x, x and y of its inputs x and
/// y, the next one what 'wide' gave, divided by 1024.
class Clamping : public ::testing::TestWithParam<int64_t> {
protected:
  void SetUp() override {
    const std::string model = R"({"format_version": 1, "name": "clamping",
      "inputs": [{"name": "x", "shape": [2]}],
      "encoder": {"layers": [
        {"name": "wide", "type": "dense", "units": 4, "weights": {"kernel":
          {"shape": [4, 2], "data": [1000, 0, -1000, 0, 1, 0, 0, 1]},
          "bias": [0, 0, 0, 0]}},
        {"name": "code", "type": "dense", "units": 4, "weights": {"kernel":
          {"shape": [4, 4], "data": [
            0.0009765625, 0, 0, 0, 0, 0.0009765625, 0, 0,
            0, 0, 0.0009765625, 0, 0, 0, 0, 0.0009765625]},
          "bias": [0, 0, 0, 0]}}]},
      "latent": {"kind": "code", "code": "code"}})";
    CompileOptions options;
    options.storage = Storage::F16;
    options.vectorWidth = GetParam();
    library = compileText(model, options);
    ASSERT_TRUE(library);
  }

  /// What `run` returns. `clamped` is what the call has there.
  int32_t run(float x, size_t structSize, const char **clamped) {
    const float in[] = {x, 1};
    const void *inputs[] = {in};
    void *outputs[] = {result};
    const int64_t batch = 1;
    const vae_abi_entry &entry = *library->findEntry("encode");
    std::vector<char> memory(entry.arena_size(&batch) + 64);
    vae_abi_call call = {};
    call.struct_size = static_cast<uint32_t>(structSize);
    call.inputs = inputs;
    call.outputs = outputs;
    call.symbols = &batch;
    auto address = reinterpret_cast<uintptr_t>(memory.data());
    call.arena = memory.data() + (64 - address % 64);
    call.parallel_for = [](void *, int64_t count, int64_t, vae_abi_task task,
                           void *arg) { task(arg, 0, count); };
    call.clamped = clamped;
    return entry.run(&call);
  }

  std::unique_ptr<ModelLibrary> library;
  float result[4] = {};
};

TEST_P(Clamping, IsSaid) {
  const char *layer = nullptr;
  EXPECT_STREQ(library->getTable().storage, "f16");
  ASSERT_EQ(run(64, sizeof(vae_abi_call), &layer), 0);
  EXPECT_EQ(layer, nullptr);
  EXPECT_EQ(result[0], 64000 / 1024.0f);
  ASSERT_EQ(run(65.53f, sizeof(vae_abi_call), &layer), 0);
  ASSERT_STREQ(layer, "wide");
  EXPECT_EQ(result[0], 65504 / 1024.0f);
  EXPECT_EQ(result[1], -65504 / 1024.0f);
  EXPECT_EQ(result[3], 1 / 1024.0f);
  // What is there stays; and nobody need ask.
  const char *other = "other";
  ASSERT_EQ(run(1e30f, sizeof(vae_abi_call), &other), 0);
  EXPECT_STREQ(other, "other");
  ASSERT_EQ(run(1e30f, sizeof(vae_abi_call), nullptr), 0);
  EXPECT_EQ(result[0], 65504 / 1024.0f);
}

TEST_P(Clamping, LeavesInfinityAndNaN) {
  const char *layer = nullptr;
  ASSERT_EQ(run(kNaN, sizeof(vae_abi_call), &layer), 0);
  EXPECT_TRUE(std::isnan(result[0]));
  ASSERT_EQ(run(kInfinity, sizeof(vae_abi_call), &layer), 0);
  EXPECT_FALSE(std::isfinite(result[0]));
  EXPECT_EQ(layer, nullptr);
}

TEST_P(Clamping, IsForCallersThatKnowOfIt) {
  EXPECT_EQ(run(1, offsetof(vae_abi_call, clamped), nullptr), 1);
}

INSTANTIATE_TEST_SUITE_P(F16, Clamping, ::testing::Values(0, 4, 8));

TEST(F16, NeedsInstructions) {
  const char *triple = "x86_64-unknown-linux-gnu";
  auto good = describeCpu(triple, "x86-64-v3", "");
  ASSERT_TRUE(static_cast<bool>(good));
  EXPECT_FALSE(static_cast<bool>(checkConvertsF16(*good)));
  auto bad = describeCpu(triple, "x86-64-v3", "-f16c");
  ASSERT_TRUE(static_cast<bool>(bad));
  EXPECT_EQ(llvm::toString(checkConvertsF16(*bad)),
            "CPU 'x86-64-v3' has no F16C, whose instructions convert f16; "
            "choose another one, or --storage=f32");
}

} // namespace
