// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From objects to a file with the weights in it.
#ifndef COMPILER_PIPELINE_WRITELIBRARY_H
#define COMPILER_PIPELINE_WRITELIBRARY_H

#include "compiler/pipeline/Files.h"
#include "compiler/target/cpu/Codegen.h"

namespace vae {

struct LinkRequest {
  int64_t weightBytes;
  const Cpu &cpu;
  LinkKind kind;
};

/// Links objects with an empty place for the weights, into a file beside
/// `output`.
llvm::Expected<TemporaryFile>
linkCode(llvm::ArrayRef<CodeGenerator::Object> objects,
         const LinkRequest &request, llvm::StringRef output,
         bool removeOnSignal);

/// Writes linked code with the weights of the module, of the LLVM dialect, in
/// their place.
llvm::Error writeLinked(const TemporaryFile &linked, mlir::ModuleOp module,
                        llvm::StringRef output, bool removeOnSignal);

} // namespace vae

#endif // COMPILER_PIPELINE_WRITELIBRARY_H
