// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-opt: runs passes on MLIR files, for tests and study.
#include "compiler/pipeline/RegisterAll.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  vae::registerAllDialects(registry);
  vae::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "vae-opt: passes of vaec\n", registry));
}
