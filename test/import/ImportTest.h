// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models written to a temporary folder, imported, and what came of it.
#ifndef TEST_IMPORT_IMPORTTEST_H
#define TEST_IMPORT_IMPORTTEST_H

#include "compiler/import/native/NativeImporter.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/SmallString.h"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace vae::test {

struct TestTensor {
  std::string name;
  std::vector<int64_t> shape;
  /// Empty: 1/16, 2/16, 3/16, ...
  std::vector<float> values;
  std::string dtype = "F32";
};

/// The bytes of a safetensors file: a header and data.
std::string makeSafetensors(const std::string &header, const std::string &data);
/// The bytes of a safetensors file with these tensors.
std::string makeSafetensors(const std::vector<TestTensor> &tensors);

/// A folder that disappears with the test.
class ImportTest : public testing::Test {
protected:
  ImportTest();
  ~ImportTest() override;

  std::string getPath(const std::string &file) const;
  void write(const std::string &file, const std::string &content) const;
  void writeTensors(const std::vector<TestTensor> &tensors) const {
    write("w.safetensors", makeSafetensors(tensors));
  }

  /// Imports a model with this text. Collects the diagnostics as
  /// "line:column: text", joined by newlines, in `errors`.
  mlir::OwningOpRef<mlir::ModuleOp> import(const std::string &json);
  /// The diagnostics of a model that must fail.
  std::string fail(const std::string &json);
  /// The module as text; the diagnostics if it failed.
  std::string print(const std::string &json);

  mlir::MLIRContext context;
  ImportOptions options;
  std::string errors;

private:
  llvm::SmallString<128> folder;
};

/// A model with an encoder only: `layers` begins on line 6, its first character
/// in column 1. Data "x" has the shape `shape`; the latent is the layer "out".
std::string encoderModel(const std::string &shape, const std::string &layers,
                         const std::string &more = "");

} // namespace vae::test

#endif // TEST_IMPORT_IMPORTTEST_H
