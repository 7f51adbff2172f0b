// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to a shared library.
#ifndef COMPILER_TARGET_CPU_CODEGEN_H
#define COMPILER_TARGET_CPU_CODEGEN_H

#include "compiler/target/cpu/Cpu.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

namespace vae {

/// One module on its way from the LLVM dialect to machine code. What LLVM
/// reports becomes the Error of the call during which it did. Every method is
/// called at most once, in this order, and one of the last two.
class CodeGenerator {
public:
  using Object = llvm::SmallVector<char, 0>;

  /// The CPU of modules for one CPU, or the least demanding one: a module with
  /// several versions says what each is for.
  CodeGenerator(const Cpu &cpu, unsigned optLevel);

  /// Makes LLVM IR of the functions, and adds the table and the note that
  /// describe the model.
  llvm::Error translate(mlir::ModuleOp source);
  /// Compiles to object files, in several threads. Their number and bytes do
  /// not depend on the number of threads. The weights are a symbol of another
  /// object file.
  llvm::Error emitObjects(std::vector<Object> &objects);
  /// `weightsFile` is the file with the weights that the text includes.
  llvm::Error emitAssembly(llvm::StringRef weightsFile,
                           llvm::raw_pwrite_stream &out);

private:
  Cpu cpu;
  unsigned optLevel;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::string messages;
};

/// Bytes of the weights of a module of the LLVM dialect in a library.
uint64_t getWeightsSize(mlir::ModuleOp module);

/// Writes the weights of a module of the LLVM dialect as they lie in a library.
void writeWeights(mlir::ModuleOp module, llvm::raw_ostream &out);

/// Writes a relocatable object with the weights' symbol and a section of `size`
/// without bytes: the linker decides about their place and never sees them.
void writeWeightsPlaceholder(uint64_t size, const Cpu &cpu,
                             llvm::raw_ostream &out);

enum class LinkKind { SharedLibrary, Relocatable };

/// Links objects into a shared library that exports the query function only,
/// or into one object, still without weights (fillSection). The code of an
/// error that the output could not be written is std::errc::io_error. lld keeps
/// global state: calls are serialized by a lock.
llvm::Error linkObjects(llvm::ArrayRef<std::string> objects,
                        llvm::StringRef output, LinkKind kind);

// ModelTable.cpp

/// Adds vae_model_query and everything it returns. The versions are those of
/// the module's code, from the least demanding one; at least one.
llvm::Error addModelTable(mlir::ModuleOp source, llvm::ArrayRef<Cpu> versions,
                          llvm::Module &module);

// ModelNote.cpp

/// The text of the ELF note (docs/c-api.md).
llvm::Expected<std::string> getModelNote(mlir::ModuleOp source,
                                         llvm::ArrayRef<Cpu> versions);

} // namespace vae

#endif // COMPILER_TARGET_CPU_CODEGEN_H
