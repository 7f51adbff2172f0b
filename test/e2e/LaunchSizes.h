// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The buffers that launches work on, which the ABI does not tell: from the
// kernels stage.
#ifndef TEST_E2E_LAUNCHSIZES_H
#define TEST_E2E_LAUNCHSIZES_H

#include "compiler/pipeline/Pipeline.h"
#include "mlir/IR/OwningOpRef.h"
#include "test/e2e/ModelLibrary.h"

namespace vae::test {

class LaunchSizes {
public:
  /// Imports the model and runs the stages up to kernels. `error` says why not.
  LaunchSizes(const std::string &path, const CompileOptions &options,
              mlir::MLIRContext &context, std::string &error);

  /// The launches of an entry point in their order, for values of the model's
  /// symbols.
  std::vector<LaunchBuffers> get(llvm::StringRef entry,
                                 llvm::ArrayRef<int64_t> symbols) const;

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace vae::test

#endif // TEST_E2E_LAUNCHSIZES_H
