// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library holds the weights of the entry points asked for and no others.
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace vae;

namespace {

constexpr int kUnits = 96;
// Values that occur nowhere else by chance.
constexpr float kEncoderWeight = 1.2345678f, kDecoderWeight = 8.7654321f;

/// [rows, columns] of one value.
std::string matrix(int rows, int columns, float value) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "{\"shape\": [" << rows << ", " << columns << "], \"data\": [";
  for (int i = 0; i < rows * columns; ++i)
    out << (i ? ", " : "") << llvm::format("%.9g", value);
  out << "]}";
  return text;
}

std::string getModel() {
  return R"({"format_version": 1, "name": "two-halves",
  "inputs": [{"name": "x", "shape": [96], "range": [0, 1]}],
  "encoder": {"layers": [{"name": "code", "type": "dense", "units": 96,
    "bias": false, "weights": {"kernel": )" +
         matrix(kUnits, kUnits, kEncoderWeight) + R"(}}]},
  "latent": {"kind": "code", "code": "code"},
  "decoder": {"layers": [{"name": "y", "type": "dense", "units": 96,
    "bias": false, "weights": {"kernel": )" +
         matrix(kUnits, kUnits, kDecoderWeight) + R"(}}]},
  "likelihood": {"kind": "gaussian", "variance": 1}})";
}

class EntriesTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("vaec-entries", folder));
    std::error_code code;
    llvm::raw_fd_ostream((folder + "/m.json").str(), code) << getModel();
    ASSERT_FALSE(code);
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  /// The bytes of the library with these entry points; empty after an error.
  std::string compile(std::vector<std::string> entries) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
      message += diagnostic.str() + "\n";
      return mlir::success();
    });
    CompileOptions options;
    options.entries = std::move(entries);
    std::string output = (folder + "/m.so").str();
    if (failed(
            compileModel((folder + "/m.json").str(), output, options, context)))
      return "";
    auto buffer = llvm::MemoryBuffer::getFile(output);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }

  static bool contains(const std::string &bytes, float value) {
    return bytes.find(std::string(reinterpret_cast<const char *>(&value),
                                  sizeof(value))) != std::string::npos;
  }

  llvm::SmallString<128> folder;
  std::string message;
};

TEST_F(EntriesTest, ALibraryHoldsTheWeightsOfItsEntryPointsOnly) {
  std::string both = compile({}), encoder = compile({"encode"}),
              decoder = compile({"decode"});
  ASSERT_FALSE(both.empty() || encoder.empty() || decoder.empty()) << message;
  EXPECT_TRUE(contains(both, kEncoderWeight));
  EXPECT_TRUE(contains(both, kDecoderWeight));
  EXPECT_TRUE(contains(encoder, kEncoderWeight));
  EXPECT_FALSE(contains(encoder, kDecoderWeight));
  EXPECT_FALSE(contains(decoder, kEncoderWeight));
  EXPECT_TRUE(contains(decoder, kDecoderWeight));
  // Each lacks the 36864 bytes of the other's weight.
  EXPECT_LT(encoder.size() + kUnits * kUnits * 4, both.size() + 1);
  EXPECT_LT(decoder.size() + kUnits * kUnits * 4, both.size() + 1);
}

TEST_F(EntriesTest, AnUnknownEntryPointIsAnErrorThatNamesTheNearest) {
  EXPECT_EQ(compile({"encoded"}), "");
  EXPECT_NE(message.find("no entry point 'encoded'; did you mean 'encode'?"),
            std::string::npos)
      << message;
  EXPECT_FALSE(llvm::sys::fs::exists(folder + "/m.so"));
}

} // namespace
