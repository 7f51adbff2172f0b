// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Cpu.h"

#include "compiler/conversion/Versions.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "runtime/src/TilePermission.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace llvm;
using namespace vae;

/// Keys of a version's dictionary beside those of Versions.h.
static constexpr StringLiteral kFeaturesAttr = "features";
static constexpr StringLiteral kRequiredAttr = "required";

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

/// With what a layer reads, which is as large, it fills a last cache of 32 MiB.
static constexpr int64_t kStreamBytes = int64_t(16) << 20;

static KernelTarget kernelTarget(const Triple &triple,
                                 const MCSubtargetInfo &info) {
  KernelTarget target;
  if (triple.isAArch64()) {
    target.vectorWidth = 4;
    target.vectorRegisters = 32;
    target.byteDots = info.checkFeatures("+dotprod");
  } else if (info.checkFeatures("+avx512f,+avx512vl,+avx512dq,+avx512bw")) {
    target.vectorWidth = 16;
    target.vectorRegisters = 32;
    target.bf16Dot = info.checkFeatures("+avx512bf16");
    target.streamBytes = kStreamBytes;
  }
  if (triple.isX86())
    target.wordDots = info.checkFeatures("+avx2");
  target.vnni = target.vectorWidth == 16 && info.checkFeatures("+avx512vnni");
  target.amxInt8 = target.vnni && info.checkFeatures("+amx-tile,+amx-int8");
  target.amxBf16 = target.bf16Dot && info.checkFeatures("+amx-tile,+amx-bf16");
  return target;
}

static std::string hostFeatures() {
  SmallVector<std::string> features;
  for (const auto &feature : sys::getHostCPUFeatures()) {
    bool has = feature.second && (!feature.first().starts_with("amx-") ||
                                  runtime::requestTiles());
    features.push_back((has ? "+" : "-") + feature.first().str());
  }
  llvm::sort(features); // the map has no order of its own
  return join(features, ",");
}

static constexpr StringLiteral kTriples[] = {"x86_64-unknown-linux-gnu",
                                             "aarch64-unknown-linux-gnu"};

static Expected<const Target *> findTarget(const Triple &triple) {
  initializeTargets();
  std::string error;
  if (const Target *target = TargetRegistry::lookupTarget(triple, error))
    return target;
  return createStringError("no code generator for " + triple.str() + ": " +
                           error);
}

/// The code uses these without asking.
static bool hasNeededFeatures(const Triple &triple,
                              const MCSubtargetInfo &info) {
  return !triple.isX86() || info.checkFeatures("+avx2,+fma");
}

Expected<Cpu> vae::describeCpu(StringRef tripleName, StringRef name,
                               StringRef features) {
  Triple triple(tripleName);
  auto target = findTarget(triple);
  if (!target)
    return target.takeError();
  std::unique_ptr<MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(triple, name, features));
  if (!info)
    return createStringError("no description of " + tripleName);
  if (!hasNeededFeatures(triple, *info))
    return createStringError(
        "CPU '" + name +
        "' has no AVX2 and FMA, which the code needs; the oldest supported "
        "one is x86-64-v3");
  Cpu cpu;
  cpu.triple = tripleName.str();
  cpu.name = name.str();
  cpu.features = features.str();
  cpu.required = requiredFeatures(triple, *info);
  cpu.kernels = kernelTarget(triple, *info);
  return cpu;
}

std::vector<CpuList> vae::listCpus() {
  std::vector<CpuList> lists;
  for (StringRef name : kTriples) {
    Triple triple(name);
    auto target = findTarget(triple);
    if (!target) {
      consumeError(target.takeError());
      continue;
    }
    CpuList &list = lists.emplace_back();
    list.triple = name.str();
    std::unique_ptr<MCSubtargetInfo> all(
        (*target)->createMCSubtargetInfo(triple, "", ""));
    for (const SubtargetSubTypeKV &entry : all->getAllProcessorDescriptions()) {
      std::unique_ptr<MCSubtargetInfo> info(
          (*target)->createMCSubtargetInfo(triple, entry.Key, ""));
      if (hasNeededFeatures(triple, *info))
        list.names.push_back(entry.Key);
    }
    llvm::sort(list.names);
  }
  return lists;
}

/// "; did you mean 'x'?", or ";".
static std::string suggestCpu(StringRef name, StringRef triple) {
  std::string best;
  unsigned bestDistance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const CpuList &list : listCpus()) {
    if (!triple.empty() &&
        Triple(triple).getArch() != Triple(list.triple).getArch())
      continue;
    for (StringRef candidate : list.names) {
      unsigned distance = name.edit_distance(candidate, true, bestDistance);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate.str();
      }
    }
  }
  return best.empty() ? ";" : "; did you mean '" + best + "'?";
}

/// Whether the target has a CPU of that name.
static bool knowsCpu(const Triple &triple, StringRef name) {
  auto target = findTarget(triple);
  if (!target) {
    consumeError(target.takeError());
    return false;
  }
  std::unique_ptr<MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(triple, "", ""));
  return info && info->isCPUStringValid(name);
}

