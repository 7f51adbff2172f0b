// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/CpuFeatures.h"

#include "runtime/src/TilePermission.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

using namespace vae::runtime;

static bool equals(const char *known, const char *name, size_t size) {
  return std::strlen(known) == size && std::memcmp(known, name, size) == 0;
}

CpuAnswer vae::runtime::findFeature(const X86Cpu &cpu, const char *name,
                                    size_t size) {
  // Bits of XCR0: SSE and AVX state; opmasks and both halves of zmm; tiles.
  enum State : uint64_t { None = 0, Ymm = 0x6, Zmm = 0xe6, Tiles = kTileState };
  struct Feature {
    const char *name;
    X86Cpu::Register where;
    unsigned bit;
    State state;
  };
  static constexpr Feature kFeatures[] = {
#define VAE_X86_FEATURE(NAME, REGISTER, BIT, STATE)                            \
  {NAME, X86Cpu::REGISTER, BIT, STATE},
#include "runtime/src/CpuFeatures.def"
  };
  for (const Feature &feature : kFeatures)
    if (equals(feature.name, name, size))
      return (cpu.registers[feature.where] >> feature.bit & 1) &&
                     (cpu.xcr0 & feature.state) == feature.state
                 ? CpuAnswer::Present
                 : CpuAnswer::Missing;
  return CpuAnswer::Unknown;
}

CpuAnswer vae::runtime::findFeature(const ArmCpu &cpu, const char *name,
                                    size_t size) {
  struct Feature {
    const char *name;
    ArmCpu::Word where;
    unsigned long bits;
  };
  static constexpr Feature kFeatures[] = {
#define VAE_ARM_FEATURE(NAME, WORD, BITS) {NAME, ArmCpu::WORD, BITS},
#include "runtime/src/CpuFeatures.def"
  };
  for (const Feature &feature : kFeatures)
    if (equals(feature.name, name, size))
      return (cpu.words[feature.where] & feature.bits) == feature.bits
                 ? CpuAnswer::Present
                 : CpuAnswer::Missing;
  return CpuAnswer::Unknown;
}

#if defined(__x86_64__)

static X86Cpu readHost() {
  X86Cpu cpu;
  unsigned a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d)) {
    cpu.registers[X86Cpu::Leaf1Ecx] = c;
    if (c & bit_OSXSAVE) {
      uint32_t low, high;
      // xgetbv, by its bytes: the mnemonic needs a flag of its own.
      __asm__ volatile(".byte 0x0f, 0x01, 0xd0"
                       : "=a"(low), "=d"(high)
                       : "c"(0));
      cpu.xcr0 = uint64_t(high) << 32 | low;
    }
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    cpu.registers[X86Cpu::Leaf7Ebx] = b;
    cpu.registers[X86Cpu::Leaf7Ecx] = c;
    cpu.registers[X86Cpu::Leaf7Edx] = d;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
      cpu.registers[X86Cpu::Leaf7Sub1Eax] = a;
  }
  if (__get_cpuid(0x80000001, &a, &b, &c, &d))
    cpu.registers[X86Cpu::Extended1Ecx] = c;
  return cpu;
}

#elif defined(__aarch64__)

static ArmCpu readHost() {
  ArmCpu cpu;
  cpu.words[ArmCpu::Hwcap] = getauxval(AT_HWCAP);
  cpu.words[ArmCpu::Hwcap2] = getauxval(AT_HWCAP2);
  return cpu;
}

#else
#error "the runtime knows x86-64 and AArch64 only"
#endif

CpuAnswer vae::runtime::findHostFeature(const char *name, size_t size) {
  // Asked once: in a virtual machine cpuid is a trip to the hypervisor.
  static const auto host = readHost();
  CpuAnswer answer = findFeature(host, name, size);
  constexpr char kTiles[] = "amx-";
  constexpr size_t kLength = sizeof(kTiles) - 1;
  if (answer != CpuAnswer::Present || size < kLength ||
      std::memcmp(name, kTiles, kLength) != 0)
    return answer;
  static const bool allowed = requestTiles();
  return allowed ? answer : CpuAnswer::Missing;
}
