// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to a shared library.
#ifndef COMPILER_TARGET_CPU_CODEGEN_H
#define COMPILER_TARGET_CPU_CODEGEN_H

#include "compiler/target/cpu/Cpu.h"
#include "mlir/IR/BuiltinOps.h"

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace vae {

/// Translates a module of the LLVM dialect, with the table and the note that
/// describe the model, and optimizes it. `weightsFile` is where writeWeights
/// has put the weights; the assembler includes it.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateToLLVM(mlir::ModuleOp module, const Cpu &cpu, unsigned optLevel,
                llvm::StringRef weightsFile, llvm::LLVMContext &context);

/// Writes the weights of a module as one file.
llvm::Error writeWeights(mlir::ModuleOp module, llvm::StringRef path);

/// Emits assembly or an object file.
llvm::Error emitMachineCode(llvm::Module &module, const Cpu &cpu, bool assembly,
                            llvm::raw_pwrite_stream &out);

/// Links an object into a shared library that exports the query function only.
/// lld keeps global state: calls are serialized by a lock.
llvm::Error linkLibrary(llvm::StringRef object, llvm::StringRef output);

// ModelTable.cpp

/// Adds vae_model_query and everything it returns.
llvm::Error addModelTable(mlir::ModuleOp source, const Cpu &cpu,
                          llvm::Module &module);
/// The text of the ELF note (docs/c-api.md).
llvm::Expected<std::string> getModelNote(mlir::ModuleOp source, const Cpu &cpu);

} // namespace vae

#endif // COMPILER_TARGET_CPU_CODEGEN_H
