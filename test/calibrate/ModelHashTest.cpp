// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/calibrate/ModelHash.h"

#include "compiler/pipeline/RegisterAll.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;

static std::string hash(const std::string &text) {
  DialectRegistry registry;
  vae::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module) << text;
  return module ? vae::hashModel(*module) : "";
}

/// Two additions; the result of `result` is returned.
static std::string makeModel(const std::string &function,
                             const std::string &layer,
                             const std::string &result,
                             const std::string &line = "1") {
  const std::string types = " : (tensor<?x2xf32>) -> tensor<?x2xf32>";
  return "func.func @encode(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {\n"
         "  %a = vae.activation %x <" +
         function + ">" + types + " loc(\"" + layer + "\"(\"m.json\":" + line +
         ":2))\n"
         "  %b = vae.activation %a <relu>" +
         types + "\n  return %" + result + " : tensor<?x2xf32>\n}\n";
}

TEST(ModelHash, WhatCounts) {
  std::string first = hash(makeModel("relu", "l", "b"));
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(hash(makeModel("relu", "l", "b", "9")), first) << "positions";
  EXPECT_NE(hash(makeModel("tanh", "l", "b")), first) << "attributes";
  EXPECT_NE(hash(makeModel("relu", "m", "b")), first) << "layers";
  EXPECT_NE(hash(makeModel("relu", "l", "a")), first) << "operands";
}
