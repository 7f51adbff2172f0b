// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef VAE_RUNTIME_CPUFEATURES_H
#define VAE_RUNTIME_CPUFEATURES_H

#include <cstddef>
#include <cstdint>

namespace vae::runtime {

enum class CpuAnswer { Present, Missing, Unknown };

/// Words of cpuid, and XCR0 (0 where the system does not use xsave).
struct X86Cpu {
  enum Register {
    Leaf1Ecx,
    Leaf7Ebx,
    Leaf7Ecx,
    Leaf7Edx,
    Leaf7Sub1Eax,
    Extended1Ecx,
    kNumRegisters
  };
  uint32_t registers[kNumRegisters] = {};
  uint64_t xcr0 = 0;
};

/// AT_HWCAP and AT_HWCAP2 of the auxiliary vector.
struct ArmCpu {
  enum Word { Hwcap, Hwcap2, kNumWords };
  unsigned long words[kNumWords] = {};
};

/// Bits of XCR0 for the tiles of AMX: their configuration and their data.
inline constexpr uint64_t kTileState = 0x60000;

/// Whether a CPU has a feature, by its LLVM name (`size` bytes at `name`), and
/// the operating system saves the registers that it uses.
CpuAnswer findFeature(const X86Cpu &cpu, const char *name, size_t size);
CpuAnswer findFeature(const ArmCpu &cpu, const char *name, size_t size);

/// The same for the CPU this runs on. Tiles are larger than all other registers
/// together, so Linux lets a process use them if it asks; who asks for their
/// features here does so.
CpuAnswer findHostFeature(const char *name, size_t size);

} // namespace vae::runtime

#endif // VAE_RUNTIME_CPUFEATURES_H
