// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which machine to compile for.
#ifndef COMPILER_TARGET_CPU_CPU_H
#define COMPILER_TARGET_CPU_CPU_H

#include "compiler/conversion/kernels/Emitter.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace vae {

/// A machine, resolved from what the user said.
struct Cpu {
  std::string triple;
  std::string name;     // an LLVM CPU
  std::string features; // "+avx2,-sse4a,..."
  /// Features that a library for this machine needs, as LLVM names them.
  std::string required;
  KernelTarget kernels;

  /// `required`, one by one.
  llvm::SmallVector<llvm::StringRef> getRequired() const;
};

/// Resolves `--mcpu` ("native", or a CPU that LLVM knows) and `--mtriple`
/// (empty: this machine, or the architecture that has such a CPU). Errors say
/// what is wrong with the name. Thread safety: safe from any thread.
llvm::Expected<Cpu> resolveCpu(llvm::StringRef name, llvm::StringRef triple);

/// The machines of a list, from the least to the most demanding one: by the
/// number of features that a library for it needs. Errors also say which of
/// them a library cannot have together: of different architectures, or with the
/// same features, between which a loader could not choose.
llvm::Expected<std::vector<Cpu>> resolveCpus(llvm::ArrayRef<std::string> names,
                                             llvm::StringRef triple);

/// The machine with that triple, LLVM CPU and features.
llvm::Expected<Cpu> describeCpu(llvm::StringRef triple, llvm::StringRef name,
                                llvm::StringRef features);

/// Success if the machine has instructions that convert f16.
llvm::Error checkConvertsF16(const Cpu &cpu);

/// The CPUs of one architecture that vaec can compile for, sorted.
struct CpuList {
  std::string triple;
  std::vector<std::string> names;
};
std::vector<CpuList> listCpus();

/// The versions that a module has code for, as its attribute kVersionsAttr
/// (compiler/conversion/Versions.h): one for each of several CPUs.
mlir::ArrayAttr describeVersions(llvm::ArrayRef<Cpu> cpus,
                                 mlir::MLIRContext *context);
/// And back, of a module of the LLVM dialect: one without the attribute is for
/// `only`. Versions whose code has no tiles of AMX do not require them.
std::vector<Cpu> getVersions(mlir::ModuleOp module, const Cpu &only);

} // namespace vae

#endif // COMPILER_TARGET_CPU_CPU_H
