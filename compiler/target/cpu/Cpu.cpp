// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Cpu.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace llvm;
using namespace vae;

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers();
  });
}

/// Features whose absence makes a library crash: what the runtime looks for
/// before it runs one.
static constexpr StringLiteral kX86Features[] = {
#define VAE_X86_FEATURE(NAME, REGISTER, BIT, STATE) NAME,
#include "runtime/src/CpuFeatures.def"
};
static constexpr StringLiteral kArmFeatures[] = {
#define VAE_ARM_FEATURE(NAME, WORD, BITS) NAME,
#include "runtime/src/CpuFeatures.def"
};

static std::string requiredFeatures(const Triple &triple,
                                    const MCSubtargetInfo &info) {
  ArrayRef<StringLiteral> known =
      triple.isX86() ? ArrayRef(kX86Features) : ArrayRef(kArmFeatures);
  SmallVector<StringRef> required;
  for (StringRef feature : known)
    if (info.checkFeatures(("+" + feature).str()))
      required.push_back(feature);
  return join(required, ",");
}

static KernelTarget kernelTarget(const Triple &triple,
                                 const MCSubtargetInfo &info) {
  KernelTarget target;
  if (triple.isAArch64()) {
    target.vectorWidth = 4;
    target.vectorRegisters = 32;
  } else if (info.checkFeatures("+avx512f,+avx512vl,+avx512dq,+avx512bw")) {
    target.vectorWidth = 16;
    target.vectorRegisters = 32;
  }
  return target;
}

static std::string hostFeatures() {
  SmallVector<std::string> features;
  for (const auto &feature : sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features); // the map has no order of its own
  return join(features, ",");
}

Expected<Cpu> vae::resolveCpu(StringRef name, StringRef tripleName) {
  initializeTargets();
  Cpu cpu;
  cpu.name = name.str();
  SmallVector<std::string, 2> candidates;
  if (!tripleName.empty())
    candidates.push_back(Triple::normalize(tripleName));
  else
    candidates = {sys::getDefaultTargetTriple(), "aarch64-unknown-linux-gnu",
                  "x86_64-unknown-linux-gnu"};
  if (name == "native") {
    Triple host(sys::getDefaultTargetTriple());
    if (Triple(candidates.front()).getArch() != host.getArch())
      return createStringError("'native' is not a CPU of " +
                               candidates.front() + "; name one with --mcpu");
    cpu.name = sys::getHostCPUName().str();
    cpu.features = hostFeatures();
  }
  for (const std::string &candidate : candidates) {
    Triple triple(candidate);
    if (!triple.isX86_64() && !triple.isAArch64())
      continue;
    std::string error;
    const Target *target = TargetRegistry::lookupTarget(triple, error);
    if (!target)
      return createStringError("no code generator for " + candidate + ": " +
                               error);
    std::unique_ptr<MCSubtargetInfo> probe(
        target->createMCSubtargetInfo(triple, "", ""));
    if (!probe || !probe->isCPUStringValid(cpu.name))
      continue;
    std::unique_ptr<MCSubtargetInfo> info(
        target->createMCSubtargetInfo(triple, cpu.name, cpu.features));
    if (triple.isX86() && !info->checkFeatures("+avx2,+fma"))
      return createStringError(
          "CPU '" + cpu.name +
          "' has no AVX2 and FMA, which the code needs; the oldest supported "
          "one is x86-64-v3");
    cpu.triple = candidate;
    cpu.required = requiredFeatures(triple, *info);
    cpu.kernels = kernelTarget(triple, *info);
    return cpu;
  }
  return createStringError("unknown CPU '" + name +
                           "'; try native, x86-64-v3, x86-64-v4 or a name "
                           "that llc -mcpu=help lists");
}
