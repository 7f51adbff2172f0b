// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conversion/kernels/CompileText.h"

#include "compiler/calibrate/ModelHash.h"
#include "compiler/import/native/NativeImporter.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace vae;

static llvm::SmallString<128> writeText(llvm::StringRef model) {
  llvm::SmallString<128> path;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("model", "json", path));
  std::error_code code;
  llvm::raw_fd_ostream(path, code) << model;
  EXPECT_FALSE(code);
  return path;
}

std::string test::join(llvm::ArrayRef<float> values) {
  std::string text;
  for (float value : values)
    text += llvm::formatv("{0}{1}", text.empty() ? "" : ", ",
                          llvm::format("%.9g", value));
  return text;
}

std::string test::joinSizes(llvm::ArrayRef<int64_t> sizes) {
  return llvm::join(
      llvm::map_range(sizes, [](int64_t size) { return std::to_string(size); }),
      ", ");
}

std::string test::hashText(llvm::StringRef model) {
  llvm::SmallString<128> path = writeText(model);
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = importNativeModel(path.str().str(), {}, context);
  llvm::sys::fs::remove(path);
  return module ? hashModel(*module) : "";
}

std::unique_ptr<test::ModelLibrary>
test::compileText(llvm::StringRef model, const CompileOptions &options) {
  llvm::SmallString<128> input = writeText(model), output;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("model", "so", output));
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
