// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-lsp-server: the language server of .mlir files with our dialects, for
// editors.
#include "compiler/pipeline/RegisterAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "llvm/Support/LogicalResult.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  vae::registerAllDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