Expected<Cpu> vae::resolveCpu(StringRef name, StringRef tripleName) {
  initializeTargets();
  Triple host(sys::getDefaultTargetTriple());
  SmallVector<std::string> candidates;
  if (tripleName.empty()) {
    candidates.push_back(host.str());
    for (StringRef triple : kTriples)
      if (Triple(triple).getArch() != host.getArch())
        candidates.push_back(triple.str());
  } else {
    Triple triple(Triple::normalize(tripleName));
    if ((!triple.isX86_64() && !triple.isAArch64()) || !triple.isOSLinux())
      return createStringError("unknown target '" + tripleName +
                               "'; vaec compiles for " +
                               join(ArrayRef(kTriples), " and "));
    candidates.push_back(triple.str());
  }
  if (name == "native") {
    if (Triple(candidates.front()).getArch() != host.getArch())
      return createStringError("'native' is not a CPU of " +
                               candidates.front() + "; name one with --mcpu");
    return describeCpu(candidates.front(), sys::getHostCPUName(),
                       hostFeatures());
  }
  for (const std::string &candidate : candidates)
    if (knowsCpu(Triple(candidate), name))
      return describeCpu(candidate, name, "");
  return createStringError(
      "unknown CPU '" + name + "'" +
      (tripleName.empty() ? "" : " of " + candidates.front()) +
      suggestCpu(name, tripleName) + " --mcpu=help lists all");
}

SmallVector<StringRef> Cpu::getRequired() const {
  SmallVector<StringRef> features;
  StringRef(required).split(features, ',', -1, /*KeepEmpty=*/false);
  return features;
}

/// Every AArch64 has them.
Error vae::checkConvertsF16(const Cpu &cpu) {
  if (!Triple(cpu.triple).isX86() || is_contained(cpu.getRequired(), "f16c"))
    return Error::success();
  return createStringError("CPU '" + cpu.name +
                           "' has no F16C, whose instructions convert f16; "
                           "choose another one, or --storage=f32");
}

Expected<std::vector<Cpu>> vae::resolveCpus(ArrayRef<std::string> names,
                                            StringRef triple) {
  struct Named {
    std::string asked; // what the user said
    Cpu cpu;
  };
  std::vector<Named> found;
  for (const std::string &name : names) {
    auto cpu = resolveCpu(name, triple);
    if (!cpu)
      return cpu.takeError();
    for (const Named &other : found) {
      std::string both = "'" + other.asked + "' and '" + name + "'";
      if (other.cpu.triple != cpu->triple)
        return createStringError("the CPUs " + both +
                                 " are of different architectures, " +
                                 other.cpu.triple + " and " + cpu->triple +
                                 "; compile a library for each");
      if (other.asked == name)
        return createStringError("the CPU '" + name +
                                 "' is listed twice; name it once");
      if (other.cpu.name == cpu->name)
        return createStringError("the CPUs " + both +
                                 " are the same on this machine; name one of "
                                 "them");
      if (other.cpu.required == cpu->required)
        return createStringError(
            "the CPUs " + both +
            " need the same features, so that a loader cannot choose between "
            "them; name one of them");
    }
    size_t features = cpu->getRequired().size();
    auto place = find_if(found, [&](const Named &other) {
      return other.cpu.getRequired().size() > features;
    });
    found.insert(place, {name, std::move(*cpu)});
  }
  std::vector<Cpu> cpus;
  for (Named &named : found)
    cpus.push_back(std::move(named.cpu));
  return cpus;
}

mlir::ArrayAttr vae::describeVersions(ArrayRef<Cpu> cpus,
                                      mlir::MLIRContext *context) {
  mlir::Builder builder(context);
  SmallVector<mlir::Attribute> versions;
  for (const Cpu &cpu : cpus) {
    mlir::NamedAttrList version;
    for (auto [key, text] : {std::pair(kVersionNameAttr, &cpu.name),
                             std::pair(kFeaturesAttr, &cpu.features),
                             std::pair(kRequiredAttr, &cpu.required)})
      version.set(key, builder.getStringAttr(*text));
    setKernelTarget(version, cpu.kernels, context);
    versions.push_back(version.getDictionary(context));
  }
  return builder.getArrayAttr(versions);
}

/// A version without tiles needs no CPU and system that have them: LLVM makes
/// none unasked.
static void dropUnusedTiles(mlir::ModuleOp module,
                            MutableArrayRef<Cpu> versions) {
  StringSet<> having; // names; empty if there is one version only
  module.walk([&](mlir::LLVM::CallIntrinsicOp call) {
    if (call.getIntrin() == "llvm.x86.ldtilecfg")
      having.insert(
          getVersionName(call->getParentOfType<mlir::LLVM::LLVMFuncOp>()));
  });
  for (Cpu &cpu : versions) {
    if (having.contains(cpu.name) || having.contains(""))
      continue;
    SmallVector<StringRef> required = cpu.getRequired();
    erase_if(required, [](StringRef name) { return name.starts_with("amx-"); });
    cpu.required = join(required, ",");
  }
}

static std::vector<Cpu> readVersions(mlir::ModuleOp module, const Cpu &only) {
  auto versions = module->getAttrOfType<mlir::ArrayAttr>(kVersionsAttr);
  if (!versions || versions.empty())
    return {only};
  std::vector<Cpu> cpus;
  for (auto version : versions.getAsRange<mlir::DictionaryAttr>()) {
    auto text = [&](StringRef key) {
      auto value = version.getAs<mlir::StringAttr>(key);
      return value ? value.str() : std::string();
    };
    cpus.push_back({only.triple, text(kVersionNameAttr), text(kFeaturesAttr),
                    text(kRequiredAttr), getKernelTarget(version)});
  }
  return cpus;
}

std::vector<Cpu> vae::getVersions(mlir::ModuleOp module, const Cpu &only) {
  std::vector<Cpu> versions = readVersions(module, only);
  dropUnusedTiles(module, versions);
  return versions;
}
