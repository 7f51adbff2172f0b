// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a model file: a module that verifies, or an error with a place.
#include "compiler/import/native/NativeImporter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int fd = memfd_create("model", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
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
