// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Configs that no Keras writes: refused, soon and with a place.
#include "compiler/import/keras/KerasImporter.h"

#include <gtest/gtest.h>

using namespace vae;

namespace {

std::string refuse(const std::string &config) {
  ModelDocument document;
  auto problem = keras::translateConfig(config, "", document);
  return problem ? problem->message : "";
}

std::string makeInput(const std::string &name, const std::string &more = "") {
  return R"({"class_name": "InputLayer", "name": ")" + name +
         R"(", "config": {"batch_input_shape": [null, 4])" + more +
         R"(}, "inbound_nodes": []})";
}

/// A functional model of input "x" with these layers.
std::string makeModel(const std::string &name, const std::string &layers,
                      const std::string &output, const std::string &nodes) {
  return R"({"class_name": "Functional", "name": ")" + name +
         R"(", "config": {"layers": [)" + layers +
         R"(], "input_layers": [["x", 0, 0]], "output_layers": [[")" + output +
         R"(", 0, 0]]}, "inbound_nodes": [)" + nodes + "]}";
}

} // namespace

TEST(KerasConfig, AnInputLayerWithLayersIsNoModel) {
  std::string input = makeInput("x", R"(, "layers": [])");
  EXPECT_NE(refuse(makeModel("vae", input, "x", "")), "");
  EXPECT_NE(refuse(input), "");
}

/// Each of the models calls the one in it ten times, and none has a layer.
TEST(KerasConfig, CallsOfNestedModelsAreLimited) {
  std::string nodes, model;
  for (int call = 0; call < 10; ++call)
    nodes += (call ? ", " : "") + std::string(R"([["x", 0, 0, {}]])");
  for (int depth = 0; depth < 13; ++depth)
    model = depth ? makeModel("m", makeInput("x") + ", " + model, "m", nodes)
                  : makeModel("m", makeInput("x"), "x", nodes);
  EXPECT_EQ(refuse(model), "the model has more than 20000 calls of layers");
}

/// Their model is called often, and has inputs only.
TEST(KerasConfig, LayersOfNestedModelsAreLimited) {
  std::string layers = makeInput("x"), nodes;
  for (int i = 0; i < 3000; ++i) {
    layers += ", " + makeInput("x" + std::to_string(i));
    nodes += (i ? ", " : "") + std::string(R"([["x", 0, 0, {}]])");
  }
  std::string inner = makeModel("m", layers, "x", nodes);
  std::string model = makeModel("vae", makeInput("x") + ", " + inner, "m", "");
  EXPECT_EQ(refuse(model).substr(0, 22), "the model is too large");
}

TEST(KerasConfig, LayersInAnyOrderTakeLittleTime) {
  constexpr int kLayers = 12000;
  std::string layers = makeInput("x");
  for (int i = kLayers; i-- > 0;) {
    std::string name = "l" + std::to_string(i);
    layers += R"(, {"class_name": "ReLU", "name": ")" + name +
              R"(", "config": {}, "inbound_nodes": [[[")" +
              (i ? "l" + std::to_string(i - 1) : "x") + R"(", 0, 0, {}]]]})";
  }
  EXPECT_EQ(refuse(makeModel("vae", layers, "l0", "")).substr(0, 22),
            "the model is too large");
}
