// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/CpuFeatures.h"

#include "gtest/gtest.h"

#include <cstring>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace vae::runtime;

namespace {

template <typename Cpu>
CpuAnswer find(const Cpu &cpu, const std::string &name) {
  return findFeature(cpu, name.data(), name.size());
}

X86Cpu everything() {
  X86Cpu cpu;
  for (uint32_t &word : cpu.registers)
    word = ~0u;
  cpu.xcr0 = ~0ull;
  return cpu;
}

TEST(CpuFeatures, ACpuWithAllBitsHasAllNames) {
  for (const char *name :
       {"sse3",     "ssse3",    "sse4.1",   "sse4.2",     "popcnt",
        "avx",      "f16c",     "fma",      "avx2",       "bmi",
        "bmi2",     "lzcnt",    "movbe",    "avx512f",    "avx512cd",
        "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx512bf16",
        "amx-tile", "amx-bf16", "amx-int8"}) {
    EXPECT_EQ(find(everything(), name), CpuAnswer::Present) << name;
    EXPECT_EQ(find(X86Cpu(), name), CpuAnswer::Missing) << name;
  }
  ArmCpu arm = {{~0ul, ~0ul}};
  for (const char *name : {"neon", "dotprod", "fullfp16", "bf16", "i8mm", "sve",
                           "sve2", "sha3", "cssc", "mops"}) {
    EXPECT_EQ(find(arm, name), CpuAnswer::Present) << name;
    EXPECT_EQ(find(ArmCpu(), name), CpuAnswer::Missing) << name;
  }
}

TEST(CpuFeatures, OtherNamesAreUnknown) {
  for (const char *name : {"", "avx5", "avx512", "AVX2", "avx2 ", "neon"})
    EXPECT_EQ(find(everything(), name), CpuAnswer::Unknown) << name;
  EXPECT_EQ(find(ArmCpu(), "avx2"), CpuAnswer::Unknown);
  // A name ends where its size says.
  EXPECT_EQ(findFeature(everything(), "avx2,fma", 4), CpuAnswer::Present);
}

TEST(CpuFeatures, TheSystemMustSaveTheRegisters) {
  X86Cpu cpu = everything();
  cpu.xcr0 = 0x7; // x87, SSE, AVX
  EXPECT_EQ(find(cpu, "avx2"), CpuAnswer::Present);
  EXPECT_EQ(find(cpu, "avx512f"), CpuAnswer::Missing);
  cpu.xcr0 = 0x67; // opmasks and the upper halves, not registers 16 to 31
  EXPECT_EQ(find(cpu, "avx512f"), CpuAnswer::Missing);
  cpu.xcr0 = 0xe7;
  EXPECT_EQ(find(cpu, "avx512f"), CpuAnswer::Present);
  EXPECT_EQ(find(cpu, "amx-tile"), CpuAnswer::Missing);
  cpu.xcr0 = 0x600e7;
  EXPECT_EQ(find(cpu, "amx-tile"), CpuAnswer::Present);
  cpu.xcr0 = 0x3; // x87, SSE
  EXPECT_EQ(find(cpu, "avx2"), CpuAnswer::Missing);
  EXPECT_EQ(find(cpu, "fma"), CpuAnswer::Missing);
  EXPECT_EQ(find(cpu, "bmi2"), CpuAnswer::Present);
  EXPECT_EQ(find(cpu, "sse4.2"), CpuAnswer::Present);
}

// Bits by the vendors' manuals, one register at a time.
TEST(CpuFeatures, BitsAreTheManuals) {
  struct {
    X86Cpu::Register where;
    uint32_t bits;
    std::set<std::string> names;
  } cases[] = {{X86Cpu::Leaf1Ecx, 1u << 0, {"sse3"}},
               {X86Cpu::Leaf1Ecx, 1u << 9, {"ssse3"}},
               {X86Cpu::Leaf1Ecx, 1u << 12, {"fma"}},
               {X86Cpu::Leaf1Ecx, 1u << 22, {"movbe"}},
               {X86Cpu::Leaf1Ecx, 3u << 19, {"sse4.1", "sse4.2"}},
               {X86Cpu::Leaf1Ecx, 1u << 23, {"popcnt"}},
               {X86Cpu::Leaf1Ecx, 3u << 28, {"avx", "f16c"}},
               {X86Cpu::Leaf7Ebx, 1u << 3 | 1u << 8, {"bmi", "bmi2"}},
               {X86Cpu::Leaf7Ebx, 1u << 5, {"avx2"}},
               {X86Cpu::Leaf7Ebx, 3u << 16, {"avx512f", "avx512dq"}},
               {X86Cpu::Leaf7Ebx, 1u << 28, {"avx512cd"}},
               {X86Cpu::Leaf7Ebx, 3u << 30, {"avx512bw", "avx512vl"}},
               {X86Cpu::Leaf7Ecx, 1u << 11, {"avx512vnni"}},
               {X86Cpu::Leaf7Edx, 1u << 22, {"amx-bf16"}},
               {X86Cpu::Leaf7Edx, 3u << 24, {"amx-tile", "amx-int8"}},
               {X86Cpu::Leaf7Sub1Eax, 1u << 5, {"avx512bf16"}},
               {X86Cpu::Extended1Ecx, 1u << 5, {"lzcnt"}}};
  for (const auto &c : cases) {
    X86Cpu cpu;
    cpu.xcr0 = ~0ull;
    cpu.registers[c.where] = c.bits;
    std::set<std::string> found;
#define VAE_X86_FEATURE(NAME, REGISTER, BIT, STATE)                            \
  if (find(cpu, NAME) == CpuAnswer::Present)                                   \
    found.insert(NAME);
#include "runtime/src/CpuFeatures.def"
    EXPECT_EQ(found, c.names);
  }
}

/// Words of a line of /proc/cpuinfo.
std::set<std::string> kernelFlags(const std::string &key) {
  std::ifstream file("/proc/cpuinfo");
  std::string line, word;
  std::set<std::string> flags;
  while (std::getline(file, line))
    if (line.compare(0, key.size(), key) == 0) {
      std::istringstream words(line.substr(line.find(':') + 1));
      while (words >> word)
        flags.insert(word);
      break;
    }
  return flags;
}

std::string kernelName(std::string name) {
  if (name == "sse3")
    return "pni";
  if (name == "bmi")
    return "bmi1";
  if (name == "lzcnt")
    return "abm";
  if (name == "avx512vnni")
    return "avx512_vnni";
  if (name == "avx512bf16")
    return "avx512_bf16";
  if (name == "neon")
    return "asimd";
  if (name == "dotprod")
    return "asimddp";
  if (name == "fullfp16")
    return "asimdhp";
  for (char &c : name)
    c = c == '.' || c == '-' ? '_' : c;
  return name;
}

// The kernel is of the same mind.
TEST(CpuFeatures, ThisMachineHasWhatItsKernelSays) {
  auto check = [](const char *name, const std::set<std::string> &flags) {
    EXPECT_EQ(findHostFeature(name, std::strlen(name)) == CpuAnswer::Present,
              flags.count(kernelName(name)) == 1)
        << name;
  };
#if defined(__x86_64__)
  std::set<std::string> flags = kernelFlags("flags");
  if (!flags.count("fxsr"))
    GTEST_SKIP() << "/proc/cpuinfo is another machine's (an emulator)";
#define VAE_X86_FEATURE(NAME, REGISTER, BIT, STATE) check(NAME, flags);
#include "runtime/src/CpuFeatures.def"
#elif defined(__aarch64__)
  std::set<std::string> flags = kernelFlags("Features");
  if (!flags.count("fp"))
    GTEST_SKIP() << "/proc/cpuinfo is another machine's (an emulator)";
#define VAE_ARM_FEATURE(NAME, WORD, BITS) check(NAME, flags);
#include "runtime/src/CpuFeatures.def"
#endif
}

} // namespace
