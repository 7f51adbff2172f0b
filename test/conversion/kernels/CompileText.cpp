// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conversion/kernels/CompileText.h"

#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace vae;

std::unique_ptr<test::ModelLibrary>
test::compileText(llvm::StringRef model, const CompileOptions &options) {
  llvm::SmallString<128> input, output;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("model", "json", input));
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("model", "so", output));
  std::error_code code;
  llvm::raw_fd_ostream(input, code) << model;
  EXPECT_FALSE(code);
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  EXPECT_TRUE(succeeded(compileModel(input, output, options, context)));
  std::string error;
  auto library = std::make_unique<ModelLibrary>(output.str().str(), error);
  llvm::sys::fs::remove(input);
  llvm::sys::fs::remove(output);
  EXPECT_EQ(error, "");
  return error.empty() ? std::move(library) : nullptr;
}
