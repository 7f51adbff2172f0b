// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a model file: a module that verifies, or an error with a place.
#include "compiler/import/native/NativeImporter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "test/fuzz/MemoryFile.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string &path = vae::test::writeMemoryFile(data, size);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  unsigned errors = 0;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error) {
      ++errors;
      if (diagnostic.str().empty() ||
          !llvm::isa<mlir::FileLineColLoc, mlir::NameLoc, mlir::FusedLoc>(
              diagnostic.getLocation()))
        std::abort();
    }
    return mlir::success();
  });
  vae::ImportOptions options;
  options.verify = false;
  auto module = vae::importNativeModel(path, options, context);
  if (module ? failed(mlir::verify(*module)) : errors != 1)
    std::abort();
  return 0;
}
