// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-reduce: makes an .mlir file smaller as long as a script finds it
// interesting.
#include "compiler/pipeline/RegisterAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Reducer/Passes.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  vae::registerAllDialects(registry);
  vae::registerAllPasses();
  mlir::registerReducerPasses();
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
