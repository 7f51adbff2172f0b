// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/import/ImportTest.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>
#include <fstream>

using namespace vae;
using namespace vae::test;

std::string test::makeSafetensors(const std::string &header,
                                  const std::string &data) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i)
    bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

static void append(std::string &data, float value, const std::string &dtype) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (dtype == "BF16")
    data.append({static_cast<char>(bits >> 16), static_cast<char>(bits >> 24)});
  else if (dtype == "F16") {
    // Enough for normal numbers that f16 holds exactly.
    uint32_t exponent = (bits >> 23) & 0xff;
    uint16_t half = (bits >> 16 & 0x8000) |
                    (exponent ? (exponent - 112) << 10 : 0) |
                    (bits >> 13 & 0x3ff);
    data.append({static_cast<char>(half), static_cast<char>(half >> 8)});
  } else if (dtype == "I64") {
    data += static_cast<char>(value);
    data.append(7, '\0');
  } else {
    data.append(reinterpret_cast<const char *>(&bits), 4);
  }
}

std::string test::makeSafetensors(const std::vector<TestTensor> &tensors) {
  std::string header = "{", data;
  for (const TestTensor &tensor : tensors) {
    size_t begin = data.size();
    int64_t count = 1;
    std::string shape;
    for (int64_t dim : tensor.shape) {
      count *= dim;
      shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    }
    for (int64_t i = 0; i < count; ++i)
      append(data,
             tensor.values.empty() ? static_cast<float>(i + 1) / 16
                                   : tensor.values[i],
             tensor.dtype);
    header += (header.size() > 1 ? ",\"" : "\"") + tensor.name +
              "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(begin) + "," +
              std::to_string(data.size()) + "]}";
  }
  header += "}";
  while (header.size() % 8)
    header += ' ';
  return makeSafetensors(header, data);
}

ImportTest::ImportTest() {
  std::error_code error =
      llvm::sys::fs::createUniqueDirectory("vaec-import", folder);
  EXPECT_FALSE(error);
}

ImportTest::~ImportTest() { llvm::sys::fs::remove_directories(folder); }

std::string ImportTest::getPath(const std::string &file) const {
  llvm::SmallString<128> path = folder;
  llvm::sys::path::append(path, file);
  return std::string(path);
}

void ImportTest::write(const std::string &file,
                       const std::string &content) const {
  std::ofstream(getPath(file), std::ios::binary) << content;
}

/// Writes a model and what came of it into the folder that the environment
/// names, for test/import/validate_schema.py.
static void dumpModel(const std::string &json, bool imported,
                      const std::string &errors) {
  const char *dump = std::getenv("VAEC_DUMP_MODELS");
  if (!dump)
    return;
  static int count = 0;
  auto *test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test->test_suite_name()) + "." + test->name() +
                     "." + std::to_string(count++);
  std::ofstream(std::string(dump) + "/" + name + ".json", std::ios::binary)
      << json;
  if (!imported)
    std::ofstream(std::string(dump) + "/" + name + ".errors") << errors;
}

mlir::OwningOpRef<mlir::ModuleOp> ImportTest::import(const std::string &json) {
  write("model.json", json);
  errors.clear();
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (!errors.empty())
          errors += "\n";
        auto loc =
            llvm::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation());
        if (!loc)
          errors += "no position: ";
        else
          errors += std::to_string(loc.getLine()) + ":" +
                    std::to_string(loc.getColumn()) + ": ";
        errors += diagnostic.str();
      });
  auto module = importNativeModel(getPath("model.json"), options, context);
  dumpModel(json, static_cast<bool>(module), errors);
  return module;
}

std::string ImportTest::fail(const std::string &json) {
  auto module = import(json);
  EXPECT_FALSE(module) << "imported, but should not";
  return errors;
}

std::string ImportTest::print(const std::string &json) {
  auto module = import(json);
  if (!module)
    return errors;
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::OpPrintingFlags flags;
  flags.elideLargeResourceString(0);
  module->print(stream, flags);
  return text;
}

std::string test::encoderModel(const std::string &shape,
                               const std::string &layers,
                               const std::string &more) {
  return "{\"format_version\": 1, \"name\": \"test\",\n"
         "\"weights\": \"w.safetensors\"" +
         more + ",\n\"inputs\": [{\"name\": \"x\", \"shape\": " + shape +
         "}],\n\"latent\": {\"kind\": \"code\", \"code\": \"out\"},\n"
         "\"encoder\": {\"layers\": [\n" +
         layers + "\n]}}\n";
}
